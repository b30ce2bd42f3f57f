"""Ranges of versions, and who needs what of whom."""

from __future__ import annotations

import itertools
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from release.core.config import Config, VersionRules
from release.core.finding import Conflict
from release.core.requires import Need, Range, admits, leads_to, needs, newest, outside, parse, possible
from release.core.version import Scheme, Version, scheme

SEMVER = scheme(VersionRules(candidates=("alpha", "rc")))
REVISED = scheme(VersionRules(scheme="semver+revision", revision="rke2r", candidates=("rc",)))
PEP440 = scheme(VersionRules(scheme="pep440"))


def ranged(text: str, rules: Scheme = SEMVER) -> Range:
    found = parse("here", text, rules)
    assert isinstance(found, Range), found
    return found


def version(text: str, rules: Scheme = SEMVER) -> Version:
    found = rules.parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "inside", "not_inside"),
    [
        (">=1.33", ["1.33.0", "1.33.7", "2.0.0"], ["1.32.9", "0.99.0"]),
        (">=1.33, <1.35", ["1.33.0", "1.34.99"], ["1.32.9", "1.35.0"]),
        (">=1.33,<1.35", ["1.34.0"], ["1.35.0"]),
        (">1.33", ["1.33.1"], ["1.33.0"]),
        ("<=1.33", ["1.33.0", "1.32.5"], ["1.33.1"]),
        ("==1.33", ["1.33.0"], ["1.33.1"]),
        ("==1.33.*", ["1.33.0", "1.33.12"], ["1.34.0", "1.3.3", "2.33.0"]),
        ("==1.*", ["1.0.0", "1.33.12"], ["2.0.0", "10.0.0"]),
        ("!=1.33.*", ["1.34.0", "1.32.0"], ["1.33.0", "1.33.5"]),
        ("!=1.33.4", ["1.33.3", "1.33.5"], ["1.33.4"]),
        ("~=1.33", ["1.33.0", "1.40.2"], ["1.32.9", "2.0.0"]),
        ("~=1.33.2", ["1.33.2", "1.33.9"], ["1.33.1", "1.34.0"]),
        ("~= 1.33.2 , != 1.33.4", ["1.33.3"], ["1.33.4"]),
        ("== 2", ["2.0.0"], ["2.0.1"]),
        (">=1.6.0-rc.2", ["1.6.0"], ["1.5.9"]),
        (">1.6.0+b1", ["1.6.1"], ["1.6.0"]),
    ],
)
def test_a_range_holds_for_these_versions_and_not_for_those(
    text: str, inside: list[str], not_inside: list[str]
) -> None:
    assert [one for one in inside if not admits(ranged(text), version(one), SEMVER)] == []
    assert [one for one in not_inside if admits(ranged(text), version(one), SEMVER)] == []


@pytest.mark.parametrize(
    ("text", "of", "expected"),
    [
        (">=1.35", "1.35.0-rc.1", True),
        ("<1.35", "1.35.0-rc.1", False),
        ("<1.35", "1.34.9-alpha.1", True),
        ("==1.35.*", "1.35.0-rc.1", True),
        (">1.35.0", "1.35.0-rc.9", False),
        (">=1.35.0-rc.2", "1.35.0-rc.1", True),
    ],
)
def test_a_candidate_is_judged_as_the_final_that_it_leads_to(text: str, of: str, expected: bool) -> None:
    assert admits(ranged(text), version(of), SEMVER) is expected


def test_revisions_count_only_where_a_range_names_one() -> None:
    second = version("1.33.1+rke2r2", REVISED)
    for text in ("==1.33.1", ">=1.33.1", "<=1.33.1", ">=1.33.1+rke2r2", "==1.33.1+rke2r2", "<1.33.1+rke2r3"):
        assert admits(ranged(text, REVISED), second, REVISED), text
    for text in (">1.33.1", "!=1.33.1", ">=1.33.1+rke2r3", "==1.33.1+rke2r1"):
        assert not admits(ranged(text, REVISED), second, REVISED), text
    assert leads_to(version("1.33.1-rc3+rke2r2", REVISED), REVISED) == second


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", "", "is empty"),
        (" \t", "", "is empty"),
        ("1.33", "character 1", "no operator"),
        ("*", "character 1", "no operator"),
        ("^1.33", "character 1", "no operator"),
        ("=>1.33", "character 1", "no operator"),
        (">=1.33,", "character 8", "no clause"),
        (">=1.33,,<2", "character 8", "no clause"),
        (">=1.33, <v2", "character 9", "no version"),
        (">=1.33 <2", "character 1", "no operator"),
        (">=1.33.0.0", "character 1", "no version"),
        (">=01.33", "character 1", "no version"),
        (">=1.33, >=1.*", "character 9", r"\.\* after another"),
        ("~=1", "character 1", "no number to begin with"),
        ("~=1.33.0-rc.1", "character 1", "numbers only"),
        ("==1.33.0-rc.1.*", "character 1", "no version"),
        (">=1.33\n", "character 1", "no"),
        (">=1٣", "character 1", "no version"),
        ("<1" + ",<1" * 100, "", "302 characters"),
    ],
)
def test_what_is_no_range_is_told_with_its_place(text: str, place: str, what: str) -> None:
    found = parse("component[0].requires.k3s", text, SEMVER)
    assert isinstance(found, Conflict)
    assert found.rule == "bad-range"
    assert found.why.startswith("component[0].requires.k3s ")
    assert place in found.why
    assert re.search(what, found.why), found.why
    assert "==1.33.*" in found.remedy


NUMBERS = st.integers(0, 2)
CLAUSES = st.one_of(
    st.builds(
        lambda operator, numbers: f"{operator}{'.'.join(map(str, numbers))}",
        st.sampled_from(["==", "!=", ">=", "<=", ">", "<"]),
        st.lists(NUMBERS, min_size=1, max_size=3),
    ),
    st.builds(
        lambda operator, numbers: f"{operator}{'.'.join(map(str, numbers))}.*",
        st.sampled_from(["==", "!="]),
        st.lists(NUMBERS, min_size=1, max_size=2),
    ),
    st.builds(lambda numbers: f"~={'.'.join(map(str, numbers))}", st.lists(NUMBERS, min_size=2, max_size=3)),
)
TEXTS = st.lists(CLAUSES, min_size=1, max_size=4).map(", ".join)
GRID = [f"{major}.{minor}.{patch}" for major, minor, patch in itertools.product(range(5), range(5), range(6))]


@given(text=TEXTS, of=st.sampled_from(GRID))
def test_numbers_are_compared_as_pep_440_has_it(text: str, of: str) -> None:
    assert admits(ranged(text), version(of), SEMVER) is SpecifierSet(text).contains(of)


@given(texts=st.lists(TEXTS, min_size=1, max_size=2))
def test_ranges_are_possible_together_exactly_if_some_version_is_in_all(texts: list[str]) -> None:
    """Numbers up to 2 in up to eight clauses: whatever holds anywhere holds somewhere in the grid."""
    found = any(all(SpecifierSet(text).contains(one) for text in texts) for one in GRID)
    assert possible([ranged(text) for text in texts], SEMVER) is found


@pytest.mark.parametrize(
    ("texts", "rules", "expected"),
    [
        ([">=1.33.1+rke2r2", "<1.33.1+rke2r3"], REVISED, True),
        ([">1.33.1+rke2r2", "<1.33.1+rke2r3"], REVISED, False),
        ([">1.33.1+rke2r2", "==1.33.1"], REVISED, True),
        ([">1.33.1+rke2r2", "<1.33.1"], REVISED, False),
        ([">1.0.0-rc.1", "<1.0.1"], SEMVER, True),
        (["==1.0.0-rc.1"], SEMVER, False),
        ([">1.0.0.post2", "<=1.0.0.post3"], PEP440, True),
        ([">=999999999999999999.0.0"], SEMVER, True),
        ([">999999999999999999.999999999999999999.999999999999999999"], SEMVER, False),
    ],
)
def test_whole_versions_can_leave_no_final_between_them(texts: list[str], rules: Scheme, expected: bool) -> None:
    assert possible([ranged(text, rules) for text in texts], rules) is expected


# Who needs whom


def config(**tables: Any) -> Config:
    return msgspec.convert(tables, Config, strict=True)


def fleet(**more: Any) -> Config:
    """`up` releases a and b (b for finals only); a needs c, c needs d, and so does up by way of b."""
    return config(
        project={"name": "up", "requires": {"c": ">=1"}},
        downstream=[
            {"name": "a", "repository": "../a.git", "requires": {"c": ">=2", "up": ">=1"}},
            {"name": "b", "repository": "../b.git", "requires": {"d": ">=3"}, "when": "final"},
        ],
        component=[
            {"name": "c", "repository": "../c.git", "requires": {"d": ">=4", "b": ">=1"}},
            {"name": "d", "repository": "../d.git", "scheme": "semver+revision", "revision": "r"},
        ],
        **more,
    )


def test_needs_are_told_with_the_shortest_chain_to_who_has_them() -> None:
    assert list(needs(fleet(), "1.2", "final")) == [
        Need(("up",), "c", ">=1"),
        Need(("up", "a"), "c", ">=2"),
        Need(("up", "a"), "up", ">=1"),
        Need(("up", "b"), "d", ">=3"),
        Need(("up", "c"), "d", ">=4"),
        Need(("up", "c"), "b", ">=1"),
    ]


def test_only_what_a_release_does_not_release_itself_is_looked_at() -> None:
    assert [one.name for one in outside(fleet(), "1.2", "final")] == ["c", "d"]
    assert [one.name for one in outside(fleet(), "1.2", "candidate")] == ["c", "d", "b"]


def test_who_needs_nobody_is_not_looked_at() -> None:
    alone = config(
        project={"name": "up"}, component=[{"name": "c", "repository": "../c.git", "requires": {"d": ">=1"}}]
    )
    assert list(needs(alone, "1.2", "final")) == []
    assert outside(alone, "1.2", "final") == ()


def test_the_newest_is_the_greatest_final_by_the_components_own_scheme() -> None:
    down, _ = fleet().downstream
    _, other = fleet().component
    assert newest(fleet(), other, ["v1.2.3+r9", "v1.2.3+r10", "v1.2.4-rc1+r1", "v9.9.9", "x"]) == (
        "v1.2.3+r10",
        version("1.2.3+r10", scheme(other)),
    )
    assert newest(fleet(), down, ["v1.9.0", "v1.10.0", "v2.0.0-rc.1", "1.11.0"]) == ("v1.10.0", version("1.10.0"))
    assert newest(fleet(), down, ["v2.0.0-rc.1", ""]) is None
