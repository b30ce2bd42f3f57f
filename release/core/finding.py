"""What may be found when one looks at the world, and the one law that judges it."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Conflict(msgspec.Struct, frozen=True):
    """Something that a person has to decide: the rule, what is so, and what to do about it."""

    rule: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.why}; {self.remedy}" if self.remedy else self.why


class Done(msgspec.Struct, Generic[T_co], frozen=True):
    """True of the world. `value` is what later steps need to know."""

    value: T_co
    detail: str = ""


class Pending(msgspec.Struct, frozen=True):
    """As it was before us: `apply` may act."""

    detail: str


class Underway(msgspec.Struct, frozen=True):
    """Begun, and somebody else's turn: wait, never apply."""

    detail: str


class Failed(msgspec.Struct, frozen=True):
    """An attempt came to a bad end, a later run may apply again. `seen` is false where the world could not be looked at."""

    why: str
    remedy: str = ""
    seen: bool = True

    @property
    def detail(self) -> str:
        return f"{self.why}; {self.remedy}" if self.remedy else self.why


class Blocked(msgspec.Struct, frozen=True):
    """Foreign: a person decides."""

    conflict: Conflict

    @property
    def detail(self) -> str:
        return str(self.conflict)


class Skipped(msgspec.Struct, frozen=True):
    """A means whose ends are all reached: nothing needs it any more."""

    detail: str


Finding = Done[T] | Pending | Underway | Failed | Blocked | Skipped


def compare(found: T | None, *, before: T | None, after: T, pending: str, foreign: Conflict) -> Finding[T]:
    """The one law: as wanted is Done, as it was is Pending, anything else is foreign.

    `before` is None for a fact (created once), the old value for a pointer (moved by compare-and-swap).
    """
    if found == after:
        return Done(after)
    if found == before:
        return Pending(pending)
    return Blocked(foreign)
