"""Update: a component's own files name the version of what it is built on, by a pull request that somebody merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Literal

import msgspec

from release.core import update_proposal
from release.core.finding import Blocked, Conflict, Done, Failed, Finding, Pending, Underway
from release.core.forge import PACE, Proposed
from release.core.model import Commit, DownstreamWish, Release, UpdateWish
from release.core.proposal import applied, digest
from release.core.record import Proof
from release.core.references import Said, edits, looked
from release.core.references.order import version_in
from release.core.update_proposal import Claim, Origin
from release.core.version import Version, names_in
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Ledger, Remote
from release.steps.doors import Doors

HEADS = "refs/heads/"
PLAIN = ("100644", "100755")
ATTEMPTS = 3
MERGES = 20  # so many times somebody may have pressed the button that brings a branch up to date
CLOSED = 100  # so many of the closed ones, newest first, may have been for a version
AGAIN = "run the same command again: it goes on from there"

State = Literal["none", "wanted", "later", "theirs", "stale", "foreign"]
"""What the branch of ours is: not there; as this release writes it; a newer release's; others' work, which names the
version as well; to be replaced; others' work that does not."""


@dataclass(frozen=True)
class Look:
    """What a commit of the component says where the updates look: `files` are their bytes, None for what is no plain file.

    `newer` is a newer version that it names, "" for none; where that stands nothing is to be written.
    """

    files: Mapping[str, bytes | None]
    said: tuple[Said, ...]
    conflicts: tuple[Conflict, ...]
    newer: str = ""

    @property
    def brought(self) -> bool:
        """Whether each place says what is wished, or something newer."""
        return not self.conflicts and all(one.edit is None for one in self.said)


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
    ledger: Ledger
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
        if why := self.remote.refusal(self.remote.tip(self.wish.branch), HEADS + self._branch):
            words = f"{self.wish.name} would not take {self._branch}: {why}"
            found.append(Conflict("push-right", words, "ask for the right to push there"))
        return tuple(found)

    def inspect(self, known: Known) -> Finding[Proof]:
        record = self.ledger.latest(self.release)
        if record is not None and (noted := record.evidence.get(self.name)) is not None:
            return Done(noted, f"{self.release.tag} was named at {noted.commit[:10]}, by the record")
        base, head = self._tips()
        if not base:
            why = f"{self.wish.name} has no branch {self.wish.branch} on {self.remote.name}"
            return Blocked(Conflict("no-branch", why, "mend [[downstream]] branch"))
        there = self._look(base)
        if (named := self._named(there)) is not None:
            return Done(Proof(commit=base), f"{self.wish.branch} names {named} at {base[:10]}")
        if there.conflicts:
            return Blocked(self._told(there.conflicts))
        state = self._state(there, base, head)
        return self._waits(state, head) if self.forge is None else self._offered(known, state, base, head)

    def apply(self, known: Known, say: Say) -> None:
        for _ in range(ATTEMPTS):
            base, head = self._tips()
            there = self._look(base) if base else Look({}, (), ())
            if there.conflicts or not edits(there.said) or self._named(there) is not None:
                return  # somebody was faster, or what is wrong is told by the next look
            if self.forge is not None and (no := self._refused(self.forge)):
                raise Refused(no.why, no.remedy)
            state = self._state(there, base, head)
            if state == "foreign":
                raise Refused(f"somebody committed to {self._branch} meanwhile", AGAIN)
            if state not in ("none", "stale") or self._pushed(there, base, head):
                break
        else:
            raise Refused(f"{self._branch} of {self.wish.name} is moved by others all the time", AGAIN)
        if self.forge is not None and state in ("none", "stale", "wanted", "theirs"):
            self._offer(self.forge, there)

    def _waits(self, state: State, head: str) -> Finding[Proof]:
        """Without a forge: the branch is pushed, and somebody merges it."""
        waits = f"{self._branch} to be merged into {self.wish.branch} of {self.wish.name}"
        if state in ("wanted", "later", "theirs"):
            more = {"later": ", which brings a newer version", "theirs": ", with others' commits in it"}.get(state, "")
            return Underway(f"waits for {waits}{more}")
        if state == "foreign":
            return self._touched(head, None)
        return Pending(f"push {self._branch} with {self.release.tag} to {self.wish.name}")

    def _offered(self, known: Known, state: State, base: str, head: str) -> Finding[Proof]:
        """With a forge: one pull request, which somebody merges or closes."""
        assert self.forge is not None
        pull = self._open(self.forge)
        if pull is None:
            no = self._refused(self.forge)
            if no is None:
                return self._unopened(state, head)
            return no if self._tips()[0] == base else self.inspect(known)  # it was merged between the two looks
        if not update_proposal.marked(pull.body):
            why = f"#{pull.number} ({pull.url}) comes from {self._branch} and carries no mark of ours"
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
            return Underway(f"{self._branch} of {self.wish.name} has a newer version, whose run opens the pull request")
        return Pending(f"open a pull request with {self.release.tag} in {self.wish.name}")

    def _touched(self, head: str, pull: Proposed | None) -> Blocked:
        what = f"#{pull.number} ({pull.url})" if pull else f"the branch {self._branch} of {self.wish.name}"
        why = f"{what} has {head[:10]}, which somebody else committed, and does not name {self.release.tag}"
        remedy = f"take the commits elsewhere and delete the branch {self._branch}, then run the same command again"
        return Blocked(Conflict("proposal-touched", why, remedy))

    def _refused(self, forge: Forge) -> Failed | None:
        """Somebody's no: none is open, and one that was for this version is closed."""
        if self._open(forge) is not None:
            return None
        closed = islice(forge.proposals(self._branch, self.wish.branch, "closed"), CLOSED)
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
        pull = self._open(forge)
        marked = update_proposal.marked(pull.body) if pull is not None else ()
        earlier = update_proposal.replaced(self.origin.rules, self.wish, marked)
        words = self._title, update_proposal.body(self.origin, self.release, self.wish, there.said, earlier)
        if pull is None:
            try:
                forge.propose(self._branch, self.wish.branch, *words)
            except Refused:
                if self._open(forge) is None:
                    raise
        elif not self._says(pull):
            forge.reword(pull.number, *words)

    def _pushed(self, there: Look, base: str, old: str) -> bool:
        """Put the commit on the branch; whether nobody else was faster."""
        release, onto = self.release, digest(there.files)
        draft = self._commit(there, base, update_proposal.message(self.origin.project, release, onto))
        tree = self.remote.tree_of(draft)
        made = self._commit(there, base, update_proposal.message(self.origin.project, release, onto, tree))
        try:
            self.remote.push((HEADS + self._branch, old, made))
        except Refused:
            if self._tips()[1] in (old, made):
                raise
            return False
        return True

    def _commit(self, there: Look, base: str, message: str) -> str:
        return self.remote.commit(base, edits(there.said), message, self.release.author, self.release.date)

    def _state(self, there: Look, base: str, head: str) -> State:
        """What is on the branch of ours."""
        if not head:
            return "none"
        held, claim = self._look(head), self._claim(head)
        if claim is not None:
            version = self._parsed(claim.version)
            if version is not None and version > self._version:
                return "stale" if self._left(base, head) else "later"
            wanted = applied(edits(there.said), {path: text(content) for path, content in there.files.items()})
            same = all(held.files[path] == content for path, content in wanted.items())
            fresh = (claim.version, claim.onto) == (self.release.version, digest(there.files))
            return "wanted" if same and fresh and held.brought else "stale"
        if held.brought:
            return "later" if held.newer else "theirs"
        return "stale" if self._merged(head) or self._brought_up(base, head) else "foreign"

    def _claim(self, head: str) -> Claim | None:
        """What a commit of ours says of itself, None for what anybody else made, or changed."""
        claim = update_proposal.claimed(self._at(head).message)
        return claim if claim is not None and claim.tree == self.remote.tree_of(head) else None

    def _merged(self, head: str) -> bool:
        """Whether others' commits are in the component's branch by now: what is left of ours may be replaced then."""
        if self.forge is not None:
            closed = self.forge.proposals(self._branch, self.wish.branch, "closed")
            if any(one.merge and one.head == head for one in closed):
                return True
        return self.remote.holds(self.wish.branch, head)

    def _brought_up(self, base: str, head: str) -> bool:
        """Whether all that others did to a commit of ours is to merge the component's branch into it, as a forge's button does."""
        self.remote.holds(self._branch, base)  # brings its history
        top = commit = self._at(head)
        for _ in range(MERGES):
            if len(commit.parents) == 2:
                commit = self._at(commit.parents[0])
        if len(top.parents) != 2 or len(commit.parents) != 1 or self._claim(commit.id) is None:
            return False
        onto, paths = top.parents[1], [path for _, path in self.remote.changed(commit.parents[0], commit.id)]
        same = [path for _, path in self.remote.changed(onto, head)] == paths
        alike = self.remote.contents(head, paths) == self.remote.contents(commit.id, paths)
        return same and alike and self.remote.holds(self.wish.branch, onto)

    def _at(self, commit: str) -> Commit:
        return next(self.remote.commits(commit, ()))

    def _left(self, base: str, head: str) -> bool:
        """Whether a commit of ours has had its turn: it is merged. With a forge: none is open, and it was one of the closed ones."""
        if self.forge is None:
            return self.remote.tree_of(base) == self.remote.tree_of(head) or self.remote.holds(self.wish.branch, head)
        if self._open(self.forge) is not None:
            return False
        closed = self.forge.proposals(self._branch, self.wish.branch, "closed")
        return any(one.head == head for one in islice(closed, CLOSED))

    def _look(self, commit: str) -> Look:
        """What a commit says."""
        paths = {wish.path for wish in self.wish.updates}
        modes = self.remote.modes(commit, paths)
        contents = self.remote.contents(commit, [path for path in paths if modes.get(path) in PLAIN])
        files = {path: contents.get(path) for path in paths}
        said, conflicts = looked(self.wish.updates, files)
        newer = [one for one in said if self._newer(one)]
        passed = any(
            not _own(one.wish) for one in newer
        )  # what lines share names a newer one: so it does in all such places
        said = tuple(
            msgspec.structs.replace(one, edit=None) if one in newer or (passed and not _own(one.wish)) else one
            for one in said
        )
        if passed and not any(map(_own, self.wish.updates)):
            conflicts = ()
        return Look(files, said, conflicts, newer[0].says if newer else "")

    def _newer(self, one: Said) -> bool:
        version = version_in(self.origin.rules, one.wish.template, one.says)
        return one.edit is not None and version is not None and version > self._version

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

    def _tips(self) -> tuple[str, str]:
        """The heads of the component's branch and of ours, "" for none, with their objects brought here."""
        names = (HEADS + self.wish.branch, HEADS + self._branch)
        heads = self.remote.refs(*names).heads
        there = {name: heads[name.removeprefix(HEADS)] for name in names if name.removeprefix(HEADS) in heads}
        self.remote.bring(list(there), list(there.values()))
        return there.get(names[0], ""), there.get(names[1], "")

    def _open(self, forge: Forge) -> Proposed | None:
        """The pull request that is open; a forge allows one."""
        return next(forge.proposals(self._branch, self.wish.branch, "open"), None)

    def _says(self, pull: Proposed) -> bool:
        """Whether a pull request tells of this version; a person may have written more into it."""
        return update_proposal.marked(pull.body)[:1] == (self.release.version,) and pull.title == self._title

    def _parsed(self, version: str) -> Version | None:
        return self.origin.rules.parse(version)

    @cached_property
    def _version(self) -> Version:
        version = self._parsed(self.release.version)
        assert version is not None, f"{self.release.version} was made by this scheme"
        return version

    @property
    def _title(self) -> str:
        return update_proposal.title(self.origin.project, self.release)

    @property
    def _branch(self) -> str:
        return update_proposal.branch_for(self.origin.project, self.wish.name, self.wish.branch)


@dataclass(frozen=True, eq=False)
class UpdateFirst(UpdateReferences):
    """What a component's release needs before it: where that one is out, nothing is proposed any more."""

    public = False
    means = True


def _own(wish: UpdateWish) -> bool:
    """Whether each release, or each line, has a place of its own for it."""
    return bool(names_in(wish.place))


def text(content: bytes | None) -> str | None:
    """A file's text, byte order mark and line ends as they are."""
    return content.decode() if content is not None else None


def updating(
    doors: Doors,
    release: Release,
    wish: DownstreamWish,
    upstream: tuple[Step[Any], ...],
    after: tuple[Step[Proof], ...],
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
            doors.elsewhere(wish), forge, doors.ledger, doors.mine(release.start),
        ),
    )  # fmt: skip
