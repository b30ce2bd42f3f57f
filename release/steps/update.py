"""Update: a component's own files name the version of what it is built on, by a pull request that somebody merges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import msgspec

from release.core import update_proposal
from release.core.finding import Blocked, Conflict, Done, Failed, Finding, Pending, Underway
from release.core.forge import PACE, Proposed
from release.core.model import DownstreamWish, Release
from release.core.proposal import digest
from release.core.record import Proof
from release.core.references import edits
from release.core.update_proposal import Origin
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Notes, Remote
from release.steps.doors import Doors
from release.steps.update_branch import CLOSED, HEADS, Look, OurBranch, State

ATTEMPTS = 3
AGAIN = "run the same command again: it goes on from there"


@dataclass(frozen=True, eq=False)
class UpdateReferences(Step[Proof]):
    """Its value is the head of the component's branch that names the version. A newer one that is named there counts: an
    older release never takes it back.

    The branch with the commit is a workspace: what is ours there is replaced when something else is to be written; what
    anybody else committed is not. A pull request that was closed without a merge is a no to its version. `forge` is None
    with plain git: then somebody merges the branch. `mine` is false where the tag's own run proposes it.
    """

    release: Release
    wish: DownstreamWish
    upstream: tuple[Step[Any], ...]
    after: tuple[Step[Proof], ...]
    origin: Origin
    remote: Remote
    forge: Forge | None
    ledger: Notes
    mine: bool

    public = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.wish.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        if not self.mine:
            return ()
        found = []
        if self.forge is not None and (why := self.forge.lacks("push") or self.forge.lacks("propose")):
            remedy = "give the token the rights to write contents and pull requests there"
            found.append(Conflict("forge-right", f"{self.name}: {why}", remedy))
        if why := self.remote.refusal(self.remote.tip(self.wish.branch), HEADS + self._ours.name):
            words = f"{self.wish.name} would not take {self._ours.name}: {why}"
            found.append(Conflict("push-right", words, "ask for the right to push there"))
        return tuple(found)

    def inspect(self, known: Known) -> Finding[Proof]:
        record = self.ledger.latest(self.release)
        if record is not None and (noted := record.evidence.get(self.name)) is not None:
            return Done(noted, f"{self.release.tag} was named at {noted.commit[:10]}, by the record")
        base, head = self._ours.tips()
        if not base:
            why = f"{self.wish.name} has no branch {self.wish.branch} on {self.remote.name}"
            return Blocked(Conflict("no-branch", why, "mend [[downstream]] branch"))
        there = self._ours.look(base)
        if (named := self._named(there)) is not None:
            return Done(Proof(commit=base), f"{self.wish.branch} names {named} at {base[:10]}")
        if there.conflicts:
            return Blocked(self._told(there.conflicts))
        state = self._ours.state(there, base, head)
        return self._waits(state, head) if self.forge is None else self._offered(known, state, base, head)

    def apply(self, known: Known, say: Say) -> None:
        for _ in range(ATTEMPTS):
            base, head = self._ours.tips()
            there = self._ours.look(base) if base else Look({}, (), ())
            if there.conflicts or not edits(there.said) or self._named(there) is not None:
                return  # somebody was faster, or what is wrong is told by the next look
            if self.forge is not None and (no := self._refused(self.forge)):
                raise Refused(no.why, no.remedy)
            state = self._ours.state(there, base, head)
            if state == "foreign":
                raise Refused(f"somebody committed to {self._ours.name} meanwhile", AGAIN)
            if state not in ("none", "stale") or self._pushed(there, base, head):
                break
        else:
            raise Refused(f"{self._ours.name} of {self.wish.name} is moved by others all the time", AGAIN)
        if self.forge is not None and state in ("none", "stale", "wanted", "theirs"):
            self._offer(self.forge, there)

    def _waits(self, state: State, head: str) -> Finding[Proof]:
        """Without a forge: the branch is pushed, and somebody merges it."""
        waits = f"{self._ours.name} to be merged into {self.wish.branch} of {self.wish.name}"
        if state in ("wanted", "later", "theirs"):
            more = {"later": ", which brings a newer version", "theirs": ", with others' commits in it"}.get(state, "")
            return Underway(f"waits for {waits}{more}")
        if state == "foreign":
            return self._touched(head, None)
        return Pending(f"push {self._ours.name} with {self.release.tag} to {self.wish.name}")

    def _offered(self, known: Known, state: State, base: str, head: str) -> Finding[Proof]:
        """With a forge: one pull request, which somebody merges or closes."""
        assert self.forge is not None
        pull = self._ours.open(self.forge)
        if pull is None:
            no = self._refused(self.forge)
            if no is None:
                return self._unopened(state, head)
            return no if self._ours.tips()[0] == base else self.inspect(known)  # it was merged between the two looks
        if not update_proposal.marked(pull.body):
            why = f"#{pull.number} ({pull.url}) comes from {self._ours.name} and carries no mark of ours"
            return Blocked(Conflict("proposal-foreign", why, "close it, or merge it, then run the same command again"))
        if state == "later" or (state in ("wanted", "theirs") and self._says(pull)):
            more = {"later": ", which brings a newer version", "theirs": ", with others' commits in it"}.get(state, "")
            return Underway(f"waits for the merge of #{pull.number} {pull.url}{more}")
        if state == "foreign":
            return self._touched(head, pull)
        return Pending(f"update #{pull.number} of {self.wish.name} to {self.release.tag}")

    def _unopened(self, state: State, head: str) -> Finding[Proof]:
        if state == "foreign":
            return self._touched(head, None)
        if state == "later":
            return Underway(
                f"{self._ours.name} of {self.wish.name} has a newer version, whose run opens the pull request"
            )
        return Pending(f"open a pull request with {self.release.tag} in {self.wish.name}")

    def _touched(self, head: str, pull: Proposed | None) -> Blocked:
        what = f"#{pull.number} ({pull.url})" if pull else f"the branch {self._ours.name} of {self.wish.name}"
        why = f"{what} has {head[:10]}, which somebody else committed, and does not name {self.release.tag}"
        remedy = f"take the commits elsewhere and delete the branch {self._ours.name}, then run the same command again"
        return Blocked(Conflict("proposal-touched", why, remedy))

    def _refused(self, forge: Forge) -> Failed | None:
        """Somebody's no: none is open, and one that was for this version is closed."""
        if self._ours.open(forge) is not None:
            return None
        closed = islice(forge.proposals(self._ours.name, self.wish.branch, "closed"), CLOSED)
        version = self.release.version
        found = next((one for one in closed if version in update_proposal.marked(one.body)), None)
        if found is None:
            return None
        place, tag = f"#{found.number} of {self.wish.name} ({found.url})", self.release.tag
        by_hand = f"name {tag} in {self.wish.branch} by hand"
        if found.merge:
            why = f"{place} was merged, and {self.wish.branch} does not name {tag}: it was taken back, or changed"
            return Failed(why, f"{by_hand}, or leave it to the next release")
        remedy = f"reopen it and merge it, {by_hand}, or leave it to the next release"
        return Failed(f"{place}, which was for {tag}, was closed without a merge", remedy)

    def _offer(self, forge: Forge, there: Look) -> None:
        """Open the pull request, or have it say what it brings now. If another captain was faster, that is as good."""
        pull = self._ours.open(forge)
        marked = update_proposal.marked(pull.body) if pull is not None else ()
        earlier = update_proposal.replaced(self.origin.rules, self.wish, marked)
        words = self._title, update_proposal.body(self.origin, self.release, self.wish, there.said, earlier)
        if pull is None:
            try:
                forge.propose(self._ours.name, self.wish.branch, *words)
            except Refused:
                if self._ours.open(forge) is None:
                    raise
        elif not self._says(pull):
            forge.reword(pull.number, *words)

    def _pushed(self, there: Look, base: str, old: str) -> bool:
        """Put the commit on the branch; whether it is there. Another captain of this release makes the very same one."""
        release, onto = self.release, digest(there.files)
        draft = self._commit(there, base, update_proposal.message(self.origin.project, release, onto))
        tree = self.remote.tree_of(draft)
        made = self._commit(there, base, update_proposal.message(self.origin.project, release, onto, tree))
        try:
            self.remote.push((HEADS + self._ours.name, old, made))
        except Refused:
            now = self._ours.tips()[1]
            if now == old:
                raise
            return now == made
        return True

    def _commit(self, there: Look, base: str, message: str) -> str:
        return self.remote.commit(base, edits(there.said), message, self.release.author, self.release.date)

    def _named(self, there: Look) -> str | None:
        """The version that a commit names, if it is this one, or a newer one; else None."""
        if not there.brought:
            return None
        return f"{there.newer}, which is newer," if there.newer else self.release.tag

    def _told(self, conflicts: Sequence[Conflict]) -> Conflict:
        """All of them as one: a step is blocked once."""
        why = "; ".join(conflict.why for conflict in conflicts)
        remedy = ", or ".join(dict.fromkeys(conflict.remedy for conflict in conflicts))
        where = f"{self.wish.branch} of {self.wish.name}"
        return msgspec.structs.replace(conflicts[0], why=f"{where}: {why}", remedy=remedy)

    def _says(self, pull: Proposed) -> bool:
        """Whether a pull request tells of this version; a person may have written more into it."""
        return update_proposal.marked(pull.body)[:1] == (self.release.version,) and pull.title == self._title

    @cached_property
    def _ours(self) -> OurBranch:
        return OurBranch(self.release, self.wish, self.origin, self.remote, self.forge)

    @property
    def _title(self) -> str:
        return update_proposal.title(self.origin.project, self.release)


@dataclass(frozen=True, eq=False)
class UpdateFirst(UpdateReferences):
    """What a component's release needs before it: where that one is out, nothing is proposed any more."""

    public = False
    means = True


def updating(
    doors: Doors,
    release: Release,
    wish: DownstreamWish,
    upstream: tuple[Step[Any], ...],
    after: tuple[Step[Proof], ...],
    ledger: Notes,
) -> tuple[UpdateReferences, ...]:
    """The step that has a component name the version, where it is to: before its release, or instead of one."""
    if not wish.updates:
        return ()
    assert doors.rules is not None, "who updates references knows how the upstream writes its versions"
    alone = wish.trigger == "none"
    link = update_proposal.link_of(doors.source, release.tag) if doors.forge is not None else ""
    step, name = (UpdateReferences, f"downstream {wish.name}") if alone else (UpdateFirst, f"update {wish.name}")
    forge = doors.forge_of(wish) if doors.forge_of is not None else None
    return (
        step(
            name, release, wish, upstream, after, Origin(doors.project, link, doors.rules),
            doors.elsewhere(wish), forge, ledger, doors.mine(release.start),
        ),
    )  # fmt: skip
