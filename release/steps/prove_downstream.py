"""Proof of a component: what a release was to bring there is out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from release.core.finding import Blocked, Conflict, Done, Finding, Pending
from release.core.forge import PACE
from release.core.model import DownstreamWish
from release.core.record import Proof
from release.steps.proving import Proves


@dataclass(frozen=True, eq=False)
class ProveDownstream(Proves):
    """`look` finds what the step finds that releases the component: that one is not asked to act here.

    What is under way there is waited for, and what failed there is told as it is.
    """

    wish: DownstreamWish
    look: Callable[[], Finding[Proof]]

    pace = PACE

    @property
    def deadline(self) -> float:
        return self.wish.deadline

    def looked(self) -> Finding[str]:
        found = self.look()
        if isinstance(found, Done):
            return Done(found.detail, found.detail)
        if isinstance(found, Pending):
            why = f"{self.release.tag} is not out in {self.wish.name}: what is left to do there is {found.detail}"
            return Blocked(
                Conflict("not-out", why, f"release it there: invoke release.downstream --version {self.release.tag}")
            )
        return found
