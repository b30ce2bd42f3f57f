"""What the steps of a channel's move act through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from release.core.model import Person
from release.core.promotion import PointWish
from release.ports import ChannelLedger, Healths, Pointer
from release.steps.doors import Doors


@dataclass(frozen=True)
class ChannelDoors:
    """`doors` are those of the release that the channel moves to; `pointer` opens what its users follow.

    `person` moves it; `now` is the forge's clock where there is one, in ISO 8601 UTC.
    """

    doors: Doors
    channels: ChannelLedger
    pointer: Callable[[PointWish], Pointer]
    healths: Healths
    person: Person
    now: Callable[[], str]
