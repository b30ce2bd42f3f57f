"""What [rules], [[component]] and `requires` must not say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.conflicts import RULES
from release.core.contradictions import contradictions
from release.core.finding import Conflict

UP = {"name": "up"}
A = {"name": "a", "repository": "../a.git"}
B = {"name": "b", "repository": "../b.git"}
C = {"name": "c", "repository": "../c.git"}


def found(**tables: Any) -> tuple[Conflict, ...]:
    tables.setdefault("project", UP)
    conflicts = contradictions(msgspec.convert(tables, Config, strict=True))
    assert all(conflict.remedy for conflict in conflicts)
    return conflicts


def rules(**tables: Any) -> list[str]:
    return [conflict.rule for conflict in found(**tables)]


def test_a_rule_can_be_set_unless_it_is_for_safety() -> None:
    settable = {rule.name: "warn" for rule in RULES if not rule.safety}
    assert len(settable) > 10
    assert found(rules=settable) == ()
    (fixed,) = found(rules={"burned": "off"})
    assert (fixed.rule, "never used twice" in fixed.why) == ("fixed-rule", True)
    assert rules(rules={"detached": "warn"}) == ["fixed-rule"]
    (unknown,) = found(rules={"backwards": "off"})
    assert (unknown.rule, unknown.remedy) == ("unknown-rule", "did you mean backward?")
    (far,) = found(rules={"\n" * 99: "off"})
    assert "\n" not in far.why
    assert "release.rules" in far.remedy


@pytest.mark.parametrize(
    ("component", "rule"),
    [
        ({"name": ""}, "bad-name"),
        ({"name": "a\nb"}, "bad-name"),
        ({"name": " a"}, "bad-name"),
        ({"repository": "ext::sh -c x"}, "bad-repository"),
        ({"repository": "--upload-pack=x"}, "bad-repository"),
        ({"repository": "https://me:pw@example.org/c.git"}, "secret-in-config"),
        ({"tag": "v"}, "bad-tag"),
        ({"tag": "{version}-{line}"}, "bad-tag"),
        ({"scheme": "semver+revision"}, "revision-missing"),
        ({"revision": "r"}, "revision-unused"),
        ({"candidates": ["rc1"]}, "bad-candidate"),
        ({"scheme": "pep440", "candidates": ["dev"]}, "bad-candidate"),
        ({"name": "up"}, "duplicate-name"),
    ],
)
def test_a_component_is_told_what_is_wrong_with_it(component: dict[str, Any], rule: str) -> None:
    assert found(component=[C]) == ()
    assert rules(component=[{**C, **component}]) == [rule]


def test_a_password_is_not_shown() -> None:
    (conflict,) = found(component=[{**C, "repository": "https://me:hunter2@example.org/c.git"}])
    assert "hunter2" not in str(conflict)


def test_on_a_forge_a_component_is_named_by_owner_and_name() -> None:
    forge = {"name": "up", "forge": "github"}
    assert rules(project=forge, component=[{**C, "repository": "../c.git"}]) == ["bad-repository"]
    assert rules(project=forge, component=[{**C, "repository": "owner/c"}]) == []


def test_a_name_means_one_of_the_fleet() -> None:
    assert rules(component=[C, C]) == ["duplicate-name"]
    assert rules(downstream=[A], component=[{**C, "name": "a"}]) == ["duplicate-name"]
    assert rules(downstream=[{**A, "requires": {"up": ">=1"}}]) == []
    (unknown,) = found(downstream=[{**A, "requires": {"cc": ">=1"}}], component=[{**C, "name": "ccc"}])
    assert (unknown.rule, unknown.remedy) == ("requires-unknown", "did you mean ccc?")
    assert unknown.why.startswith("downstream[0].requires.cc: ")
    assert rules(component=[{**C, "requires": {"c": ">=1"}}]) == ["requires-itself"]


def test_a_range_is_read_by_the_scheme_of_who_is_needed() -> None:
    revised = {**C, "scheme": "semver+revision", "revision": "k3s"}
    assert rules(project={**UP, "requires": {"c": ">=1.33.1+k3s2"}}, component=[revised]) == []
    (bad,) = found(project={**UP, "requires": {"c": ">=1.33.1-rc.1"}}, component=[revised])
    assert bad.rule == "bad-range"
    assert bad.why.startswith("project.requires.c is '>=1.33.1-rc.1', and at character 1 ")


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (">=1.6", "<1.6", ["requires-disjoint"]),
        (">=1.6", "<=1.6", []),
        ("==1.33.*", ">=1.34", ["requires-disjoint"]),
        ("==1.33.*", "!=1.33.0", []),
        (">2, <1", ">=1", ["requires-disjoint"]),
    ],
)
def test_two_ranges_leave_some_version_over(one: str, two: str, expected: list[str]) -> None:
    a, b = {**A, "requires": {"c": one}}, {**B, "requires": {"c": two}}
    assert rules(downstream=[a, b], component=[C]) == expected
    assert rules(downstream=[{**a, "when": "final"}, {**b, "when": "candidate"}], component=[C]) == (
        expected if one == ">2, <1" else []
    )
    assert rules(downstream=[{**a, "lines": ["1.1"]}, {**b, "lines": ["1.1", "1.2"]}], component=[C]) == expected


def test_disjoint_ranges_are_told_with_who_has_them() -> None:
    (conflict,) = found(
        project={**UP, "requires": {"c": ">=2"}}, downstream=[{**A, "requires": {"c": "~=1.4"}}], component=[C]
    )
    assert conflict.why == "up needs c >=2, and a needs c ~=1.4: no version is in both ranges"


def test_ranges_contradict_each_other_only_where_a_release_leads_to_both() -> None:
    low = {"name": "x", "repository": "../x.git", "requires": {"c": "<1"}}
    needing = {**UP, "requires": {"c": ">=1"}}
    assert rules(project=needing, component=[C, low]) == []
    # Over the project, over a downstream, and over another component.
    assert rules(project={**UP, "requires": {"c": ">=1", "x": ">=1"}}, component=[C, low]) == ["requires-disjoint"]
    over = {**A, "requires": {"x": ">=1"}}
    assert rules(project=needing, downstream=[over], component=[C, low]) == ["requires-disjoint"]
    between = {"name": "y", "repository": "../y.git", "requires": {"x": ">=1"}}
    assert rules(project=needing, downstream=[over | {"requires": {"y": ">=1"}}], component=[C, low, between]) == [
        "requires-disjoint"
    ]


def test_components_of_downstreams_that_no_release_selects_together_may_differ() -> None:
    low = {"name": "x", "repository": "../x.git", "requires": {"c": "<1"}}
    a, b = {**A, "requires": {"x": ">=1"}}, {**B, "requires": {"c": ">=1"}}
    assert rules(downstream=[a, b], component=[C, low]) == ["requires-disjoint"]
    assert rules(downstream=[a | {"when": "final"}, b | {"when": "candidate"}], component=[C, low]) == []
    assert rules(downstream=[a | {"lines": ["1.1"]}, b | {"lines": ["1.2"]}], component=[C, low]) == []
    assert rules(downstream=[a | {"lines": ["1.1"]}, b | {"lines": ["1.2", "1.1"]}], component=[C, low]) == [
        "requires-disjoint"
    ]


def test_a_range_without_any_version_is_wrong_wherever_it_stands() -> None:
    assert rules(component=[C, {**B, "requires": {"c": ">2, <1"}}]) == ["requires-disjoint"]


def test_a_ring_is_drawn() -> None:
    a, b = {**A, "after": ["b"]}, {**B, "requires": {"c": ">=1"}}
    assert rules(downstream=[a, b], component=[{**C, "requires": {"up": ">=1"}}]) == []
    (ring,) = found(downstream=[a, b], component=[{**C, "requires": {"a": ">=1"}}])
    assert ring.rule == "cycle"
    assert ring.why == "the fleet waits for itself: a -> b -> c -> a (a after b, b needs c, c needs a)"
    assert rules(project={**UP, "requires": {"c": ">=1"}}, component=[{**C, "requires": {"up": ">=1"}}]) == ["cycle"]
    assert rules(downstream=[{**A, "requires": {"up": ">=1"}}], project={**UP, "requires": {"a": ">=1"}}) == ["cycle"]


def test_a_ring_of_after_alone_is_told_once() -> None:
    a, b = {**A, "after": ["b"]}, {**B, "after": ["a"]}
    assert rules(downstream=[a, b], component=[C]) == ["cycle"]


def test_versions_that_cannot_be_read_are_told_as_that_alone() -> None:
    project = {**UP, "requires": {"c": ">=1"}}
    assert rules(project=project, component=[C], version={"tag": "v"}) == ["bad-tag"]
