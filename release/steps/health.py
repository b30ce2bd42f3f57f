"""A question about the health of a release that is to move on, or has."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Blocked, Conflict, Done, Failed, Finding
from release.core.model import Release
from release.core.promotion import HealthWish
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Healths

BAD = "wait until it does well, or release and promote what mends it"
BLIND = "nothing is taken for healthy that nobody can tell; see that it can be told, then run the same command again"


@dataclass(frozen=True, eq=False)
class HealthCheck(Step[str]):
    """Its value is what was seen, in words. `commit` is the one that the release's tag is on.

    The world is asked, not the record: who did well an hour ago may not any more.
    """

    release: Release
    wish: HealthWish
    commit: str
    healths: Healths

    means = True

    @property
    def deadline(self) -> float:
        return self.wish.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        return self.healths.lacking(self.wish)

    def inspect(self, known: Known) -> Finding[str]:
        return self._found(lambda line: None)

    def apply(self, known: Known, say: Say) -> None:
        """Nothing of ours makes a release healthy: what was found stays so."""
        found = self._found(say)
        if isinstance(found, Failed):
            raise Refused(found.why, found.remedy)
        if isinstance(found, Blocked):
            raise Refused(found.conflict.why, found.conflict.remedy)

    def _found(self, say: Say) -> Finding[str]:
        if lacking := self.preflight():
            return Blocked(lacking[0])
        reading = self.healths.reading(self.wish, self.release, self.commit, say)
        told = f"{self.wish.name}: {reading.words}"
        if reading.healthy:
            return Done(told, told)
        if reading.healthy is None:
            return Failed(f"whether {self.release.version} does well cannot be told by {told}", BLIND)
        return Blocked(Conflict("unhealthy", f"{self.release.version} does not do well: {told}", BAD))
