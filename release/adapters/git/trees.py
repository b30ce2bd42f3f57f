"""Reads the trees of commits: what is in a folder, what changed between two, and their files on a disk."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from release.adapters.git.run import Runner, text
from release.errors import ReleaseError, Unseen

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree without entries: every git knows it, in every repository."""

PLAIN = (b"100644", b"100755")
AT_ONCE = 1 << 24  # bytes of files that are held in memory together


def changed(run: Runner, old: str, new: str) -> tuple[tuple[str, str], ...]:
    """Each path that differs between two commits, with git's letter for it: A, D, M or T. `old` may be "" for nothing."""
    listed = text(run("diff-tree", "-r", "-z", "--name-status", "--no-renames", old or EMPTY, new)).split("\0")
    return tuple(zip(listed[:-1:2], listed[1::2], strict=True))


def plain(run: Runner, commit: str, folder: str) -> tuple[str, ...]:
    """The paths of the plain files under a folder ("" for the root), in git's order; links and submodules are none."""
    return tuple(text(path) for _, _, path in _entries(run, commit, (folder.rstrip("/") + "/",) if folder else ()))


def export(run: Runner, commit: str, paths: Collection[str], target: Path) -> None:
    """Write the plain files at and under some paths to a directory, as they are at a commit.

    Links are left out, so that nothing written there leads out of it. ReleaseError for a path that would.
    """
    entries = list(_entries(run, commit, [path.rstrip("/") for path in paths])) if paths else []
    for _, _, path in entries:
        if any(part in (b"", b".", b"..", b".git") for part in path.split(b"/")):
            raise ReleaseError(f"{commit[:10]} has a file {text(path)!r}", "no checkout can hold it: take it away")
    for some in _portions(entries):
        read = memoryview(run("cat-file", "--batch", stdin=b"".join(name + b"\n" for name, _, _ in some)))
        for name, size, path in some:
            header = name + f" blob {size}\n".encode()
            if read[: len(header)] != header:
                raise Unseen(f"{text(path)} at {commit[:10]} is not here", "run the same command again")
            start = len(header)
            _write(target / os.fsdecode(path), read[start : start + size], text(path))
            read = read[start + size + 1 :]


def versions(run: Runner, commits: Sequence[str], path: str, most: int) -> list[bytes | None]:
    """The bytes of one file at each of several commits, by two processes; None where there is none, or one of more than
    `most` bytes. The path has no newline in it.
    """
    asked = "".join(f"{commit}:{path}\n" for commit in commits).encode()
    told = run("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", stdin=asked)
    found: list[bytes | None] = []
    names: list[bytes] = []
    for line in told.split(b"\n")[:-1]:
        name, _, about = line.partition(b" ")
        kind, _, size = about.partition(b" ")
        fits = kind == b"blob" and int(size) <= most
        found.append(size if fits else None)
        names += [name] if fits else []
    read = memoryview(run("cat-file", "--batch", stdin=b"".join(name + b"\n" for name in names)) if names else b"")
    start = 0
    for place, size_there in enumerate(found):
        if size_there is not None:
            start += len(names.pop(0)) + len(b" blob ") + len(size_there) + 1
            end = start + int(size_there)
            found[place], start = bytes(read[start:end]), end + 1
    return found


_Entry = tuple[bytes, int, bytes]
"""A plain file: the id of its content, the size of that in bytes, and its path."""


def _entries(run: Runner, commit: str, paths: Sequence[str]) -> Iterator[_Entry]:
    for line in run.stream("ls-tree", "-r", "-l", "-z", commit, "--", *paths):
        head, _, path = line.partition(b"\t")
        mode, _, name, size = head.split()
        if mode in PLAIN:
            yield name, int(size), path


def _portions(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    """Files that are read together."""
    some: list[_Entry] = []
    held = 0
    for entry in entries:
        if some and held + entry[1] > AT_ONCE:
            yield some
            some, held = [], 0
        some.append(entry)
        held += entry[1]
    if some:
        yield some


def _write(place: Path, content: memoryview, path: str) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    except OSError as error:
        raise ReleaseError(f"{path} cannot be written: {error.strerror}", "make room, or rename that file") from error
