"""The run of the tag: where a tag starts a release, the workflow that runs for it makes everything, and others follow."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Done, Failed, Finding, Underway
from release.core.forge import PACE
from release.core.model import Release
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Ledger
from release.steps.follow import running, told
from release.steps.land import Land
from release.steps.trigger import newest


@dataclass(frozen=True, eq=False)
class FollowRun(Step[int]):
    """Its value is the id of the run, 0 where the record says that all is out: a forge forgets its runs after a while.

    One that failed before we came has its failed jobs run again; then it is followed.
    """

    release: Release
    land: Land
    forge: Forge
    ledger: Ledger

    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def inspect(self, known: Known) -> Finding[int]:
        record = self.ledger.fresh(self.release)
        if record is not None and record.state.outcome == "finished":
            return Done(0, "all is out, by the record")
        if known.get(self.land) is None:
            return Underway(f"{self.release.workflow} runs for {self.release.tag} once it is there")
        run = newest(self.forge.runs(self.release.workflow, event="push", branch=self.release.tag))
        if run is None:
            how = f"does {self.release.workflow} run on push of that tag?"
            return Underway(f"no run of {self.release.workflow} for {self.release.tag} has started yet ({how})")
        if not run.ended:
            return running(run, self.release.workflow)
        if run.green:
            return Done(run.id, f"{self.release.workflow} is green: {run.url or run.id}")
        return Failed(told(run, self.release.workflow, self.forge))

    def apply(self, known: Known, say: Say) -> None:
        run = newest(self.forge.runs(self.release.workflow, event="push", branch=self.release.tag))
        if run is None or not run.ended or run.green:
            raise Refused(f"there is no failed run of {self.release.tag}", "run the same command again")
        self.forge.rerun(run.id)
