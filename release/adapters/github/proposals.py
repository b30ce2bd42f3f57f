"""Pull requests on GitHub that propose a release: opened, reworded, and found by their branches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from release.adapters.github.door import Door
from release.adapters.github.shapes import Named
from release.core.forge import Proposed

PULLS = "pulls"
READ_PULLS, WRITE_PULLS = "pull_requests: read", "pull_requests: write"


class End(msgspec.Struct, frozen=True):
    """A branch that a pull request comes from or goes to; its repository may be gone."""

    ref: str
    sha: str
    repo: Named | None = None


class ProposedShape(msgspec.Struct, frozen=True):
    """A pull request with both of its branches."""

    number: int
    title: str
    state: str
    html_url: str
    head: End
    base: End
    body: str | None = None
    merged_at: str | None = None
    merge_commit_sha: str | None = None


class Proposals:
    """The part of a `Forge` that proposes."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def proposals(self, head: str, base: str, state: Literal["open", "closed"]) -> Iterator[Proposed]:
        """The pull requests from a branch of this repository into another one, newest first.

        A filter that a forge does not know filters nothing, and a fork may have a branch of that name: what is told is
        looked at once more.
        """
        what = f"list the pull requests from {head} of {self._door.name}"
        whose = f"{self._owner}:{head}"
        asked = {"head": whose, "base": base, "state": state, "sort": "created", "direction": "desc"}
        for page in self._door.pages(what, PULLS, tuple[ProposedShape, ...], READ_PULLS, **asked):
            for shape in page:
                if (shape.head.ref, shape.base.ref, shape.state) == (head, base, state) and self._here(shape.head):
                    yield _known(shape)

    def propose(self, head: str, base: str, title: str, body: str) -> None:
        """Open a pull request; the forge refuses a second one for the same branches."""
        what = f"open a pull request from {head} to {base} of {self._door.name}"
        said = {"head": head, "base": base, "title": title, "body": body}
        self._door.write(what, "POST", PULLS, said, WRITE_PULLS, ProposedShape)

    def reword(self, number: int, title: str, body: str) -> None:
        """Give a pull request another title and description."""
        what = f"change pull request {number} of {self._door.name}"
        self._door.write(what, "PATCH", f"{PULLS}/{number}", {"title": title, "body": body}, WRITE_PULLS, ProposedShape)

    @property
    def _owner(self) -> str:
        """Whose the repository is now: of a name that it had before the forge tells nothing."""
        return self._door.seen().full_name.partition("/")[0]

    def _here(self, end: End) -> bool:
        """Whether a branch is this repository's, and not a fork's."""
        name = end.repo.full_name.lower() if end.repo is not None else ""
        return name in (self._door.name.lower(), self._door.seen().full_name.lower())


def _known(shape: ProposedShape) -> Proposed:
    """A pull request as we see it. GitHub tells a trial merge of an open one by the name that a merge has: that is none."""
    return Proposed(
        number=shape.number,
        title=shape.title,
        body=shape.body or "",
        open=shape.state == "open",
        head=shape.head.sha,
        merge=(shape.merge_commit_sha or "") if shape.merged_at else "",
        url=shape.html_url,
    )
