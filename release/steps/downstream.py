"""A downstream: its tag at the head of its branch, proved by looking at its remote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from release.core.finding import Blocked, Conflict, Done, Finding, Pending
from release.core.model import DownstreamWish, Release
from release.core.record import Proof
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Notes, Remote

TOGETHER = "somebody else made it at the same time"


@dataclass(frozen=True, eq=False)
class ReleaseDownstream(Step[Proof]):
    """Its value names the downstream's tag and its commit. A tag made by somebody else counts if it sits on the branch."""

    release: Release
    wish: DownstreamWish
    upstream: tuple[Step[Any], ...]
    after: tuple[Step[Proof], ...]
    remote: Remote
    ledger: Notes

    public = True

    def preflight(self) -> tuple[Conflict, ...]:
        head = self.remote.tip(self.wish.branch)
        if not head:
            why = f"{self.wish.name} has no branch {self.wish.branch} on {self.remote.name}"
            return (Conflict("no-branch", why, "mend [[downstream]] branch"),)
        why = self.remote.refusal(head, self._tag)
        return (
            (
                Conflict(
                    "push-right",
                    f"{self.wish.name} would not take {self.wish.tag}: {why}",
                    "ask for the right to push there",
                ),
            )
            if why
            else ()
        )

    def inspect(self, known: Known) -> Finding[Proof]:
        refs = self.remote.refs(self._tag, f"refs/heads/{self.wish.branch}")
        tagged, head = refs.tags.get(self.wish.tag), refs.heads.get(self.wish.branch)
        if tagged is None:
            return Pending(f"tag {self.wish.tag} at {self.wish.branch}")
        if tagged == head or tagged == self._noted() or self.remote.holds(self.wish.branch, tagged):
            return Done(Proof(tag=self.wish.tag, commit=tagged), f"{self.wish.tag} on {tagged[:10]}")
        return Blocked(misplaced(self.wish, tagged))

    def apply(self, known: Known, say: Say) -> None:
        try:
            head = push_tag(self.remote, self.wish, self.release)
        except Refused:
            if self.wish.tag not in self.remote.refs(self._tag).tags:
                raise
            return say(TOGETHER)
        record = self.ledger.latest(self.release)
        if record is not None:
            self.ledger.note(record, {self.name: Proof(tag=self.wish.tag, commit=head)})

    def _noted(self) -> str:
        record = self.ledger.latest(self.release)
        noted = record.evidence.get(self.name) if record else None
        return noted.commit if noted and noted.tag == self.wish.tag else ""

    @property
    def _tag(self) -> str:
        return f"refs/tags/{self.wish.tag}"


def push_tag(remote: Remote, wish: DownstreamWish, release: Release) -> str:
    """Make a downstream's tag at the head of its branch; the commit that it got."""
    head = remote.tip(wish.branch)
    if not head:
        raise Refused(f"{wish.name} has no branch {wish.branch}", "mend [[downstream]] branch")
    message = f"{wish.tag}\n\nReleased with {release.tag}.\n"
    tag = remote.tag(wish.tag, head, message, release.author, release.date)
    remote.push((f"refs/tags/{wish.tag}", "", tag))
    return head


def misplaced(wish: DownstreamWish, commit: str) -> Conflict:
    """A downstream's tag that sits where no release of it may sit."""
    why = f"{wish.tag} of {wish.name} is on {commit[:10]}, which is not in {wish.branch}"
    remedy = "a tag is never moved: find out who made it; if it is right, merge its commit into the branch"
    return Conflict("tag-elsewhere", why, remedy)
