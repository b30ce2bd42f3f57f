"""A downstream: its tag at the head of its branch, proved by looking at its remote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from release.core.finding import Blocked, Conflict, Done, Finding, Pending
from release.core.model import DownstreamWish, Release
from release.core.record import Proof
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Ledger, Remote


@dataclass(frozen=True, eq=False)
class ReleaseDownstream(Step[str]):
    """Its value is the commit of the downstream's tag. A tag made by somebody else counts if it sits on the branch."""

    release: Release
    wish: DownstreamWish
    upstream: tuple[Step[Any], ...]
    after: tuple[Step[str], ...]
    remote: Remote
    ledger: Ledger

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

    def inspect(self, known: Known) -> Finding[str]:
        refs = self.remote.refs(self._tag, f"refs/heads/{self.wish.branch}")
        tagged, head = refs.tags.get(self.wish.tag), refs.heads.get(self.wish.branch)
        if tagged is None:
            return Pending(f"tag {self.wish.tag} at {self.wish.branch}")
        if tagged == head or tagged == self._noted() or self.remote.holds(self.wish.branch, tagged):
            return Done(tagged, f"{self.wish.tag} on {tagged[:10]}")
        why = f"{self.wish.tag} of {self.wish.name} is on {tagged[:10]}, which is not in {self.wish.branch}"
        return Blocked(
            Conflict(
                "tag-elsewhere",
                why,
                "a tag is never moved: find out who made it; if it is right, merge its commit into the branch",
            )
        )

    def apply(self, known: Known, say: Say) -> None:
        head = self.remote.tip(self.wish.branch)
        if not head:
            raise Refused(f"{self.wish.name} has no branch {self.wish.branch}", "mend [[downstream]] branch")
        message = f"{self.wish.tag}\n\nReleased with {self.release.tag}.\n"
        tag = self.remote.tag(self.wish.tag, head, message, self.release.author, self.release.date)
        self.remote.push((self._tag, "", tag))
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
