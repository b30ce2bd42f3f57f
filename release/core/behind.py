"""How far a component is behind its upstream: line by line, by releases that it should have and that came after its newest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from release.core.cells import Cell
from release.core.moments import instant
from release.core.version import Version


class Behind(msgspec.Struct, frozen=True):
    """A line in which a component's newest release is older than the upstream's: by how many releases, and since when.

    `newest` is the upstream's tag of the component's newest, None where it has none. `since` is when the first of those that it
    lacks came out, `age` the seconds from then.
    """

    line: str
    newest: str | None
    upstream: str
    by: int
    since: str | None = None
    age: int | None = None


def behind(cells: Iterable[Cell], own: Iterable[str], versions: Mapping[str, Version]) -> Iterator[Behind]:
    """Judge each line of `cells`; what waits for something else is not due yet. `own` are all releases that the component has."""
    newest: dict[str, str] = {}
    for release in own:
        line = versions[release].line
        if line not in newest or versions[newest[line]] < versions[release]:
            newest[line] = release
    due: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.state == "missing":
            due.setdefault(versions[cell.release].line, []).append(cell)
    for line, lacked in due.items():
        mine = newest.get(line)
        later = [cell for cell in lacked if mine is None or versions[mine] < versions[cell.release]]
        if later:
            yield _behind(line, mine, later)


def _behind(line: str, newest: str | None, later: Sequence[Cell]) -> Behind:
    """`later` come by precedence; all of them are missing, for the component has nothing that is newer."""
    first = min(later, key=lambda cell: instant(cell.since) or float("inf"))
    return Behind(line, newest, later[-1].release, len(later), first.since, first.age)
