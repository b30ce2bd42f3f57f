"""Move a pointer: what users follow says the version of the move, where it said the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from release.core.channel_record import Move, Moved, MoveOutcome
from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway, compare
from release.core.forge import PACE
from release.core.moves import changed, foreign, moved_of, said, waived
from release.core.promotion import Promotion
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import ChannelLedger, Pointer


@dataclass(frozen=True, eq=False)
class MovePointer(Step[str]):
    """Its value is what the pointer says. It is moved by compare-and-swap, where it can be, from what the record says of it.

    `before` are the pointers that are moved earlier, and the components that have to be out: what users watch comes last.
    """

    promotion: Promotion
    begin: Step[Move]
    before: tuple[Step[Any], ...]
    pointer: Pointer
    ledger: ChannelLedger

    public = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.promotion.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        return self.pointer.lacking()

    def inspect(self, known: Known) -> Finding[str]:
        move = known.get(self.begin)
        if move is None:
            return self._ahead()
        moved = moved_of(move, self.pointer.name)
        assert moved is not None, "a move has all of its pointers"
        found = self._compared(moved)
        if isinstance(found, Pending) and (turn := self.pointer.waits(moved.old, moved.new)):
            return Underway(turn)
        return found

    def apply(self, known: Known, say: Say) -> None:
        move = known[self.begin]
        moved = moved_of(move, self.pointer.name)
        assert moved is not None, "a move has all of its pointers"
        self._still(move, ("begun", "finished"))
        self.pointer.move(moved.old, moved.new, say)

    def _ahead(self) -> Finding[str]:
        """What is to be done once the move has begun."""
        wanted = self.pointer.wanted()
        if isinstance(wanted, Conflict):
            return Blocked(wanted)
        found = self.pointer.reads()
        if found == wanted:
            return Pending(f"leave {self.pointer.name} at {said(found)}")
        return Pending(f"move {self.pointer.name} from {said(found)} to {said(wanted)}")

    def _compared(self, moved: Moved) -> Finding[str]:
        found = self.pointer.reads()
        pending = f"move {self.pointer.name} from {said(moved.old)} to {said(moved.new)}"
        strange = foreign(self.pointer.name, found, (moved.old, moved.new))
        return compare(found, before=moved.old, after=moved.new, pending=pending, foreign=strange)

    def _still(self, move: Move, outcomes: tuple[MoveOutcome, ...]) -> None:
        """Right before something is moved: whether the record has not gone on without us."""
        now = self.ledger.read(self.promotion.channel).state.moves.get(move.line)
        if now is None or now.number != move.number or now.outcome not in outcomes:
            told = f"is {now.outcome} with {now.tag}" if now is not None else "has no move any more"
            conflict = changed(self.promotion.channel, told)
            raise Refused(conflict.why, conflict.remedy)


@dataclass(frozen=True, eq=False)
class ReturnPointer(MovePointer):
    """The other way round: the pointer says again what it said before a move that is taken back.

    One that said nothing before stays as it is, for nothing that users may follow is taken away; so does one that somebody
    else moved meanwhile, where a person set that rule aside.
    """

    def inspect(self, known: Known) -> Finding[str]:
        move = known.get(self.begin)
        moved = moved_of(move, self.pointer.name) if move is not None else None
        found = self.pointer.reads()
        if moved is None:
            return Pending(f"let {self.pointer.name} say again what it said before: it says {said(found)}")
        if not moved.old:
            return Done(found, f"it said nothing before, and stays at {said(found)}")
        back = compare(
            found,
            before=moved.new,
            after=moved.old,
            pending=f"move {self.pointer.name} back from {said(moved.new)} to {said(moved.old)}",
            foreign=foreign(self.pointer.name, found, (moved.new, moved.old)),
        )
        if isinstance(back, Blocked) and waived(self.promotion, "pointer-moved"):
            return Done(found, f"somebody moved it, and it stays at {said(found)}")
        if isinstance(back, Pending) and (turn := self.pointer.waits(moved.new, moved.old)):
            return Underway(turn)
        return back

    def apply(self, known: Known, say: Say) -> None:
        move = known[self.begin]
        moved = moved_of(move, self.pointer.name)
        assert moved is not None, "only what the move knows is moved back"
        self._still(move, ("returning",))
        self.pointer.move(moved.new, moved.old, say)
