"""What proves a release: steps that look, and never act."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from release.core.finding import Blocked, Conflict, Failed, Finding
from release.core.model import Release
from release.engine.step import Known, Say, Step
from release.errors import Refused

SHOWN = 5


@dataclass(frozen=True, eq=False)
class Proves(Step[str]):
    """Its value is what was seen, in words: they go into the record of what it is looked at for.

    The world is asked each time: what was out once may be gone. Nothing is sealed by it, so it is a means.
    """

    release: Release

    means = True

    def inspect(self, known: Known) -> Finding[str]:
        return self.looked()

    def apply(self, known: Known, say: Say) -> None:
        """Nothing of ours brings what is missing: what was found stays so."""
        found = self.looked()
        if isinstance(found, Failed):
            raise Refused(found.why, found.remedy)
        if isinstance(found, Blocked):
            raise Refused(found.conflict.why, found.conflict.remedy)

    @abstractmethod
    def looked(self) -> Finding[str]:
        """Done with what was seen, or what stands against it. May raise Unseen."""

    def unproved(self, why: str, remedy: str) -> Blocked:
        """Something of the release is not as it has to be."""
        return Blocked(Conflict("unproved", f"{self.release.tag} is not proved: {why}", remedy))


def some(words: Sequence[str], between: str = ", ") -> str:
    """Some of many."""
    more = [f"{len(words) - SHOWN} more"] if len(words) > SHOWN else []
    return between.join([*words[:SHOWN], *more])
