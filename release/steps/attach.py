"""Attach: what a release says of an image lies beside it in its registry, as a referrer (distribution spec 1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Done, Finding, Pending, Underway
from release.core.forge import PACE
from release.core.model import Release
from release.core.reference import Reference
from release.engine.step import Known, Say, Step
from release.ports import Ledger, Registry
from release.steps.build import Making, noted_files
from release.steps.push import PushImage
from release.steps.supply import Artifact, Supply

TITLE = "org.opencontainers.image.title"


@dataclass(frozen=True, eq=False)
class Attach(Step[str]):
    """One file about one image in one registry. Its value is the digest of the referrer; `kind` is its artifact type."""

    release: Release
    target: Reference
    kind: str
    file: str
    push: PushImage
    making: Making
    ledger: Ledger
    supply: Supply
    registry: Registry

    means = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def inspect(self, known: Known) -> Finding[str]:
        subject, made = known.get(self.push), self._made(known)
        if subject is not None and made is not None and (there := self._there(subject, made)):
            return Done(there, f"{self.file} beside {subject[:19]}")
        if not self.making.mine:
            return Underway(f"the run of {self.release.tag} attaches it")
        return Pending(f"attach {self.file}")

    def apply(self, known: Known, say: Say) -> None:
        made = self._made(known)
        assert made is not None
        self.registry.attach(self.target, known[self.push], self.kind, self.supply.path(made), {TITLE: self.file})

    def _made(self, known: Known) -> Artifact | None:
        made = known.get(self.making) or noted_files(self.ledger.latest(self.release), (self.file,)) or ()
        return next((one for one in made if one.name == self.file), None)

    def _there(self, subject: str, made: Artifact) -> str:
        """The digest of the referrer that holds the very file, "" for none."""
        about = (one.digest for one in self.registry.referrers(self.target, subject) if one.artifactType == self.kind)
        return next((digest for digest in about if self._holds(digest, f"sha256:{made.sha256}")), "")

    def _holds(self, digest: str, blob: str) -> bool:
        """Whether a referrer holds a file; what a registry names and has not, or that is no manifest, holds none."""
        document = self.registry.document(self.target, digest)
        try:
            return document is not None and any(layer.digest == blob for layer in document.manifest().layers)
        except ValueError:
            return False
