"""How a downstream on a forge is set going, and which run of its workflow that started."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import uuid4

import msgspec

from release.core.finding import Blocked, Conflict, Underway
from release.core.forge import Entry, Run, passed
from release.core.model import DownstreamWish, Release
from release.core.record import Proof, Record
from release.engine.step import Say
from release.errors import Refused, ReleaseError, Uncertain
from release.ports import Claims, Forge, Remote, Rival
from release.steps.downstream import TOGETHER, push_tag

LOOKS = 10  # at a claim of the other side that is not sent yet: it takes that one a few requests
VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Trigger(ABC):
    """What sets one downstream going. `upstream` is the name of the project that it follows."""

    release: Release
    wish: DownstreamWish
    upstream: str
    forge: Forge

    rights: ClassVar[tuple[str, ...]] = ("push",)
    again: ClassVar[bool] = False  # whether it may be pulled once more where nothing came of it
    itself: ClassVar[bool] = False  # whether the component knows best what its own release still lacks
    sends: ClassVar[bool] = True  # whether anything at all is done to the component

    def preflight(self) -> tuple[Conflict, ...]:
        """What would refuse it, beside the rights."""
        return ()

    @abstractmethod
    def pending(self, record: Record | None) -> str:
        """What is still to be done to set it going, "" if that was done."""

    def holds(self) -> Underway | Blocked | None:
        """Why it is not for us to pull it now."""
        return None

    def left(self) -> str:
        """What the component itself has still to do though its release can be seen, "" for nothing."""
        return ""

    @abstractmethod
    def pull(self, record: Record | None, say: Say) -> None:
        """Set it going."""

    def run(self, record: Record | None) -> Run | None:
        """The run that belongs to this trigger."""
        return newest(self.forge.runs(self.wish.workflow, branch=self.wish.tag))

    def since(self, record: Record | None) -> str:
        """When it was set going by the forge's clock, "" where only the forge's release tells."""
        return ""


class ByRelease(Trigger):
    """A release in the downstream, made at once: create-only, so that no two of them can come of it."""

    def pending(self, record: Record | None) -> str:
        return f"release {self.wish.tag} at {self.wish.branch} of {self.forge.name}"

    def pull(self, record: Record | None, say: Say) -> None:
        head = self.forge.head(self.wish.branch)
        if not head:
            raise Refused(f"{self.forge.name} has no branch {self.wish.branch}", "mend [[downstream]] branch")
        text = f"Released with {self.upstream} {self.release.tag}.\n"
        candidate = self.release.kind == "candidate"
        try:
            self.forge.create(Entry(self.wish.tag, head, self.wish.tag, text, candidate))
        except Refused:
            if self.forge.published(self.wish.tag) is None:
                raise
            say(TOGETHER)


@dataclass(frozen=True)
class ByTag(Trigger):
    """A tag at the head of the downstream's branch; its workflow makes the release."""

    remote: Remote

    def pending(self, record: Record | None) -> str:
        there = self.forge.tagged(self.wish.tag)
        return "" if there else f"tag {self.wish.tag} at {self.wish.branch} of {self.forge.name}"

    def pull(self, record: Record | None, say: Say) -> None:
        try:
            push_tag(self.remote, self.wish, self.release)
        except Refused:
            if not self.forge.tagged(self.wish.tag):
                raise
            say(TOGETHER)


@dataclass(frozen=True)
class ByDispatch(Trigger):
    """A dispatch. No receiver can tell two of them apart, so it is claimed first, and only one run sends it.

    The upstream's captains claim it in the upstream's record, the component's own schedule in the component's repository.
    Each side writes its own claim, and then looks at the other's: of two that do so at the same time at least one sees the
    other. The schedule then gives way (`yields`). A captain waits a few looks until it has sent it, or has given way.
    """

    claims: Claims
    rival: Rival
    yields: bool = False

    again = True

    @property
    def rights(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("dispatch",) if self.wish.trigger == "workflow_dispatch" else ("push",)

    def pending(self, record: Record | None) -> str:
        what = self.wish.workflow if self.wish.trigger == "workflow_dispatch" else f"the event {self.wish.event}"
        return "" if self.since(record) else f"dispatch {what} in {self.forge.name}"

    def pull(self, record: Record | None, say: Say) -> None:
        if record is None:
            why = f"a dispatch has to be claimed first, and {self.release.tag} has no record to claim it in"
            raise Refused(why, f"start it by hand, or release it: invoke release --version {self.release.tag}")
        old = record.evidence.get(self._key)
        claim = Proof(at=self.forge.now(), attempt=(old.attempt if old else 0) + 1, node=uuid4().hex)
        if not self.claims.claim(record, self._key, claim, over=old):
            say("another run sends it")
            return
        try:
            theirs = self._theirs(claim)
            number = self._send() if theirs is None else 0
        except Uncertain:
            raise
        except ReleaseError as error:  # it is certainly not sent
            self.claims.claim(record, self._key, Proof(attempt=claim.attempt), over=claim)
            raise Refused(error.message, error.remedy, after=error.after) from error
        if theirs is not None:
            say(f"{'the upstream' if self.yields else 'the fleet.sync of ' + self.wish.name} sends it")
        if number or theirs is not None or self.yields:
            self.claims.claim(record, self._key, self._outcome(claim, theirs, number), over=claim)

    def _theirs(self, ours: Proof) -> Proof | None:
        """The other side's claim, where that counts; ours is seen by them."""
        for _ in range(1 if self.yields else LOOKS):
            theirs = self.rival.claimed(self.release, self._key)
            if theirs is None or not theirs.at or theirs.node == ours.node or self._spent(theirs):
                return None
            if theirs.tag:  # it is sent
                break
        return theirs

    def _spent(self, theirs: Proof) -> bool:
        """Whether nothing comes of a claim any more: no run of it shows, or one that is green and made nothing."""
        run = self._run_of(theirs) if self.wish.workflow else None
        if run is not None:
            return run.green and self.forge.published(self.wish.tag) is None
        return passed(theirs.at, self.forge.now()) >= (
            self.wish.starts_within if self.wish.workflow else self.wish.deadline
        )

    def _outcome(self, claim: Proof, theirs: Proof | None, number: int) -> Proof:
        """What our claim says in the end: that it is sent, that we gave way, or that we follow what the other side sends."""
        if theirs is None:
            return msgspec.structs.replace(claim, id=number, tag=self.wish.tag)
        return Proof(attempt=claim.attempt) if self.yields else msgspec.structs.replace(theirs, attempt=claim.attempt)

    def run(self, record: Record | None) -> Run | None:
        return self._run_of(self._claim(record))

    def _run_of(self, claim: Proof | None) -> Run | None:
        own = self.forge.run(claim.id) if claim is not None and claim.id else None
        if own is not None and (own.green or not own.ended):
            return own
        since = claim.at if claim is not None else ""
        found = self.forge.runs(self.wish.workflow, event=self.wish.trigger, since=since) if self.wish.workflow else ()
        told = [run for run in found if names(run.title, self.wish.tag)]
        if told or own is not None or not since or (claim is not None and claim.id):
            # A red one is run again with the workflow of its day; another one may have been started.
            return newest(told) or own
        unnamed = [run for run in found if not VERSION.search(run.title)]  # another release's is not ours
        return unnamed[-1] if unnamed else None  # the first that came after the claim

    def since(self, record: Record | None) -> str:
        claim = self._claim(record)
        return claim.at if claim is not None else ""

    def _claim(self, record: Record | None) -> Proof | None:
        """Our own claim, or the one that we gave way to."""
        own = record.evidence.get(self._key) if record is not None else None
        if self.yields and (own is None or not own.at):
            return self.rival.claimed(self.release, self._key)
        return own

    def _send(self) -> int:
        if self.wish.trigger == "workflow_dispatch":
            return self.forge.start(self.wish.workflow, self.wish.branch, self.wish.inputs)
        self.forge.signal(self.wish.event, self.wish.inputs)
        return 0

    @property
    def _key(self) -> str:
        return f"dispatch {self.wish.name}"


def newest(runs: Sequence[Run]) -> Run | None:
    """The first of a list that begins with the newest."""
    return runs[0] if runs else None


def names(title: str, tag: str) -> bool:
    """Whether a run's title names a tag, and not only one that begins or ends alike."""
    return bool(re.search(rf"(?<![\w.+-]){re.escape(tag)}(?![\w+-]|\.\w)", title))
