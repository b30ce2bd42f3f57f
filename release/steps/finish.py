"""Finish: the record says that everything required was seen to be out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from release.core.finding import Done, Finding, Pending
from release.core.model import Release
from release.core.record import RELEASE, Proof
from release.engine.step import Known, Say, Step
from release.ports import Ledger
from release.steps.begin import Begin
from release.steps.land import Land
from release.steps.package import PublishPackage
from release.steps.publish import PublishRelease
from release.steps.publisher import RunPublisher
from release.steps.push import TagImage


@dataclass(frozen=True, eq=False)
class Finish(Step[str]):
    """Its value is the outcome. Every proof that this run saw goes into the record first."""

    release: Release
    begin: Begin
    land: Land
    published: tuple[Step[Any], ...]
    downstreams: tuple[Step[Proof], ...]
    ledger: Ledger

    def inspect(self, known: Known) -> Finding[str]:
        record = self.ledger.fresh(self.release) if known.get(self.begin) else None
        if record is not None and record.state.outcome == "finished":
            return Done("finished", f"finished at {record.state.at}")
        return Pending("say that all is out")

    def apply(self, known: Known, say: Say) -> None:
        record = known[self.begin]
        proofs = {step.name: known[step] for step in self.downstreams}
        for step in self.published:
            if isinstance(step, PublishRelease):  # whoever published it may have died before they noted that
                proofs[RELEASE] = Proof(id=known[step], commit=record.state.commit)
            elif isinstance(step, PublishPackage):
                proofs[step.name] = known[step]
            elif isinstance(step, TagImage):
                proofs[step.name] = Proof(digest=known[step])
            elif isinstance(step, RunPublisher):
                proofs[step.name] = Proof(commit=known[step], attempt=1)
        self.ledger.note(record, proofs)
        self.ledger.close(record, "finished")
