"""Versions are read strictly, written as they were read, and ordered as people mean."""

from __future__ import annotations

import functools
import itertools
import re

import pytest
import semver
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import InvalidVersion
from packaging.version import Version as Packaged

from release.core.config import Component, SchemeName, Upstream, VersionRules
from release.core.version import Scheme, Version, line_of_branch, names_in, render, scheme, template_values

SEMVER = scheme(VersionRules())
RKE2 = scheme(VersionRules(scheme="semver+revision", revision="rke2r", candidates=("alpha", "beta", "rc")))
PEP440 = scheme(VersionRules(scheme="pep440"))
SCHEMES = (SEMVER, RKE2, PEP440)

IDENTIFIER = st.from_regex(r"(0|[1-9][0-9]{0,4}|[0-9]{0,2}[a-zA-Z-][0-9a-zA-Z-]{0,4})", fullmatch=True)
CORE = st.tuples(*[st.integers(0, 3)] * 3)
SEMVERS = st.builds(
    lambda core, pre, build: (
        ".".join(map(str, core)) + (f"-{'.'.join(pre)}" if pre else "") + (f"+{'.'.join(build)}" if build else "")
    ),
    CORE,
    st.lists(IDENTIFIER, max_size=3),
    st.lists(IDENTIFIER, max_size=2),
)
PLACES = st.tuples(CORE, st.integers(0, 12), st.sampled_from(["alpha", "beta", "rc", ""]), st.integers(0, 10**18 - 1))
PEP440_PLACES = st.tuples(
    CORE,
    st.sampled_from([("alpha", 0), ("beta", 0), ("rc", 0), ("", 0), ("", 1), ("", 12)]),
    st.integers(0, 10**18 - 1),
)
ALIKE = st.lists(
    st.sampled_from([*"012.-+!", "01", "a", "b", "rc", "alpha", "c", "-rc.1", ".post1", ".dev1", ".post", "v", "x"]),
    max_size=6,
).map("".join)
"""Texts that look like versions, and here and there are some."""
LIKE = st.builds(str.__add__, st.sampled_from(["", "1.2.3", "1.2", "1.2.3.4", "1.2.3-0", "0!1.2.3", "v1.2.3"]), ALIKE)
ANY = st.text(st.characters(exclude_categories=()), max_size=300)
"""All that a name can be, lone surrogates and U+2028 included."""


def read(text: str) -> Version:
    version = SEMVER.parse(text)
    assert version is not None
    return version


def rke2(tag: str) -> Version:
    version = RKE2.of_tag(tag)
    assert version is not None
    return version


def pep440(text: str) -> Version:
    version = PEP440.parse(text)
    assert version is not None
    return version


@given(LIKE)
@example("1.0.0-0A.is.legal-but--odd")
@example("1.0.0--")
@example("1.0.0+001.-")
def test_what_is_a_semver_is_so_for_the_semver_package(text: str) -> None:
    assert (SEMVER.parse(text) is not None) == semver.Version.is_valid(text)


@given(SEMVERS)
def test_the_numbers_of_a_semver_are_those_that_the_semver_package_reads(text: str) -> None:
    seen, version = semver.Version.parse(text), read(text)
    assert (version.major, version.minor, version.patch) == seen.to_tuple()[:3]
    assert version.final is (seen.prerelease is None)


SECTION_11 = [
    # 11.2: major, minor and patch in this order, as numbers
    ("1.0.0", "<", "2.0.0"),
    ("2.0.0", "<", "2.1.0"),
    ("2.1.0", "<", "2.1.1"),
    ("2.9.9", "<", "2.10.0"),
    ("9.99.99", "<", "10.0.0"),
    ("1.9.0", "<", "1.11.0"),
    ("1.0.2", "<", "1.0.10"),
    # 11.3: a prerelease is below its final, and above what is below that
    ("1.0.0-alpha", "<", "1.0.0"),
    ("1.0.0-zz.99", "<", "1.0.0"),
    ("1.0.0", "<", "1.0.1-0"),
    ("0.9.9", "<", "1.0.0-0"),
    # 11.4.1: digits alone are compared as numbers
    ("1.0.0-rc.2", "<", "1.0.0-rc.11"),
    ("1.0.0-9", "<", "1.0.0-10"),
    ("1.0.0-0", "<", "1.0.0-1"),
    # 11.4.2: letters and hyphens in ASCII order: "-", digits, capitals, small letters
    ("1.0.0-RC", "<", "1.0.0-alpha"),
    ("1.0.0-a-b", "<", "1.0.0-a0b"),
    ("1.0.0-a0", "<", "1.0.0-aA"),
    ("1.0.0-rc11", "<", "1.0.0-rc2"),
    ("1.0.0--", "<", "1.0.0-0a"),
    # 11.4.3: numbers are below words
    ("1.0.0-999", "<", "1.0.0--"),
    ("1.0.0-alpha.999", "<", "1.0.0-alpha.0a"),
    ("1.0.0-1.z", "<", "1.0.0-a"),
    # 11.4.4: more fields are above fewer, if those before are equal
    ("1.0.0-alpha", "<", "1.0.0-alpha.0"),
    ("1.0.0-0", "<", "1.0.0-0.0"),
    ("1.0.0-a.b.c", "<", "1.0.0-a.b.c.0"),
    ("1.0.0-a.b.c", "<", "1.0.0-a.c"),
    # 10: metadata counts for nothing
    ("1.0.0+a", "=", "1.0.0"),
    ("1.0.0+a", "=", "1.0.0+b.9"),
    ("1.0.0-rc.1+z", "=", "1.0.0-rc.1"),
    ("1.0.0-rc.1+z", "<", "1.0.0-rc.2+a"),
    ("1.0.0-rc.1+z", "<", "1.0.0+a"),
]


@pytest.mark.parametrize(("one", "relation", "other"), SECTION_11)
def test_precedence_is_what_section_11_of_semver_says(one: str, relation: str, other: str) -> None:
    low, high = read(one), read(other)
    assert (low < high, low <= high) == (relation == "<", True)
    assert (high > low, high >= low) == (relation == "<", True)
    assert (high < low, low > high) == (False, False)
    assert (low >= high, high <= low) == (relation == "=", relation == "=")


def texts_of(by: Scheme) -> st.SearchStrategy[str]:
    if by is SEMVER:
        return SEMVERS
    if by is RKE2:
        return PLACES.map(lambda one: RKE2.make(one[0], one[2], one[3], one[1]).text)
    return PEP440_PLACES.map(lambda one: PEP440.make(one[0], one[1][0], one[2], one[1][1]).text)


@given(st.data(), st.sampled_from(SCHEMES))
def test_precedence_is_total_in_every_scheme(data: st.DataObject, by: Scheme) -> None:
    texts = data.draw(st.tuples(*[texts_of(by)] * 3))
    a, b, c = versions = [version for version in map(by.parse, texts) if version is not None]
    for one, other in itertools.product(versions, repeat=2):
        equal = one.key == other.key
        assert [one < other, equal, one > other].count(True) == 1
        assert (one <= other, one >= other) == (one < other or equal, one > other or equal)
        assert (one < other) is (other > one)
        assert by is SEMVER or equal is (one == other)
    for x, y, z in itertools.permutations((a, b, c)):
        assert not (x <= y and y <= z) or x <= z
        assert not (x < y and y < z) or x < z
        assert not (x <= y and y <= x) or x.key == y.key


@given(st.sampled_from(SCHEMES), ANY | LIKE)
@example(SEMVER, "v1.25.15-rc1+rke2r2\u2028")
@example(RKE2, "v1.25.15-rc1+rke2r2\u2028")
@example(PEP440, "v1.2.3\n")
@example(PEP440, "1.2.3rc" + "9" * 180)
@example(PEP440, "1.2.3\udcff")
@example(SEMVER, "1" * 5000)
def test_no_text_is_too_odd_to_be_looked_at(by: Scheme, text: str) -> None:
    for version in (by.parse(text), by.of_tag(text), by.requested(text), by.of_tag(f"v{text}")):
        assert version is None or by.parse(version.text) == version
        assert version is None or version.text.isascii()
    strict = by.parse(text)
    assert strict is None or strict.text == text
    tagged = by.of_tag(text)
    assert tagged is None or by.tag(tagged) == text
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", by.image_tag(text))


@given(st.data(), st.sampled_from(SCHEMES))
def test_in_every_scheme_a_version_is_written_as_it_was_read(data: st.DataObject, by: Scheme) -> None:
    text = data.draw(texts_of(by))
    version = by.parse(text)
    assert version is not None
    assert (version.text, by.of_tag(f"v{text}"), by.tag(version)) == (text, version, f"v{text}")
    if by is not SEMVER:
        core = (version.major, version.minor, version.patch)
        assert by.make(core, version.stage, version.number, version.revision) == version


@given(PEP440_PLACES, PEP440_PLACES)
def test_precedence_of_pep440_is_that_of_the_packaging_package(
    one: tuple[tuple[int, int, int], tuple[str, int], int], other: tuple[tuple[int, int, int], tuple[str, int], int]
) -> None:
    mine, theirs = (PEP440.make(core, stage, n, revision) for core, (stage, revision), n in (one, other))
    a, b = Packaged(mine.text), Packaged(theirs.text)
    assert (mine < theirs, mine == theirs, mine > theirs) == (a < b, a == b, a > b)
    assert mine.final is not a.is_prerelease
    assert (mine.major, mine.minor, mine.patch, mine.revision) == (a.major, a.minor, a.micro, a.post or 0)
    assert mine.number == (a.pre[1] if a.pre else 0)


def written_here(text: str) -> bool:
    """Whether `packaging` reads a version in its normal form that is X.Y.Z with one more thing at most."""
    try:
        seen = Packaged(text)
    except InvalidVersion:
        return False
    more = (seen.pre, seen.post, seen.dev, seen.local, seen.epoch or None)
    extra = seen.dev is not None or seen.local is not None or seen.epoch > 0 or seen.post == 0
    few = sum(one is not None for one in more) <= 1
    return str(seen) == text and len(seen.release) == 3 and few and not extra


@given(LIKE)
@example("1.2.3rc0")
@example("1.2.3.post1")
@example("1.2.3.post0")
@example("1.2.3rc1.post1")
@example("1.2.3rc1.dev1")
@example("0!1.2.3")
@example("1!1.2.3")
def test_what_is_a_version_of_pep440_is_in_the_normal_form_of_the_packaging_package(text: str) -> None:
    assert (PEP440.parse(text) is not None) == written_here(text)


@pytest.mark.parametrize(
    ("text", "stage", "number", "revision"),
    [
        ("1.2.3", "", 0, 0),
        ("1.2.3a4", "alpha", 4, 0),
        ("1.2.3b0", "beta", 0, 0),
        ("1.2.3rc13", "rc", 13, 0),
        ("1.2.3.post7", "", 0, 7),
    ],
)
def test_pep440_reads_the_stage_by_the_projects_word_and_a_post_release_as_a_revision(
    text: str, stage: str, number: int, revision: int
) -> None:
    version = pep440(text)
    assert (version.stage, version.number, version.revision) == (stage, number, revision)
    assert (version.core, version.line, version.final) == ("1.2.3", "1.2", not stage)
    assert PEP440.make((1, 2, 3), stage, number, revision).text == text


def test_pep440_is_ordered_as_an_index_orders_it() -> None:
    texts = [
        "1.9.0",
        "1.10.0a2",
        "1.10.0a10",
        "1.10.0b1",
        "1.10.0rc9",
        "1.10.0rc13",
        "1.10.0",
        "1.10.0.post2",
        "1.10.0.post10",
        "1.10.1a0",
    ]
    assert [version.text for version in sorted(map(pep440, reversed(texts)))] == texts


def test_a_project_may_call_candidates_by_the_names_of_pep440_or_in_full_and_has_no_others() -> None:
    short = scheme(VersionRules(scheme="pep440", candidates=("a", "rc")))
    version = short.parse("1.2.3a4")
    assert version is not None
    assert version.stage == "a"
    assert short.make((1, 2, 3), "a", 4) == version
    assert short.parse("1.2.3b4") is None
    with pytest.raises(ValueError, match="is not a version of the scheme pep440"):
        short.make((1, 2, 3), "alpha", 4)
    odd = scheme(VersionRules(scheme="pep440", candidates=("dev", "post")))
    assert [odd.parse(text) for text in ("1.2.3dev1", "1.2.3.dev1", "1.2.3post1")] == [None, None, None]
    none = scheme(VersionRules(scheme="pep440", candidates=()))
    assert none.parse("1.2.3.post1") is not None
    assert none.parse("1.2.31") is not None
    assert none.parse("1.2.3rc1") is None


@pytest.mark.parametrize("wrong", [{"stage": "rc", "number": 1, "revision": 1}, {"revision": -1}, {"revision": 10**18}])
def test_pep440_has_no_candidates_of_post_releases_and_no_endless_numbers(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"1\.2\.3.* is not a version of the scheme pep440"):
        functools.partial(PEP440.make, (1, 2, 3))(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("1.2.3-rc.1", "1.2.3rc1"),
        ("v1.2.3-RC.1", "1.2.3rc1"),
        ("1.2.3.alpha4", "1.2.3a4"),
        ("1.2.3-preview_2", "1.2.3rc2"),
        ("1.2.3c1", "1.2.3rc1"),
        ("1.2.3rc", "1.2.3rc0"),
        ("1.2.3-1", "1.2.3.post1"),
        ("1.2.3.rev4", "1.2.3.post4"),
        ("01.2.03", "1.2.3"),
        ("1.2", "1.2.0"),
        ("1rc1", "1.0.0rc1"),
        ("1.2.3.0", None),
        ("1.2.3.4", None),
        ("1.2.3.dev1", None),
        ("1.2.3rc1.post1", None),
        ("1.2.3rc1.dev1", None),
        ("1.2.3.post0", None),
        ("1!1.2.3", None),
        ("0!1.2.3", None),
        ("1.2.3+local", None),
        ("1.2.3 ", None),
        ("latest", None),
        ("1." + "0" * 199 + "1", None),
    ],
)
def test_a_person_may_spell_a_version_in_any_way_that_pep440_allows_and_a_tag_may_not(
    typed: str, text: str | None
) -> None:
    version = PEP440.requested(typed)
    assert (version.text if version else None) == text
    assert PEP440.parse(typed) is None


@given(LIKE)
def test_what_a_person_may_spell_is_the_same_version_for_the_packaging_package(typed: str) -> None:
    version = PEP440.requested(typed)
    assert version is None or Packaged(version.text) == Packaged(typed)


@given(SEMVERS, SEMVERS)
def test_precedence_of_semver_is_that_of_the_semver_package(one: str, other: str) -> None:
    wanted = semver.Version.parse(one).compare(other)
    assert (read(one) > read(other)) - (read(one) < read(other)) == wanted
    assert (read(one) >= read(other)) == (wanted >= 0)
    assert (read(one) <= read(other)) == (wanted <= 0)


def test_precedence_is_that_of_the_example_in_clause_11() -> None:
    texts = ["alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1"]
    versions = [read(f"1.0.0-{text}") for text in texts] + [read("1.0.0"), read("2.0.0"), read("2.1.0"), read("2.1.1")]
    assert all(low < high for low, high in itertools.pairwise(versions))


def test_metadata_makes_another_version_but_not_a_later_one() -> None:
    one, other = read("1.0.0+a"), read("1.0.0+b")
    assert one != other
    assert not one < other
    assert not one > other
    assert one <= other
    assert len({one, other, read("1.0.0+a")}) == 2


@given(SEMVERS, SEMVERS)
def test_versions_are_equal_by_their_texts_or_unequal_and_never_both(one: str, other: str) -> None:
    assert (read(one) == read(other)) is (one == other)
    assert (read(one) != read(other)) is (one != other)
    assert (read(one) == read(one)) is True
    assert (read(one) != read(one)) is False
    assert (read(one) == one, read(one) != one) == (False, True)


@given(SEMVERS)
def test_a_version_is_written_as_it_was_read(text: str) -> None:
    assert read(text).text == text
    assert SEMVER.of_tag(SEMVER.tag(read(text))) == read(text)


@pytest.mark.parametrize(
    ("text", "stage", "number"),
    [
        ("1.2.0", "", 0),
        ("1.2.0+rc.1", "", 0),
        ("1.2.0-rc.1", "rc", 1),
        ("1.2.0-rc.13+build.5", "rc", 13),
        ("1.2.0-rc", "rc", 0),
        ("1.2.0-rc1", "rc1", 0),
        ("1.2.0-rc.1.2", "rc.1.2", 0),
        ("1.2.0-nightly.4", "nightly.4", 0),
        ("1.2.0-rc.x1", "rc.x1", 0),
        ("1.2.0-7", "7", 0),
    ],
)
def test_semver_reads_the_stage_and_its_number(text: str, stage: str, number: int) -> None:
    version = read(text)
    assert (version.stage, version.number, version.revision) == (stage, number, 0)
    assert version.kind == ("candidate" if stage else "final")
    assert version.final is not bool(stage)
    assert (version.core, version.line) == ("1.2.0", "1.2")


NEVER = [
    "",
    "v",
    "1.2",
    "1.2.3.4",
    "01.2.3",
    "1.02.3",
    "1.2.3-",
    "1.2.3+",
    "1.2.3-rc.01",
    "1.2.3-rc..1",
    " 1.2.3",
    "1.2.3 ",
    "1.2.3\n",
    "1.2.3\u2028",
    "1.2.3-rc.1\x1b[31m",
    "١.٢.٣",
    "1.2.3-é",
    "-1.2.3",
    "1.2.3,4",
    "1000000000000000000.0.0",
    "1.2.3-rc.1000000000000000000",
    "1.2.3-" + "a" * 200,
]


@pytest.mark.parametrize("text", NEVER)
def test_what_is_not_a_semver_is_none(text: str) -> None:
    assert SEMVER.parse(text) is None
    assert SEMVER.of_tag(f"v{text}") is None
    assert SEMVER.requested(text) is None


@pytest.mark.parametrize("text", [text for text in NEVER if text not in ("1.2.3-rc.01", "01.2.3", "1.02.3", "1.2")])
def test_what_is_never_a_version_is_none_in_pep440_too(text: str) -> None:
    assert PEP440.parse(text) is None
    assert PEP440.of_tag(f"v{text}") is None
    assert PEP440.requested(text) is None


def test_the_longest_integers_and_names_are_still_versions() -> None:
    assert read("999999999999999999.0.0").major == 10**18 - 1
    assert SEMVER.parse("1.2.3-" + "a" * 194) is not None


@pytest.mark.parametrize(
    "tag",
    [
        "v1.21.7",
        "v1.21.7+rke2",
        "v1.18.9-beta23+rke2",
        "v1.21.7-rc1+rke2r1.testing.0",
        "v1.21.7+rke2r2.latest.0",
        "v1.21.7+rke2r2.lastest.0",
        "v1.25.15-rc1+rke2r2\u2028",
        "v1.21.7-rc.1+rke2r1",
        "v1.21.7-rc+rke2r1",
        "v1.21.7-rc01+rke2r1",
        "v1.21.7-rc1+rke2r01",
        "v01.21.7+rke2r1",
        "v1.21.7-dev1+rke2r1",
        "v1.21.7-rc1+k3s1",
        "v1.21.7+rke2r1\n",
        "v1.21.7+rke2r١",
        "v0.0.1-alpha.1",
        "1.21.7+rke2r1",
        "v1.21.7+rke2r1000000000000000000",
    ],
)
def test_a_tag_that_is_not_of_the_revised_form_is_no_version(tag: str) -> None:
    assert RKE2.of_tag(tag) is None


def test_real_tags_are_ordered_as_captains_mean_them() -> None:
    tags = [
        "v1.18.12-beta1+rke2r2",
        "v1.21.7-rc1+rke2r1",
        "v1.21.7-rc2+rke2r1",
        "v1.21.7-rc3+rke2r1",
        "v1.21.7+rke2r1",
        "v1.21.7+rke2r2",
        "v1.21.7-rc1+rke2r3",
        "v1.21.7-rc2+rke2r3",
        "v1.21.7+rke2r3",
        "v1.22.0-alpha9+rke2r1",
        "v1.22.0-beta1+rke2r1",
        "v1.22.0-rc9+rke2r1",
        "v1.22.0-rc13+rke2r1",
    ]
    assert [version.text for version in sorted(map(rke2, reversed(tags)))] == [tag[1:] for tag in tags]


@given(PLACES, PLACES)
def test_revised_precedence_is_core_then_revision_then_stage_then_number(
    one: tuple[tuple[int, int, int], int, str, int], other: tuple[tuple[int, int, int], int, str, int]
) -> None:
    def rank(place: tuple[tuple[int, int, int], int, str, int]) -> tuple[object, ...]:
        core, revision, stage, number = place
        return core, revision, ["alpha", "beta", "rc", ""].index(stage), number if stage else 0

    versions = [RKE2.make(core, stage, number, revision) for core, revision, stage, number in (one, other)]
    assert (versions[0] < versions[1]) == (rank(one) < rank(other))
    assert (versions[0] == versions[1]) == (rank(one) == rank(other))


@given(PLACES)
def test_what_is_made_is_read_back(place: tuple[tuple[int, int, int], int, str, int]) -> None:
    core, revision, stage, number = place
    for kind, kept in ((RKE2, revision), (SEMVER, 0)):
        version = kind.make(core, stage, number, revision)
        assert (version.major, version.minor, version.patch) == core
        assert (version.stage, version.number, version.revision) == (stage, number if stage else 0, kept)
        assert kind.of_tag(kind.tag(version)) == version


@pytest.mark.parametrize("kind", SCHEMES)
@pytest.mark.parametrize("wrong", [{"stage": "gamma", "number": 1}, {"stage": "rc", "number": 10**18}])
def test_a_version_that_cannot_be_written_is_an_error(kind: object, wrong: dict[str, object]) -> None:
    make = functools.partial(getattr(kind, "make"), (1, 2, 3))  # noqa: B009
    with pytest.raises(ValueError, match=r"1\.2\.3.* is not a version"):
        make(**wrong)


def test_a_scheme_without_candidates_reads_finals_only() -> None:
    rules = VersionRules(scheme="semver+revision", revision="k3s", candidates=())
    assert scheme(rules).of_tag("v1.33.1+k3s2") is not None
    assert scheme(rules).of_tag("v1.33.1-1+k3s2") is None


@pytest.mark.parametrize(
    ("template", "name", "tag", "text"),
    [
        ("v{version}", "", "v1.2.3", "1.2.3"),
        ("{version}", "", "1.2.3", "1.2.3"),
        ("{version}", "", "v1.2.3", None),
        ("{name}-v{version}", "sluice", "sluice-v1.2.3-rc.1", "1.2.3-rc.1"),
        ("{name}-v{version}", "sluice", "other-v1.2.3", None),
        ("@scope/pkg@{version}", "", "@scope/pkg@1.2.3", "1.2.3"),
        ("release/{version}/go", "", "release/1.2.3/go", "1.2.3"),
        ("release/{version}/go", "", "release/1.2.3", None),
        ("aa{version}a", "", "aa", None),
        ("v{version}", "", "refs/tags/v1.2.3", None),
        ("v{version}", "", "vv1.2.3", None),
        (".{version}", "", ".1.2.3", "1.2.3"),
    ],
)
def test_a_tag_is_read_through_its_template(template: str, name: str, tag: str, text: str | None) -> None:
    kind = scheme(VersionRules(tag=template), name)
    version = kind.of_tag(tag)
    assert (version.text if version else None) == text
    assert version is None or kind.tag(version) == tag


@pytest.mark.parametrize("template", ["", "v", "{version}-{version}", "v{Version}"])
def test_a_tag_template_needs_one_place_for_the_version(template: str) -> None:
    with pytest.raises(ValueError, match=r"must contain \{version\} once"):
        scheme(VersionRules(tag=template))


def test_a_person_may_type_the_version_or_its_tag() -> None:
    assert SEMVER.requested("v1.2.3") == SEMVER.requested("1.2.3") == read("1.2.3")
    assert RKE2.requested("v1.33.1+rke2r1") == RKE2.requested("1.33.1+rke2r1") == rke2("v1.33.1+rke2r1")
    assert SEMVER.requested("vv1.2.3") is None
    assert SEMVER.requested("1.2") is None


def test_an_image_tag_has_no_plus() -> None:
    assert RKE2.image_tag("v1.33.1+rke2r1") == "v1.33.1-rke2r1"
    assert RKE2.image_tag(rke2("v1.33.1-rc2+rke2r1")) == "v1.33.1-rc2-rke2r1"


@pytest.mark.parametrize(
    ("tag", "image_tag"),
    [
        ("v1.2.0rc1", "v1.2.0rc1"),
        ("1.2.0.post1", "1.2.0.post1"),
        ("_1", "_1"),
        ("1!1.2.0+ubuntu.1", "1-1.2.0-ubuntu.1"),
        ("sub/module/v1.2.0", "sub-module-v1.2.0"),
        ("@scope/pkg@1.2.0", "scope-pkg-1.2.0"),
        (".1.2.0", "1.2.0"),
        ("-.-1", "1"),
        ("", "_"),
        ("+", "_"),
        ("a" * 128, "a" * 128),
        ("a" * 129, "a" * 128),
        ("/" + "a" * 128, "a" * 128),
        ("v1.2.0\n", "v1.2.0-"),
        ("v١", "v-"),
    ],
)
def test_an_image_tag_is_one_that_registries_allow(tag: str, image_tag: str) -> None:
    assert SEMVER.image_tag(tag) == image_tag


@pytest.mark.parametrize(
    ("name", "revision", "tag"),
    [("semver", "", "v1.2.3-rc.4"), ("semver+revision", "r", "v1.2.3-rc4+r5"), ("pep440", "", "v1.2.3rc4")],
)
def test_whatever_says_how_versions_are_written_makes_a_scheme(name: SchemeName, revision: str, tag: str) -> None:
    said = (
        VersionRules(scheme=name, revision=revision),
        Upstream("up", "a.txt", "(?P<value>.+)", scheme=name, revision=revision),
        Component("part", "../part.git", scheme=name, revision=revision),
    )
    read_by = [scheme(rules).of_tag(tag) for rules in said]
    assert [version.text if version else "" for version in read_by] == [tag[1:]] * 3
    assert read_by[0] == read_by[1] == read_by[2]


def test_templates_may_say_all_of_a_version() -> None:
    version = rke2("v1.33.1-rc2+rke2r3")
    assert template_values(version, "v1.33.1-rc2+rke2r3", RKE2) == {
        "version": "1.33.1-rc2+rke2r3",
        "tag": "v1.33.1-rc2+rke2r3",
        "core": "1.33.1",
        "major": "1",
        "minor": "33",
        "patch": "1",
        "line": "1.33",
        "revision": "3",
        "image_tag": "v1.33.1-rc2-rke2r3",
    }


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("{a}", "1"),
        ("{a}{a}-{b}", "11-{a}"),
        ("{{a}}", "{1}"),
        ("{c} ${HOME} {} {a b} {a", "{c} ${HOME} {} {a b} {a"),
        ("awk '{print $1}'", "awk '{print $1}'"),
    ],
)
def test_rendering_replaces_known_names_once_and_nothing_else(template: str, result: str) -> None:
    assert render(template, {"a": "1", "b": "{a}"}) == result


@given(st.text(alphabet="{}ab"), st.text(alphabet="{}ab"))
def test_rendering_without_values_changes_nothing_and_values_are_not_looked_into(template: str, value: str) -> None:
    assert render(template, {}) == template
    assert render(template, {"a": value}) == value.join(template.split("{a}"))


def test_names_in_a_template_come_once_and_in_order() -> None:
    assert names_in("{b}/{a}/{b} {{c}} {} {d e} {é}") == ("b", "a", "c")


@pytest.mark.parametrize(
    ("template", "branch", "line"),
    [
        ("release-{line}", "release-1.33", "1.33"),
        ("release-{line}", "release-1.33.1", None),
        ("release-{line}", "release-1", None),
        ("release-{line}", "release-1.33\n", None),
        ("release-{line}", "release-1x33", None),
        ("release-{line}", "release-١.٢", None),
        ("release-{line}", "release-01.2", None),
        ("release-{line}", "my-release-1.33", None),
        ("{line}.x", "1.33.x", "1.33"),
        ("{line}.x", "1.33-x", None),
        ("{line}", "0.1", "0.1"),
        ("main", "main", ""),
        ("main", "master", None),
        ("m.in", "main", None),
    ],
)
def test_a_branch_tells_its_line(template: str, branch: str, line: str | None) -> None:
    assert line_of_branch(template, branch) == line
