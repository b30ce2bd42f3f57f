"""Figures of a fleet: how often it is released, how long each downstream takes, how often that fails, how soon it is mended.

Three of the four keys of DORA ("Accelerate", 2018) in the terms of releases: the deployment frequency is releases a month,
the lead time goes from the upstream's publication to each downstream's, failures are runs of its workflow that ended
red, and the time to restore goes from the first of those for a tag to the first green one, or to the publication. Months
are calendar months in UTC. A percentile is the nearest rank (ISO 3534-1 leaves the choice): the smallest value that at least so many
per X All is counted from the same lists as `fleet.status`; what they
do not tell is said, and not guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from release.core.config import Config, Downstream
from release.core.evidence import Listed
from release.core.finding import Conflict
from release.core.fleet_window import EVERYTHING, Upstream, Wanted, calendar, window
from release.core.forge import Published, Run
from release.core.model import Tag
from release.core.moments import age, between, instant, month
from release.core.naming import Naming, naming
from release.core.own_tags import Own, by_release
from release.core.record import Proof
from release.core.runs import NOTHING_DONE, by_tag, noted

LONGEST_GAP = 24
"""So many months without a release are shown as such; of a longer gap none is."""

DISPATCHED = ("workflow_dispatch", "repository_dispatch")
NO_RUNS = "nobody listed runs of a workflow"
NO_FORGE = "by plain git nobody knows when a release came out"


class Month(msgspec.Struct, frozen=True):
    """What the upstream released in a calendar month ("YYYY-MM", UTC)."""

    month: str
    finals: int = 0
    candidates: int = 0


class Span(msgspec.Struct, frozen=True):
    """Some spans of time, in seconds: how many there are, the middle, the 90th percentile, and the longest with its tag."""

    count: int
    median: float
    ninety: float
    worst: float
    worst_tag: str


class Lead(msgspec.Struct, frozen=True):
    """From the upstream's publication to the component's; of a component that promotions release, to the first of `channel`.

    `unknown` releases are there, and one of the two times is not known. A span below 0 came before the upstream.
    """

    span: Span | None
    unknown: int = 0
    channel: str = ""


class Failures(msgspec.Struct, frozen=True):
    """Runs that ended, how many of them `red`, and which share that is; `again` had to be run more than once to end green.

    `unplaced` are dispatches among them of which nobody can tell for which tag they were.
    """

    runs: int
    red: int
    share: float | None
    again: int = 0
    unplaced: int = 0


class Open(msgspec.Struct, frozen=True):
    """A tag whose run is red, and nothing has come of it since."""

    tag: str
    since: str
    age: int | None
    url: str = ""


class Restored(msgspec.Struct, frozen=True):
    """How long it took from the first red run for a tag to a green one, or to the publication; `open` still wait for that."""

    span: Span | None
    open: tuple[Open, ...] = ()


class Figures(msgspec.Struct, frozen=True):
    """A component's figures; the first of a fleet is the upstream's. `unknown` says what could not be told, and why.

    `unseen` are the lists, of those that it is told from, that could not be had.
    """

    name: str
    leads: tuple[Lead, ...] = ()
    failures: Failures | None = None
    restored: Restored | None = None
    unknown: Mapping[str, str] = {}
    unseen: tuple[str, ...] = ()


class Stats(msgspec.Struct, frozen=True):
    """Months in order; `by_commit` of the releases in them are counted by the date of their commit, for no forge tells another."""

    months: tuple[Month, ...]
    by_commit: int
    components: tuple[Figures, ...]

    @property
    def blind(self) -> bool:
        """Whether something could not be seen."""
        return any(one.unseen for one in self.components)


def stats(
    config: Config,
    upstream: Sequence[Tag],
    home: Listed,
    listed: Mapping[str, Listed],
    proved: Mapping[str, Mapping[str, Proof]],
    now: str,
    wanted: Wanted = EVERYTHING,
) -> Stats | Conflict:
    """Count what the lists tell of the releases that are asked about; arguments are those of `fleet_status.status`."""
    world = window(config, upstream, wanted)
    if isinstance(world, Conflict):
        return world
    count = _Count(world, home, proved, now, wanted, begins(config, world, wanted))
    shown = [one for one in config.downstream if not wanted.components or one.name in wanted.components]
    figures = [(count.upstream(config.project.name or "upstream"), home)]
    for one in shown:
        if one.trigger != "none":
            seen = listed.get(one.name, Listed())
            figures.append((count.downstream(one, seen), seen))
    return Stats(*count.months(), tuple(msgspec.structs.replace(one, unseen=_unseen(seen)) for one, seen in figures))


def begins(config: Config, world: Upstream, wanted: Wanted) -> str:
    """The first day that is asked about, "" for all of them."""
    first = world.tags.get(config.project.since)
    return wanted.since or (calendar(first) if first is not None else "")


def span(measured: Sequence[tuple[float, str]]) -> Span | None:
    """What spans with their tags come to; None where there are none."""
    if not measured:
        return None
    ordered = sorted(measured)
    times = [time for time, _ in ordered]
    ninety = times[math.ceil(len(times) * 0.9) - 1]
    return Span(len(times), _median(times), ninety, *ordered[-1])


def _unseen(seen: Listed) -> tuple[str, ...]:
    return tuple(part for part in ("tags", "releases", "runs") if part in seen.errors)


def _median(ordered: Sequence[float]) -> float:
    """Said here, as importing `statistics` would take every command 10 ms."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


class _Count:
    """Counts by the upstream's releases."""

    def __init__(
        self,
        world: Upstream,
        home: Listed,
        proved: Mapping[str, Mapping[str, Proof]],
        now: str,
        wanted: Wanted,
        since: str,
    ) -> None:
        self.world, self.home, self.proved, self.now, self.wanted = world, home, proved, now, wanted
        self.since = since
        self.asked = frozenset(world.window)
        self._namings: dict[str, Naming] = {}

    def months(self) -> tuple[tuple[Month, ...], int]:
        """Releases a month, and how many of them are dated by their commits."""
        counts: dict[str, list[int]] = {}
        for release in self.world.window:
            found = month(self.world.came_out(release, self.home.releases))
            if found is not None:
                counts.setdefault(found, [0, 0])[not self.world.versions[release].final] += 1
        dated = self.home.releases or {}
        by_commit = sum(1 for release in self.world.window if release not in dated or not dated[release].at)
        return tuple(Month(one, *counts.get(one, ())) for one in _months(sorted(counts))), by_commit

    def upstream(self, name: str) -> Figures:
        failures, restored, unknown = self._runs(self.home, self.asked.__contains__, self.world.window, {})
        return Figures(name, (), failures, restored, unknown)

    def downstream(self, one: Downstream, seen: Listed) -> Figures:
        if seen.tags is None:
            return Figures(one.name, unknown={"tags": seen.errors.get("tags") or "nobody looked at it"})
        names = self._namings.setdefault(one.tag, naming(one.tag, self.world.rules))
        own = by_release({tag: names.read(tag) for tag in seen.tags})

        def asked(tag: str) -> bool:
            match = names.read(tag)
            return match is not None and match.release in self.asked

        leads, why = self._leads(own, seen)
        if not one.workflow:
            return Figures(one.name, leads, unknown={"runs": "no workflow has to be green", **why})
        to_make = [tag for release in self.world.window if (tag := names.write(release)) is not None]
        failures, restored, unknown = self._runs(seen, asked, to_make, noted(one.name, self.proved, own))
        return Figures(one.name, leads, failures, restored, {**unknown, **why})

    def _leads(self, own: Mapping[str, Sequence[Own]], seen: Listed) -> tuple[tuple[Lead, ...], Mapping[str, str]]:
        ours, theirs = self.home.releases, seen.releases
        if ours is None or theirs is None:
            whose = self.home if ours is None else seen
            return (), {"lead": whose.errors.get("releases") or NO_FORGE}
        spans: dict[str, list[tuple[float, str]]] = {}
        unknown: dict[str, int] = {}
        for release in self.world.window:
            for channel, tag in _first_of_each(own.get(release, ()), theirs):
                passed = between(_at(ours, release), _at(theirs, tag))
                spans.setdefault(channel, [])
                if passed is None:
                    unknown[channel] = unknown.get(channel, 0) + 1
                else:
                    spans[channel].append((passed, tag))
        return tuple(Lead(span(spans[name]), unknown.get(name, 0), name) for name in sorted(spans)), {}

    def _runs(
        self, seen: Listed, asked: Callable[[str], bool], to_make: Iterable[str], known: Mapping[int, str]
    ) -> tuple[Failures | None, Restored | None, Mapping[str, str]]:
        """What became of the runs for the tags that are asked about, and of the dispatches in their time."""
        if seen.runs is None:
            return None, None, {"runs": seen.errors.get("runs") or NO_RUNS}
        runs = [run for run in seen.runs if run.conclusion not in NOTHING_DONE]
        tags = {*(seen.tags or ()), *to_make, *(run.branch for run in runs if asked(run.branch))}
        told = by_tag(runs, tags, known)
        mine = {tag: found for tag, found in told.items() if asked(tag)}
        loose = self._loose(runs, {run.id for found in told.values() for run in found})
        placed = {run.id: run for found in mine.values() for run in found}
        return _failures([*placed.values()], loose), self._restored(mine, seen.releases), {}

    def _loose(self, runs: Iterable[Run], placed: Collection[int]) -> list[Run]:
        """Dispatches for nobody knows which tag; where lines or a kind are asked about, none is counted."""
        if self.wanted.lines or self.wanted.kind:
            return []
        until = self.wanted.until or "9999-99-99"
        return [
            run
            for run in runs
            if run.event in DISPATCHED and run.id not in placed and self.since <= run.created[:10] <= until
        ]

    def _restored(self, runs: Mapping[str, Sequence[Run]], releases: Mapping[str, Published] | None) -> Restored:
        spans: list[tuple[float, str]] = []
        left: list[Open] = []
        for tag, found in runs.items():
            first = _broken(found)
            if first is None:
                continue
            passed = _mended(first, found, _at(releases or {}, tag))
            if passed is not None:
                spans.append((passed, tag))
            elif not any(run.green for run in found):
                left.append(Open(tag, first.created, age(first.created, self.now), first.url))
        return Restored(span(spans), tuple(sorted(left, key=lambda one: (one.since, one.tag))))


def _months(found: Sequence[str]) -> Iterator[str]:
    """The months from the first to the last, without what lies in a long gap."""
    numbers = [int(one[:4]) * 12 + int(one[5:]) - 1 for one in found]
    for number, following in pairwise([*numbers, *(one + 1 for one in numbers[-1:])]):
        gap = following - number - 1
        yield from (
            f"{at // 12:04}-{at % 12 + 1:02}" for at in range(number, number + 1 + (gap if gap <= LONGEST_GAP else 0))
        )


def _at(releases: Mapping[str, Published], tag: str) -> str:
    return releases[tag].at if tag in releases else ""


def _first_of_each(tags: Iterable[Own], releases: Mapping[str, Published]) -> Iterator[tuple[str, str]]:
    """Of each channel the tag that came out first; where none did, one all the same."""
    first: dict[str, tuple[float, str]] = {}
    for own in tags:
        channel, at = own.match.order[0], instant(_at(releases, own.tag))
        came = (float("inf") if at is None else at, own.tag)
        first[channel] = min(first.get(channel, came), came, key=lambda one: one[0])
    return ((channel, tag) for channel, (_, tag) in first.items())


def _failures(placed: Sequence[Run], loose: Sequence[Run]) -> Failures:
    ended = [run for run in (*placed, *loose) if run.ended]
    red = sum(not run.green for run in ended)
    again = sum(run.green and run.attempt > 1 for run in ended)
    return Failures(len(ended), red, red / len(ended) if ended else None, again, sum(run.ended for run in loose))


def _broken(runs: Sequence[Run]) -> Run | None:
    """The first run for a tag that went wrong: it is red, or was so before it was run again."""
    bad = [run for run in runs if run.ended and (not run.green or run.attempt > 1)]
    return min(bad, key=lambda run: instant(run.created) or 0, default=None)


def _mended(first: Run, runs: Sequence[Run], published: str) -> float | None:
    """Seconds until the first that came after it: a run that ended green, or the publication."""
    ends = [run.updated for run in runs if run.green]
    after = [passed for end in (*ends, published) if (passed := between(first.created, end)) is not None and passed > 0]
    return min(after, default=None)
