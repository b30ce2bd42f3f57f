"""Verify a package: its files on an index, fetched and compared. It looks, and never acts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from release.core.finding import Done, Failed, Finding
from release.core.model import PackageWish, Release
from release.core.publishing import host
from release.core.record import MANIFEST, Record
from release.core.verification import read
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Index
from release.steps.build import noted_files
from release.steps.package import digest
from release.steps.verify import manifest_of


@dataclass(frozen=True, eq=False)
class VerifyPackage(Step[Mapping[str, str]]):
    """Exactly the files of one version on one index, each with the bytes that the index, and the record or the manifest,
    say that it has. Its value is their SHA-256 by name.
    """

    release: Release
    wish: PackageWish
    record: Record | None
    forge: Forge | None
    index: Index

    def inspect(self, known: Known) -> Finding[Mapping[str, str]]:
        listed = self.index.files(self.wish.index, self.wish.name, self.wish.version)
        wrong = [f"missing: {name}" for name in self.wish.files if name not in listed]
        wrong += [f"extra: {name}, which no list has" for name in sorted(listed) if name not in self.wish.files]
        told = dict(self._told())
        found = {name: digest(self.index, self.wish, name) for name in self.wish.files if name in listed}
        for name, sha256 in found.items():
            said = {host(self.wish.index): listed[name], **{who: files.get(name, "") for who, files in told.items()}}
            wrong += [
                f"{name} has sha256 {sha256[:12]}, and {who} says {one[:12]}"
                for who, one in said.items()
                if one not in ("", sha256)
            ]
        return Failed("; ".join(wrong)) if wrong else Done(found, f"{len(found)} files, byte by byte")

    def apply(self, known: Known, say: Say) -> None:
        raise Refused("a verification only looks")

    def _told(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Who says which digests the files have."""
        if (noted := noted_files(self.record, self.wish.files)) is not None:
            yield "the record", {one.name: one.sha256 for one in noted}
        elif self.forge is not None:
            facts = read(manifest_of(self.forge, self.release.tag)) or ()
            yield MANIFEST, {name: sha256 for name, sha256, _ in facts}
