"""A list of releases that cannot be right is not believed."""

from __future__ import annotations

from release.core.channel_record import ChannelState
from release.core.channels import doubts
from tests.offered import offer, stands, version


def told(
    offers: list[str], tags: list[str] | None = None, states: list[ChannelState] | None = None, on_forge: bool = True
) -> list[str]:
    found = doubts([offer(one) for one in offers], [version(one) for one in tags or offers], states or [], on_forge)
    assert all(one.rule == "shrunken-list" and "--waive shrunken-list" in one.remedy for one in found)
    return [one.why for one in found]


def test_a_list_as_long_as_ever_that_has_what_stands_is_believed() -> None:
    assert told(["1.33.4", "1.33.5"], states=[stands("1.33.4", releases=2), stands("1.33.5", releases=1)]) == []
    assert told([], []) == []


def test_an_empty_list_is_not_believed_where_there_are_tags_or_something_stands() -> None:
    assert told([], ["1.33.4", "1.33.5"]) == ["no release is listed, and git shows tags of 2 versions"]
    assert told([], states=[stands("", releases=12)]) == ["0 releases are listed, and there were 12 before"]
    (why,) = told([], states=[stands("1.33.4")])
    assert why.endswith("is not among them: '1.33.4+rke2r1'")


def test_where_there_is_no_forge_a_tag_alone_is_no_release() -> None:
    assert told([], ["1.33.4"], on_forge=False) == []
    assert told([], ["1.33.4"], [stands("1.33.3")], on_forge=False) != []


def test_a_shorter_list_is_not_believed() -> None:
    (why,) = told(["1.33.4", "1.32.9"], states=[stands("1.33.4", releases=2), stands("1.33.4", releases=3)])
    assert why == "2 releases are listed, and the newest is 1.33.4+rke2r1, and there were 3 before"


def test_who_said_that_there_are_fewer_now_has_said_it_for_every_channel() -> None:
    many = stands("1.33.4", releases=9, counted="2026-11-01T12:00:00+00:00")
    fewer = stands("1.33.4", releases=2, counted="2026-11-02T12:00:00+00:00")
    assert told(["1.33.4", "1.32.9"], states=[many, fewer]) == []
    (why,) = told(["1.33.4"], states=[fewer, many])
    assert why.endswith("there were 2 before")


def test_a_list_without_what_a_channel_has_is_not_believed() -> None:
    (why,) = told(["1.33.4", "1.32.9"], states=[stands("1.33.5", releases=2)])
    assert "'1.33.5+rke2r1'" in why
    many = [stands(f"1.33.{number}") for number in range(5, 10)]
    (why,) = told(["1.33.4"], states=many)
    assert why.endswith("'1.33.5+rke2r1', '1.33.6+rke2r1', '1.33.7+rke2r1' and 2 more")
