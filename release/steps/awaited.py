"""A component that looks after itself: nothing is sent to it, and its own `fleet.sync` is waited for."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Conflict, Finding, Pending, Underway
from release.core.forge import PACE
from release.core.model import DownstreamWish
from release.core.record import Proof, Record
from release.engine.step import Known, Say
from release.errors import Refused
from release.steps.downstream import ReleaseDownstream
from release.steps.trigger import Trigger


@dataclass(frozen=True)
class BySync(Trigger):
    """Nothing: it is made by the component's own schedule."""

    rights = ()
    sends = False

    def pending(self, record: Record | None) -> str:
        return waits(self.wish)

    def holds(self) -> Underway:
        return Underway(waits(self.wish))

    def pull(self, record: Record | None, say: Say) -> None:
        raise Refused(waits(self.wish), "start it there: invoke fleet.sync")


@dataclass(frozen=True, eq=False)
class AwaitDownstream(ReleaseDownstream):
    """The same without a forge: its tag is waited for."""

    pace = PACE

    @property
    def deadline(self) -> float:
        return self.wish.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        return ()

    def inspect(self, known: Known) -> Finding[Proof]:
        found = super().inspect(known)
        return Underway(waits(self.wish)) if isinstance(found, Pending) else found

    def apply(self, known: Known, say: Say) -> None:
        """Never asked for: what is not there is somebody else's turn."""


def waits(wish: DownstreamWish) -> str:
    """Who is to make it."""
    return f"waits for the fleet.sync of {wish.name} to make {wish.tag}"
