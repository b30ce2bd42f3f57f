"""The components that a promotion releases, each under a number of its own."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import msgspec

from release.core.channel_record import Move
from release.core.instances import filled, number_in, number_of, numbered_by
from release.core.model import DownstreamWish, Release
from release.core.promotion import Promotion
from release.engine.step import Step
from release.ports import Notes
from release.steps.components import Downstream, components_of
from release.steps.doors import Doors

AT_ONCE = 8
"""Repositories that are asked for their tags at the same time."""


def numbered(doors: Doors, promotion: Promotion, move: Move | None) -> Promotion:
    """The promotion with a number wherever {n} stands: the one that this `move` has begun with, else the highest that is
    there, which is adopted, else 0. May raise Unseen."""
    wishes = {wish.name: wish for wish in promotion.instances}
    whose = {name: numbered_by(wish, wishes).name for name, wish in wishes.items()}
    asked = [wishes[name] for name in dict.fromkeys(whose.values())]
    frozen = move.instances if move is not None and move.version == promotion.version else {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda wish: _number(doors, wish, frozen), asked)
        numbers = {wish.name: number for wish, number in zip(asked, found, strict=True)}
    instances = tuple(filled(wish, numbers[whose[wish.name]]) for wish in promotion.instances)
    return msgspec.structs.replace(promotion, instances=instances)


def instance_steps(
    doors: Doors, release: Release, promotion: Promotion, begin: Step[Move], claims: Notes
) -> list[Downstream]:
    """What releases them, after the move has begun; what is claimed and seen of it is in the move's own record.

    It is asked for here: nothing is left to the run of a tag, as a release's own components may be.
    """
    return components_of(replace(doors, ours=True), release, promotion.instances, claims, (begin,))


def _number(doors: Doors, wish: DownstreamWish, frozen: Mapping[str, str]) -> int:
    known = number_in(wish, frozen[wish.name]) if wish.name in frozen else None
    return known if known is not None else number_of(wish, doors.elsewhere(wish).refs().tags)
