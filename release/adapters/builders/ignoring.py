"""What lies in a context: files, folders and links, without those that `.dockerignore` names."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Collection, Iterator
from copy import copy
from pathlib import Path

import msgspec

from release.core.commits import plain
from release.errors import Refused

HOPS = 40  # links in a row, as the kernel has it


class Ignore:
    """The patterns of a `.dockerignore`: the last one that fits a path, or a folder above it, decides; `!` lets it in again."""

    def __init__(self, text: str = "") -> None:
        self._rules = [rule for line in text.removeprefix("\ufeff").splitlines() if (rule := _rule(line))]

    def __contains__(self, path: str) -> bool:
        parts = path.split("/")
        places = ["/".join(parts[:upto]) for upto in range(1, len(parts) + 1)]
        ignored = False
        for pattern, keeps in self._rules:
            if keeps == ignored and any(pattern.fullmatch(place) for place in places):
                ignored = not keeps
        return ignored


class Thing(msgspec.Struct, frozen=True):
    """Something in a context: `kind` is "file", "folder" or "link"; `program` whether a file may be run; `size` in bytes."""

    kind: str
    size: int = 0
    program: bool = False
    link: str = ""


class Context:
    """The things in a folder by their paths ("a/b"), in order; `""` is the folder itself. Links out of it are Refused."""

    def __init__(self, folder: Path, ignore: Ignore) -> None:
        self.folder = folder
        found = dict(sorted(_walk(folder, "")))
        kept = {path for path in found if path not in ignore}
        above = {parent for path in kept for parent in _parents(path)}
        self.things = {"": Thing("folder"), **{path: thing for path, thing in found.items() if path in kept | above}}
        for path, thing in self.things.items():
            if thing.kind == "link":
                self._stays(path, thing.link)

    def without(self, paths: Collection[str]) -> Context:
        """The same context without some of its files."""
        less = copy(self)
        less.things = {path: thing for path, thing in self.things.items() if path not in paths}
        return less

    def followed(self, path: str) -> str | None:
        """Where a path leads once its links are followed; None where there is nothing."""
        done, todo, hops = "", [part for part in path.split("/") if part not in ("", ".")], 0
        while todo:
            part = todo.pop(0)
            done = posixpath.dirname(done) if part == ".." else posixpath.join(done, part)
            thing = self.things.get(done)
            if thing is None:
                return None
            if thing.kind == "link":
                hops += 1
                if hops > HOPS:
                    return None
                todo = [*(one for one in thing.link.split("/") if one not in ("", ".")), *todo]
                done = posixpath.dirname(done)
        return done

    def matches(self, pattern: str) -> list[str]:
        """The paths that a pattern names (`*`, `?` and `[...]`, none of which crosses a /), in order."""
        whole = re.compile(_translated(pattern, crossing=False))
        return [path for path in self.things if path and whole.fullmatch(path)]

    def inside(self, folder: str) -> Iterator[tuple[str, Thing]]:
        """Everything in a folder, by its path from there."""
        prefix = f"{folder}/" if folder else ""
        for path, thing in self.things.items():
            if path and path.startswith(prefix):
                yield path[len(prefix) :], thing

    def _stays(self, path: str, link: str) -> None:
        leads = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
        if link.startswith("/") or leads == ".." or leads.startswith("../"):
            why = f"{plain(path)} in the context is a link to {plain(link)}, which is outside of it"
            raise Refused(why, "take it out, or name it in .dockerignore")


def ignore_of(context: Path, dockerfile: Path) -> Ignore:
    """The patterns for a Dockerfile: those of `NAME.dockerignore` beside it, else those of the context's `.dockerignore`."""
    for place in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"):
        if place.is_file() and not place.is_symlink():
            return Ignore(place.read_text("utf-8", "replace"))
    return Ignore()


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Thing]]:
    with os.scandir(folder) as found:
        for one in found:
            path, told = f"{prefix}{one.name}", one.stat(follow_symlinks=False)
            if stat.S_ISLNK(told.st_mode):
                yield path, Thing("link", link=os.readlink(one.path))
            elif stat.S_ISDIR(told.st_mode):
                yield path, Thing("folder")
                yield from _walk(Path(one.path), f"{path}/")
            elif stat.S_ISREG(told.st_mode):
                yield path, Thing("file", told.st_size, bool(told.st_mode & 0o100))
            else:
                raise Refused(f"{plain(path)} in the context is neither file, folder nor link", "take it out")


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _rule(line: str) -> tuple[re.Pattern[str], bool] | None:
    """A pattern, and whether it lets in what it fits."""
    text = line.strip()
    if not text or line.startswith("#"):
        return None
    keeps = text.startswith("!")
    text = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
    return (re.compile(_translated(text, crossing=True), re.DOTALL), keeps) if text not in ("", ".") else None


def _translated(pattern: str, *, crossing: bool) -> str:
    """A pattern as a regular expression; with `crossing`, `**` fits any number of folders."""
    found, at = "", 0
    while at < len(pattern):
        if crossing and pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                found, at = f"{found}(?:.*/)?", at + 1
            else:
                found += ".*"
            continue
        c = pattern[at]
        end = pattern.find("]", at + 2) if c == "[" else -1
        if end > 0:
            found, at = f"{found}(?!/)[{_class(pattern[at + 1 : end])}]", end + 1
            continue
        if c == "\\" and at + 1 < len(pattern):
            at += 1
            found += re.escape(pattern[at])
        else:
            found += {"*": "[^/]*", "?": "[^/]"}.get(c, re.escape(c))
        at += 1
    return found


def _class(inside: str) -> str:
    """What stands between [ and ]: characters and ranges, all but them after ^."""
    turned = "^" if inside.startswith("^") else ""
    return turned + re.sub(r"([\[\]\\^&~|])", r"\\\1", inside[len(turned) :])
