"""Build: a command makes one artifact, in a throwaway clone of the release commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from release.core.finding import Conflict, Done, Finding, Pending, Underway
from release.core.model import ArtifactWish, Release
from release.core.record import DRAFT, OUTPUT, RELEASE, Proof, Record
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Ledger, Shelf, Workshop
from release.steps.begin import Begin
from release.steps.gate import short


class Artifact(msgspec.Struct, frozen=True):
    """A file that was made: `sha256` in hex, `size` in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, eq=False)
class Build(Step[Artifact]):
    """Its value is the artifact as the record knows it; `ours` is false where the tag's own run builds."""

    release: Release
    wish: ArtifactWish
    begin: Begin
    tag: tuple[Step[Any], ...]
    ledger: Ledger
    workshop: Workshop
    shelf: Shelf
    ours: bool
    forge: Forge | None = None

    means = True

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        program = self.workshop.missing(self.wish.run)
        if not program:
            return ()
        why = f"{self.wish.name} is made by {program}, which is not on PATH"
        return (Conflict("tool-missing", why, f"install {program}, or mend [[artifact]] run"),)

    def inspect(self, known: Known) -> Finding[Artifact]:
        begun = known.get(self.begin)
        record = self.ledger.latest(self.release) if self.ours else self.ledger.fresh(self.release)
        noted = noted_artifact(record, self)
        if not self.ours:
            return Done(noted, noted.sha256[:12]) if noted else Underway(f"the run of {self.release.tag} builds it")
        made = self.shelf.digest(self.shelf.artifact(begun.state.commit, self.wish.name)) if begun else None
        here = Artifact(self.wish.name, *made) if made else None
        if here and here == noted:
            return Done(here, f"{here.size} bytes, sha256 {here.sha256[:12]}")
        if record is not None and noted is not None and self._uploaded(record, noted):
            return Done(noted, f"{noted.size} bytes, sha256 {noted.sha256[:12]}, uploaded by another run")
        return Pending(f"run {short(self.wish.run)}")

    def apply(self, known: Known, say: Say) -> None:
        commit = known[self.begin].state.commit
        place = self.shelf.artifact(commit, self.wish.name)
        self.workshop.build(
            self.wish.name, self.wish.path, self.wish.run, commit, self._environment(commit), place, say
        )
        made = self.shelf.digest(place)
        assert made is not None
        artifact = Artifact(self.wish.name, *made)
        record = self.ledger.fresh(self.release)
        noted = noted_artifact(record, self)
        if noted == artifact:
            return
        if noted and record and (OUTPUT in record.evidence or RELEASE in record.evidence):
            raise Refused(
                f"{self.wish.name} was published with sha256 {noted.sha256[:12]}, and is {artifact.sha256[:12]} when built here",
                "make the build reproducible, or finish on the machine that built it",
            )
        self.ledger.note(known[self.begin], {self.name: Proof(sha256=artifact.sha256, size=artifact.size)})

    def _uploaded(self, record: Record, noted: Artifact) -> bool:
        """Whether the very bytes of the record lie in its draft: then nobody needs to make them again."""
        draft = record.evidence.get(DRAFT)
        if self.forge is None or draft is None or self.forge.release(draft.id) is None:  # somebody may have deleted it
            return False
        assets = self.forge.assets(draft.id)
        return any(one.complete and (one.name, one.digest) == (noted.name, noted.sha256) for one in assets)

    def _environment(self, commit: str) -> dict[str, str]:
        return {
            "SLUICE_VERSION": self.release.version,
            "SLUICE_TAG": self.release.tag,
            "SLUICE_COMMIT": commit,
            "SLUICE_PLATFORM": self.wish.platform,
            "SOURCE_DATE_EPOCH": str(int(datetime.fromisoformat(self.release.date).timestamp())),
        }


def noted_artifact(record: Record | None, build: Build) -> Artifact | None:
    """The artifact as the record of this release knows it."""
    proof = record.evidence.get(build.name) if record is not None else None
    return Artifact(build.wish.name, proof.sha256, proof.size) if proof else None
