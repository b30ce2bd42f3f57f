"""Channels have an order, lines, and a version that they have."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from release.core.channel_config import Channel
from release.core.channel_record import ChannelState, Standing
from release.core.channels import current, followed, key_of, lines_of, ordered, recorded
from tests.offered import LONG_AGO, RULES, config, move, seen, stands, version

LINES = Channel("lines", scope="line")
STABLE = Channel("stable")


def names(*channels: tuple[str, str]) -> list[str]:
    return [one.name for one in ordered([Channel(name, follows=follows) for name, follows in channels])]


def test_a_channel_comes_after_the_one_that_it_follows() -> None:
    assert names(("stable", "latest"), ("latest", "testing"), ("testing", "")) == ["testing", "latest", "stable"]
    assert names(("b", ""), ("a", ""), ("c", "a")) == ["b", "a", "c"]


def test_channels_in_a_ring_or_of_nobody_are_still_all_there() -> None:
    assert sorted(names(("a", "b"), ("b", "a"), ("c", "gone"))) == ["a", "b", "c"]


@given(st.permutations(["testing", "latest", "stable", "lts", "edge"]))
def test_whatever_the_order_of_the_file_nobody_comes_before_whom_he_follows(order: list[str]) -> None:
    follows = {"latest": "testing", "stable": "latest", "lts": "stable", "testing": "", "edge": ""}
    found = names(*((name, follows[name]) for name in order))
    assert sorted(found) == sorted(order)
    assert all(not before or found.index(before) < found.index(name) for name, before in follows.items())


def test_what_is_followed_is_followed_all_the_way_and_a_ring_ends() -> None:
    tables = config({"name": "a"}, {"name": "b", "follows": "a"}, {"name": "c", "follows": "b"})
    assert [one.name for one in followed(tables.channel[2], tables.channel)] == ["b", "a"]
    ring = config({"name": "a", "follows": "b"}, {"name": "b", "follows": "a"})
    assert [one.name for one in followed(ring.channel[0], ring.channel)] == ["b", "a"]


def test_a_global_channel_has_one_key_and_one_by_line_has_its_lines() -> None:
    assert key_of(STABLE, version("1.33.4")) == ""
    assert key_of(LINES, version("1.33.4")) == "1.33"


def test_the_lines_of_a_channel_are_those_that_are_out_or_stand_there_the_newest_first() -> None:
    world = seen(
        {"lines": stands("1.9.4", line="1.9", moves={"1.10": move("1.10.0", line="1.10")})}, ["1.33.4", "1.34.0-rc1"]
    )
    assert lines_of(LINES, world) == ("1.33", "1.10", "1.9")
    assert lines_of(Channel("lines", scope="line", accepts="candidate"), world) == ("1.34", "1.33", "1.10", "1.9")
    assert lines_of(STABLE, world) == ("",)


def test_a_channel_has_the_higher_of_what_its_record_and_its_pointers_say() -> None:
    state = {"stable": stands("1.33.4")}
    assert current(RULES, STABLE, seen(state), "") == version("1.33.4")
    assert current(RULES, STABLE, seen(state, shown={"stable": {"": "1.33.5"}}), "") == version("1.33.5")
    assert current(RULES, STABLE, seen(state, shown={"stable": {"": "1.33.3"}}), "") == version("1.33.4")
    assert recorded(RULES, STABLE, seen(state, shown={"stable": {"": "1.33.5"}}), "") == version("1.33.4")
    assert current(RULES, STABLE, seen({}), "") is None


def test_a_channel_whose_scope_was_changed_keeps_what_it_had() -> None:
    by_line = ChannelState(
        {text[:4]: Standing(version(text).text, f"v{text}", LONG_AGO) for text in ("1.33.9", "1.34.2")}
    )
    assert current(RULES, STABLE, seen({"stable": by_line}), "") == version("1.34.2")
    globally = seen({"lines": stands("1.34.2")})
    assert current(RULES, LINES, globally, "1.34") == version("1.34.2")
    assert current(RULES, LINES, globally, "1.33") is None
