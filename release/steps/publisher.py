"""Publisher: a command of the project's own makes something public; another one looks whether it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway
from release.core.forge import PACE
from release.core.model import PublishWish, Release
from release.core.record import Proof, Record
from release.engine.step import Known, Say, Step
from release.ports import Ledger, Publishers
from release.steps.build import Making, environment, noted_files
from release.steps.gate import short
from release.steps.supply import Supply


@dataclass(frozen=True, eq=False)
class RunPublisher(Step[str]):
    """Its value is the commit that it was published from. Only `exists` is believed: a green exit code of `run` is no proof.

    It gets the files of `builds`: `run` all of them, `exists` those that are on this machine.
    """

    release: Release
    wish: PublishWish
    begin: Step[Record]
    land: Step[str]
    builds: tuple[Making, ...]
    ledger: Ledger
    supply: Supply
    publishers: Publishers
    mine: bool

    public = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        why = self.publishers.lacks(self.wish) if self.mine else ""
        return (Conflict("publish-lacks", f"{self.name}: {why}", "mend that, or [[publish]]"),) if why else ()

    def inspect(self, known: Known) -> Finding[str]:
        if not self.mine:
            return self._noted()
        landed = known.get(self.land)
        begun = known.get(self.begin)
        commit = begun.state.commit if begun is not None else landed or self.release.base
        if not self._exists(commit):
            return Pending(f"run {short(self.wish.run)}")
        if landed is None:
            why = f"{self.name}: {short(self.wish.exists)} says that {self.release.version} is there already, before its tag is"
            return Blocked(Conflict("publish-taken", why, "find out who published it, and take the next version"))
        return Done(commit, f"{short(self.wish.exists)} sees it")

    def apply(self, known: Known, say: Say) -> None:
        begun = known[self.begin]
        commit = begun.state.commit
        made = [one for build in self.builds for one in known[build]]
        files = {one.name: self.supply.path(one) for one in made}
        # Noted before: from here on somebody may have these files, and no other machine builds others in their place.
        self._note(begun, Proof(attempt=1))
        self.publishers.publish(self.wish, commit, environment(self.release, commit), files, say)
        if self._exists(commit):
            self._note(begun, Proof(commit=commit, attempt=1))

    def _noted(self) -> Finding[str]:
        """By the record: the run of the tag has what `exists` needs, and notes what it saw."""
        record = self.ledger.fresh(self.release)
        proof = record.evidence.get(self.name, Proof()) if record is not None else Proof()
        waits = Underway(f"the run of {self.release.tag} publishes it")
        return Done(proof.commit, "by the record") if proof.commit else waits

    def _exists(self, commit: str) -> bool:
        return self.publishers.exists(self.wish, commit, environment(self.release, commit), self._here())

    def _here(self) -> Mapping[str, Path]:
        names = [name for build in self.builds for name in build.makes]
        made = noted_files(self.ledger.latest(self.release), names) or ()
        return {one.name: self.supply.path(one) for one in made if self.supply.here(one)}

    def _note(self, begun: Record, proof: Proof) -> None:
        record = self.ledger.latest(self.release)
        noted = record.evidence.get(self.name) if record is not None else None
        if noted is None or (proof.commit and noted != proof):
            self.ledger.note(begun, {self.name: proof})
