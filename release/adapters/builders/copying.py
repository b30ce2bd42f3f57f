"""What COPY, ADD and WORKDIR put into an image: entries of a layer, from the things in a context."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from release.adapters.builders.dockerfile import Bad
from release.adapters.builders.ignoring import Context, Thing
from release.adapters.builders.layers import Entry, Kind
from release.adapters.builders.stage import Beyond, Copy, Folder
from release.adapters.builders.tree import Tree
from release.core.commits import plain

FOLDER = 0o755
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")


def put(step: Copy | Folder, context: Context, tree: Tree) -> tuple[Entry, ...]:
    """The entries of one layer, by their paths; the folders above them are among them, as they are in the image.

    () where everything is there already. Bad where there is nothing to copy, or it cannot lie where it should.
    """
    if isinstance(step, Folder) and tree.is_folder(step.path):
        return ()
    if step.owner is None:
        raise Beyond(step.line, f"makes /{step.path} for a user whose number is not in the Dockerfile")
    layer = _Layer(tree, step.owner)
    if isinstance(step, Folder):
        layer.folder(tree.resolved(step.path), step.line)
    else:
        _copied(step, context, layer)
    return layer.done()


class _Layer:
    """Entries as they come together."""

    def __init__(self, tree: Tree, owner: tuple[int, int]) -> None:
        self.tree, self.owner = tree, owner
        self._entries: dict[str, Entry] = {}

    def done(self) -> tuple[Entry, ...]:
        return tuple(self._entries[path] for path in sorted(self._entries))

    def folder(self, path: str, line: int) -> None:
        """A folder and those above it: as they are, else new ones."""
        for place in (*reversed(list(_above(path))), path):
            there = self._entries.get(place) or self.tree.get(place)
            if there is not None and there.kind != "folder":
                raise Bad(line, f"/{plain(place)} is no folder in the image")
            if place:
                self._entries[place] = there or self._entry(place, "folder", FOLDER)

    def add(self, path: str, thing: Thing, source: Path, copy: Copy) -> None:
        """A thing of the context at a path of the image."""
        there = self._entries.get(path) or self.tree.get(path)
        if there is not None and there.kind == "folder":
            if thing.kind != "folder":
                raise Bad(copy.line, f"/{plain(path)} is a folder in the image, and would become a {thing.kind}")
            return
        if there is not None and thing.kind == "folder":
            raise Bad(copy.line, f"/{plain(path)} is no folder in the image, and would become one")
        self.folder(posixpath.dirname(path), copy.line)
        if thing.kind == "folder":
            self._entries[path] = self._entry(path, "folder", FOLDER if copy.mode is None else copy.mode)
        elif thing.kind == "link":
            self._entries[path] = self._entry(path, "link", 0o777, link=thing.link)
        else:
            mode = (0o755 if thing.program else 0o644) if copy.mode is None else copy.mode
            self._entries[path] = self._entry(path, "file", mode, source=str(source), size=thing.size)

    def _entry(self, path: str, kind: Kind, mode: int, *, source: str = "", size: int = 0, link: str = "") -> Entry:
        return Entry(path, kind, mode, *self.owner, source, size, link)


def _copied(copy: Copy, context: Context, layer: _Layer) -> None:
    found = list(_sources(copy, context))
    into = copy.folder or layer.tree.is_folder(copy.target)
    if len(found) > 1 and not into:
        raise Bad(copy.line, f"copies {len(found)} things, so that /{copy.target} has to be a folder: end it with /")
    place = layer.tree.resolved(copy.target)
    for name, path in found:
        thing = context.things[path]
        if thing.kind == "folder":
            layer.folder(place, copy.line)
            for below, inner in context.inside(path):
                at = layer.tree.resolved(posixpath.join(place, posixpath.dirname(below)))
                target = posixpath.join(at, posixpath.basename(below))
                layer.add(target, inner, context.folder / path / below, copy)
        else:
            if copy.unpacks and _is_archive(context.folder / path, thing):
                raise Beyond(copy.line, f"is ADD of the archive {plain(name)}, which is unpacked there")
            target = posixpath.join(place, posixpath.basename(name)) if into else place
            layer.folder(posixpath.dirname(target), copy.line)
            layer.add(target, thing, context.folder / path, copy)


def _sources(copy: Copy, context: Context) -> Iterator[tuple[str, str]]:
    """Each thing to copy: its name, and where its links lead."""
    for source in copy.sources:
        names = context.matches(source) if any(c in source for c in "*?[\\") else [source]
        paths = [(name, path) for name in names if (path := context.followed(name)) is not None]
        if not paths:
            raise Bad(copy.line, f"copies {plain(source)}, which is not in the context")
        yield from paths


def _is_archive(place: Path, thing: Thing) -> bool:
    """What Docker would unpack. A file that is still to be made is judged by its name."""
    if not thing.size:
        return place.name.endswith(ARCHIVES)
    with place.open("rb") as file:
        head = file.read(512)
    return head[257:262] == b"ustar" or (head.startswith(MAGIC) and place.name.endswith(ARCHIVES))


def _above(path: str) -> Iterator[str]:
    """The folders above a path, the nearest one first."""
    while path := posixpath.dirname(path):
        yield path
