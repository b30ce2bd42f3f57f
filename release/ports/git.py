"""A git repository elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from release.core.file_change import FileChange
from release.core.model import (
    Commit,
    Person,
    Refs,
    Splice,
    Tag,
)


class Remote(Protocol):
    """A git repository elsewhere, read and written without touching anybody's checkout.

    Every call may raise Unseen (could not look). `push` raises Refused (certainly nothing moved) or Uncertain.
    """

    url: str

    @property
    def name(self) -> str:
        """The address as it may be shown."""
        ...

    def refs(self, *names: str) -> Refs:
        """Fresh from the remote: the refs with these full names, or all branches, tags and records."""
        ...

    def bring(self, names: Collection[str], commits: Collection[str]) -> None:
        """Make the objects of these refs available; `commits` are what they are known to point at."""
        ...

    def tip(self, branch: str) -> str:
        """The commit at the head of a branch, its object brought here without its history; "" if there is none."""
        ...

    def holds(self, branch: str, commit: str) -> bool:
        """Whether a commit is in a branch's history."""
        ...

    def dates(self, tags: Mapping[str, str]) -> tuple[Tag, ...]:
        """Tags (name -> commit) with their commits' dates; the objects are here."""
        ...

    def reachable(self, commit: str, tags: Mapping[str, str]) -> frozenset[str]:
        """The names of those tags whose commit is in the history of `commit`."""
        ...

    def outside(self, branch: str, tip: str, commits: Collection[str]) -> frozenset[str]:
        """Those of these commits that are not in the history of a branch, which is known to be at `tip`; all looked at in one go."""
        ...

    def file_history(self, branch: str, path: str, since: str = "") -> Iterator[FileChange]:
        """Each change of a file on the first parents' path of a branch, newest first, never held whole.

        With `since` (ISO 8601) the last one is the first that is older.
        """
        ...

    def ancestor(self, old: str, new: str) -> bool: ...

    def commits(self, tip: str, exclude: Collection[str]) -> Iterator[Commit]:
        """Newest first; a log of any length is never held whole. Authors are as the tip's .mailmap has them."""
        ...

    def lineage(self, tip: str) -> Iterator[Commit]:
        """The whole history of a commit, children before their parents; never held whole."""
        ...

    def known(self, tip: str, emails: Collection[str], mailmap: str = "") -> frozenset[str]:
        """Those of these addresses whose owners are authors of something in the history of the tip.

        Addresses are as the .mailmap of the commit `mailmap` (the tip, if none is given) has them, in any case.
        """
        ...

    def changed(self, old: str, new: str) -> tuple[tuple[str, str], ...]:
        """Each path that differs between two commits, with git's letter for it: A, D, M or T. `old` may be "" for nothing."""
        ...

    def tree(self, commit: str, folder: str) -> tuple[str, ...]:
        """The paths of the plain files under a folder ("" for the root); links and submodules are none."""
        ...

    def export(self, commit: str, paths: Collection[str], target: Path) -> None:
        """Write the plain files at and under some paths to a directory, as they are at a commit; links are left out."""
        ...

    def file(self, commit: str, path: str) -> str | None:
        """The text of a file at a commit, None where there is none."""
        ...

    def files(self, commit: str, paths: Collection[str]) -> dict[str, str | None]:
        """The texts of several files at a commit, None where there is none; ReleaseError where one is not UTF-8."""
        ...

    def contents(self, commit: str, paths: Collection[str]) -> dict[str, bytes | None]:
        """The bytes of several files at a commit, None where there is none."""
        ...

    def modes(self, commit: str, paths: Collection[str]) -> dict[str, str]:
        """Git's mode of each of these paths that exists at a commit: 100644, 100755, 120000 a link, 040000 a folder."""
        ...

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree: two commits with the same one have the same files."""
        ...

    def commit(self, base: str, edits: Sequence[Splice], message: str, who: Person, date: str) -> str:
        """Make a commit object on `base`; no ref moves."""
        ...

    def tag(self, name: str, commit: str, message: str, who: Person, date: str) -> str:
        """Make an annotated tag object, signed where git is set up so; no ref moves."""
        ...

    def push(self, *moves: tuple[str, str, str]) -> None:
        """Move refs (name, old, new) all or none, each only from its old value ("" for: does not exist)."""
        ...

    def refusal(self, commit: str, ref: str) -> str:
        """Why the remote would not take a push of a commit to that ref, "" if nothing says so; nothing is sent."""
        ...
