"""Reads `git log`: one process, one pass over what it prints, and no more of it than somebody asks for.

A history of a hundred thousand commits is thirty megabytes: it is decoded block by block, never field by field, and
equal authors are one object.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence

from release.adapters.git.run import Runner, text
from release.core.model import Commit, Person

FIELDS = "%H%x00%P%x00%aN%x00%aE%x00%cI%x00%B"
WIDTH = 6


def commits(run: Runner, tip: str, exclude: Collection[str], *order: str) -> Generator[Commit]:
    """The commits that are in the tip and in none of the excluded ones; `order` is git's own option for it.

    Names and addresses are as the tip's .mailmap has them. Bytes that are no UTF-8 are replaced.
    """
    people = _People()
    asked = "".join(f"{start}\n" for start in (tip, *(f"^{commit}" for commit in exclude))).encode()
    arguments = ("log", "-z", f"--format={FIELDS}", "--encoding=UTF-8", *order, "--stdin")
    for fields in _rows(run, arguments, asked, tip, WIDTH):
        ids, parents, names, emails, dates, messages = (fields[place::WIDTH] for place in range(WIDTH))
        authors = map(people.__getitem__, zip(names, emails, strict=True))
        yield from map(Commit, ids, map(tuple, map(str.split, parents)), authors, dates, messages)


def parents(run: Runner, tips: Collection[str]) -> Generator[Sequence[str]]:
    """Each commit in the histories of some commits, newest first: its id, then those of its parents.

    Nothing is excluded, so git leaves nothing out, and begins at once, whatever the dates are.
    """
    rest = b""
    for block in run.blocks("rev-list", "--parents", "--stdin", stdin="".join(f"{tip}\n" for tip in tips).encode()):
        *lines, rest = (rest + block).split(b"\n")
        yield from (text(line).split(" ") for line in lines)


def emails(run: Runner, tip: str, mailmap: str) -> Generator[str]:
    """The author address of each commit in the history of the tip, newest first, as the .mailmap of a commit has it."""
    for fields in _rows(run, ("log", "-z", "--format=%aE", "--stdin"), f"{tip}\n".encode(), mailmap, 1):
        yield from fields


def _rows(run: Runner, arguments: Sequence[str], stdin: bytes, mailmap: str, width: int) -> Generator[Sequence[str]]:
    """What a log prints, as it comes: each time some whole rows of so many fields, one after the other.

    NUL ends every field, and is part of no character: a block up to its last NUL can be decoded as a whole.
    """
    settings = (("mailmap.blob", f"{mailmap}:.mailmap"), ("mailmap.file", ""))
    parts: list[bytes] = []
    fields: list[str] = []
    for block in run.blocks(*arguments, stdin=stdin, settings=settings):
        whole, ended, rest = block.rpartition(b"\0")
        if not ended:
            parts.append(block)
            continue
        fields += text(b"".join((*parts, whole))).split("\0")
        parts = [rest]
        if full := len(fields) - len(fields) % width:
            yield fields[:full]
            del fields[:full]


class _People(dict[tuple[str, str], Person]):
    """Each author once."""

    def __missing__(self, key: tuple[str, str]) -> Person:
        person = self[key] = Person(*key)
        return person
