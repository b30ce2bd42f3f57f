"""How a channel came to where it is: what its record tells, and what was done by hand beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import msgspec
import pytest

from release.core.channel_config import Channel
from release.core.channel_history import LONGEST, NO_VERSION, SKEW, PointerPast, history
from release.core.channel_plan import HistoricMove
from release.core.channel_record import ChannelState, Entry, Hold, Move, Moved
from release.core.config import VersionRules
from release.core.model import Person, Waiver
from release.core.moments import instant
from release.core.record import Proof
from release.core.spoken import Spoken
from release.core.version import Version, scheme

ADA, BOB = Person("Ada", "ada@example.org"), Person("Bob", "bob@example.org")
RULES = scheme(VersionRules(scheme="semver+revision", revision="rke2r", candidates=("rc",)), "rke2")
STABLE = Channel("stable")
FILE = "file channels.yaml stable"
V28, V29, V30, V30_2 = "1.28.11+rke2r1", "1.29.6+rke2r1", "1.30.1+rke2r1", "1.30.2+rke2r1"


def at(minute: int) -> str:
    return f"2026-01-{5 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"


def skips(before: Version | None, after: Version, when: str) -> Sequence[str]:
    """The rule of the test: one minor at a time, and never back."""
    if before is None:
        return ()
    if after < before:
        return ("backward-move",)
    return ("minor-skip",) if after.minor > before.minor + 1 else ()


def move(number: int, version: str, before: str = "", begun: int = 0, ended: int | None = 1, **more: Any) -> Move:
    """A move of the file pointer from one version to another."""
    old = f"v{before}" if before else ""
    pointers = (Moved("image stable", "sha256:a", "sha256:b"), Moved(FILE, old, f"v{version}"))
    told: dict[str, Any] = {"pointers": pointers, "outcome": "begun" if ended is None else "finished"}
    told["ended"] = "" if ended is None else at(ended)
    given = {"number": number, "kind": "promotion", "line": "", "version": version, "tag": f"v{version}"}
    return Move(**{**given, "commit": "c" * 40, "before": before, "by": ADA, "at": at(begun), **told, **more})


def entries(*moves: Move) -> list[Entry]:
    """A record's history, newest first: each move begun, then as it was in the end."""
    found: list[Entry] = []
    for one in moves:
        begun = msgspec.structs.replace(one, outcome="begun", ended="")
        for state in (begun, one):
            found.append(Entry(ChannelState(moves={one.line: state}, number=one.number), ADA, one.at, "move"))
    return found[::-1]


def said(*told: tuple[int, str | None], by: Person = BOB) -> list[Spoken]:
    """What the file said from these minutes on, told oldest first; newest first."""
    return [Spoken(f"{minute:040}", by, at(minute), says) for minute, says in reversed(told)]


def past(*told: tuple[int, str | None], pointer: str = FILE) -> PointerPast:
    return PointerPast(pointer, "{tag}", said(*told))


def told(record: Iterable[Entry] = (), *files: PointerPast, channel: Channel = STABLE) -> tuple[HistoricMove, ...]:
    return history(RULES, channel, record, files, skips)


def brief(moves: Iterable[HistoricMove]) -> list[tuple[str | None, str | None, bool, tuple[str, ...]]]:
    return [(one.frm, one.to, bool(one.hand), one.violations) for one in moves]


# The record.


def test_a_move_is_told_once_as_it_was_in_the_end() -> None:
    first, second = move(1, V29, ended=5), move(2, V30, V29, begun=60, ended=70, seen={"verify": "40 assets"})
    moves = told(entries(first, second))
    assert brief(moves) == [(V29, V30, False, ()), (None, V29, False, ())]
    assert (moves[0].when, moves[0].who) == (at(70), "Ada <ada@example.org>")
    assert moves[0].evidence == {"verify": "40 assets"}
    assert {one.channel for one in moves} == {"stable"}


def test_a_move_that_goes_on_and_one_that_was_taken_back_say_so() -> None:
    back = move(1, V30, V29, ended=9, outcome="returned", why="broken")
    moves = told(entries(back, move(2, V30_2, V29, begun=60, ended=None)))
    assert [(one.to, one.outcome, one.why, one.when) for one in moves] == [
        (V30_2, "begun", "", at(60)),
        (V30, "returned", "broken", at(9)),
    ]


def test_a_rollback_is_one_and_waived_rules_are_told_as_broken() -> None:
    waivers = (Waiver("soak", "urgent", "Ada"), Waiver("frozen", "urgent", "Ada"), Waiver("soak", "again", "Ada"))
    (one,) = told(entries(move(1, V30, V30_2, kind="rollback", waivers=waivers)))
    assert (one.kind, one.violations) == ("rollback", ("soak", "frozen"))


def test_moves_of_several_lines_are_told_each_once() -> None:
    one = move(1, V29, line="1.29", ended=5)
    two = move(2, V30, line="1.30", begun=10, ended=15)
    state = ChannelState(moves={"1.29": one, "1.30": two}, number=2)
    moves = told([Entry(state, ADA, at(15), "x"), *entries(one)], channel=Channel("stable", scope="line"))
    assert [(one.line, one.to) for one in moves] == [("1.30", V30), ("1.29", V29)]


# By hand.


def test_without_a_record_everything_was_done_by_hand_and_is_held_against_the_rules() -> None:
    moves = told((), past((0, f"v{V28}"), (10, f"v{V30}"), (20, f"v{V29}")))
    assert brief(moves) == [
        (V30, V29, True, ("backward-move",)),
        (V28, V30, True, ("minor-skip",)),
        (None, V28, True, ()),
    ]
    assert (moves[0].who, moves[0].when) == ("Bob <bob@example.org>", at(20))
    assert moves[0].evidence == {"commit": f"{20:040}"}
    assert moves[0].hand == FILE


def test_what_a_recorded_move_wrote_is_not_told_twice() -> None:
    record = entries(move(1, V29, ended=5), move(2, V30, V29, begun=60, ended=70))
    assert len(told(record, past((1, f"v{V29}"), (65, f"v{V30}")))) == 2


def test_a_hand_between_two_moves_is_seen() -> None:
    record = entries(move(1, V28, ended=5), move(2, V30_2, V30, begun=60, ended=70))
    moves = told(record, past((1, f"v{V28}"), (30, f"v{V30}"), (65, f"v{V30_2}")))
    assert brief(moves) == [
        (V30, V30_2, False, ()),
        (V28, V30, True, ("minor-skip",)),
        (None, V28, False, ()),
    ]


@pytest.mark.parametrize(("off", "by_hand"), [(0, False), (SKEW // 60, False), (SKEW // 60 + 1, True)])
def test_clocks_may_differ_a_little(off: float, by_hand: bool) -> None:
    begun, ended = 60, 70
    for minute in (int(begun - off), int(ended + off)):
        moves = told(entries(move(1, V29, begun=begun, ended=ended)), past((minute, f"v{V29}")))
        assert any(one.hand for one in moves) == by_hand


def test_a_move_that_goes_on_explains_what_comes_whenever_it_comes() -> None:
    moves = told(entries(move(1, V29, ended=None)), past((5000, f"v{V29}")))
    assert brief(moves) == [(None, V29, False, ())]


def test_a_move_explains_what_it_wrote_once() -> None:
    """In its time somebody took it back by hand, and somebody else wrote it again."""
    record = entries(move(1, V30, V29, ended=30))
    moves = told(record, past((-30, f"v{V29}"), (1, f"v{V30}"), (2, f"v{V29}"), (3, f"v{V30}")))
    by_hand = [(one.frm, one.to) for one in moves if one.hand]
    assert sorted(by_hand, key=str) == sorted([(V29, V30), (V30, V29), (None, V29)], key=str)


def test_a_move_that_was_taken_back_explains_the_way_there_and_back() -> None:
    record = entries(move(1, V29, ended=1), move(2, V30, V29, begun=60, ended=70, outcome="returned"))
    moves = told(record, past((1, f"v{V29}"), (61, f"v{V30}"), (69, f"v{V29}")))
    assert [(one.to, one.outcome, one.hand) for one in moves] == [(V30, "returned", ""), (V29, "finished", "")]


def test_another_value_than_the_recorded_one_is_somebody_elses() -> None:
    moves = told(entries(move(1, V30, V29, ended=30)), past((-30, f"v{V29}"), (5, f"v{V30_2}")))
    assert (V29, V30_2, True, ()) in brief(moves)


def test_commits_that_leave_the_value_alone_are_no_moves() -> None:
    assert len(told((), past((0, f"v{V29}"), (1, f"v{V29}"), (2, f"v{V29}")))) == 1
    assert told((), past((0, None), (1, None))) == ()


def test_a_file_that_breaks_says_nothing_and_the_next_is_held_against_what_stood_before() -> None:
    moves = told((), past((0, f"v{V28}"), (1, None), (2, f"v{V30}")))
    assert brief(moves) == [(None, V30, True, ("minor-skip",)), (V28, None, True, ()), (None, V28, True, ())]


def test_what_is_no_version_is_told_as_it_is() -> None:
    odd = "soon \x1b[2J" + "x" * LONGEST
    moves = told((), past((0, f"v{V28}"), (1, odd), (2, f"v{V30}")))
    shown = odd[:LONGEST] + "…"
    assert brief(moves) == [
        (shown, V30, True, ("minor-skip",)),
        (V28, shown, True, (NO_VERSION,)),
        (None, V28, True, ()),
    ]


def test_a_value_is_read_by_the_template_that_it_is_made_of() -> None:
    image = PointerPast(FILE, "rancher/rke2-runtime:{image_tag}", said((0, "rancher/rke2-runtime:v1.28.11-rke2r1")))
    assert brief(told((), image)) == [(None, V28, True, ())]


def test_one_commit_that_moves_two_files_alike_is_one_move() -> None:
    moves = told((), past((0, f"v{V28}")), past((0, f"v{V28}"), pointer="file charts.yaml stable"))
    assert [one.hand for one in moves] == [f"{FILE}, file charts.yaml stable"]


def test_a_second_file_explained_by_the_same_move_is_explained_too() -> None:
    other = "file charts.yaml stable"
    one = move(1, V28, ended=5)
    one = msgspec.structs.replace(one, pointers=(*one.pointers, Moved(other, "", f"v{V28}")))
    assert len(told(entries(one), past((1, f"v{V28}")), past((2, f"v{V28}"), pointer=other))) == 1


def test_a_channel_by_line_tells_of_which_line() -> None:
    lined = Channel("stable", scope="line")
    moves = told((), past((0, f"v{V28}"), (9, None), pointer="a"), past((5, f"v{V30}"), pointer="b"), channel=lined)
    assert [(one.line, one.to) for one in moves] == [("1.28", None), ("1.30", V30), ("1.28", V28)]


def test_all_is_told_newest_first_and_the_order_of_commits_is_kept_whatever_their_clocks_say() -> None:
    record = entries(move(1, V30_2, V30, begun=100, ended=101))
    moves = told(record, past((0, f"v{V28}"), (50, f"v{V29}"), (10, f"v{V30}"), (100, f"v{V30_2}")))
    assert [one.to for one in moves] == [V30_2, V30, V29, V28]


def test_components_that_a_move_released_are_among_what_was_seen() -> None:
    tags = {"packaging": f"v{V29}.stable.0", "late": f"v{V29}.late.0"}
    proofs = {"downstream packaging": Proof(tag=tags["packaging"])}
    (one,) = told(entries(move(1, V29, seen={"proof assets": "40"}, instances=tags, proofs=proofs)))
    assert one.evidence == {"proof assets": "40", "downstream packaging": f"v{V29}.stable.0"}


def test_a_hand_s_time_is_told_in_utc_wherever_the_hand_was() -> None:
    (by_hand,) = told((), PointerPast(FILE, "{tag}", [Spoken("c" * 40, BOB, "2026-01-06T01:30:00+02:00", f"v{V28}")]))
    assert by_hand.when == "2026-01-05T23:30:00+00:00"


def test_times_that_are_none_do_no_harm() -> None:
    file = PointerPast(FILE, "{tag}", [Spoken("a" * 40, BOB, "yesterday", f"v{V29}")])
    moves = told(entries(move(1, V30, V29, at="soon", ended=None)), file)
    assert {one.to for one in moves} == {V29, V30}


def test_a_long_past_takes_a_time_that_grows_with_its_length() -> None:
    few, many = (timed(count) for count in (500, 4000))
    assert many < few * 8 * 4  # of which 4 is for a machine that does other things as well


def timed(count: int) -> float:
    """From one version to another and back, again and again: there by promotion, back by hand."""
    pasts = [Spoken(f"{n:040}", BOB, stamp(10 * n), f"v{V29 if n % 2 else V30}") for n in reversed(range(count))]
    record: list[Entry] = []
    for n in range(2, count, 2):
        one = msgspec.structs.replace(move(n, V30, V29), at=stamp(10 * n), ended=stamp(10 * n + 1))
        record[:0] = entries(one)
    begun = perf_counter()
    moves = told(record, PointerPast(FILE, "{tag}", pasts))
    spent = perf_counter() - begun
    assert [bool(one.hand) for one in moves] == [n % 2 == 1 or n == 0 for n in reversed(range(count))]
    return spent


def stamp(minute: int) -> str:
    return datetime.fromtimestamp(60 * minute, UTC).isoformat()


def test_in_json_a_move_has_the_fields_that_are_promised() -> None:
    (one,) = told((), past((0, f"v{V28}")))
    built = msgspec.to_builtins(one)
    assert {"channel", "when", "who", "from", "to", "evidence", "violations"} <= set(built)
    assert built["from"] is None
    assert instant(built["when"]) is not None


def test_a_channel_that_was_held_and_let_go_on_tells_both_once() -> None:
    held = Hold("it burns", ADA, at(3), V29, told=False)
    states = [
        ChannelState(),
        ChannelState(hold=held),
        ChannelState(hold=msgspec.structs.replace(held, told=True)),
        ChannelState(),
    ]
    written = [Entry(state, BOB, at(number + 2), "") for number, state in enumerate(states)]
    told = history(RULES, STABLE, reversed(written), (), skips)
    assert [(one.kind, one.when, one.who, one.to, one.why) for one in told] == [
        ("resume", at(5), "Bob <bob@example.org>", V29, ""),
        ("hold", at(3), "Ada <ada@example.org>", V29, "it burns"),
    ]
