"""Who would be released with a version, in which waves, and why not: the same as a release itself would wish."""

from __future__ import annotations

import io
import itertools
from typing import Any

import msgspec
import pytest

from release.core.assembly import downstreams
from release.core.config import Config
from release.core.fleet import resolved
from release.core.fleet_plan import FleetPlan, fleet_plan
from release.core.version import scheme, template_values
from release.reports.console import show


def table(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "repository": f"https://me:secret@example.org/{name}.git", **keys}


FLEET = (
    table("c", of="b", tag="{tag}-c"),
    table("a", tag="a-{tag}", branch="release-{line}"),
    table("b", of="a", lines=["1.2"]),
    table("d", when="final", after=["a", "c"], required=False),
    table("e", when="candidate"),
    table("f", per="channel", tag="{tag}.{channel}.{n}"),
    table("g", trigger="none", after=["d"]),
)


def config(*tables: dict[str, Any]) -> Config:
    return resolved(msgspec.convert({"project": {"name": "up"}, "downstream": list(tables)}, Config, strict=True))


def planned(text: str = "", line: str = "") -> FleetPlan:
    whole = config(*FLEET)
    return fleet_plan(whole, scheme(whole.version, "up").parse(text) if text else None, line)


def waves(plan: FleetPlan) -> list[list[str]]:
    return [[one.name for one in wave] for wave in plan.waves]


def why(plan: FleetPlan) -> dict[str, str]:
    return {one.name: one.why for one in plan.left_out}


def text(plan: FleetPlan) -> str:
    out = io.StringIO()
    show(plan, out)
    return out.getvalue()


CHANNEL = "a promotion releases it, for each channel"


@pytest.mark.parametrize(
    ("version", "line", "order", "left"),
    [
        ("1.2.3", "", [["a"], ["b"], ["c"], ["d"], ["g"]], {"e": "only for candidates", "f": CHANNEL}),
        ("1.2.3-rc.1", "", [["a", "e", "g"], ["b"], ["c"]], {"d": "only for finals", "f": CHANNEL}),
        ("1.1.0", "", [["a"], ["d"], ["g"]],
         {"c": "b, which it is of, is not released", "b": "only for 1.2", "e": "only for candidates", "f": CHANNEL}),
        ("", "1.2", [["a", "e"], ["b"], ["c"], ["d"], ["g"]], {"f": CHANNEL}),
        ("", "1.1", [["a", "e"], ["d"], ["g"]], {"c": "b, which it is of, is not released", "b": "only for 1.2", "f": CHANNEL}),
        ("", "", [["a", "e"], ["b"], ["c"], ["d"], ["g"]], {"f": CHANNEL}),
    ],
)  # fmt: skip
def test_the_fleet_goes_in_waves_and_who_is_left_out_is_told_why(
    version: str, line: str, order: list[list[str]], left: dict[str, str]
) -> None:
    plan = planned(version, line)
    assert waves(plan) == order
    assert why(plan) == left


@pytest.mark.parametrize("version", ["1.2.3", "1.2.3-rc.1", "1.1.0", "2.0.0"])
def test_the_plan_is_what_a_release_wishes(version: str) -> None:
    whole, plan = config(*FLEET), planned(version)
    rules = scheme(whole.version, "up")
    parsed = rules.parse(version)
    assert parsed is not None
    wishes = downstreams(whole, parsed.line, parsed.kind, template_values(parsed, rules.tag(parsed), rules))
    shown = {one.name: (one.tag, one.branch, {one.of, *one.after} - {""}) for wave in plan.waves for one in wave}
    assert shown == {wish.name: (wish.tag, wish.branch, set(wish.after) | ({wish.of} - {""})) for wish in wishes}
    placed = {one.name: number for number, wave in enumerate(plan.waves) for one in wave}
    assert all(placed[before] < placed[wish.name] for wish in wishes for before in wish.after)


def test_it_is_told_as_text_without_what_opens_a_repository() -> None:
    said = text(planned("1.2.3"))
    assert "up v1.2.3: 5 of 7 components, in 5 waves" in said
    assert "  c  a-v1.2.3-c at main, by tag; of b" in said
    assert "  d  v1.2.3 at main, by tag; after a, c; not required" in said
    assert "  g  its files are updated; after d" in said
    assert "  e: only for candidates" in said
    assert "candidates only" in text(planned())
    assert "secret" not in str(planned()) + said


def test_a_large_fleet_is_told_in_few_lines() -> None:
    many = config(*(table(f"n{n}", when="candidate" if n % 2 else "always") for n in range(1000)))
    version = scheme(many.version, "up").parse("1.0.0")
    said = text(fleet_plan(many, version, ""))
    assert "500 of 1000 components, in 1 wave" in said
    assert "and 480 more; --format json has all" in said
    assert len(said.split("\n")) < 60
    assert len(said) < 5000


def test_nobody_at_all_is_told() -> None:
    assert "nobody would be released" in text(fleet_plan(config(), None, ""))


def test_waves_and_those_left_out_are_the_whole_fleet() -> None:
    for version, line in itertools.product(("1.2.3", "1.1.0-rc.1"), ("",)):
        plan = planned(version, line)
        told = [*itertools.chain.from_iterable(waves(plan)), *why(plan)]
        assert sorted(told) == sorted(one["name"] for one in FLEET)
