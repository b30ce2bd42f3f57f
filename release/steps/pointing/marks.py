"""Marks on the forge: a release is no prerelease any more, and it is the latest of its repository.

The forge's API has no compare-and-swap: a mark is looked at right before it is set. What is no full release cannot be the
latest, so a release loses its mark of a prerelease first. Both can be set where releases are immutable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from release.core.finding import Conflict
from release.core.forge import Published
from release.core.promotion import PointWish
from release.errors import Refused, ReleaseError
from release.ports import Forge
from release.steps.pointing.moved import elsewhere

PRERELEASE, FULL = "prerelease", "release"


@dataclass(frozen=True)
class PrereleaseMark:
    """Its value is "prerelease", or "release" for one that is none."""

    wish: PointWish
    tag: str
    forge: Forge

    @property
    def name(self) -> str:
        return self.wish.name

    def reads(self) -> str:
        found = self.forge.published(self.tag)
        if found is None:
            conflict = _not_out(self.tag, self.forge)
            raise ReleaseError(conflict.why, conflict.remedy)
        return PRERELEASE if found.prerelease else FULL

    def wanted(self) -> str | Conflict:
        return FULL

    def waits(self, old: str, new: str) -> str:
        return ""

    def lacking(self) -> tuple[Conflict, ...]:
        return _lacking(self.tag, self.forge)

    def move(self, old: str, new: str, say: Callable[[str], None]) -> None:
        found = _out(self.tag, self.forge)
        says = PRERELEASE if found.prerelease else FULL
        if says == new:
            return
        if says != old or new not in (PRERELEASE, FULL):
            raise elsewhere(self.name, says, old)
        self.forge.mark(found.id, prerelease=new == PRERELEASE)


@dataclass(frozen=True)
class LatestMark:
    """Its value is the tag of the repository's latest release, "" where it has none."""

    wish: PointWish
    tag: str
    forge: Forge

    @property
    def name(self) -> str:
        return self.wish.name

    def reads(self) -> str:
        found = self.forge.latest()
        return found.tag if found is not None else ""

    def wanted(self) -> str | Conflict:
        return self.tag

    def waits(self, old: str, new: str) -> str:
        return ""

    def lacking(self) -> tuple[Conflict, ...]:
        return _lacking(self.tag, self.forge)

    def move(self, old: str, new: str, say: Callable[[str], None]) -> None:
        says = self.reads()
        if says == new:
            return
        if says != old:
            raise elsewhere(self.name, says, old)
        found = _out(new, self.forge)
        if found.prerelease:
            why = f"{new} of {self.forge.name} is marked as a prerelease, which cannot be the latest"
            raise Refused(why, "take that mark away first")
        self.forge.make_latest(found.id)


def _lacking(tag: str, forge: Forge) -> tuple[Conflict, ...]:
    found = []
    if why := forge.lacks("push"):
        found.append(
            Conflict("forge-right", f"{forge.name}: {why}", "give the token the right to write contents there")
        )
    if forge.published(tag) is None:
        found.append(_not_out(tag, forge))
    return tuple(found)


def _out(tag: str, forge: Forge) -> Published:
    found = forge.published(tag) if tag else None
    if found is None:
        conflict = _not_out(tag, forge)
        raise Refused(conflict.why, conflict.remedy)
    return found


def _not_out(tag: str, forge: Forge) -> Conflict:
    why = f"no release of {forge.name} is out for {tag or 'no tag'}"
    return Conflict("not-released", why, f"release it first: invoke release --version {tag}")
