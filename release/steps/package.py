"""Package: the files of a release on a Python index. An index takes a file's name once, for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway
from release.core.forge import PACE
from release.core.model import PackageWish, Release
from release.core.publishing import host
from release.core.record import Proof, Record
from release.engine.step import Known, Say, Step
from release.errors import Refused, Uncertain
from release.ports import Index, Ledger, Shelf, Uploads
from release.steps.build import Making, noted_files
from release.steps.supply import Artifact, Supply

LOG_IN = (
    "set TWINE_USERNAME and TWINE_PASSWORD, keep a login in ~/.pypirc or a keyring, or publish from CI with an identity"
)


@dataclass(frozen=True, eq=False)
class CheckPackage(Step[tuple[Artifact, ...]]):
    """What was built can be uploaded: seen before the tag is out, for afterwards nothing can be built anew. Its value is the files."""

    wish: PackageWish
    builds: tuple[Making, ...]
    supply: Supply
    shelf: Shelf
    uploads: Uploads
    mine: bool

    means = True

    def inspect(self, known: Known) -> Finding[tuple[Artifact, ...]]:
        values = [known.get(build) for build in self.builds]
        made = tuple(one for value in values for one in value or () if one.name in self.wish.files)
        if not self.mine:
            return Done(made, "by the run of the tag")
        if not made or any(value is None for value in values) or self.shelf.recall(*self._key(made)) is None:
            return Pending(f"read {', '.join(self.wish.files)}")
        return Done(made, f"{self.wish.name} {self.wish.version}, by what is in its files")

    def apply(self, known: Known, say: Say) -> None:
        made = tuple(one for build in self.builds for one in known[build] if one.name in self.wish.files)
        if why := self.uploads.wrong(self.wish, {one.name: self.supply.path(one) for one in made}):
            raise Refused(why, "mend what builds it; no tag is out yet that needs it")
        self.shelf.remember("fit", *self._key(made))

    def _key(self, made: tuple[Artifact, ...]) -> tuple[str, ...]:
        digests = " ".join(one.sha256 for one in made)
        return "package", self.wish.name, self.wish.version, digests


@dataclass(frozen=True, eq=False)
class PublishPackage(Step[Proof]):
    """Its value is the files with their SHA-256, as the index has them."""

    release: Release
    wish: PackageWish
    begin: Step[Record]
    land: Step[str]
    check: CheckPackage
    ledger: Ledger
    supply: Supply
    index: Index
    uploads: Uploads
    mine: bool

    public = True
    pace = PACE
    settle = 60.0  # indexes lie behind caches

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        why = self.uploads.lacks(self.wish) if self.mine else ""
        return (Conflict("package-login", why, LOG_IN),) if why else ()

    def inspect(self, known: Known) -> Finding[Proof]:
        listed = self.index.files(self.wish.index, self.wish.name, self.wish.version)
        there = {name: listed[name] for name in self.wish.files if name in listed}
        record = self.ledger.latest(self.release)
        made = noted_files(record, self.wish.files)
        if made is not None:
            return self._compared(there, made)
        if there and record is None and known.get(self.land) is not None:
            return self._found(there)
        if there:
            return Blocked(self._conflict(f"{_those(there)} there already, and nothing of this release was built yet"))
        return self._missing(self.wish.files)

    def apply(self, known: Known, say: Say) -> None:
        made = known[self.check]
        there = self.index.files(self.wish.index, self.wish.name, self.wish.version)
        files = {one.name: self.supply.path(one) for one in made if one.name not in there}
        # Noted before: from here on somebody may have these bytes, and no other machine builds others in their place.
        self._note(known[self.begin], Proof(assets={one.name: one.sha256 for one in made}))
        for name, path in files.items():
            self._upload(name, path, say)

    def _upload(self, name: str, path: Path, say: Say) -> None:
        """One file; where the answer is lost and the file is there all the same, that is no reason to stop."""
        try:
            self.uploads.upload(self.wish, {name: path}, say)
        except Uncertain:
            if name not in self.index.files(self.wish.index, self.wish.name, self.wish.version):
                raise
            say(f"the answer for {name} was lost, and it is there")

    def _note(self, begun: Record, proof: Proof) -> None:
        record = self.ledger.latest(self.release)
        if record is None or record.evidence.get(self.name) != proof:
            self.ledger.note(begun, {self.name: proof})

    def _compared(self, there: Mapping[str, str], made: tuple[Artifact, ...]) -> Finding[Proof]:
        """The one law, for each file: a name is free, or it is ours."""
        found = {name: self._digest(name, sha256) for name, sha256 in there.items()}
        for one in made:
            if (sha256 := found.get(one.name, one.sha256)) != one.sha256:
                why = f"{one.name} is there with sha256 {sha256[:12]}, and was built with {one.sha256[:12]}"
                return Blocked(self._conflict(why))
        missing = [one.name for one in made if one.name not in found]
        return (
            self._missing(missing) if missing else Done(Proof(assets=found), f"{len(found)} files, as they were built")
        )

    def _found(self, there: Mapping[str, str]) -> Finding[Proof]:
        """A release that no record tells of: what is there is what was uploaded."""
        if missing := [name for name in self.wish.files if name not in there]:
            return self._missing(missing)
        found = {name: self._digest(name, sha256) for name, sha256 in there.items()}
        return Done(Proof(assets=found), f"{len(found)} files, as they were found")

    def _missing(self, names: tuple[str, ...] | list[str]) -> Finding[Proof]:
        if not self.mine:
            return Underway(f"the run of {self.release.tag} uploads it")
        return Pending(f"upload {', '.join(names)} to {host(self.wish.index)}")

    def _digest(self, name: str, sha256: str) -> str:
        """What the index says of a file; where it does not say, what the file has."""
        return sha256 or digest(self.index, self.wish, name)

    def _conflict(self, why: str) -> Conflict:
        return Conflict(
            "package-differs", f"{self.wish.name} {self.wish.version} on {host(self.wish.index)}: {why}",
            "an index takes a file's name once, for ever: find out who uploaded it, and take the next version",
        )  # fmt: skip


def digest(index: Index, wish: PackageWish, name: str) -> str:
    """The SHA-256 (hex) of a file's bytes as an index gives them."""
    told = hashlib.sha256()
    for piece in index.fetched(wish.index, wish.name, name):
        told.update(piece)
    return told.hexdigest()


def _those(names: Mapping[str, str]) -> str:
    return f"{', '.join(sorted(names))} {'are' if len(names) > 1 else 'is'}"
