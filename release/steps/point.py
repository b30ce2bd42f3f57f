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
            return Underway(f"waits for {turn}")
        return Done(found.value, f"says {said(found.value)}") if isinstance(found, Done) else found

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
    """The other way round: the pointer says again what it said before a move that is taken back; `moved` is that.

    One that said nothing before stays as it is, for nothing that users may follow is taken away; so does one that somebody
    else moved meanwhile, where a person set that rule aside. What still asks people to move it on has to be closed by them.
    """

    moved: Moved

    def inspect(self, known: Known) -> Finding[str]:
        old, new, found = self.moved.old, self.moved.new, self.pointer.reads()
        if not old:
            return Done(found, f"it said nothing before, and stays at {said(found)}")
        pending = f"move {self.pointer.name} back from {said(new)} to {said(old)}"
        strange = foreign(self.pointer.name, found, (new, old))
        back = compare(found, before=new, after=old, pending=pending, foreign=strange)
        if isinstance(back, Blocked) and waived(self.promotion, "pointer-moved"):
            return Done(found, f"somebody moved it, and it stays at {said(found)}")
        if isinstance(back, Done) and old != new and (asks := self.pointer.waits(old, new)):
            return Underway(f"{asks} would move {self.pointer.name} on: close that")
        if isinstance(back, Pending) and (turn := self.pointer.waits(new, old)):
            return Underway(f"waits for {turn}")
        return Done(found, f"says {said(found)}") if isinstance(back, Done) else back

    def apply(self, known: Known, say: Say) -> None:
        self._still(known[self.begin], ("returning",))
        self.pointer.move(self.moved.new, self.moved.old, say)
