"""The place in a file that a pointer is: looked at, never written to."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from release.core.finding import Conflict
from release.core.pointed import Spot, spot
from release.core.promotion import PointWish
from release.errors import Missing
from release.ports import Remote

HEADS = "refs/heads/"
PLAIN = ("100644", "100755")


@dataclass(frozen=True)
class Place:
    """A key of a file on a branch."""

    wish: PointWish
    remote: Remote

    def content(self, commit: str) -> bytes | None:
        """The file's bytes at a commit, None where there is no plain file."""
        path = self.wish.path
        if self.remote.modes(commit, (path,)).get(path) not in PLAIN:
            return None
        return self.remote.contents(commit, (path,))[path]

    def at(self, commit: str, value: str) -> Spot | Conflict:
        """What it says at a commit, and how it would say a value; `commit` may be "" for a branch that is not there."""
        wish = self.wish
        if not commit:
            why = f"{self.remote.name} has no branch {wish.branch}"
            return Conflict("no-branch", why, "make it, or mend branch of [[channel.point]]")
        found = spot(wish.path, wish.key, value, self.content(commit))
        if isinstance(found, Spot):
            return found
        return msgspec.structs.replace(found, why=f"{wish.branch} of {self.remote.name}: {found.why}")

    def said(self, commit: str, value: str) -> Spot:
        """The same, where nothing may be in the way."""
        found = self.at(commit, value)
        if isinstance(found, Conflict):
            raise Missing(found)
        return found

    def says(self) -> str:
        """What it says now."""
        return self.said(self.remote.tip(self.wish.branch), self.wish.value).says

    def lacking(self, branch: str) -> tuple[Conflict, ...]:
        """Why it could not be written by pushing to a branch; `branch` need not be there."""
        tip = self.remote.tip(self.wish.branch)
        found = self.at(tip, self.wish.value)
        if isinstance(found, Conflict):
            return (found,)
        if why := self.remote.refusal(tip, HEADS + branch):
            words = f"{self.remote.name} would not take {branch}: {why}"
            return (Conflict("push-right", words, "ask for the right to push there"),)
        return ()
