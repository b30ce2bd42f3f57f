"""The branch of ours on a component, with the commit that names a version there, and how it stands to what is wished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal

import msgspec

from release.core import update_proposal
from release.core.finding import Conflict
from release.core.forge import Proposed
from release.core.model import Commit, DownstreamWish, Release, UpdateWish
from release.core.proposal import applied, digest
from release.core.references import Said, edits, looked
from release.core.references.order import version_in
from release.core.update_proposal import Claim, Origin
from release.core.version import Version, names_in
from release.ports import Forge, Remote

HEADS = "refs/heads/"
PLAIN = ("100644", "100755")
MERGES = 20  # so many times somebody may have pressed the button that brings a branch up to date
CLOSED = 100  # so many of the closed ones, newest first, may have been for a version

State = Literal["none", "wanted", "later", "theirs", "stale", "foreign"]
"""What the branch of ours is: not there; as this release writes it; a newer release's; others' work, which names the
version as well; to be replaced; others' work that does not."""


@dataclass(frozen=True)
class Look:
    """What a commit of the component says where the updates look: `files` are their bytes, None for what is no plain file.

    `newer` is a newer version that it names, "" for none; where that stands nothing is to be written.
    """

    files: Mapping[str, bytes | None]
    said: tuple[Said, ...]
    conflicts: tuple[Conflict, ...]
    newer: str = ""

    @property
    def brought(self) -> bool:
        """Whether each place says what is wished, or something newer."""
        return not self.conflicts and all(one.edit is None for one in self.said)


@dataclass(frozen=True)
class OurBranch:
    """Looked at, never written to. `forge` is None with plain git."""

    release: Release
    wish: DownstreamWish
    origin: Origin
    remote: Remote
    forge: Forge | None

    @property
    def name(self) -> str:
        """The branch that the pull request comes from."""
        return update_proposal.branch_for(self.origin.project, self.wish.name, self.wish.branch)

    def tips(self) -> tuple[str, str]:
        """The heads of the component's branch and of ours, "" for none, with their objects brought here."""
        names = (HEADS + self.wish.branch, HEADS + self.name)
        heads = self.remote.refs(*names).heads
        there = {name: heads[name.removeprefix(HEADS)] for name in names if name.removeprefix(HEADS) in heads}
        self.remote.bring(list(there), list(there.values()))
        return there.get(names[0], ""), there.get(names[1], "")

    def look(self, commit: str) -> Look:
        """What a commit says."""
        paths = {wish.path for wish in self.wish.updates}
        modes = self.remote.modes(commit, paths)
        contents = self.remote.contents(commit, [path for path in paths if modes.get(path) in PLAIN])
        files = {path: contents.get(path) for path in paths}
        said, conflicts = looked(self.wish.updates, files)
        newer = [one for one in said if self._newer(one)]
        passed = any(
            not _own(one.wish) for one in newer
        )  # what lines share names a newer one, and so in all such places
        said = tuple(
            msgspec.structs.replace(one, edit=None) if one in newer or (passed and not _own(one.wish)) else one
            for one in said
        )
        if passed and not any(map(_own, self.wish.updates)):
            conflicts = ()
        return Look(files, said, conflicts, newer[0].says if newer else "")

    def state(self, there: Look, base: str, head: str) -> State:
        """What is on the branch of ours."""
        if not head:
            return "none"
        held, claim = self.look(head), self._claim(head)
        if claim is not None:
            version = self._parsed(claim.version)
            if version is not None and version > self.version:
                return "stale" if self._left(base, head) else "later"
            wanted = applied(edits(there.said), {path: text(content) for path, content in there.files.items()})
            same = all(held.files[path] == content for path, content in wanted.items())
            fresh = (claim.version, claim.onto) == (self.release.version, digest(there.files))
            return "wanted" if same and fresh and held.brought else "stale"
        if held.brought:
            return "later" if held.newer else "theirs"
        return "stale" if self._merged(head) or self._brought_up(base, head) else "foreign"

    def _newer(self, one: Said) -> bool:
        version = version_in(self.origin.rules, one.wish.template, one.says)
        return one.edit is not None and version is not None and version > self.version

    def _claim(self, head: str) -> Claim | None:
        """What a commit of ours says of itself, None for what anybody else made, or changed."""
        claim = update_proposal.claimed(self._at(head).message)
        return claim if claim is not None and claim.tree == self.remote.tree_of(head) else None

    def _merged(self, head: str) -> bool:
        """Whether others' commits are in the component's branch by now: what is left of ours may be replaced then."""
        if self.forge is not None:
            closed = self.forge.proposals(self.name, self.wish.branch, "closed")
            if any(one.merge and one.head == head for one in closed):
                return True
        return self.remote.holds(self.wish.branch, head)

    def _brought_up(self, base: str, head: str) -> bool:
        """Whether all that others did to a commit of ours is to merge the component's branch into it, as a forge's button does."""
        self.remote.holds(self.name, base)  # brings its history
        top = commit = self._at(head)
        for _ in range(MERGES):
            if len(commit.parents) == 2:
                commit = self._at(commit.parents[0])
        if len(top.parents) != 2 or len(commit.parents) != 1 or self._claim(commit.id) is None:
            return False
        onto, paths = top.parents[1], [path for _, path in self.remote.changed(commit.parents[0], commit.id)]
        same = [path for _, path in self.remote.changed(onto, head)] == paths
        alike = self.remote.contents(head, paths) == self.remote.contents(commit.id, paths)
        return same and alike and self.remote.holds(self.wish.branch, onto)

    def _left(self, base: str, head: str) -> bool:
        """Whether a commit of ours has had its turn: it is merged. With a forge: none is open, and it was one of the closed ones."""
        if self.forge is None:
            return self.remote.tree_of(base) == self.remote.tree_of(head) or self.remote.holds(self.wish.branch, head)
        if self.open(self.forge) is not None:
            return False
        closed = self.forge.proposals(self.name, self.wish.branch, "closed")
        return any(one.head == head for one in islice(closed, CLOSED))

    def _at(self, commit: str) -> Commit:
        """A commit whose object is here."""
        return next(self.remote.commits(commit, ()))

    def _parsed(self, version: str) -> Version | None:
        return self.origin.rules.parse(version)

    def open(self, forge: Forge) -> Proposed | None:
        """The pull request that is open; a forge allows one."""
        return next(forge.proposals(self.name, self.wish.branch, "open"), None)

    @cached_property
    def version(self) -> Version:
        """What is released, as it is compared with what is named there."""
        version = self._parsed(self.release.version)
        assert version is not None, f"{self.release.version} was made by this scheme"
        return version


def _own(wish: UpdateWish) -> bool:
    """Whether each release, or each line, has a place of its own for it."""
    return bool(names_in(wish.place))


def text(content: bytes | None) -> str | None:
    """A file's text, byte order mark and line ends as they are."""
    return content.decode() if content is not None else None
