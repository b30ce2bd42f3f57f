"""Key in a file: users' machines read a file of some repository, and a commit has it name another version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from release.core import pointer_proposal
from release.core.finding import Conflict
from release.core.model import Person
from release.core.promotion import PointWish
from release.errors import Refused
from release.ports import Remote
from release.steps.pointing.moved import AGAIN, elsewhere
from release.steps.pointing.place import HEADS, Place

ATTEMPTS = 5


@dataclass(frozen=True)
class FilePointer:
    """Its value is the scalar at the key, at the head of the branch. Only that is written: format and comments stay.

    The push is the compare-and-swap: the branch moves only from the commit that was looked at. Where others push
    something else meanwhile, it is looked at again.
    """

    wish: PointWish
    remote: Remote
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
        return ""

    def lacking(self) -> tuple[Conflict, ...]:
        return self._place.lacking(self.wish.branch)

    def move(self, old: str, new: str, say: Callable[[str], None]) -> None:
        branch = self.wish.branch
        for _ in range(ATTEMPTS):
            base = self.remote.tip(branch)
            found = self._place.said(base, new)
            if found.says == new or found.edit is None:
                return
            if found.says != old:
                raise elsewhere(self.name, found.says, old)
            message = pointer_proposal.message(self.wish, old, new)
            made = self.remote.commit(base, (found.edit,), message, self.person, self.now())
            if self._pushed(base, made):
                return say(f"{made[:10]} is on {branch} of {self.remote.name}")
        raise Refused(f"{branch} of {self.remote.name} is moved by others all the time", AGAIN)

    def _pushed(self, base: str, made: str) -> bool:
        """Put the commit on the branch; whether nobody else was faster."""
        try:
            self.remote.push((HEADS + self.wish.branch, base, made))
        except Refused:
            if self.remote.tip(self.wish.branch) == base:
                raise
            return False
        return True

    @cached_property
    def _place(self) -> Place:
        return Place(self.wish, self.remote)
