"""Image: an index for all its platforms, built in a throwaway clone of the release commit, and kept in a layout of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release.core.finding import Conflict, Done, Finding, Pending, Underway
from release.core.images import TAGGED, annotations_of, described, noted_image
from release.core.model import BuiltImage, ImageWish, Release
from release.core.record import Proof, Record
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Images, Ledger, Registry
from release.steps.build import Making
from release.steps.supply import Supply


@dataclass(frozen=True, eq=False)
class BuildImage(Step[BuiltImage]):
    """Its value is the image as the record knows it; `parts` make the files that lie in its context.

    What was built is adopted by digest, from this machine's layout or from the registries that it goes to: a build need
    not give the same bytes twice. `source` is the address that the image says it comes from, "" for none; `mine` is false
    where the tag's own run builds.
    """

    release: Release
    wish: ImageWish
    begin: Step[Record]
    tag: tuple[Step[Any], ...]
    parts: tuple[Making, ...]
    ledger: Ledger
    supply: Supply
    images: Images
    registry: Registry
    source: str
    mine: bool

    means = True

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        return self.images.lacking(self.wish, self.release.base)

    def inspect(self, known: Known) -> Finding[BuiltImage]:
        record = self.ledger.latest(self.release) if self.mine else self.ledger.fresh(self.release)
        noted = noted_image(record, self.wish)
        if not self.mine:
            return Done(noted, described(noted)) if noted else Underway(f"the run of {self.release.tag} builds it")
        if noted and self.images.whole(noted.digest):
            return Done(noted, described(noted))
        if noted and self._pushed(noted):
            return Done(noted, f"{described(noted)}, pushed by another run")
        what = f"build for {', '.join(self.wish.platforms)}"
        if self.preflight():  # says so, with all else that stands against the release
            return Pending(what)
        return Pending(f"{what}; {self.images.chosen(self.wish, self.release.base)[1]}")

    def apply(self, known: Known, say: Say) -> None:
        begun = known[self.begin]
        commit = begun.state.commit
        files = [file for part in self.parts for file in known[part]]
        inputs = self.supply.inputs([name for part in self.wish.parts for name in part.artifacts], files)
        annotations = annotations_of(self.release, self.wish, commit, self.source)
        built = self.images.build(self.wish, commit, self.release.epoch, annotations, inputs, say)
        record = self.ledger.fresh(self.release)
        noted = noted_image(record, self.wish)
        if noted is not None and noted.digest == built.digest:
            return
        if noted is not None and record is not None and tagged(record.evidence, self.wish):
            raise Refused(
                f"{self.wish.name}:{self.wish.tag} was published as {noted.digest[:19]}, and is {built.digest[:19]} when built here",
                "make the build reproducible, or finish on the machine that built it",
            )
        held = {f"build {file.name}": file.sha256 for file in files if file.name in inputs}
        proof = Proof(digest=built.digest, platforms=built.platforms, builder=built.builder, assets=held)
        self.ledger.note(begun, {self.name: proof})

    def _pushed(self, noted: BuiltImage) -> bool:
        """Whether every registry has all of it: then nobody needs to build it again."""
        targets = self.wish.targets
        return bool(targets) and not any(self.registry.missing(target, noted.digest) for target in targets)


def tagged(evidence: Mapping[str, Proof], wish: ImageWish) -> bool:
    """Whether the image has its version tag somewhere already."""
    return any(f"{TAGGED}{target}" in evidence for target in wish.targets)


def image_of(step: BuildImage, known: Known, record: Record | None) -> BuiltImage | None:
    """An image as its step, or the record, knows it."""
    return known.get(step) or noted_image(record, step.wish)
