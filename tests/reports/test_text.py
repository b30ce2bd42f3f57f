"""Values as text: everything there is to know is in it, and nothing in it can do anything to a terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from release.core.cells import Cell
from release.core.finding import Conflict
from release.core.fleet_status import Component, Status, Summary
from release.core.model import Reason
from release.core.plan import Abandoned, Filled, LinesStatus, LineStatus, Plan, State, StepState, Verified
from release.engine.walk import LIMIT, Event
from release.reports import console
from release.reports.live import Board
from release.reports.text import GUTTER, MARKS, SOME, STYLES, shown

STATES: tuple[State, ...] = ("done", "pending", "underway", "failed", "blocked", "skipped")
HOSTILE = "a\x1b[31mred\x1b]0;title\x07\r\n\0\u2028\u2029\u202ebidi\x7f\x9b2J\u200b\ufeffz"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def text_of(value: object, stream: io.StringIO | None = None) -> str:
    out = stream or io.StringIO()
    console.show(value, out)
    return out.getvalue()


def hostile_values(text: str) -> list[object]:
    """Every type of value, with one text wherever a text can be."""
    step, conflict = StepState(text, "failed", text), Conflict(text, text, text)
    cell = Cell(text, None, None, text, "missing")
    summary = Summary((text,), (), (text,), (text,), (text,), (text,))
    return [
        Plan(version=text, tag=text, line=text, kind=text, bump=text, previous=text, branch=text, commit=text,
             reasons=(Reason(text, text, text),), conflicts=(conflict,), steps=(step,), notes=text, remarks=(text,), next=text),
        Plan(nothing=text),
        LinesStatus((LineStatus(text, text, text, text, text, text, (step,), text, text),)),
        Verified(text, True, (step,)),
        Verified(text, False, ()),
        Abandoned(text, text, text),
        Filled((text,), (step,), (conflict,)),
        Status((Component(text, "upstream", text, None, (text,), (cell,)),), {text: summary}),
        Status((Component("up", "upstream", ""), Component(text, "downstream", text, error=text)), {text: Summary()}),
        text,
    ]  # fmt: skip


def harmless(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("number", range(10))
def test_no_value_can_do_anything_to_a_terminal_by_what_it_holds(number: int) -> None:
    said = text_of(hostile_values(HOSTILE)[number])
    assert harmless(said), [line for line in said.split("\n") if not harmless(line)]
    calm = text_of(hostile_values("plain")[number])
    ours = [line for line in said.split("\n") if not line.startswith(GUTTER)]
    assert len(ours) == len(calm.split("\n")), "a text ended its line, and goes on as if it were ours"
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in said.split("\n"))


@pytest.mark.parametrize("number", range(10))
def test_in_colour_a_value_says_the_same(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "40")
    value = hostile_values("some [bold]text[/bold] :smile: 'x' http://example.org " * 3)[number]
    seen = Console(file=io.StringIO()).render_str(text_of(value, Terminal()), markup=False, emoji=False).plain
    assert seen.split() == text_of(value).split()


@given(text=st.text(max_size=60))
def test_any_text_is_shown_as_one_line_that_does_nothing(text: str) -> None:
    assert shown(text).isprintable()
    assert shown(shown(text)) == shown(text)
    if text.isprintable() and "##[" not in text:  # which begins a command of a workflow
        assert shown(text) == text


def test_what_is_hidden_in_a_text_is_visible_when_it_is_shown() -> None:
    assert shown("a\x1b\n\u202e\x9b\ud800") == "a\\x1b\\n\\u202e\\x9b\\ud800"
    assert shown("ü 日本 ✓") == "ü 日本 ✓"


def test_a_plan_says_what_and_why_and_what_to_type() -> None:
    reasons = tuple(Reason(f"{n:07}", f"fix: {n}", "patch") for n in range(SOME + 3))
    plan = Plan(version="1.2.0", tag="v1.2.0", line="1.2", kind="final", bump="minor", previous="v1.1.0", branch="main",
                commit="0123456789abcdef", reasons=reasons, steps=tuple(StepState(f"step {s}", s, f"detail of {s}") for s in STATES),
                remarks=("a remark",), conflicts=(Conflict("rule", "why so", "do that"), Conflict("other", "why not", "")),
                next="invoke release --version v1.2.0")  # fmt: skip
    said = text_of(plan)
    for word in ("v1.2.0", "final of line 1.2", "minor", "after v1.1.0", "from main at 0123456789", "fix: 0", "and 3 more reasons",
                 "note: a remark", "[rule] why so", "do that", "[other] why not", "invoke release --version v1.2.0"):  # fmt: skip
        assert word in said, word
    for state in STATES:
        assert f"{MARKS[state]} step {state}" in said
        assert f"detail of {state}" in said
    assert "0123456789a" not in said
    assert f"fix: {SOME}" not in said


def test_a_plan_of_a_tag_alone_or_of_nothing_says_so() -> None:
    assert "from its tag at" in text_of(Plan(version="1.0.0", tag="v1.0.0", branch=""))
    assert text_of(Plan(nothing="the head is v1.0.0")) == "nothing to do: the head is v1.0.0\n"
    assert text_of(Plan()) == ""


def test_lines_and_what_they_wait_for_are_told() -> None:
    assert "no line has a record yet" in text_of(LinesStatus(()))
    lines = tuple(
        LineStatus(f"1.{n}", f"v1.{n}.0", outcome, "Ada", "2026-01-02", "abc", (StepState("tag", "pending", "push"),), "why", "invoke release")
        for n, outcome in enumerate(("begun", "finished", "abandoned"))
    )  # fmt: skip
    said = text_of(LinesStatus(lines))
    for line in lines:
        assert f"{line.line}  {line.tag} {line.outcome} by Ada at 2026-01-02: why" in said
    assert said.count("next: invoke release") == 3
    proposed = LineStatus("1.0", "proposed", "v1.0.0", "", "2026-01-02", "abc")
    assert "v1.0.0 proposed at 2026-01-02" in text_of(LinesStatus((proposed,)))


def test_a_proof_an_end_and_a_filling_are_told() -> None:
    assert "v1.0.0 verified: everything is out" in text_of(Verified("v1.0.0", True, ()))
    assert "v1.0.0 not verified" in text_of(Verified("v1.0.0", False, (StepState("tag", "failed", "gone"),)))
    assert "v1.0.0 is given up" in text_of(Abandoned("v1.0.0", "1.0", "a reason"))
    assert "nothing to do: no downstream is missing" in text_of(Filled((), ()))
    assert "why" in text_of(Filled(("v1",), (StepState("x", "done", "y"),), (Conflict("r", "why", "z"),)))


@pytest.mark.parametrize("kind", ["intent", "progress", "uncertain", "waits", "found"])
@pytest.mark.parametrize("state", STATES)
def test_an_event_is_told_as_one_harmless_line_or_not_at_all(
    kind: str, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    console.plain(Event(HOSTILE, kind, HOSTILE, state if kind == "found" else ""))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") <= 1
    assert harmless(said.err)
    told = kind in ("intent", "uncertain") or (kind == "found" and state not in ("skipped", "pending"))
    assert bool(said.err) == told


def test_a_wait_for_a_limit_is_told_and_any_other_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    console.plain(Event("downstream a", "waits", "cannot look: no more requests before noon", LIMIT))
    assert capsys.readouterr().err == "? downstream a: cannot look: no more requests before noon\n"
    console.plain(Event("downstream a", "waits", "its run goes on", "underway"))
    assert capsys.readouterr().err == ""


def board_text(board: Board, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(board)
    return out.getvalue()


def test_a_board_shows_every_step_and_the_last_that_was_heard() -> None:
    board = Board(["gate tests", HOSTILE])
    for event in (
        Event("gate tests", "intent", "run", "pending"),
        Event("gate tests", "progress", HOSTILE),
        Event("gate tests", "waits", "for it", "underway"),
        Event(HOSTILE, "found", HOSTILE, "done"),
        Event("a stranger", "found", "x", "blocked"),
    ):
        board.hear(event)
        said = board_text(board)
        assert harmless(said)
        assert said.count("\n") == len(said.splitlines())
    assert "… gate tests" in said
    assert "for it" in said
    assert "■ a stranger" in said


def test_a_board_of_many_steps_keeps_what_is_not_done_in_sight() -> None:
    names = [f"step {n}" for n in range(100)]
    board = Board(names)
    for name in names[:-5]:
        board.hear(Event(name, "found", "x", "done"))
    for width in (10, 80):
        said = board_text(board, width)
        assert len(said.splitlines()) <= 30
        assert all(len(line) <= width for line in said.splitlines())
    assert all(f"step {n}" in said for n in range(95, 100))


def test_a_board_without_steps_is_empty() -> None:
    assert board_text(Board([])) == ""


def test_every_state_has_a_mark_and_a_style() -> None:
    assert set(MARKS) == set(STYLES) == set(STATES)
    assert len(set(MARKS.values())) == len(STATES)


def test_conflicts_are_told_as_plain_harmless_lines() -> None:
    told: Callable[..., list[str]] = lambda *found: list(console.conflict_lines(found))  # noqa: E731
    assert told(Conflict("rule", "why", "remedy"), Conflict("rule", "why", "")) == [
        "conflict [rule] why", "         remedy", "conflict [rule] why",
    ]  # fmt: skip
    assert all(harmless(line) and "\n" not in line for line in told(Conflict(HOSTILE, HOSTILE, HOSTILE)))


@pytest.mark.parametrize(
    "text", ["::error::x", "  ::set-env name=x::y", "\u200b::add-mask::x", "a ##[error]b", "###[command]x", "##[[##[x"]
)
def test_no_text_is_a_command_to_actions(text: str) -> None:
    for value in (text, *hostile_values(text)):
        for line in text_of(value).split("\n"):
            assert not re.match(r"\s*::", line), line
            assert "##[" not in line, line
