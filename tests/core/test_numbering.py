"""The next version follows from the changes, and is never one that was there before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.commits import Change
from release.core.config import VersionRules
from release.core.finding import Conflict
from release.core.model import Level, Person
from release.core.numbering import Rise, next_version
from release.core.version import Scheme, Version, scheme

SEMVER = scheme(VersionRules())
RKE2 = scheme(VersionRules(scheme="semver+revision", revision="rke2r"))
PEP440 = scheme(VersionRules(scheme="pep440"))


def a_change(type_: str, *, breaking: bool = False, scope: str = "", description: str = "it") -> Change:
    return Change("0123456789abcdef", type_, scope, breaking, description, "", Person("Ann", "ann@example.org"))


def read(text: str, by: Scheme = SEMVER) -> Version:
    version = by.parse(text)
    assert version is not None
    return version


def following(
    taken: str = "",
    *,
    by: Scheme = SEMVER,
    previous: str = "",
    bump: Rise = "patch",
    stage: str = "",
    core: tuple[int, int, int] | None = None,
) -> str:
    """The next version's text; `taken` and the previous one are texts."""
    versions = [read(text, by) for text in taken.split()]
    base = read(previous, by) if previous else None
    found = next_version(by, previous=base, level=bump, stage=stage, taken=versions, core=core)
    assert isinstance(found, Version), found
    return found.text


@pytest.mark.parametrize(
    ("previous", "bump", "wanted"),
    [
        ("", "none", "0.1.0"),
        ("", "major", "1.0.0"),
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "none", "1.2.4"),
        ("1.2.3+build.7", "patch", "1.2.4"),
        ("0.1.9", "minor", "0.2.0"),
    ],
)
def test_what_is_right_of_the_bumped_number_starts_again(previous: str, bump: Level, wanted: str) -> None:
    assert following(previous, previous=previous, bump=bump) == wanted
    assert following(previous, previous=previous, bump=bump, stage="rc") == f"{wanted}-rc.1"


@pytest.mark.parametrize(
    ("taken", "stage", "wanted"),
    [
        ("1.0.0 1.1.0-rc.1", "rc", "1.1.0-rc.2"),
        ("1.0.0 1.1.0-rc.9 1.1.0-rc.13", "rc", "1.1.0-rc.14"),
        ("1.0.0 1.1.0-rc.1 1.1.0-rc.3", "rc", "1.1.0-rc.4"),
        ("1.0.0 1.1.0-beta.4", "rc", "1.1.0-rc.1"),
        ("1.0.0 1.1.0-rc.4+build", "rc", "1.1.0-rc.5"),
        ("1.0.0 1.1.0-rc 1.1.0-rc.0", "rc", "1.1.0-rc.1"),
        ("1.0.0 1.2.0-rc.4", "rc", "1.1.0-rc.1"),
        ("1.0.0 1.1.0-rc.4", "", "1.1.0"),
        ("1.0.0 1.1.0", "", "1.2.0"),
        ("1.0.0 1.1.0", "rc", "1.2.0-rc.1"),
        ("1.0.0 1.1.0 1.1.1+b 1.2.0-rc.3", "rc", "1.2.0-rc.4"),
        ("1.0.0 1.1.0 1.2.0", "", "1.3.0"),
    ],
)
def test_numbers_go_on_and_what_is_taken_is_left_alone(taken: str, stage: str, wanted: str) -> None:
    assert following(taken, previous="1.0.0", bump="minor", stage=stage) == wanted


@pytest.mark.parametrize(
    ("taken", "stage", "wanted"),
    [
        ("", "", "1.35.8+rke2r1"),
        ("", "rc", "1.35.8-rc1+rke2r1"),
        ("1.35.8-rc1+rke2r1 1.36.3+rke2r1", "rc", "1.35.8-rc2+rke2r1"),
        ("1.35.8-rc1+rke2r1 1.36.3+rke2r1", "", "1.35.8+rke2r1"),
        ("1.35.8-rc9+rke2r1 1.35.8-rc13+rke2r1", "rc", "1.35.8-rc14+rke2r1"),
        ("1.35.8+rke2r1 1.35.8-rc2+rke2r1", "rc", "1.35.8-rc1+rke2r2"),
        ("1.35.8+rke2r1 1.35.8-rc2+rke2r1", "", "1.35.8+rke2r2"),
        ("1.35.8+rke2r1 1.35.8+rke2r3", "", "1.35.8+rke2r4"),
        ("1.35.8+rke2r1 1.35.8-rc1+rke2r2", "beta", "1.35.8-beta1+rke2r2"),
    ],
)
def test_a_file_fixes_the_core_and_the_revision_goes_on(taken: str, stage: str, wanted: str) -> None:
    assert following(taken, by=RKE2, previous="1.35.7+rke2r1", stage=stage, core=(1, 35, 8)) == wanted


@pytest.mark.parametrize(
    ("taken", "stage", "wanted"),
    [
        ("1.2.3+rke2r4", "", "1.2.4+rke2r1"),
        ("1.2.3+rke2r4 1.2.4-rc2+rke2r1", "rc", "1.2.4-rc3+rke2r1"),
        ("1.2.3+rke2r4 1.2.4+rke2r1", "", "1.2.5+rke2r1"),
    ],
)
def test_changes_bump_the_core_and_the_revision_begins_at_1(taken: str, stage: str, wanted: str) -> None:
    assert following(taken, by=RKE2, previous="1.2.3+rke2r4", stage=stage) == wanted


@pytest.mark.parametrize(
    ("previous", "bump", "taken", "wanted"),
    [
        ("1.2.0", "patch", "", "1.5.0"),
        ("1.2.0", "minor", "", "1.5.0"),
        ("1.2.0", "major", "", "2.0.0"),
        ("", "none", "", "1.5.0"),
        ("1.2.0", "minor", "1.5.0", "1.5.1"),
        ("1.5.3", "patch", "", "1.5.4"),
        ("1.6.0", "patch", "", "1.6.1"),
    ],
)
def test_a_lines_first_version_is_the_least_that_comes_next(
    previous: str, bump: Level, taken: str, wanted: str
) -> None:
    base = read(previous) if previous else None
    known = [read(text) for text in taken.split()]
    found = next_version(SEMVER, previous=base, level=bump, stage="", taken=known, core=None, floor=(1, 5, 0))
    assert isinstance(found, Version)
    assert found.text == wanted
    revised = RKE2.make((1, 2, 0), revision=3)
    found = next_version(RKE2, previous=revised, level="patch", stage="rc", taken=[revised], core=None, floor=(1, 5, 0))
    assert isinstance(found, Version)
    assert found.text == "1.5.0-rc1+rke2r1"


@pytest.mark.parametrize(("level", "wanted"), [("minor", "1.3.1"), ("major", "2.0.0"), ("patch", "1.2.1")])
def test_a_number_that_was_given_up_is_skipped_by_a_patch(level: Level, wanted: str) -> None:
    given_up = [read("1.3.0")]
    found = next_version(
        SEMVER,
        previous=read("1.2.0"),
        level=level,
        stage="",
        taken=[read("1.2.0"), *given_up],
        core=None,
        burned=given_up,
    )
    assert isinstance(found, Version)
    assert found.text == wanted


def test_a_file_may_fix_the_core_of_plain_semver() -> None:
    assert following("1.0.0 1.4.0-rc.1", previous="1.0.0", core=(1, 4, 0), stage="rc") == "1.4.0-rc.2"
    assert following("1.0.0 1.4.0-rc.1", previous="1.0.0", core=(1, 4, 0)) == "1.4.0"


@pytest.mark.parametrize(
    ("taken", "bump", "stage", "wanted"),
    [
        ("", "patch", "", "1.2.4"),
        ("", "minor", "", "1.3.0"),
        ("", "major", "", "2.0.0"),
        ("", "minor", "alpha", "1.3.0a1"),
        ("1.3.0a1 1.3.0b4", "minor", "rc", "1.3.0rc1"),
        ("1.3.0rc1 1.3.0rc3", "minor", "rc", "1.3.0rc4"),
        ("1.3.0rc9 1.3.0rc13", "minor", "rc", "1.3.0rc14"),
        ("1.3.0rc0", "minor", "rc", "1.3.0rc1"),
        ("1.3.0rc1", "minor", "", "1.3.0"),
        ("1.3.0", "minor", "rc", "1.4.0rc1"),
        ("1.3.0 1.3.0.post1 1.4.0rc2", "minor", "rc", "1.4.0rc3"),
        ("1.2.4.post1", "patch", "", "1.2.5"),
        ("", "revision", "", "1.2.3.post1"),
        ("1.2.3.post1", "revision", "", "1.2.3.post2"),
        ("1.2.3.post1 1.2.3.post4", "revision", "", "1.2.3.post5"),
        ("1.2.3.post1 1.3.0 1.2.4.post9", "revision", "", "1.2.3.post2"),
    ],
)
def test_pep440_counts_like_semver_and_revisions_by_post_releases(
    taken: str, bump: Rise, stage: str, wanted: str
) -> None:
    assert following(f"1.2.3 {taken}", by=PEP440, previous="1.2.3", bump=bump, stage=stage) == wanted


def test_what_is_above_a_post_release_is_above_it_and_its_next_one_goes_on() -> None:
    taken = "1.2.3 1.2.3.post1"
    assert following(taken, by=PEP440, previous="1.2.3.post1", bump="patch") == "1.2.4"
    assert following(taken, by=PEP440, previous="1.2.3.post1", bump="revision") == "1.2.3.post2"
    assert following(taken, by=PEP440, previous="1.2.3.post1", bump="revision", core=(1, 2, 3)) == "1.2.3.post2"


@pytest.mark.parametrize(
    ("taken", "stage", "wanted"),
    [
        ("", "", "1.35.7+rke2r2"),
        ("", "rc", "1.35.7-rc1+rke2r2"),
        ("1.35.7-rc1+rke2r2", "rc", "1.35.7-rc2+rke2r2"),
        ("1.35.7-rc1+rke2r2", "", "1.35.7+rke2r2"),
        ("1.35.7+rke2r2 1.35.7+rke2r5", "", "1.35.7+rke2r6"),
        ("1.35.7+rke2r2 1.35.7+rke2r5", "rc", "1.35.7-rc1+rke2r6"),
        ("1.35.7-rc1+rke2r4", "", "1.35.7+rke2r4"),
        ("1.35.7-rc2+rke2r4 1.35.7-beta7+rke2r4", "rc", "1.35.7-rc3+rke2r4"),
        ("1.36.0+rke2r3 1.35.8+rke2r8", "", "1.35.7+rke2r2"),
    ],
)
def test_the_next_revision_is_that_of_the_last_final_and_counts_from_all(taken: str, stage: str, wanted: str) -> None:
    assert (
        following(f"1.35.7+rke2r1 {taken}", by=RKE2, previous="1.35.7+rke2r1", bump="revision", stage=stage) == wanted
    )


def test_a_revision_follows_what_it_is_of_even_if_that_was_not_counted() -> None:
    assert following("", by=RKE2, previous="1.35.7+rke2r3", bump="revision") == "1.35.7+rke2r4"
    assert following("", by=PEP440, previous="1.2.3.post3", bump="revision") == "1.2.3.post4"


def no_revision(by: Scheme, previous: str, *, stage: str = "", core: tuple[int, int, int] | None = None) -> Conflict:
    base = read(previous, by) if previous else None
    found = next_version(by, previous=base, level="revision", stage=stage, taken=[base] if base else [], core=core)
    assert isinstance(found, Conflict), found
    assert found.remedy
    return found


def test_a_revision_that_cannot_be_is_a_conflict_that_says_why() -> None:
    semver = no_revision(SEMVER, "1.2.3")
    assert semver.rule == "no-revision"
    assert "the scheme semver has none" in semver.why
    assert "--bump patch" in semver.remedy
    for by in (RKE2, PEP440):
        first = no_revision(by, "")
        assert (first.rule, "nothing has been released" in first.why) == ("no-revision", True)
    staged = no_revision(PEP440, "1.2.3", stage="rc")
    assert (staged.rule, "--candidate" in staged.remedy) == ("no-revision", True)
    assert no_revision(RKE2, "1.35.7+rke2r1", stage="gamma").rule == "stage-unknown"


@pytest.mark.parametrize(("by", "previous"), [(RKE2, "1.35.7+rke2r1"), (PEP440, "1.35.7")])
def test_a_revision_of_another_version_than_the_file_says_is_a_conflict(by: Scheme, previous: str) -> None:
    found = no_revision(by, previous, core=(1, 35, 8))
    assert found.rule == "revision-of-file"
    assert "a revision of 1.35.7 was asked for, and the version file says 1.35.8" in found.why


def test_pep440_never_makes_a_post_release_that_nobody_asked_for() -> None:
    taken = [read("1.4.0", PEP440)]
    found = next_version(PEP440, previous=taken[0], level="patch", stage="", taken=taken, core=(1, 4, 0))
    assert isinstance(found, Conflict)
    assert (found.rule, "--revision" in found.remedy) == ("version-taken", True)
    assert "--revision" not in conflict("1.4.0", previous="1.0.0", core=(1, 4, 0)).remedy


def conflict(taken: str, *, previous: str, stage: str = "", core: tuple[int, int, int] | None = None) -> Conflict:
    versions = [read(text) for text in taken.split()]
    found = next_version(SEMVER, previous=read(previous), level="major", stage=stage, taken=versions, core=core)
    assert isinstance(found, Conflict)
    assert found.remedy
    return found


@pytest.mark.parametrize("stage", ["", "rc"])
def test_a_core_that_is_out_cannot_be_released_again(stage: str) -> None:
    found = conflict("1.4.0", previous="1.0.0", stage=stage, core=(1, 4, 0))
    assert found.rule == "version-taken"
    assert "v1.4.0" in found.why


def test_a_stage_that_the_rules_do_not_know_is_a_conflict() -> None:
    found = conflict("", previous="1.0.0", stage="gamma")
    assert found.rule == "stage-unknown"
    assert "alpha, beta, rc" in found.remedy


@pytest.mark.parametrize(
    ("taken", "previous", "stage"),
    [("", "999999999999999999.0.0", ""), ("2.0.0-rc.999999999999999999", "1.0.0", "rc")],
)
def test_after_the_highest_number_there_is_a_person_decides(taken: str, previous: str, stage: str) -> None:
    assert conflict(taken, previous=previous, stage=stage).rule == "version-unwritable"


TAKEN = st.tuples(
    st.tuples(*[st.integers(0, 2)] * 3), st.sampled_from(["", "", "alpha", "rc"]), st.integers(0, 4), st.integers(0, 3)
)


def made(by: Scheme, part: tuple[tuple[int, int, int], str, int, int]) -> Version:
    """A version of the scheme; in pep440 a candidate has no revision."""
    core, stage, number, revision = part
    return by.make(core, stage, number, 0 if by is PEP440 and stage else revision)


@given(
    st.sampled_from([SEMVER, RKE2, PEP440]),
    st.lists(TAKEN, max_size=20),
    st.integers(0, 19),
    st.sampled_from(["none", "patch", "minor", "major", "revision"]),
    st.sampled_from(["", "alpha", "rc"]),
    st.none() | st.tuples(*[st.integers(0, 2)] * 3),
)
def test_what_is_taken_is_never_taken_again_and_what_is_bumped_rises(
    by: Scheme,
    parts: list[tuple[tuple[int, int, int], str, int, int]],
    at: int,
    bump: Rise,
    stage: str,
    core: tuple[int, int, int] | None,
) -> None:
    taken = [made(by, part) for part in parts]
    finals = [version for version in taken if version.final]
    previous = finals[at % len(finals)] if finals else None
    found = next_version(by, previous=previous, level=bump, stage=stage, taken=taken, core=core)
    if isinstance(found, Conflict):
        released = {(final.major, final.minor, final.patch) for final in finals}
        of_file = by is not RKE2 and bump != "revision" and core in released
        other = previous is None or core not in (None, (previous.major, previous.minor, previous.patch))
        assert of_file or (bump == "revision" and (by is SEMVER or other or (by is PEP440 and stage)))
        return
    assert found not in taken
    assert found.stage == stage
    assert core in (None, (found.major, found.minor, found.patch))
    if previous is not None and (core is None or bump == "revision"):
        assert found > previous
    same = [old for old in taken if (old.core, old.stage) == (found.core, stage)]
    assert all(found > old for old in same)
