"""The moves of channels as a table, newest first: what was made by hand is seen to be, and so are the rules that were broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from release.core.channel_plan import ChannelHistory, HistoricMove
from release.reports.channel_text import WIDEST, in_columns, of_line
from release.reports.text import Line, brief, lines, shown

HEADS = ("WHEN", "CHANNEL", "FROM", "TO", "WHO")
WITHOUT_A_MOVE = {"hold": "held", "resume": "let go on"}
MANY = {"health": "questions about health"}
ENDS = {"begun": "not finished", "returning": "being taken back", "returned": "taken back"}


@lines.register
def _(found: ChannelHistory) -> Iterator[Line]:
    rows = [_row(move) for move in found.moves]
    if rows:
        wide = [max(len(head), *(min(len(row[n]), WIDEST) for row in rows)) for n, head in enumerate(HEADS)]
        yield [(in_columns(HEADS, wide), "dim")]
    else:
        yield [("no channel has been moved yet", "")]
    for move, row in zip(found.moves, rows, strict=True):
        yield [(in_columns(row, wide), "red" if move.violations else "")]
        yield from _told(move)
    yield from ([(f"note: {shown(remark)}", "")] for remark in found.remarks)


def _row(move: HistoricMove) -> tuple[str, ...]:
    after = WITHOUT_A_MOVE.get(move.kind) or shown(move.to or "nothing")
    when = shown(move.when[:16].replace("T", " "))
    who = shown(move.who.partition(" <")[0] or move.who)
    return when, of_line(move.channel, move.line), shown(move.frm or "nothing"), after, who


def _told(move: HistoricMove) -> Iterator[Line]:
    """What there is to say of a move, below its row."""
    if move.hand:
        yield [("  by hand", "bold yellow"), (f": {shown(move.hand)}", "")]
    if move.violations:
        word = "broke" if move.hand else "waived"
        yield [(f"  {word} ", "bold red"), (", ".join(map(shown, move.violations)), "red")]
    notes = [move.kind if move.kind == "rollback" else "", ENDS.get(move.outcome, "")]
    if any(notes) or move.why:
        why = f": {brief(move.why)}" if move.why else ""
        yield [(f"  {', '.join(filter(None, map(shown, notes))) or 'why'}{why}", "")]
    if move.hand:
        yield from ([(f"  {shown(what)}: {brief(words)}", "dim")] for what, words in move.evidence.items())
    elif move.evidence:
        yield [(f"  seen: {', '.join(_counted(move.evidence))}", "dim")]


def _counted(evidence: Mapping[str, str]) -> Iterator[str]:
    """What was looked at, by its kind: of many of one kind how many they were. JSON has each with what was seen."""
    kinds: dict[str, list[str]] = {}
    for name in evidence:
        words = name.removeprefix("proof ").split(" ", 1)
        kinds.setdefault(words[0], []).append(shown(" ".join(words)))
    for kind, names in kinds.items():
        yield names[0] if len(names) == 1 else f"{len(names)} {MANY.get(kind) or shown(kind) + 's'}"
