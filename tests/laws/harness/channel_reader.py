"""Somebody who reads the history of a channel, and was there: each move is told once, in order, and by hand is what a hand did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from release.core.channel_plan import HistoricMove
from tests.laws.harness.channel_witness import Change, Witness, outcome

SKEW = timedelta(minutes=10)
MOVES = ("promotion", "rollback")


@dataclass(frozen=True)
class Reader:
    """`seen` is all that happened."""

    seen: Witness

    def reads(self, name: str, moves: Iterable[HistoricMove]) -> None:
        """A channel's history tells each move once, in order, newest first; what nobody can tell apart may be either's."""
        told = list(moves)
        assert all(one.channel == name for one in told)
        recorded = [(one.to, one.kind, one.outcome) for one in told if not one.hand and one.kind in MOVES]
        wanted = [
            (one["version"], one["kind"], outcome(one))
            for _, one in sorted(self.seen.moves[name].items(), reverse=True)
        ]
        assert recorded == wanted, f"{name}: {recorded} is told of {wanted}"
        held = [(one.kind, one.to) for one in told if not one.hand and one.kind not in MOVES]
        assert held == self.seen.holds[name][::-1], f"{name}: {held} is told of {self.seen.holds[name]}"
        when = [datetime.fromisoformat(one.when) for one in told]
        assert when == sorted(when, reverse=True)
        by_hand = [one.evidence["commit"] for one in told if one.hand]
        changes = [one for one in reversed(self.seen.changes) if one.channel == name]
        assert by_hand == [one.commit for one in changes if one.commit in by_hand], f"{name}: {by_hand} of {changes}"
        for change in changes:
            if not change.ours and not self._alike(change):
                assert change.commit in by_hand, f"{change} is not told"
            alike = any(self._same(change, one) for one in changes if not one.ours)
            if change.ours and not alike and not self._mended(change):
                assert change.commit not in by_hand, f"{change} is told as by hand"

    def _mended(self, change: Change) -> bool:
        """Whether a promotion that was over put its pointer back once more: the record keeps no time for that."""
        for move in self.seen.moves[change.channel].values():
            frozen = {(one["old"], one["new"]) for one in move["pointers"] if one["pointer"] == "file"}
            over = outcome(move) == "finished" and change.when > datetime.fromisoformat(move["ended"]) + SKEW
            if over and (change.old, change.new) in frozen:
                return True
        return False

    def _alike(self, change: Change) -> bool:
        """Whether a move of ours was to do, at that time, what somebody did by hand."""
        return any(self._explains(move, change) for move in self.seen.moves[change.channel].values())

    def _explains(self, move: dict[str, Any], change: Change) -> bool:
        frozen = {(one["old"], one["new"]) for one in move["pointers"] if one["pointer"] == "file"}
        if outcome(move) in ("returning", "returned"):
            frozen |= {(new, old) for old, new in frozen}
        began = datetime.fromisoformat(move["at"]) - SKEW
        ended = datetime.fromisoformat(move["ended"]) + SKEW if move.get("ended") else None
        return (change.old, change.new) in frozen and began <= change.when and (ended is None or change.when <= ended)

    def _same(self, ours: Change, other: Change) -> bool:
        return (ours.old, ours.new) == (other.old, other.new) and self._alike(other)
