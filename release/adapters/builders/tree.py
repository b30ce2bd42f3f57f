"""What the file system of an image holds, as far as a COPY has to know: names, kinds, owners, and where links lead."""

from __future__ import annotations

import posixpath
import tarfile
from pathlib import Path

from release.adapters.builders.layers import Entry, Kind
from release.errors import Refused

GONE = ".wh."
OPAQUE = ".wh..wh..opq"  # image-spec, layer.md, "Opaque Whiteout"
HOPS = 40


class Tree:
    """The entries of an image by their paths; layers come one after the other."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def add(self, entries: tuple[Entry, ...]) -> None:
        """A layer of ours."""
        self._entries.update((entry.path, entry) for entry in entries)

    def read(self, blob: Path) -> None:
        """A layer as it lies in a layout: a tar archive, compressed or not. Refused where it cannot be read."""
        try:
            with tarfile.open(blob, "r|*", errorlevel=2) as tar:
                for member in tar:
                    self._member(member)
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            raise Refused(f"the layer {blob.name[:12]} of the base image cannot be read: {error}", "") from error

    def get(self, path: str) -> Entry | None:
        """What lies at a path ("a/b"), its links not followed."""
        return self._entries.get(path)

    def is_folder(self, path: str) -> bool:
        """Whether a path leads to a folder, links followed; the root always is one."""
        place = self.resolved(path)
        found = self._entries.get(place)
        return not place or (found is not None and found.kind == "folder")

    def resolved(self, path: str) -> str:
        """Where a path leads once its links are followed inside the image; what is not there yet stands for itself."""
        done, todo, hops = "", _parts(path), 0
        while todo:
            part = todo.pop(0)
            if part == "..":
                done = posixpath.dirname(done)
                continue
            place = posixpath.join(done, part)
            found = self._entries.get(place)
            if found is None or found.kind != "link":
                done = place
                continue
            hops += 1
            if hops > HOPS:
                raise Refused(f"the links at /{path} in the image lead round in a circle", "mend the base image")
            todo = [*_parts(found.link), *todo]
            done = "" if found.link.startswith("/") else done
        return done

    def _member(self, member: tarfile.TarInfo) -> None:
        path = "/".join(_parts(posixpath.normpath(f"/{member.name}")))
        folder, name = posixpath.split(path)
        if name == OPAQUE:
            self._drop(folder, itself=False)
        elif name.startswith(GONE):
            self._drop(posixpath.join(folder, name.removeprefix(GONE)), itself=True)
        elif member.issym():
            self._entries[path] = Entry(path, "link", 0o777, member.uid, member.gid, link=member.linkname)
        elif path:
            kind: Kind = "folder" if member.isdir() else "file"
            self._entries[path] = Entry(path, kind, member.mode & 0o7777, member.uid, member.gid)

    def _drop(self, path: str, *, itself: bool) -> None:
        gone = [one for one in self._entries if one.startswith(f"{path}/") or (itself and one == path)]
        for one in gone:
            del self._entries[one]


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
