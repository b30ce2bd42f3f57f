"""Land: one atomic push of branch and tag. From here on the version is public."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from release.core.finding import Blocked, Conflict, Done, Finding, Pending, compare
from release.core.model import Release
from release.core.record import Proof
from release.engine.step import Known, Say, Step
from release.ports import Ledger, Remote
from release.steps.begin import Begin

AGAIN = "run the same command again: it designs the release anew"


@dataclass(frozen=True, eq=False)
class Land(Step[str]):
    """Its value is the commit the tag points at. Equal tags are tags with the same peeled commit.

    `ready` is what has to be there before anything is public: builds, and on a forge the draft with all its assets.
    """

    release: Release
    begin: Begin
    ready: tuple[Step[Any], ...]
    remote: Remote
    ledger: Ledger

    public = True

    def preflight(self) -> tuple[Conflict, ...]:
        found = []
        for ref in (self._tag, self._branch) if self.release.mode == "push" else (self._tag,):
            if why := self.remote.refusal(self.release.base, ref):
                found.append(
                    Conflict(
                        "push-right", f"{self.remote.name} would not take {ref}: {why}", "ask for the right to push it"
                    )
                )
        if why := self._starts_nothing():
            found.append(Conflict("no-workflow", why, "mend [release] workflow, or commit that file first"))
        return tuple(found)

    def _starts_nothing(self) -> str:
        """Why a tag that is to start a workflow would start none, "" if it would."""
        path = f".github/workflows/{self.release.workflow}"
        if self.release.forge == "none" or self.release.start != "tag":
            return ""
        there = self.remote.file(self.release.base, path)
        return (
            "" if there is not None else f"{self.release.base[:10]} has no {path}, and a tag there would start nothing"
        )

    def inspect(self, known: Known) -> Finding[str]:
        begun = known.get(self.begin)
        refs = self.remote.refs(self._tag, self._branch)
        tagged, branch = refs.tags.get(self.release.tag), refs.heads.get(self.release.branch)
        commit = begun.state.commit if begun else self.release.base if self.release.mode == "none" else ""
        elsewhere = Conflict(
            "tag-elsewhere", f"tag {self.release.tag} exists on {(tagged or '')[:10]}, not on {commit[:10] or 'our commit'}",
            "somebody else made it: give this release up (invoke release.abandon) and take the next version",
        )  # fmt: skip
        finding = compare(tagged, before=None, after=commit, pending=f"push {self._what(commit)}", foreign=elsewhere)
        if isinstance(finding, Done) and not self._landed(branch, commit):
            finding = Pending(f"push {self.release.branch}, which {self.release.tag} came without")
        if isinstance(finding, Pending) and self.release.mode == "push" and branch not in (self.release.base, commit):
            why = f"{self.release.branch} moved from {self.release.base[:10]} to {(branch or 'nothing')[:10]}"
            remedy = f"{self.release.tag} is public: merge {commit[:10]} into it" if tagged else AGAIN
            return Blocked(Conflict("branch-moved", why, remedy))
        return Done(commit, f"{self.release.tag} on {commit[:10]}") if isinstance(finding, Done) else finding

    def apply(self, known: Known, say: Say) -> None:
        release, commit = self.release, known[self.begin].state.commit
        message = f"{release.tag}\n\n{release.notes}".strip() + "\n"
        refs = self.remote.refs(self._tag, self._branch)
        moves = []
        if release.mode == "push" and refs.heads.get(release.branch) != commit:
            moves.append((self._branch, release.base, commit))
        if release.tag not in refs.tags:
            tag = self.remote.tag(release.tag, commit, message, release.author, release.date)
            moves.append((self._tag, "", tag))
        # The record moves in the same push: a release that was given up cannot become public, nor the other way round.
        self.ledger.attested(
            known[self.begin], {self.name: Proof(commit=commit)}, lambda record: self.remote.push(*moves, record)
        )

    def _landed(self, branch: str | None, commit: str) -> bool:
        """Whether the branch came along with the tag: a forge makes the tag alone where somebody publishes a draft by hand."""
        if self.release.mode != "push" or branch == commit:
            return True
        record = self.ledger.latest(self.release)
        noted = record is not None and self.name in record.evidence
        return noted or self.remote.holds(self.release.branch, commit)

    def _what(self, commit: str) -> str:
        branch = f"{self.release.branch} and " if self.release.mode == "push" else ""
        return f"{branch}{self.release.tag} at {commit[:10] or 'the release commit'}"

    @property
    def _tag(self) -> str:
        return f"refs/tags/{self.release.tag}"

    @property
    def _branch(self) -> str:
        return f"refs/heads/{self.release.branch}"
