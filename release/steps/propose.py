"""Propose: where a branch takes no push, a pull request brings what the release writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from release.core import proposal
from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway
from release.core.forge import PACE, Proposed
from release.core.model import Commit, Release
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Remote

HEADS = "refs/heads/"
MERGES = 20  # so many times somebody may have pressed the button that brings a branch up to date
MOVED = "branch-moved"
AGAIN = "run the same command again: it goes on from there"


@dataclass(frozen=True, eq=False)
class Propose(Step[str]):
    """Its value is what the merge brought to the branch; the release of that is another path, designed anew.

    The branch of the pull request is a workspace: a commit of ours there is replaced when what is to be released differs.
    What anybody else committed there is not. Nothing is recorded, as nothing has begun.
    """

    release: Release
    remote: Remote
    forge: Forge

    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        found = []
        if why := self.remote.refusal(self.release.base, HEADS + self._branch):
            words = f"{self.remote.name} would not take {self._branch}: {why}"
            found.append(Conflict("push-right", words, "ask for the right to push it"))
        if why := self.forge.lacks("push") or self.forge.lacks("propose"):
            found.append(Conflict("forge-right", why, "give the token the rights to write contents and pull requests"))
        return tuple(found)

    def inspect(self, known: Known) -> Finding[str]:
        pull = self._open()
        if pull is None and (merged := self._merged()):
            return Done(merged.merge, f"#{merged.number} is merged as {merged.merge[:10]}")
        if pull is not None and proposal.marked(pull.body) is None:
            why = f"#{pull.number} ({pull.url}) comes from {self._branch} and carries no mark of ours"
            return Blocked(Conflict("proposal-foreign", why, "close it, or merge it, then run the same command again"))
        base, head = self._tips()
        if base != self.release.base:
            why = f"{self.release.branch} moved from {self.release.base[:10]} to {(base or 'nothing')[:10]}"
            return Blocked(Conflict(MOVED, why, "run the same command again: it designs the release anew"))
        if head and not self._replaceable(head):
            return self._touched(pull, head)
        return self._found(pull, head)

    def apply(self, known: Known, say: Say) -> None:
        _, head = self._tips()
        if head and not self._replaceable(head):
            raise Refused(f"somebody committed to {self._branch} meanwhile", AGAIN)
        if not self._as_wanted(head):
            self._push(head)
        pull, words = self._open(), (proposal.title(self.release), proposal.body(self.release))
        if pull is None:
            self.forge.propose(self._branch, self.release.branch, *words)
        elif (pull.title, pull.body) != words:
            self.forge.reword(pull.number, *words)

    def _found(self, pull: Proposed | None, head: str) -> Finding[str]:
        """What is to be done where nobody else's work is in the way."""
        tag = self.release.tag
        if pull is None:
            closed = next(self.forge.proposals(self._branch, self.release.branch, "closed"), None)
            again = f": #{closed.number} was closed without a merge" if closed and not closed.merge else ""
            return Pending(f"open a pull request with {tag}{again}")
        if self._as_wanted(head) and self._says(pull):
            return Underway(f"waits for the merge of #{pull.number} {pull.url}")
        return Pending(f"update #{pull.number} to {tag} at {self.release.base[:10]}")

    def _touched(self, pull: Proposed | None, head: str) -> Finding[str]:
        """Others' commits wait with ours as long as ours are what they were; they are never thrown away."""
        if pull is not None and self._says(pull):
            return Underway(f"waits for the merge of #{pull.number} {pull.url}, which has others' commits, too")
        what = f"#{pull.number} ({pull.url})" if pull else f"the branch {self._branch}"
        why = (
            f"{what} has {head[:10]}, which somebody else committed, and does not propose {self.release.tag} at "
            f"{self.release.base[:10]}"
        )
        remedy = f"take the commits elsewhere and delete the branch {self._branch}, then run the same command again"
        return Blocked(Conflict("proposal-touched", why, remedy))

    def _push(self, old: str) -> None:
        """Put the release commit on the branch; if another captain was faster with the same, that is as good."""
        release = self.release
        message = proposal.message(release, proposal.digest(self._content))
        made = self.remote.commit(release.base, release.edits, message, release.author, release.date)
        try:
            self.remote.push((HEADS + self._branch, old, made))
        except Refused:
            if not self._as_wanted(self._tips()[1]):
                raise

    def _tips(self) -> tuple[str, str]:
        """The heads of the base branch and of ours, "" for none, with their objects brought here."""
        names = (HEADS + self.release.branch, HEADS + self._branch)
        heads = self.remote.refs(*names).heads
        there = {name: heads[name.removeprefix(HEADS)] for name in names if name.removeprefix(HEADS) in heads}
        self.remote.bring(list(there), list(there.values()))
        return there.get(names[0], ""), there.get(names[1], "")

    def _open(self) -> Proposed | None:
        """The pull request that is open; the forge allows one."""
        return next(self.forge.proposals(self._branch, self.release.branch, "open"), None)

    def _merged(self) -> Proposed | None:
        """The pull request, if it was merged since the release was designed: whatever it proposed, it comes first."""
        newest = next(self.forge.proposals(self._branch, self.release.branch, "closed"), None)
        if newest is None or not newest.merge or proposal.marked(newest.body) is None:
            return None
        return None if self.remote.ancestor(newest.merge, self.release.base) else newest

    def _marks(self, pull: Proposed) -> bool:
        """Whether a pull request is for this very version and commit."""
        mark = proposal.marked(pull.body)
        return mark is not None and (mark.version, mark.base) == (self.release.version, self.release.base)

    def _says(self, pull: Proposed) -> bool:
        """Whether a pull request tells what it is to tell; a person may have written more into it."""
        return self._marks(pull) and pull.title == proposal.title(self.release)

    def _replaceable(self, head: str) -> bool:
        """Whether nothing is lost with a commit: it is ours as we wrote it, or it is in the branch, or it was merged."""
        if self.remote.ancestor(head, self.release.base) or self._ours(head):
            return True
        return any(one.merge and one.head == head for one in self._closed())

    def _closed(self) -> tuple[Proposed, ...]:
        """The newest of those that were closed: what is left on the branch was one of them."""
        return tuple(islice(self.forge.proposals(self._branch, self.release.branch, "closed"), 5))

    def _ours(self, head: str) -> bool:
        """Whether a commit differs from the base branch by the very files that we wrote: ours, or one that the forge's
        button made, which merges the base branch into it.
        """
        commit = first = self._commit(head)
        for _ in range(MERGES):
            if len(first.parents) != 2:
                break
            first = self._commit(first.parents[0])
        claimed, onto = proposal.claimed(first.message), commit.parents[-1:]
        if not claimed or not onto or not self.remote.ancestor(onto[0], self.release.base):
            return False
        paths = [path for _, path in self.remote.changed(onto[0], head)]
        return proposal.digest(self.remote.contents(head, paths)) == claimed

    def _as_wanted(self, head: str) -> bool:
        """Whether the branch is what this release writes, on its very base."""
        if not head or not self._ours(head):
            return False
        commit = self._commit(head)
        wanted = proposal.message(self.release, proposal.digest(self._content)).strip()
        return commit.parents == (self.release.base,) and commit.message.strip() == wanted

    def _commit(self, head: str) -> Commit:
        return next(self.remote.commits(head, ()))

    @cached_property
    def _content(self) -> Mapping[str, bytes | None]:
        """What the files become that the release writes."""
        edits = self.release.edits
        return proposal.applied(edits, self.remote.files(self.release.base, {edit.path for edit in edits}))

    @property
    def _branch(self) -> str:
        return proposal.branch_for(self.release.branch)
