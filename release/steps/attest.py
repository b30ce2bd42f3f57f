"""Attest: what a release says of what it holds, and of how it was made. These are files as any other: uploaded, listed, adopted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release.core import provenance
from release.core.finding import Conflict
from release.engine.step import Known, Say
from release.ports import Bills, Remote, Signatures
from release.steps.build import Making
from release.steps.image import BuildImage
from release.steps.supply import Artifact


@dataclass(frozen=True, eq=False)
class MakeSbom(Making):
    """The bill of materials, of all files that `builds` make."""

    builds: tuple[Making, ...]
    bills: Bills

    @property
    def makes(self) -> tuple[str, ...]:
        return (self.release.attest.sbom,)

    @property
    def what(self) -> str:
        return f"write {self.release.attest.sbom}"

    def made(self, known: Known, commit: str, say: Say) -> Sequence[Artifact]:
        content = self.bills.sbom(self.release, commit, _digests(known, self.builds))
        return (Artifact(self.release.attest.sbom, *self.shelf.take([content])),)


@dataclass(frozen=True, eq=False)
class MakeProvenance(Making):
    """How all files (the bill of materials too) and all images were made, signed as it is asked for."""

    builds: tuple[Making, ...]
    images: tuple[BuildImage, ...]
    making: provenance.Making
    signatures: Signatures
    remote: Remote

    @property
    def makes(self) -> tuple[str, ...]:
        return (self.release.attest.provenance,)

    @property
    def what(self) -> str:
        return f"write {self.release.attest.provenance}"

    def preflight(self) -> tuple[Conflict, ...]:
        wish = self.release.attest
        public = self.remote.file(self.release.base, wish.public) if wish.public else None
        return self.signatures.lacking(wish, public or "")

    def made(self, known: Known, commit: str, say: Say) -> Sequence[Artifact]:
        images = {f"{one.wish.name}:{one.wish.tag}": known[one] for one in self.images}
        said = provenance.statement(self.release, commit, _digests(known, self.builds), images, self.making)
        line = self.signatures.signed(self.release.attest, said)
        return (Artifact(self.release.attest.provenance, *self.shelf.take([line])),)


def _digests(known: Known, builds: Sequence[Making]) -> list[tuple[str, str]]:
    return [(file.name, file.sha256) for build in builds for file in known[build]]
