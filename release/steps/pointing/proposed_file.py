"""Key in a file, by a pull request: where a repository wants somebody's eye on what its users follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal

from release.core import pointer_proposal
from release.core.finding import Conflict
from release.core.forge import Proposed
from release.core.model import Person, Splice
from release.core.promotion import PointWish
from release.core.proposal import digest
from release.errors import Refused
from release.ports import Forge, Remote
from release.steps.pointing.moved import AGAIN, elsewhere
from release.steps.pointing.place import HEADS, Place

ATTEMPTS = 3
CLOSED = 100  # so many of the closed ones, newest first, may have been for a move

State = Literal["none", "wanted", "theirs", "stale", "foreign"]
"""What the branch of ours is: not there; as this move writes it; others' work, which says the value as well; to be
replaced; others' work that does not."""


@dataclass(frozen=True)
class ProposedFile:
    """Its value is the scalar at the key, at the head of the branch; somebody's merge moves it.

    The branch with the commit is a workspace: what is ours there is replaced when another move is to be asked for, or the
    file has changed; what anybody else committed is not. A pull request that was closed without a merge is a no to its move.
    """

    wish: PointWish
    project: str
    remote: Remote
    forge: Forge
    person: Person
    now: Callable[[], str]

    @property
    def name(self) -> str:
        return self.wish.name

    def reads(self) -> str:
        return self._place.says()

    def wanted(self) -> str | Conflict:
        return self.wish.value

    def waits(self, old: str, new: str) -> str:
        pull = self._open()
        if pull is None or not self._says(pull, old, new):
            return ""
        base, head = self._tips()
        state = self._state(base, head, old, new) if base else "none"
        more = {"theirs": ", with others' commits in it", "wanted": ""}.get(state)
        return "" if more is None else f"the merge of #{pull.number} {pull.url}{more}"

    def lacking(self) -> tuple[Conflict, ...]:
        found = list(self._place.lacking(self._ours))
        if why := self.forge.lacks("push") or self.forge.lacks("propose"):
            remedy = "give the token the rights to write contents and pull requests there"
            found.append(Conflict("forge-right", f"{self.forge.name}: {why}", remedy))
        return tuple(found)

    def move(self, old: str, new: str, say: Callable[[str], None]) -> None:
        for _ in range(ATTEMPTS):
            base, head = self._tips()
            found = self._place.said(base, new)
            if found.says == new or found.edit is None:
                return
            if found.says != old:
                raise elsewhere(self.name, found.says, old)
            pull = self._open()
            if pull is None and self._tips()[0] != base:
                continue  # perhaps it was merged between the two looks
            self._willing(pull, old, new)
            state = self._state(base, head, old, new)
            if state == "foreign":
                raise self._touched(head, new)
            if state in ("wanted", "theirs") or self._pushed(base, head, found.edit, old, new):
                return self._offer(pull, old, new)
        raise Refused(f"{self._ours} of {self.remote.name} is moved by others all the time", AGAIN)

    def _willing(self, pull: Proposed | None, old: str, new: str) -> None:
        """Refused where the pull request that is open is not ours, or where somebody said no to this move."""
        if pull is not None:
            if not pointer_proposal.marked(pull.body):
                why = f"#{pull.number} ({pull.url}) comes from {self._ours} and carries no mark of ours"
                raise Refused(why, "close it, or merge it, then run the same command again")
            return
        closed = islice(self.forge.proposals(self._ours, self.wish.branch, "closed"), CLOSED)
        newest = next((one for one in closed if self._marks(one, old, new)), None)
        if newest is not None and not newest.merge:
            why = f"#{newest.number} ({newest.url}), which was for {new}, was closed without a merge"
            raise Refused(why, f"reopen it and merge it, or write {new} into {self.wish.path} by hand")

    def _state(self, base: str, head: str, old: str, new: str) -> State:
        """What is on the branch of ours."""
        if not head:
            return "none"
        found = self._place.at(head, new)
        says = None if isinstance(found, Conflict) else found.says
        claim = pointer_proposal.claimed(self._message(head))
        if claim is not None and claim.tree == self.remote.tree_of(head):
            fresh = (claim.move, claim.onto) == (pointer_proposal.move(old, new), self._onto(base))
            return "wanted" if fresh and says == new else "stale"
        if says == new:
            return "theirs"
        return "stale" if self._merged(head) else "foreign"

    def _merged(self, head: str) -> bool:
        """Whether what others committed there is in the branch by now, however it was merged."""
        closed = islice(self.forge.proposals(self._ours, self.wish.branch, "closed"), CLOSED)
        return any(one.merge and one.head == head for one in closed) or self.remote.holds(self.wish.branch, head)

    def _touched(self, head: str, new: str) -> Refused:
        why = f"the branch {self._ours} of {self.remote.name} has {head[:10]}, which somebody else committed, and does not say {new}"
        return Refused(
            why, f"take the commits elsewhere and delete the branch {self._ours}, then run the same command again"
        )

    def _pushed(self, base: str, head: str, edit: Splice, old: str, new: str) -> bool:
        """Put the commit on the branch of ours; whether nobody else was faster with another one."""
        draft = self._commit(base, edit, old, new)
        made = self._commit(base, edit, old, new, self.remote.tree_of(draft))
        try:
            self.remote.push((HEADS + self._ours, head, made))
        except Refused:
            there = self._tips()[1]
            if there == head:
                raise
            return there == made  # two captains of one name and moment make the very same commit
        return True

    def _commit(self, base: str, edit: Splice, old: str, new: str, tree: str = "") -> str:
        message = pointer_proposal.asking(self.wish, old, new, self._onto(base), tree)
        return self.remote.commit(base, (edit,), message, self.person, self.now())

    def _offer(self, pull: Proposed | None, old: str, new: str) -> None:
        """Open the pull request, or have it say what it brings now. If another captain was faster, that is as good."""
        words = pointer_proposal.title(self.wish, new), pointer_proposal.body(self.project, self.wish, old, new)
        if pull is None:
            try:
                self.forge.propose(self._ours, self.wish.branch, *words)
            except Refused:
                if self._open() is None:
                    raise
        elif not self._says(pull, old, new):
            self.forge.reword(pull.number, *words)

    def _says(self, pull: Proposed, old: str, new: str) -> bool:
        """Whether a pull request tells of this move; a person may have written more into it."""
        return self._marks(pull, old, new) and pull.title == pointer_proposal.title(self.wish, new)

    def _marks(self, pull: Proposed, old: str, new: str) -> bool:
        return pointer_proposal.marked(pull.body) == pointer_proposal.move(old, new)

    def _open(self) -> Proposed | None:
        """The pull request that is open; a forge allows one."""
        return next(self.forge.proposals(self._ours, self.wish.branch, "open"), None)

    def _tips(self) -> tuple[str, str]:
        """The heads of the branch and of ours, "" for none, with their objects brought here."""
        names = (HEADS + self.wish.branch, HEADS + self._ours)
        heads = self.remote.refs(*names).heads
        there = {name: heads[name.removeprefix(HEADS)] for name in names if name.removeprefix(HEADS) in heads}
        self.remote.bring(list(there), list(there.values()))
        return there.get(names[0], ""), there.get(names[1], "")

    def _onto(self, base: str) -> str:
        """The digest of the file that a commit is made for: where it is another one by now, it is made anew."""
        return digest({self.wish.path: self._place.content(base)})

    def _message(self, commit: str) -> str:
        return next(self.remote.commits(commit, ())).message

    @property
    def _ours(self) -> str:
        return pointer_proposal.branch_for(self.project, self.wish)

    @cached_property
    def _place(self) -> Place:
        return Place(self.wish, self.remote)
