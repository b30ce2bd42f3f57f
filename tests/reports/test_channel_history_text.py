"""A channel's history as text and as JSON: hands are seen, and so are broken rules."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from release.core.channel_plan import ChannelHistory, HistoricMove
from release.reports import console
from release.reports.documents import document

HOSTILE = "a\x1b[31mred\r\n\0\u2028\u202ebidi\x9b2J##[error]"
RULES = ("minor-skip", "frozen")


def text_of(*moves: HistoricMove, remarks: tuple[str, ...] = ()) -> list[str]:
    out = io.StringIO()
    console.show(ChannelHistory(moves, remarks), out)
    return out.getvalue().splitlines()


def move(**more: Any) -> HistoricMove:
    given: dict[str, Any] = {
        "channel": "stable",
        "when": "2026-01-05T10:20:30Z",
        "who": "Ada <ada@example.org>",
        "frm": "1.28.11+rke2r1",
        "to": "1.30.2+rke2r1",
        "evidence": {},
        "violations": (),
    }
    return HistoricMove(**{**given, **more})


def test_a_promotion_is_a_row_with_what_proved_it_below() -> None:
    said = text_of(move(evidence={"assets": "40 of 40", "health": "0.002 < 0.01\nof 1,200"}))
    assert said[0].split() == ["WHEN", "CHANNEL", "FROM", "TO", "WHO"]
    assert said[1].split() == ["2026-01-05", "10:20", "stable", "1.28.11+rke2r1", "1.30.2+rke2r1", "Ada"]
    assert said[2:] == ["  seen: assets, health"]
    said = text_of(
        move(
            evidence={
                "health errors": "none",
                "health page": "it answers 200",
                "proof image a": "b",
                "proof image c": "d",
            }
        )
    )
    assert said[2:] == ["  seen: 2 questions about health, 2 images"]


def test_a_move_by_hand_is_seen_to_be_one_with_the_rules_that_it_broke() -> None:
    said = text_of(move(hand="file channels.yaml stable", violations=RULES))
    assert said[2:] == ["  by hand: file channels.yaml stable", "  broke minor-skip, frozen"]


def test_rules_that_were_waived_are_told_apart_from_rules_that_were_broken() -> None:
    assert text_of(move(violations=RULES))[2:] == ["  waived minor-skip, frozen"]


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"kind": "rollback", "why": "it broke\nmuch"}, "  rollback: it broke …"),
        ({"outcome": "returned"}, "  taken back"),
        ({"outcome": "returning"}, "  being taken back"),
        ({"kind": "rollback", "outcome": "begun"}, "  rollback, not finished"),
        ({"why": "urgent"}, "  why: urgent"),
    ],
)
def test_what_is_no_finished_promotion_says_what_it_is(more: dict[str, Any], line: str) -> None:
    assert text_of(move(**more))[2:] == [line]


def test_nothing_before_and_nothing_after_are_words() -> None:
    assert text_of(move(frm=None))[1].split()[3:5] == ["nothing", "1.30.2+rke2r1"]
    assert text_of(move(to=None))[1].split()[3:5] == ["1.28.11+rke2r1", "nothing"]


def test_a_line_is_named_with_its_channel() -> None:
    assert "  stable 1.30  " in text_of(move(line="1.30"))[1]


def test_columns_stand_below_their_heads_and_a_long_text_does_not_push_them_away() -> None:
    head, *rows = text_of(move(to="1.29.6"), move(channel="latest", to="x" * 300), move(frm=None))
    assert len(head) < 120
    assert {row.index("Ada") for row in (rows[0], rows[2])} == {head.index("WHO")}


def test_evidence_of_one_kind_is_counted_and_json_has_each() -> None:
    seen = {"proof assets": "40", **{f"proof image a/b:{n}": "there" for n in range(3)}, "health errors": "0.002"}
    assert text_of(move(evidence=seen))[2:] == ["  seen: assets, 3 images, health errors"]


def test_a_hold_and_its_end_are_told_with_the_version_and_the_reason() -> None:
    said = text_of(move(kind="hold", why="it burns", to="1.28.11+rke2r1"), move(kind="resume", to="1.28.11+rke2r1"))
    assert said[1].split()[3:] == ["1.28.11+rke2r1", "held", "Ada"]
    assert said[2] == "  why: it burns"
    assert said[3].split()[3:] == ["1.28.11+rke2r1", "let", "go", "on", "Ada"]


def test_no_move_is_said_and_remarks_are_told() -> None:
    assert text_of(remarks=("latest has no record",)) == ["no channel has been moved yet", "note: latest has no record"]


def test_texts_can_do_nothing_to_a_terminal() -> None:
    h = HOSTILE
    said = text_of(
        move(channel=h, when=h, who=h, frm=h, to=h, evidence={h: h}, violations=(h,), line=h, hand=h, why=h, kind=h),
        remarks=(h,),
    )
    assert all(line.isprintable() and "##[" not in line for line in said)


def test_in_json_a_move_is_what_other_programs_were_promised() -> None:
    value = json.loads(document(ChannelHistory((move(frm=None, violations=RULES, evidence={"a": "b"}),))))
    (one,) = value["moves"]
    assert one["channel"] == "stable"
    assert (one["from"], one["to"]) == (None, "1.30.2+rke2r1")
    assert one["violations"] == ["minor-skip", "frozen"]
    assert one["evidence"] == {"a": "b"}
    assert {"when", "who"} <= set(one)
    assert "frm" not in one
