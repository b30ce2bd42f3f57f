"""Branches, tags and history on GitHub."""

from __future__ import annotations

from release.adapters.github.door import Door, segment
from release.adapters.github.shapes import Compared, RefShape
from release.errors import Unseen

DEPTH = 10  # tags of tags


class Refs:
    """The part of a `Forge` that knows commits."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def tagged(self, tag: str) -> str:
        """The commit that a tag points at, peeled; "" if there is no such tag."""
        what = f"look for tag {tag} of {self._door.name}"
        found = self._door.find(what, f"git/ref/tags/{segment(tag, whole=False)}", RefShape)
        if found is None:
            return ""
        at = found.object
        for _ in range(DEPTH):
            if at.type != "tag":
                break
            at = self._door.get(what, f"git/tags/{segment(at.sha)}", RefShape).object
        if at.type != "commit":
            raise Unseen(f"tag {tag} of {self._door.name} points at a {at.type}, not at a commit", "")
        return at.sha

    def head(self, branch: str) -> str:
        """The commit at the head of a branch; "" if there is none."""
        what = f"look for branch {branch} of {self._door.name}"
        found = self._door.find(what, f"git/ref/heads/{segment(branch, whole=False)}", RefShape)
        return found.object.sha if found else ""

    def holds(self, branch: str, commit: str) -> bool:
        """Whether a commit is in a branch's history."""
        head = self.head(branch)
        if not head or head == commit:
            return bool(head)
        what = f"look for {commit[:10]} on {branch} of {self._door.name}"
        # "behind": the branch has all that the commit has. One commit of the difference is enough.
        found = self._door.find(what, f"compare/{segment(f'{head}...{commit}')}", Compared, per_page="1")
        return found is not None and found.status in ("behind", "identical")
