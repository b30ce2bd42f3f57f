"""Downstreams of downstreams: what they inherit, in which order they come, and what is told of rings and wrong names."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.assembly import applies, downstreams
from release.core.config import Config, Downstream
from release.core.contradictions import contradictions
from release.core.finding import Conflict
from release.core.fleet import dependency_order, resolved, waves
from release.core.naming import naming
from release.core.version import scheme, template_values

LINES = ("1.1", "1.2", "1.3")


def table(name: str, **keys: Any) -> dict[str, Any]:
    return {"name": name, "repository": f"../{name}.git", **keys}


def fleet(*tables: dict[str, Any], **others: Any) -> Config:
    return resolved(msgspec.convert({"downstream": list(tables), **others}, Config, strict=True))


def found(*tables: dict[str, Any], **others: Any) -> list[Conflict]:
    return list(contradictions(fleet(*tables, **others)))


def names(*groups: tuple[Downstream, ...]) -> list[list[str]]:
    return [[one.name for one in group] for group in groups]


def test_the_templates_of_a_chain_are_composed_and_read_back() -> None:
    config = fleet(
        table("c", of="b", tag="{tag}-c", branch="for-{tag}", inputs={"up": "{tag}", "v": "{version}"}, trigger="workflow_dispatch", workflow="x.yml"),
        table("b", of="a", tag="b-{tag}", images=["o/b:{image_tag}"], after_assets=["{tag}.tgz"]),
        table("a", tag="a/{version}"),
    )  # fmt: skip
    c, b, a = config.downstream
    assert [c.tag, b.tag, a.tag] == ["b-a/{version}-c", "b-a/{version}", "a/{version}"]
    assert c.branch == "for-b-a/{version}"
    assert c.inputs == {"up": "b-a/{version}", "v": "{version}"}
    assert b.after_assets == ("a/{version}.tgz",), "of the release of the one that it is built on"
    rules = scheme(config.version)
    version = rules.make((1, 2, 3))
    wishes = {one.name: one for one in downstreams(config, "1.2", "final", template_values(version, "v1.2.3", rules))}
    assert {one.name: one.tag for one in wishes.values()} == {"c": "b-a/1.2.3-c", "b": "b-a/1.2.3", "a": "a/1.2.3"}
    assert (wishes["c"].after, wishes["c"].of) == (("b",), "b")
    read = naming(c.tag, rules).read("b-a/1.2.3-c")
    assert read is not None
    assert read.release == "v1.2.3"


def test_what_is_of_nobody_is_as_it_was() -> None:
    config = msgspec.convert({"downstream": [table("a", after=["b"]), table("b")]}, Config, strict=True)
    assert resolved(config) is config


def test_a_component_is_released_only_where_that_one_is_that_it_is_built_on() -> None:
    config = fleet(
        table("b", of="a", lines=["1.2", "1.3"]), table("a", when="final", lines=["1.1", "1.2"]), table("c", of="b")
    )
    chosen = {
        (line, kind): [one.name for one in config.downstream if applies(one, line, kind)]
        for line, kind in itertools.product(LINES, ("candidate", "final"))
    }
    assert chosen.pop(("1.2", "final")) == ["b", "a", "c"]
    assert chosen.pop(("1.1", "final")) == ["a"]
    assert not any(chosen.values())


def test_what_is_built_on_one_that_a_release_can_do_without_is_one_of_these() -> None:
    config = fleet(table("c", of="b"), table("b", of="a"), table("a", required=False), table("d", required=False, of="e"), table("e"))  # fmt: skip
    assert {one.name: one.required for one in config.downstream} == {"c": False, "b": False, "a": False, "d": False, "e": True}  # fmt: skip


@pytest.mark.parametrize(
    ("tables", "rule", "why"),
    [
        ([table("a", of="b"), table("b")], "", ""),
        ([table("aaa", of="bba"), table("bbb")], "of-unknown", "did you mean bbb?"),
        ([table("a", of="zzz")], "of-unknown", "leave it out for the upstream itself"),
        ([table("aaa", after=["bba"]), table("bbb")], "after-unknown", "did you mean bbb?"),
        ([table("a", of="b"), table("b", per="channel", tag="{tag}.{channel}.{n}")], "of-channel", "a promotion releases"),
        ([table("a", of="b", when="final"), table("b", when="candidate")], "of-never", "no release selects both"),
        ([table("a", of="b", lines=["1.1"]), table("b", lines=["1.2"])], "of-never", "no release selects both"),
        ([table("a", of="b", tag="a-{tag}"), table("b", tag="v{version}" + "x" * 495)], "bad-tag", "more than 500"),
    ],
)  # fmt: skip
def test_a_component_of_another_has_to_come(tables: list[dict[str, Any]], rule: str, why: str) -> None:
    told = found(*tables)
    assert [one.rule for one in told] == ([rule] if rule else [])
    assert all(why in str(one) + one.remedy for one in told)


def test_two_that_a_promotion_releases_may_be_built_on_each_other() -> None:
    packaging = table("b", per="channel", tag="{tag}.{channel}.{n}")
    config = fleet(table("a", of="b", per="channel", tag="{tag}-a"), packaging)
    assert not contradictions(config)
    assert config.downstream[0].tag == "{tag}.{channel}.{n}-a"


def test_assets_of_one_that_releases_nothing_never_come() -> None:
    forge = {"forge": "github", "repository": "o/up"}
    tables = [table("a", of="b", after_assets=["x"]), table("b", trigger="none")]
    tables = [{**one, "repository": f"o/{one['name']}"} for one in tables]
    assert "of-nothing" in [one.rule for one in found(*tables, project=forge)]


@pytest.mark.parametrize(
    ("tables", "drawn"),
    [
        ([table("a", of="a")], "a -> a (a of a)"),
        ([table("a", of="b"), table("b", after=["a"])], "a -> b -> a (a of b, b after a)"),
        ([table("x", of="a"), table("a", after=["b"]), table("b", of="a")], "a -> b -> a (a after b, b of a)"),
        ([table("a", of="b"), table("b", of="c"), table("c", of="a")], "a -> b -> c -> a (a of b, b of c, c of a)"),
    ],
)
def test_a_ring_is_drawn_with_what_each_arrow_says(tables: list[dict[str, Any]], drawn: str) -> None:
    (ring,) = found(*tables)
    assert (ring.rule, ring.why) == ("cycle", f"downstreams wait for each other: {drawn}")


def test_a_ring_of_built_on_and_needs_is_drawn() -> None:
    (ring,) = found(table("a", of="b"), table("b", requires={"a": ">=1"}))
    assert ring.why == "the fleet waits for itself: a -> b -> a (a of b, b needs a)"


def test_waves_are_what_can_go_together() -> None:
    config = fleet(
        table("e", of="d"), table("a"), table("d", after=["a"], of="b"), table("b"), table("c", after=["nobody-here"])
    )
    assert names(*waves(config.downstream)) == [["a", "b", "c"], ["d"], ["e"]]


def test_a_chain_of_any_length_is_resolved_without_recursion() -> None:
    chain = [table(f"n{number}", of=f"n{number + 1}" if number < 4999 else "") for number in range(5000)]
    config = fleet(*chain)
    assert [one.name for one in dependency_order(config.downstream)] == [f"n{number}" for number in range(4999, -1, -1)]
    assert len(waves(config.downstream)) == 5000


def test_templates_that_grow_without_end_are_refused_in_little_room() -> None:
    chain = [table(f"n{number}", tag="{tag}" + "x" * 100, of=f"n{number + 1}" if number < 299 else "") for number in range(300)]  # fmt: skip
    config = fleet(*chain)
    assert max(len(one.tag) for one in config.downstream) <= 700
    assert "bad-tag" in {one.rule for one in contradictions(config)}


@given(st.data())
def test_everybody_comes_in_the_first_wave_after_all_that_it_waits_for(data: st.DataObject) -> None:
    """An order of our own is laid down first, so that there is no ring; it is then shuffled."""
    size = data.draw(st.integers(1, 12))
    tables = []
    for number in range(size):
        before = [f"n{other}" for other in range(number)]
        of = data.draw(st.sampled_from(["", *before]))
        after = data.draw(st.lists(st.sampled_from(before), unique=True)) if before else []
        tables.append(table(f"n{number}", of=of, after=after))
    config = fleet(*data.draw(st.permutations(tables)))
    waits = {one["name"]: {*one["after"], one["of"]} - {""} for one in tables}
    placed: dict[str, int] = {}
    for number, wave in enumerate(waves(config.downstream)):
        placed |= {one.name: number for one in wave}
    assert placed.keys() == waits.keys()
    for name, first in waits.items():
        assert placed[name] == max((placed[other] + 1 for other in first), default=0)
    order = [one.name for one in dependency_order(config.downstream)]
    assert all(order.index(other) < order.index(name) for name, first in waits.items() for other in first)
