"""The next version follows from the changes, and is never one that was there before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.commits import Change
from release.core.config import VersionRules
from release.core.finding import Conflict
from release.core.model import Level, Person
from release.core.numbering import next_version
from release.core.version import Scheme, Version, scheme

SEMVER = scheme(VersionRules())
RKE2 = scheme(VersionRules(scheme="semver+revision", revision="rke2r"))


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
    bump: Level = "patch",
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
        ("", "major", "0.1.0"),
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
        ("1.0.0 1.1.0", "", "1.1.1"),
        ("1.0.0 1.1.0", "rc", "1.1.1-rc.1"),
        ("1.0.0 1.1.0 1.1.1+b 1.1.2-rc.3", "rc", "1.1.2-rc.4"),
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
        ("1.2.3+rke2r4 1.2.4+rke2r1", "", "1.2.4+rke2r2"),
    ],
)
def test_changes_bump_the_core_and_the_revision_begins_at_1(taken: str, stage: str, wanted: str) -> None:
    assert following(taken, by=RKE2, previous="1.2.3+rke2r4", stage=stage) == wanted


def test_a_file_may_fix_the_core_of_plain_semver() -> None:
    assert following("1.0.0 1.4.0-rc.1", previous="1.0.0", core=(1, 4, 0), stage="rc") == "1.4.0-rc.2"
    assert following("1.0.0 1.4.0-rc.1", previous="1.0.0", core=(1, 4, 0)) == "1.4.0"


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


@given(
    st.sampled_from([SEMVER, RKE2]),
    st.lists(TAKEN, max_size=20),
    st.integers(0, 19),
    st.sampled_from(["none", "patch", "minor", "major"]),
    st.sampled_from(["", "alpha", "rc"]),
    st.none() | st.tuples(*[st.integers(0, 2)] * 3),
)
def test_what_is_taken_is_never_taken_again_and_only_a_fixed_core_conflicts(
    by: Scheme,
    parts: list[tuple[tuple[int, int, int], str, int, int]],
    at: int,
    bump: Level,
    stage: str,
    core: tuple[int, int, int] | None,
) -> None:
    taken = [by.make(*part) for part in parts]
    finals = [version for version in taken if version.final]
    previous = finals[at % len(finals)] if finals else None
    found = next_version(by, previous=previous, level=bump, stage=stage, taken=taken, core=core)
    if isinstance(found, Conflict):
        assert by is SEMVER
        assert core in {(final.major, final.minor, final.patch) for final in finals}
        return
    assert found not in taken
    assert found.stage == stage
    assert core in (None, (found.major, found.minor, found.patch))
    if core is None and previous is not None:
        assert found > previous
    same = [old for old in taken if (old.core, old.stage) == (found.core, stage)]
    assert all(found > old for old in same if old.revision <= found.revision)
