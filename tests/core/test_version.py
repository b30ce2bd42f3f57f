"""Versions are read strictly, written as they were read, and ordered as people mean."""

from __future__ import annotations

import functools
import itertools

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import VersionRules
from release.core.version import Version, line_of_branch, names_in, render, scheme, template_values

SEMVER = scheme(VersionRules())
RKE2 = scheme(VersionRules(scheme="semver+revision", revision="rke2r", candidates=("alpha", "beta", "rc")))

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


def read(text: str) -> Version:
    version = SEMVER.parse(text)
    assert version is not None
    return version


def rke2(tag: str) -> Version:
    version = RKE2.of_tag(tag)
    assert version is not None
    return version


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


@pytest.mark.parametrize("kind", [SEMVER, RKE2])
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
