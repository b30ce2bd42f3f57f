"""Begin a move: what a channel's pointers say, and are to say, goes into its record; from then on any machine can finish it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from release.core.channel_record import ChannelState, Move, Moved
from release.core.finding import Blocked, Conflict, Done, Finding, Pending
from release.core.model import Person
from release.core.moves import begun, changed, foreign, hindrance, left_there, move_of, moved_of, taken_in, waived
from release.core.promotion import Promotion
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import ChannelLedger, Pointer

OWN = "prerelease"
"""The kind of what is each release's own: what the move before left there is another one."""


@dataclass(frozen=True, eq=False)
class BeginMove(Step[Move]):
    """Its value is the move, as the record has it. The record is moved by compare-and-swap, so of two captains one begins.

    `proofs` are what has to be so before: that all of the release is there, that it does well, that people said yes. What they
    saw, in words, goes into the record with it. A pointer that the move does not know yet is taken into it.
    """

    promotion: Promotion
    proofs: tuple[Step[str], ...]
    pointers: tuple[Pointer, ...]
    ledger: ChannelLedger
    person: Person
    now: Callable[[], str]

    def preflight(self) -> tuple[Conflict, ...]:
        state = self.ledger.latest(self.promotion.channel).state
        if move_of(state, self.promotion) is not None:
            return ()
        readings = {pointer.name: (pointer.reads(), pointer.wanted()) for pointer in self.pointers}
        return self._strange(state.moves.get(self.promotion.line), readings)

    def inspect(self, known: Known) -> Finding[Move]:
        state = self.ledger.read(self.promotion.channel).state
        move = move_of(state, self.promotion)
        if move is None:
            conflict = hindrance(state, self.promotion)
            return Blocked(conflict) if conflict is not None else Pending(self._todo)
        if (conflict := self._differs(move)) is not None:
            return Blocked(conflict)
        if new := self._new(move):
            return Pending(f"take {', '.join(pointer.name for pointer in new)} into the move to {move.tag}")
        return Done(move, f"{move.outcome} by {move.by.name} at {move.at}")

    def apply(self, known: Known, say: Say) -> None:
        readings = {pointer.name: (pointer.reads(), _wanted(pointer)) for pointer in self.pointers}
        seen = {step.name: known[step] for step in self.proofs}
        self.ledger.change(self.promotion.channel, lambda state: self._changed(state, readings, seen))

    def _changed(
        self, state: ChannelState, readings: Mapping[str, tuple[str, str]], seen: Mapping[str, str]
    ) -> tuple[ChannelState, str]:
        """The state with the move in it, as it is to be written."""
        move = move_of(state, self.promotion)
        conflict = hindrance(state, self.promotion) if move is None else self._differs(move)
        new = {name: readings[name] for name in (readings if move is None else map(_name, self._new(move)))}
        if move is None:
            strange = self._strange(state.moves.get(self.promotion.line), new)
            conflict = conflict or next(iter(strange), None)
        if conflict is not None:
            raise Refused(conflict.why, conflict.remedy)
        pointers = [Moved(name, found, wanted) for name, (found, wanted) in new.items()]
        if move is not None:
            return taken_in(
                state, move, pointers, self.promotion.waivers
            ), f"{', '.join(new)} taken into the move to {move.tag}"
        begins = begun(state, self.promotion, pointers, seen, self.person, self.now())
        return begins, f"begun {self.promotion.kind} to {self.promotion.tag}"

    def _new(self, move: Move) -> tuple[Pointer, ...]:
        """Pointers that a move does not know, or that it is to go on with from wherever somebody moved them."""
        return tuple(pointer for pointer in self.pointers if self._unknown(move, pointer))

    def _unknown(self, move: Move, pointer: Pointer) -> bool:
        moved = moved_of(move, pointer.name)
        if moved is None:
            return True
        return waived(self.promotion, "pointer-moved") and pointer.reads() not in (moved.old, moved.new)

    def _strange(self, last: Move | None, readings: Mapping[str, tuple[str, str | Conflict]]) -> tuple[Conflict, ...]:
        """Pointers that say neither what they are to say nor what the last move left there."""
        if waived(self.promotion, "pointer-moved"):
            return ()
        fresh = {wish.name for wish in self.promotion.points if wish.kind == OWN}
        return tuple(
            foreign(name, found, [*left, *([new] if isinstance(new, str) else [])])
            for name, (found, new) in readings.items()
            if name not in fresh and (left := left_there(last, name)) and found not in (*left, new)
        )

    def _differs(self, move: Move) -> Conflict | None:
        """Components that the move gave other tags than those that are about to be released."""
        wished = {wish.name: wish.tag for wish in self.promotion.instances}
        other = [name for name, tag in move.instances.items() if wished.get(name, tag) != tag]
        if not other:
            return None
        return changed(self.promotion.channel, f"gets {', '.join(f'{name} {move.instances[name]}' for name in other)}")

    @property
    def _todo(self) -> str:
        before = f" from {self.promotion.before}" if self.promotion.before else ""
        return f"write into the record of {self.promotion.channel} that it moves{before} to {self.promotion.tag}"


def _name(pointer: Pointer) -> str:
    return pointer.name


def _wanted(pointer: Pointer) -> str:
    """What a pointer is to say, where that can be told."""
    wanted = pointer.wanted()
    if isinstance(wanted, Conflict):
        raise Refused(wanted.why, wanted.remedy)
    return wanted
