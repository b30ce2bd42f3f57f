"""Publish: the draft becomes the release that everybody sees. From here on it is a fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from release.core.finding import Blocked, Done, Finding, Pending, Underway
from release.core.forge import PACE
from release.core.model import Release
from release.core.publication import entry, ours
from release.core.record import DRAFT, RELEASE, Proof
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Ledger
from release.steps.assets import UploadArtifact, UploadDocument, sha256_of
from release.steps.begin import Begin
from release.steps.draft import Draft, foreign
from release.steps.land import Land


@dataclass(frozen=True, eq=False)
class PublishRelease(Step[int]):
    """Its value is the id of the release that is out for the tag, and it is that of our draft.

    `before` is what is out elsewhere by then: whoever sees the release finds its images.
    """

    release: Release
    begin: Begin
    land: Land
    draft: Draft
    artifacts: tuple[UploadArtifact, ...]
    documents: tuple[UploadDocument, ...]
    before: tuple[Step[Any], ...]
    forge: Forge
    ledger: Ledger

    public = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def inspect(self, known: Known) -> Finding[int]:
        out = self.forge.published(self.release.tag)
        if out is None:
            waits = Underway(f"the run of {self.release.tag} publishes it")
            return Pending(f"publish {self.release.tag} on {self.forge.name}") if self.draft.mine else waits
        record = self.ledger.latest(self.release)
        noted = record.evidence.get(DRAFT) if record is not None else None
        if record is not None and out.id != (noted.id if noted else 0) and not (noted is None and ours(out, out.tag)):
            return Blocked(foreign(out))
        return Done(out.id, out.url or f"release {out.id}")

    def apply(self, known: Known, say: Say) -> None:
        draft, record = known[self.draft], known[self.begin]
        now = self.forge.release(draft.id)
        if now is None or not now.draft or now.tag != self.release.tag:
            is_now = "gone" if now is None else f"{'a draft of' if now.draft else 'published as'} {now.tag}"
            raise Refused(f"draft {draft.id} of {self.release.tag} is {is_now} by now", "run the same command again")
        self._compare(known)
        self._drop_others(draft.id)
        self.forge.publish(draft.id, entry(self.release, record.state.commit))
        out = self.forge.published(self.release.tag)
        if out is not None and out.id == draft.id:
            self.ledger.note(record, {RELEASE: Proof(id=out.id, commit=record.state.commit)})

    def _compare(self, known: Known) -> None:
        """The exact list, a last time: what is published can never be mended."""
        draft = known[self.draft]
        wanted = {one.file: known[one].sha256 for one in self.artifacts}
        wanted |= {one.file: known[one] for one in self.documents}
        there = {asset.name: asset for asset in self.forge.assets(draft.id)}
        if extra := sorted(there.keys() - wanted.keys()):
            raise Refused(
                f"the draft of {self.release.tag} holds {', '.join(extra)}, which is no part of it",
                "delete that in the draft, then run the same command again",
            )
        differing = [
            name for name, sha256 in wanted.items()
            if name not in there or not there[name].complete or sha256_of(self.forge, there[name]) != sha256
        ]  # fmt: skip
        if differing:
            raise Refused(
                f"{', '.join(sorted(differing))} in the draft of {self.release.tag} changed while it was looked at",
                "run the same command again",
            )

    def _drop_others(self, kept: int) -> None:
        """Drafts of ours that a run made and another one did not take: empty workspaces."""
        for other in self.forge.releases():
            if other.draft and other.id != kept and ours(other, self.release.tag):
                self.forge.drop(other.id)
