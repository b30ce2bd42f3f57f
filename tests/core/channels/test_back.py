"""Going back harms nobody: within the minor, to what was there and is fit; else there is only a way forward."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from release.core.channel_record import ChannelState
from release.core.channels import Offer, default_back, judged_back
from tests.offered import LONG_AGO, bad, config, held, move, offer, seen, stands, version

TABLES = config({"name": "latest"}, {"name": "stable", "follows": "latest"}, {"name": "lines", "scope": "line"})
STABLE, LINES = TABLES.channel[1:]
WAS = {"1.33.2": LONG_AGO, "1.33.3": LONG_AGO, "1.33.4": LONG_AGO, "1.32.9": LONG_AGO}


def back(state: ChannelState, target: Offer | None, **more: Any) -> list[str]:
    found = judged_back(TABLES, STABLE, "", target, seen({"stable": state, **more}))
    assert all(one.why and one.remedy for one in found)
    return [one.rule for one in found]


def test_a_channel_goes_back_to_what_was_there_within_the_minor() -> None:
    assert back(stands("1.33.5", arrivals=WAS), offer("1.33.4")) == []
    assert back(stands("1.33.5", arrivals=WAS, hold=held()), offer("1.33.2")) == []


def test_a_channel_never_goes_back_across_a_minor() -> None:
    state = stands("1.33.5", arrivals=WAS)
    (conflict,) = judged_back(TABLES, STABLE, "", offer("1.32.9"), seen({"stable": state}))
    assert conflict.rule == "rollback-minor"
    assert "stable has 1.33.5+rke2r1, and 1.32.9+rke2r1 is of another minor" in conflict.why
    assert "release and promote what comes after 1.33.5+rke2r1" in conflict.remedy


def test_a_channel_goes_back_to_nothing_that_it_never_had() -> None:
    assert back(stands("1.33.5", arrivals=WAS), offer("1.33.1")) == ["rollback-unknown"]


def test_what_the_record_has_was_there_though_its_arrival_is_forgotten() -> None:
    state = msgspec.structs.replace(stands("1.33.4"), arrivals={})
    world = seen({"stable": state}, shown={"stable": {"": "1.33.5"}})
    assert judged_back(TABLES, STABLE, "", offer("1.33.4"), world) == ()


def test_what_is_bad_or_withdrawn_is_not_gone_back_to() -> None:
    assert back(stands("1.33.5", arrivals=WAS, bad=bad("1.33.4")), offer("1.33.4")) == ["rolled-back"]
    assert back(stands("1.33.5", arrivals=WAS), offer("1.33.4"), latest=stands("", bad=bad("1.33.4"))) == [
        "rolled-back"
    ]
    assert back(stands("1.33.5", arrivals=WAS), offer("1.33.4", withdrawn="data loss")) == ["withdrawn-version"]


def test_forward_is_a_promotion() -> None:
    state = stands("1.33.4", arrivals={**WAS, "1.33.5": LONG_AGO})
    assert back(state, offer("1.33.5")) == ["rollback-forward"]
    assert back(state, offer("1.33.4")) == ["rollback-forward"]


def test_where_nothing_is_there_is_nothing_to_go_back_from_or_to() -> None:
    assert back(ChannelState(), offer("1.33.4")) == ["rollback-nothing"]
    assert back(stands("1.33.4"), None) == ["rollback-nothing"]


def test_what_a_hand_moved_is_where_users_go_back_from() -> None:
    world = seen({"stable": stands("1.33.4", arrivals=WAS)}, shown={"stable": {"": "1.34.1"}})
    (conflict,) = judged_back(TABLES, STABLE, "", offer("1.33.4"), world)
    assert conflict.rule == "rollback-minor"
    world = seen({"stable": stands("1.33.4", arrivals=WAS)}, shown={"stable": {"": "1.33.5"}})
    assert judged_back(TABLES, STABLE, "", offer("1.33.4"), world) == ()


def test_a_move_that_nobody_saw_is_taken_back_and_one_across_a_minor_only_then() -> None:
    state = stands("1.33.4", arrivals=WAS, moves={"": move("1.34.4", "1.33.4")})
    assert back(state, offer("1.33.4")) == []
    half = seen({"stable": state}, shown={"stable": {"": "1.34.4"}})
    assert [one.rule for one in judged_back(TABLES, STABLE, "", offer("1.33.4"), half)] == ["rollback-minor"]


def test_one_way_back_at_a_time() -> None:
    state = stands("1.33.5", arrivals=WAS, moves={"": move("1.33.4", "1.33.5", kind="rollback")})
    assert back(state, offer("1.33.4")) == []
    (conflict,) = judged_back(TABLES, STABLE, "", offer("1.33.3"), seen({"stable": state}))
    assert conflict.rule == "channel-moving"
    assert "--to v1.33.4+rke2r1" in conflict.remedy


def default(state: ChannelState, *offers: Offer | str) -> str | None:
    return default_back(TABLES, STABLE, "", seen({"stable": state}, offers))


def test_by_default_it_is_the_highest_that_was_there_and_is_fit() -> None:
    out = ("1.33.5", "1.33.4", "1.33.3", "1.33.2", "1.33.1", "1.32.9")
    state = stands("1.33.5", arrivals=WAS)
    assert default(state, *out) == "1.33.4+rke2r1"
    assert default(msgspec.structs.replace(state, bad=bad("1.33.4")), *out) == "1.33.3+rke2r1"
    assert default(state, offer("1.33.4", withdrawn="bad"), "1.33.3") == "1.33.3+rke2r1"
    assert default(state, "1.33.5", "1.33.2") == "1.33.2+rke2r1"
    assert default(state, "1.33.5", "1.33.1", "1.32.9") is None
    assert default(ChannelState(), *out) is None


def test_by_default_a_move_that_has_begun_goes_back_to_what_was_before() -> None:
    state = stands("1.33.3", arrivals=WAS, moves={"": move("1.33.5", "1.33.3")})
    world = seen({"stable": state}, ["1.33.5", "1.33.4", "1.33.3"], shown={"stable": {"": "1.33.5"}})
    assert default_back(TABLES, STABLE, "", world) == "1.33.3+rke2r1"


def test_each_line_goes_back_by_itself() -> None:
    state = stands("1.33.5", line="1.33", arrivals={**WAS, "1.34.0": LONG_AGO})
    world = seen({"lines": state}, ["1.34.0", "1.33.5", "1.33.4"])
    assert default_back(TABLES, LINES, "1.33", world) == "1.33.4+rke2r1"
    assert [one.rule for one in judged_back(TABLES, LINES, "1.34", offer("1.34.0"), world)] == ["rollback-nothing"]


PATCHES = st.lists(st.tuples(st.integers(31, 33), st.integers(0, 5)), max_size=8, unique=True)


@settings(deadline=None)
@given(PATCHES, PATCHES, PATCHES, st.tuples(st.integers(31, 33), st.integers(0, 5)), st.randoms())
def test_the_way_back_is_always_below_within_the_minor_and_was_there(
    out: Any, was: Any, wrong: Any, has: Any, random: Any
) -> None:
    def texts(some: Any) -> list[str]:
        return [f"1.{minor}.{patch}" for minor, patch in some]

    (now,) = texts([has])
    state = stands(now, arrivals=dict.fromkeys(texts(was), LONG_AGO), bad=bad(*texts(wrong)))
    found = default(state, *texts(out))
    fit = [
        version(text)
        for text in texts(out)
        if text in texts(was) and text not in texts(wrong) and version(text) < version(now)
        and version(text).line == version(now).line
    ]  # fmt: skip
    assert found == (max(fit).text if fit else None)
    random.shuffle(out)
    assert default(state, *texts(out)) == found
