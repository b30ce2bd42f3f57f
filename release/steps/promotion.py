"""What a move of a channel does, and what takes it back. The paths below are the table of contents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from release.core.channel_record import Move
from release.core.model import GateWish, Release
from release.core.moves import moved_of
from release.core.promotion import Promotion
from release.engine.step import Step
from release.steps.approved import ApprovedInRecord, ChannelApproval
from release.steps.begin_move import BeginMove
from release.steps.channel_doors import ChannelDoors
from release.steps.components import Downstream
from release.steps.finish_move import FinishMove
from release.steps.health import HealthCheck
from release.steps.point import MovePointer, ReturnPointer
from release.steps.return_move import BeginReturn, ReturnMove

Instances = Callable[[BeginMove], Sequence[Downstream]]
"""The components that a move releases, each after its beginning."""


def promotion_path(
    doors: ChannelDoors,
    release: Release,
    promotion: Promotion,
    proofs: tuple[Step[str], ...],
    instances: Instances = lambda begin: (),
) -> list[Step[Any]]:
    """The whole path: what has to be so, the beginning, components of this move, pointers one after the other, the end."""
    looked = (*proofs, *healths_of(doors, release, promotion))
    asked = approvals_of(doors, release, promotion, looked)
    pointers = tuple(map(doors.pointer, promotion.points))
    begin = BeginMove("begin", promotion, (*looked, *asked), pointers, doors.channels, doors.person, doors.now)
    released = instances(begin)
    required = tuple(step for step in released if step.wish.required and not step.means)
    moved: list[MovePointer] = []
    for pointer in pointers:
        before = (*required, *moved[-1:])
        moved.append(MovePointer(f"point {pointer.name}", promotion, begin, before, pointer, doors.channels))
    finish = FinishMove("finish", promotion, begin, required, tuple(moved), doors.channels, doors.person, doors.now)
    return [*looked, *asked, begin, *released, *moved, finish]


def return_path(doors: ChannelDoors, release: Release, promotion: Promotion, move: Move) -> list[Step[Any]]:
    """The way back of a move that is not finished: the pointer that was moved last goes back first.

    `promotion` is the one that the move is of: it has the same pointers. What it lacks of them stays as it is.
    """
    ledger = doors.channels
    begin = BeginReturn("begin to return", promotion, move.number, ledger, doors.now)
    back: list[ReturnPointer] = []
    for wish in reversed(promotion.points):
        if (moved := moved_of(move, wish.name)) is not None:
            name, before = f"return {wish.name}", tuple(back[-1:])
            back.append(ReturnPointer(name, promotion, begin, before, doors.pointer(wish), ledger, moved))
    end = ReturnMove("returned", promotion, move.number, ledger, doors.now, begin, tuple(back))
    return [begin, *back, end]


def healths_of(doors: ChannelDoors, release: Release, promotion: Promotion) -> tuple[HealthCheck, ...]:
    """The questions whether the release does well."""
    return tuple(
        HealthCheck(f"health {wish.name}", release, wish, promotion.commit, doors.healths) for wish in promotion.health
    )


def approvals_of(
    doors: ChannelDoors, release: Release, promotion: Promotion, looked: tuple[Step[Any], ...]
) -> tuple[Step[str], ...]:
    """People's yes, of each kind that the channel asks for; nobody is asked before the rest is known to be so."""
    asked: list[Step[str]] = []
    if promotion.approvals:
        asked.append(ApprovedInRecord("approvals", promotion, looked, doors.channels))
    if promotion.environment:
        forge = doors.doors.forge
        assert forge is not None, "an approval that needs a forge is refused with the configuration"
        wish = GateWish("approval", kind="approval", environment=promotion.environment, deadline=promotion.deadline)
        asked.append(ChannelApproval("approval", release, wish, forge, promotion, looked))
    return tuple(asked)
