"""Build: the files of one wish are made, in a throwaway clone of the release commit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from release.core.finding import Conflict, Done, Finding, Pending, Underway
from release.core.images import holding, is_tagged
from release.core.model import ArtifactWish, BuiltImage, Release
from release.core.record import OUTPUT, RELEASE, Proof, Record, outdated
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Ledger, Shelf, Workshop
from release.steps.gate import short
from release.steps.supply import Artifact, Supply


@dataclass(frozen=True, eq=False)
class Making(Step[tuple[Artifact, ...]]):
    """Makes files, once. Its value is the files as the record knows them, in the order of `makes`.

    What was made is adopted by digest, from this machine's store or from the draft: a build need not give the same bytes
    twice. `mine` is false where the tag's own run makes it.
    """

    release: Release
    begin: Step[Record]
    tag: tuple[Step[Any], ...]
    ledger: Ledger
    shelf: Shelf
    supply: Supply
    mine: bool

    means = True

    @property
    def deadline(self) -> float:
        return self.release.deadline

    @property
    @abstractmethod
    def makes(self) -> tuple[str, ...]:
        """The names of the files."""

    @property
    @abstractmethod
    def what(self) -> str:
        """What is to be done, for people."""

    @abstractmethod
    def made(self, known: Known, commit: str, say: Say) -> Sequence[Artifact]:
        """Make the files, and leave them in the store."""

    def inspect(self, known: Known) -> Finding[tuple[Artifact, ...]]:
        record = self.ledger.latest(self.release) if self.mine else self.ledger.fresh(self.release)
        noted = noted_files(record, self.makes)
        if not self.mine:
            return Done(noted, told(noted)) if noted else Underway(f"the run of {self.release.tag} builds it")
        if noted and all(self.supply.here(one) for one in noted):
            return Done(noted, told(noted))
        if noted and self.supply.uploaded(noted):
            return Done(noted, f"{told(noted)}, uploaded by another run")
        return Pending(self.what)

    def apply(self, known: Known, say: Say) -> None:
        begun = known[self.begin]
        files = tuple(self.made(known, begun.state.commit, say))
        record = self.ledger.fresh(self.release)
        if noted_files(record, self.makes) == files:
            return
        evidence = record.evidence if record is not None else {}
        differs = {old: new for old, new in zip(_known(evidence, self.makes), files, strict=False) if old != new}
        for old, new in differs.items() if public(evidence, [*differs]) else ():
            raise Refused(
                f"{old.name} was published with sha256 {old.sha256[:12]}, and is {new.sha256[:12]} when built here",
                "make the build reproducible, or finish on the machine that built it",
            )
        made_of = dict(self._made_of(known))
        proofs = {one.name: Proof(sha256=one.sha256, size=one.size, assets=made_of) for one in files}
        self.ledger.note(begun, {f"build {name}": proof for name, proof in proofs.items()})

    def _made_of(self, known: Known) -> Iterator[tuple[str, str]]:
        """What it is made of, by the names of proofs."""
        for need in self.needs:
            value = known.get(need)
            if isinstance(need, Making):
                yield from ((f"build {one.name}", one.sha256) for one in known[need])
            elif isinstance(value, BuiltImage):
                yield need.name, value.digest


@dataclass(frozen=True, eq=False)
class Build(Making):
    """What a wish of the configuration makes; `parts` make the files that it is made of."""

    wish: ArtifactWish
    parts: tuple[Making, ...]
    workshop: Workshop

    @property
    def makes(self) -> tuple[str, ...]:
        return self.wish.makes

    @property
    def what(self) -> str:
        return f"run {short(self.wish.run)}" if self.wish.run else f"make {', '.join(self.makes)}"

    def preflight(self) -> tuple[Conflict, ...]:
        program = self.workshop.missing(self.wish.run) if self.wish.run else ""
        if not program:
            return ()
        why = f"{self.wish.name} is made by {program}, which is not on PATH"
        return (Conflict("tool-missing", why, f"install {program}, or mend [[artifact]] run"),)

    def made(self, known: Known, commit: str, say: Say) -> Sequence[Artifact]:
        if remembered := self._remembered(commit):
            return remembered
        files: dict[str, Artifact] = {}

        def keep(name: str, place: Path) -> None:
            files[name] = Artifact(name, *self.shelf.keep(place))

        inputs = self.supply.inputs(self.wish.artifacts, [one for part in self.parts for one in known[part]])
        self.workshop.build(self.wish, commit, environment(self.release, commit, self.wish.platform), inputs, keep, say)
        made = tuple(files[name] for name in self.makes)
        remember(self.shelf, self.release, self.wish, commit, made)
        return made

    def _remembered(self, commit: str) -> tuple[Artifact, ...] | None:
        """What this machine made of it before it could say so in the record."""
        text = self.shelf.recall(*key_of(self.release, self.wish, commit))
        try:
            made = msgspec.json.decode(text or "", type=tuple[Artifact, ...])
        except msgspec.DecodeError:
            return None
        whole = tuple(one.name for one in made) == self.makes and all(self.supply.here(one) for one in made)
        return made if whole else None


def remember(shelf: Shelf, release: Release, wish: ArtifactWish, commit: str, made: Sequence[Artifact]) -> None:
    """Keep in mind what was made of a wish; the files are in the store."""
    shelf.remember(msgspec.json.encode(made).decode(), *key_of(release, wish, commit))


def key_of(release: Release, wish: ArtifactWish, commit: str) -> tuple[str, ...]:
    """Everything that decides what a build is, as far as it is known before."""
    return ("built", commit, f"{release.tag} {release.epoch} {msgspec.json.encode(wish).decode()}")


def environment(release: Release, commit: str, platform: str = "") -> dict[str, str]:
    """What every build is told."""
    return {
        "SLUICE_VERSION": release.version,
        "SLUICE_TAG": release.tag,
        "SLUICE_COMMIT": commit,
        "SLUICE_PLATFORM": platform,
        "SOURCE_DATE_EPOCH": str(release.epoch),
    }


def noted_files(record: Record | None, names: Sequence[str]) -> tuple[Artifact, ...] | None:
    """Files as the record of this release knows them; None while it does not know all, or knows them made of other ones."""
    evidence = record.evidence if record is not None else {}
    files = _known(evidence, names)
    stale = any(outdated(evidence, evidence[f"build {one.name}"]) for one in files)
    return files if files and not stale else None


def _known(evidence: Mapping[str, Proof], names: Sequence[str]) -> tuple[Artifact, ...]:
    """Files as a record knows them, () while it does not know all."""
    proofs = {name: evidence.get(f"build {name}") for name in names}
    files = tuple(Artifact(name, proof.sha256, proof.size) for name, proof in proofs.items() if proof is not None)
    return files if len(files) == len(names) else ()


def public(evidence: Mapping[str, Proof], files: Sequence[Artifact]) -> bool:
    """Whether somebody may have files of a release already, as they are or in an image."""
    if any(name in (OUTPUT, RELEASE) or name.startswith(("package ", "publish ")) for name in evidence):
        return True
    images = (image for one in files for image in holding(evidence, one.name, one.sha256).values())
    return any(is_tagged(evidence, image) for image in images)


def told(files: Sequence[Artifact]) -> str:
    """Files for people."""
    if len(files) == 1:
        return f"{files[0].size} bytes, sha256 {files[0].sha256[:12]}"
    return ", ".join(f"{one.name} {one.sha256[:12]}" for one in files)
