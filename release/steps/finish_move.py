"""Finish a move: the record says that the channel has the version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from release.core.channel_record import ChannelState
from release.core.finding import Blocked, Done, Finding, Pending
from release.core.model import Person
from release.core.moves import changed, finished
from release.core.promotion import Promotion
from release.core.record import Proof
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import ChannelLedger
from release.steps.begin_move import BeginMove
from release.steps.point import MovePointer


@dataclass(frozen=True, eq=False)
class FinishMove(Step[str]):
    """Its value is the version. `released` are the components that have to be out: what was seen of them goes into the record."""

    promotion: Promotion
    begin: BeginMove
    released: tuple[Step[Proof], ...]
    moved: tuple[MovePointer, ...]
    ledger: ChannelLedger
    person: Person
    now: Callable[[], str]

    def inspect(self, known: Known) -> Finding[str]:
        move = known.get(self.begin)
        if move is None:
            return Pending(f"say that {self.promotion.channel} has {self.promotion.tag}")
        state = self.ledger.read(self.promotion.channel).state
        now = state.moves.get(move.line)
        if now is None or now.number != move.number or now.outcome in ("returning", "returned"):
            told = f"is {now.outcome} with {now.tag}" if now is not None else "has no move any more"
            return Blocked(changed(self.promotion.channel, told))
        if now.outcome == "finished":
            return Done(now.version, f"{self.promotion.channel} has {now.tag} since {now.ended}")
        return Pending(f"say that {self.promotion.channel} has {now.tag}")

    def apply(self, known: Known, say: Say) -> None:
        number = known[self.begin].number
        proofs = {step.name: known[step] for step in self.released}

        def ends(state: ChannelState) -> tuple[ChannelState, str]:
            move = state.moves.get(self.promotion.line)
            if move is None or move.number != number or move.outcome in ("returning", "returned"):
                conflict = changed(self.promotion.channel, "is not in this move any more")
                raise Refused(conflict.why, conflict.remedy)
            if move.outcome == "finished":
                return state, ""
            return finished(state, move, proofs, self.person, self.now()), f"finished {move.kind} to {move.tag}"

        self.ledger.change(self.promotion.channel, ends)
