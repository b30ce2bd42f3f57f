"""What a move leaves in a channel's record, whatever came before it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.channel_record import ARRIVALS, Approval, ChannelState, Hold, Mark, Move, Moved, Standing
from release.core.model import Person, Waiver
from release.core.moves import begun, ended, finished, foreign, hindrance, left_there, move_of, taken_in
from release.core.promotion import Promotion

ADA = Person("Ada", "ada@example.org")
AT = "2026-03-04T12:00:00+00:00"
LATER = "2026-03-05T12:00:00+00:00"
ONE, TWO = Moved("image", "sha256:1", "sha256:2"), Moved("file", "", "v1.1.0")


def wish(version: str = "1.1.0", before: str = "", **more: Any) -> Promotion:
    told = {"kind": "promotion", "line": "", "releases": 5, **more}
    return Promotion("stable", version=version, tag=f"v{version}", commit=version[0] * 40, before=before, **told)


def began(state: ChannelState, promotion: Promotion, *pointers: Moved) -> ChannelState:
    return begun(state, promotion, pointers, {"proof": "all is there"}, ADA, AT)


def moved(state: ChannelState, promotion: Promotion, at: str = AT, *pointers: Moved) -> ChannelState:
    """A whole move."""
    begins = began(state, promotion, *pointers)
    return finished(begins, begins.moves[promotion.line], {}, ADA, at)


def test_a_move_of_one_line_leaves_those_of_others_alone() -> None:
    state = moved(moved(ChannelState(), wish("1.1.0", line="1.1")), wish("1.2.0", line="1.2"), LATER)
    assert {line: one.version for line, one in state.standing.items()} == {"1.1": "1.1.0", "1.2": "1.2.0"}
    assert {line: one.number for line, one in state.moves.items()} == {"1.1": 1, "1.2": 2}
    half = began(state, wish("1.1.1", "1.1.0", line="1.1"))
    assert hindrance(half, wish("1.2.1", "1.2.0", line="1.2")) is None
    other = hindrance(half, wish("1.1.2", "1.1.0", line="1.1"))
    assert other is not None
    assert other.rule == "channel-moving"


def test_a_move_is_found_again_only_by_what_it_is() -> None:
    state = began(ChannelState(), wish())
    assert move_of(state, wish()) == state.moves[""]
    for other in (
        wish("1.1.1"),
        wish(kind="rollback"),
        wish(line="1.1"),
        msgspec.structs.replace(wish(), commit="f" * 40),
    ):
        assert move_of(state, other) is None
    done = moved(ChannelState(), wish())
    assert move_of(done, wish()) == done.moves[""]
    gone = msgspec.structs.replace(done, standing={"": Standing("1.0.0", "v1.0.0", AT)})
    assert move_of(gone, wish()) is None
    for outcome in ("returning", "returned"):
        assert move_of(ended(state, state.moves[""], outcome), wish()) is None


@pytest.mark.parametrize(
    ("outcome", "rule"), [("begun", "channel-moving"), ("returning", "channel-moving"), ("returned", "")]
)
def test_what_is_half_moved_is_finished_or_taken_back_first(outcome: Any, rule: str) -> None:
    state = began(ChannelState(), wish())
    found = hindrance(ended(state, state.moves[""], outcome), wish("1.2.0"))
    assert (found.rule if found else "") == rule


def test_a_hold_keeps_out_what_comes_and_lets_go_back() -> None:
    held = ChannelState({"": Standing("1.1.1", "v1.1.1", AT)}, hold=Hold("it\x1b[2J eats data", ADA, AT))
    found = hindrance(held, wish("1.2.0", "1.1.1"))
    assert found is not None
    assert (found.rule, "\x1b" in found.why) == ("channel-held", False)
    assert hindrance(held, wish("1.1.0", "1.1.1", kind="rollback")) is None


def test_a_record_that_stands_elsewhere_is_told_and_one_that_says_nothing_is_believed() -> None:
    assert hindrance(ChannelState(), wish(before="1.0.0")) is None
    found = hindrance(ChannelState({"": Standing("1.0.1", "v1.0.1", AT)}), wish(before="1.0.0"))
    assert found is not None
    assert found.rule == "channel-changed"


def test_what_the_last_move_left_of_a_pointer() -> None:
    state = began(ChannelState(), wish(), ONE, TWO)
    move = state.moves[""]
    done = finished(state, move, {}, ADA, AT).moves[""]
    back = ended(state, move, "returned", AT).moves[""]
    assert [left_there(one, "image") for one in (None, move, done, back)] == [
        (),
        ("sha256:2",),
        ("sha256:2",),
        ("sha256:1",),
    ]
    assert [left_there(one, "file") for one in (move, done, back)] == [("v1.1.0",), ("v1.1.0",), ("", "v1.1.0")]
    assert left_there(done, "mirror") == ()


def test_what_is_taken_in_takes_the_place_of_what_it_had_said() -> None:
    state = began(ChannelState(), wish(), ONE)
    more = taken_in(state, state.moves[""], [TWO, Moved("image", "sha256:0", "sha256:2")]).moves[""]
    assert more.pointers == (Moved("image", "sha256:0", "sha256:2"), TWO)
    assert (more.number, more.outcome, more.seen) == (1, "begun", {"proof": "all is there"})


def test_a_rollback_marks_what_it_left_once_and_keeps_the_first_arrival() -> None:
    state = moved(moved(ChannelState(), wish()), wish("1.1.1", "1.1.0"))
    back = moved(state, wish("1.1.0", "1.1.1", kind="rollback", why="it eats data"), LATER)
    assert back.bad == {"1.1.1": Mark("it eats data", ADA, LATER)}
    assert back.arrivals == {"1.1.0": AT, "1.1.1": AT}
    known = msgspec.structs.replace(state, bad={"1.1.1": Mark("unhealthy", ADA, AT)})
    again = moved(known, wish("1.1.0", "1.1.1", kind="rollback"), LATER)
    assert again.bad == known.bad


def test_a_rollback_to_what_the_record_has_since_a_hand_went_above_it_marks_nothing_of_its_own() -> None:
    state = moved(moved(ChannelState(), wish()), wish("1.1.1", "1.1.0"))
    back = moved(state, wish("1.1.1", "1.1.1", kind="rollback", why="somebody wrote 1.1.2 there"), LATER)
    assert (back.standing[""].version, back.bad) == ("1.1.1", {})


def test_the_oldest_arrivals_are_forgotten_and_so_is_the_yes_to_what_arrived() -> None:
    many = {f"0.{number}.0": AT for number in range(ARRIVALS)}
    yes = tuple(Approval(version, ADA, AT) for version in ("0.7.0", "1.1.0", "1.2.0"))
    state = moved(ChannelState(arrivals=many, approvals=yes), wish(), LATER)
    assert len(state.arrivals) == ARRIVALS
    assert ("0.0.0" in state.arrivals, [*state.arrivals][-1]) == (False, "1.1.0")
    assert [one.version for one in state.approvals] == ["1.1.0", "1.2.0"]


def test_what_a_pointer_says_is_told_as_text_and_not_without_end() -> None:
    told = foreign("file", "\x1b]0;x\x07" + "y" * 10_000, ("", "v1.1.0"))
    assert (told.rule, "\x1b" in told.why, len(told.why) < 400) == ("pointer-moved", False, True)
    assert "neither nothing nor v1.1.0" in told.why


@given(
    st.lists(
        st.tuples(st.sampled_from(["1.0.0", "1.0.1", "1.1.0"]), st.booleans(), st.sampled_from(["", "1.0"])),
        max_size=12,
    )
)
def test_whatever_happens_the_record_stands_on_what_was_finished_last_and_numbers_only_grow(
    moves: list[tuple[str, bool, str]],
) -> None:
    state, stands, number = ChannelState(releases=7), dict[str, str](), 0
    for version, finishes, line in moves:
        promotion = wish(version, stands.get(line, ""), line=line)
        if move_of(state, promotion) is not None:
            continue
        assert hindrance(state, promotion) is None
        state, number = began(state, promotion, ONE), number + 1
        move: Move = state.moves[line]
        if finishes:
            state, stands[line] = finished(state, move, {}, ADA, AT), version
        else:
            state = ended(state, move, "returned", AT)
        assert (state.number, state.releases) == (number, 7)
        assert {key: one.version for key, one in state.standing.items()} == stands
        assert set(stands.values()) <= set(state.arrivals)


def test_as_many_releases_as_were_seen_are_counted_and_fewer_only_where_a_person_says_so() -> None:
    state = ChannelState(releases=7, counted="2026-01-01T00:00:00+00:00")
    assert (began(state, wish(releases=5)).releases, began(state, wish(releases=5)).counted) == (7, state.counted)
    more = began(state, wish(releases=8))
    assert (more.releases, more.counted) == (8, AT)
    fewer = began(state, wish(releases=5, waivers=(Waiver("shrunken-list", "deleted by us", "Ada"),)))
    assert (fewer.releases, fewer.counted) == (5, AT)
