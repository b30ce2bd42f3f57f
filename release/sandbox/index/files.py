"""What an index holds: files of projects, each name once and for ever."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.sandbox.serving.store import Duplicate, Json, Store


@dataclass(frozen=True)
class Files:
    """Facts are documents of the store, by file name; bytes are `files/<sha256>`, renamed there when they are whole."""

    folder: Path
    store: Store

    def path(self, found: Json) -> Path:
        return self.folder / "files" / str(found["file"])

    def spare(self) -> Path:
        """A new name for a file that is not whole yet."""
        (self.folder / "parts").mkdir(exist_ok=True)
        return self.folder / "parts" / uuid.uuid4().hex

    def find(self, filename: str) -> Json | None:
        return self.store.find("file", filename)

    def add(self, filename: str, facts: Json, part: Path) -> Json:
        """Keep a whole file; Duplicate where the name is taken."""
        facts = {**facts, "filename": filename, "file": uuid.uuid4().hex, "yanked": False}
        path = self.path(facts)
        path.parent.mkdir(exist_ok=True)
        os.replace(part, path)
        try:
            return self.store.add("file", facts, key=filename)
        except Duplicate:
            path.unlink()
            raise

    def of(self, name: str) -> list[Json]:
        """The files of a project, oldest first."""
        return self.store.all("file", project=str(canonicalize_name(name)))

    def projects(self) -> list[str]:
        return sorted({one["project"] for one in self.store.all("file")})

    def yank(self, name: str, version: str, reason: str) -> int:
        """Mark the files of a version; how many there are."""
        found = [one for one in self.of(name) if same(one["version"], version)]
        for one in found:
            self.store.change(one["id"], yanked=reason or True)
        return len(found)

    def corrupt(self, found: Json) -> None:
        """Flip the last bit."""
        content = bytearray(self.path(found).read_bytes())
        content[-1] ^= 1
        part = self.spare()
        part.write_bytes(content)
        os.replace(part, self.path(found))

    def drop(self, found: Json) -> None:
        self.store.remove(found["id"])
        self.path(found).unlink()


def same(one: str, other: str) -> bool:
    """Whether two texts are one version (PEP 440)."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def shown(found: Json, base: str) -> Mapping[str, object]:
    """A file as PEP 691 and PEP 700 have it."""
    more = {"requires-python": found["requires_python"]} if found["requires_python"] else {}
    return {
        "filename": found["filename"],
        "url": f"{base}/files/{found['sha256']}/{found['filename']}",
        "hashes": {"sha256": found["sha256"]},
        "size": found["size"],
        "upload-time": found["uploaded"],
        "yanked": found["yanked"],
        **more,
    }
