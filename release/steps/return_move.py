"""Take a move back: it is said first, then its pointers go back one after the other, and what stood before stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from release.core.channel_record import ChannelState, Move, MoveOutcome
from release.core.finding import Blocked, Conflict, Done, Finding, Pending
from release.core.moves import changed, ended
from release.core.promotion import Promotion
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import ChannelLedger
from release.steps.point import ReturnPointer

ORDER: tuple[MoveOutcome, ...] = ("begun", "returning", "returned")


@dataclass(frozen=True, eq=False)
class BeginReturn(Step[Move]):
    """Its value is the unfinished move of this number: from here on nobody moves its pointers on any more."""

    promotion: Promotion
    number: int
    ledger: ChannelLedger
    now: Callable[[], str]

    outcome: ClassVar[MoveOutcome] = "returning"
    todo: ClassVar[str] = "is taken back"

    def inspect(self, known: Known) -> Finding[Move]:
        move = self._move(self.ledger.read(self.promotion.channel).state)
        if isinstance(move, Conflict):
            return Blocked(move)
        if ORDER.index(move.outcome) >= ORDER.index(self.outcome):
            return Done(move, f"{move.outcome}, begun by {move.by.name} at {move.at}")
        return Pending(f"say that the move of {self.promotion.channel} to {move.tag} {self.todo}")

    def apply(self, known: Known, say: Say) -> None:
        self.ledger.change(self.promotion.channel, self._changed)

    def _changed(self, state: ChannelState) -> tuple[ChannelState, str]:
        move = self._move(state)
        if isinstance(move, Conflict):
            raise Refused(move.why, move.remedy)
        if ORDER.index(move.outcome) >= ORDER.index(self.outcome):
            return state, ""
        when = self.now() if self.outcome == "returned" else ""
        return ended(state, move, self.outcome, when, self.promotion.why), f"{self.outcome} from {move.tag}"

    def _move(self, state: ChannelState) -> Move | Conflict:
        """The move, as long as it can be taken back."""
        move = state.moves.get(self.promotion.line)
        if move is None or move.number != self.number:
            return changed(self.promotion.channel, f"is at {move.tag}" if move is not None else "has no move any more")
        if move.outcome == "finished":
            return changed(self.promotion.channel, f"has {move.tag} since {move.ended}")
        return move


@dataclass(frozen=True, eq=False)
class ReturnMove(BeginReturn):
    """The last of it: `after` are the pointers that are back."""

    begin: BeginReturn
    after: tuple[ReturnPointer, ...]

    outcome = "returned"
    todo = "was taken back"
