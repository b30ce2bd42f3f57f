"""Output: artifacts, their sums and the manifest in a directory. The manifest comes last: where it is, all is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway
from release.core.manifest import documents
from release.core.model import BuiltImage, Release
from release.core.record import MANIFEST, Proof, Record
from release.engine.step import Known, Say, Step
from release.ports import Ledger, Shelf
from release.steps.begin import Begin
from release.steps.build import Making, noted_files
from release.steps.image import BuildImage, image_of
from release.steps.land import Land
from release.steps.supply import Artifact, Supply


@dataclass(frozen=True, eq=False)
class Publish(Step[str]):
    """Its value is the manifest's SHA-256. `output` takes a folder per tag; no file in it is ever overwritten."""

    release: Release
    begin: Begin
    land: Land
    builds: tuple[Making, ...]
    images: tuple[BuildImage, ...]
    ledger: Ledger
    shelf: Shelf
    supply: Supply
    output: Path
    ours: bool

    public = True

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        why = self.shelf.unwritable(self.folder) if self.ours else ""
        return (
            (Conflict("output", f"{self.output} cannot take the artifacts: {why}", "mend [release] output"),)
            if why
            else ()
        )

    def inspect(self, known: Known) -> Finding[str]:
        record = self.ledger.fresh(self.release)
        noted = record.evidence.get(self.name) if record is not None else None
        there = self.shelf.names(self.folder)
        if there is None and record is not None and noted and self._elsewhere(record, noted):
            return Done(noted.sha256, f"by the record; {noted.folder} is not looked at from here")
        if not self.ours and not noted:
            return Underway(f"the run of {self.release.tag} publishes it")
        names = [name for build in self.builds for name in build.makes]
        made = list(noted_files(record, names) or ())
        images = [image for step in self.images if (image := image_of(step, known, record)) is not None]
        if not made or record is None or len(images) < len(self.images):
            return self._foreign(there, frozenset()) or Pending(f"{len(names)} artifacts into {self.folder}")
        texts = self._texts(made, images, record.state.commit)
        return self._compared(there or frozenset(), made, texts, noted)

    def apply(self, known: Known, say: Say) -> None:
        commit = known[self.begin].state.commit
        artifacts = [artifact for build in self.builds for artifact in known[build]]
        there = self.shelf.names(self.folder) or frozenset()
        for artifact in artifacts:
            if artifact.name not in there:
                self.shelf.place(self.supply.path(artifact), self.folder / artifact.name)
                say(artifact.name)
        texts = self._texts(artifacts, [known[image] for image in self.images], commit)
        for name, text in texts.items():
            if name not in there:
                self.shelf.write(text, self.folder / name)
        digest = self.shelf.digest(self.folder / MANIFEST)
        assert digest is not None
        record = self.ledger.latest(self.release)
        if record is not None and record.evidence.get(self.name, Proof()).sha256 == digest[0]:
            return
        self.ledger.note(known[self.begin], {self.name: self._proof(digest[0])})

    @property
    def folder(self) -> Path:
        """Where the files of this release go."""
        return self.output / self.release.tag

    def _proof(self, digest: str) -> Proof:
        return Proof(sha256=digest, folder=str(self.folder), node=self.shelf.node())

    def _elsewhere(self, record: Record, noted: Proof) -> bool:
        """Whether a directory inside a checkout is another machine's, or was this one's while the release went on.

        Nothing is published before the tag: a proof without the tag's beside it is not believed.
        """
        local = not Path(self.release.output).is_absolute() and self.land.name in record.evidence
        return local and (noted.node != self.shelf.node() or not record.unfinished)

    def _texts(self, artifacts: list[Artifact], images: list[BuiltImage], commit: str) -> dict[str, str]:
        """The documents beside the artifacts, the manifest last."""
        return documents(self.release, commit, [(one.name, one.sha256, one.size) for one in artifacts], images)

    def _compared(
        self, there: frozenset[str], made: list[Artifact], texts: dict[str, str], noted: Proof | None
    ) -> Finding[str]:
        """The exact list: what is missing is pending, what is unexpected or differs is foreign."""
        wanted = {artifact.name: (artifact.sha256, artifact.size) for artifact in made}
        if foreign := self._foreign(there, frozenset((*wanted, *texts))):
            return foreign
        differing = [
            name for name, digest in wanted.items() if name in there and self.shelf.digest(self.folder / name) != digest
        ]
        differing += [
            name for name, text in texts.items() if name in there and self.shelf.text(self.folder / name) != text
        ]
        if differing:
            why = f"{', '.join(differing)} in {self.folder} differs from what the record says"
            return Blocked(
                Conflict(
                    "output-differs", why, "nothing is overwritten: find out who wrote it, move it away, run again"
                )
            )
        missing = [name for name in (*wanted, *texts) if name not in there]
        if missing or not noted:
            return Pending(f"{', '.join(missing) or 'the proof'} into {self.folder}")
        digest = self.shelf.digest(self.folder / MANIFEST)
        return Done(digest[0] if digest else "", f"{len(wanted)} artifacts in {self.folder}")

    def _foreign(self, there: frozenset[str] | None, wanted: frozenset[str]) -> Blocked | None:
        extra = sorted((there or frozenset()) - wanted)
        if not extra:
            return None
        why = f"{self.folder} holds {', '.join(extra)}, which is no part of {self.release.tag}"
        return Blocked(Conflict("output-foreign", why, "move it away, then run the same command again"))
