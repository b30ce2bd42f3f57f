"""Which releases each component of a fleet has, which are missing, and which belong to nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from release.core.address import without_secret
from release.core.assembly import applies
from release.core.config import Config, Downstream
from release.core.evidence import Listed
from release.core.finding import Conflict
from release.core.fleet import dependency_order
from release.core.fleet_window import EVERYTHING, Upstream, Wanted, window
from release.core.model import Tag
from release.core.naming import Match, Naming, naming
from release.core.record import Proof


class Seen(msgspec.Struct, frozen=True):
    """A component's tags as its remote shows them: name -> peeled commit; None if they could not be seen, and why."""

    tags: Mapping[str, str] | None
    error: str | None = None


class Cell(msgspec.Struct, frozen=True):
    """One release in one component: `tag` is the one found or still to be made, `tags` are all that were found.

    None is for what is not known: the commit of a missing tag, the date of a downstream's commit, the tag to be made
    where a channel is part of its name.
    """

    release: str
    tag: str | None
    commit: str | None
    date: str | None
    state: Literal["found", "missing", "released"]
    tags: tuple[str, ...] = ()


class Component(msgspec.Struct, frozen=True):
    """A repository of the fleet, with its address as it may be shown.

    With an `error` nothing is known of it, and so nothing is said of its releases.
    """

    name: str
    role: Literal["upstream", "downstream"]
    repository: str
    error: str | None = None
    malformed: tuple[str, ...] = ()
    releases: tuple[Cell, ...] = ()


class Summary(msgspec.Struct, frozen=True):
    """What a downstream has and lacks. The first four hold upstream tags, by precedence; the last two its own tags.

    `extra` are well-formed and of no upstream release, `malformed` are not a tag of this component at all.
    """

    expected: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    missing_final: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()


class Status(msgspec.Struct, frozen=True):
    """The fleet at a glance: all components, the upstream first, and a summary for each downstream."""

    components: tuple[Component, ...]
    summary: Mapping[str, Summary]


def status(
    config: Config,
    upstream: Sequence[Tag],
    home: Listed,
    listed: Mapping[str, Listed],
    proved: Mapping[str, Mapping[str, Proof]],
    now: str,
    wanted: Wanted = EVERYTHING,
) -> Status | Conflict:
    """Compare what the upstream released with what each downstream has.

    `upstream` are the upstream's tags with the dates of their commits, `home` its other lists, `listed` those of the
    components by name (of `asked(config, wanted)`). `proved` is what records say, by the tag of the release: their evidence,
    with proofs by the names of steps ("downstream NAME"). `now` is ISO 8601.
    """
    world = window(config, upstream, wanted)
    if isinstance(world, Conflict):
        return world
    namings = {template: naming(template, world.rules) for template in {one.tag for one in config.downstream}}
    shown = [one for one in config.downstream if not wanted.components or one.name in wanted.components]
    judged = [_judge(one, listed.get(one.name, NOT_LISTED), world, namings[one.tag]) for one in shown]
    components = (_upstream(config, world), *(component for component, _ in judged))
    return Status(components, {component.name: summary for component, summary in judged})


def holes(fleet: Status, downstreams: Sequence[Downstream]) -> tuple[tuple[str, str], ...]:
    """What is to be released after all: (release tag, component name), by precedence, then dependencies first.

    Left out is what a promotion releases, and what could not be seen: that is not known to be missing.
    """
    unseen = {component.name for component in fleet.components if component.error is not None}
    ordered = [one.name for one in dependency_order(downstreams) if one.per == "release" and one.name not in unseen]
    missing = {name: frozenset(fleet.summary[name].missing) for name in ordered if name in fleet.summary}
    releases = (cell.release for cell in fleet.components[0].releases)
    return tuple((release, name) for release in releases for name, gaps in missing.items() if release in gaps)


NOT_SEEN = Seen(None, "nobody looked at it")
NOT_LISTED = Listed(errors={"tags": "nobody looked at it"})


def _upstream(config: Config, world: Upstream) -> Component:
    cells = (
        Cell(name, name, world.tags[name].commit, world.tags[name].date, "released", (name,)) for name in world.window
    )
    name, repository = config.project.name or "upstream", without_secret(config.project.repository)
    return Component(name, "upstream", repository, malformed=world.malformed, releases=tuple(cells))


def _judge(downstream: Downstream, seen: Listed, world: Upstream, naming: Naming) -> tuple[Component, Summary]:
    releases = ((name, world.versions[name]) for name in world.window)
    expected = tuple(name for name, version in releases if applies(downstream, version.line, version.kind))
    repository = without_secret(downstream.repository)
    if seen.tags is None:
        error = seen.errors.get("tags") or "its tags could not be seen"
        return Component(downstream.name, "downstream", repository, error), Summary(expected)
    matches = {tag: naming.read(tag) for tag in sorted(seen.tags)}
    malformed = tuple(tag for tag, match in matches.items() if match is None)
    cells = _cells(expected, _by_release(matches), seen.tags, naming)
    component = Component(downstream.name, "downstream", repository, None, malformed, cells)
    return component, _summary(cells, matches, malformed, world)


def _by_release(matches: Mapping[str, Match | None]) -> dict[str, tuple[str, ...]]:
    """Upstream tag -> the component's tags for it, ordered by channel and number."""
    found: dict[str, list[tuple[tuple[str, int], str]]] = {}
    for tag, match in matches.items():
        if match:
            found.setdefault(match.release, []).append((match.order, tag))
    return {release: tuple(tag for _, tag in sorted(tags)) for release, tags in found.items()}


def _cells(
    expected: Iterable[str], found: Mapping[str, tuple[str, ...]], commits: Mapping[str, str], naming: Naming
) -> tuple[Cell, ...]:
    def cell(release: str) -> Cell:
        tags = found.get(release)
        if tags is None:
            return Cell(release, naming.write(release), None, None, "missing")
        return Cell(release, tags[0], commits[tags[0]], None, "found", tags)

    return tuple(cell(release) for release in expected)


def _summary(
    cells: Iterable[Cell], matches: Mapping[str, Match | None], malformed: tuple[str, ...], world: Upstream
) -> Summary:
    states = {cell.release: cell.state for cell in cells}
    missing = tuple(release for release, state in states.items() if state == "missing")
    return Summary(
        expected=tuple(states),
        found=tuple(release for release, state in states.items() if state == "found"),
        missing=missing,
        missing_final=tuple(release for release in missing if world.versions[release].final),
        extra=_extra(matches, world.versions),
        malformed=malformed,
    )


def _extra(matches: Mapping[str, Match | None], releases: Collection[str]) -> tuple[str, ...]:
    """Well-formed tags of no release that the upstream ever made, by precedence; `matches` comes ordered by name."""
    strangers = ((tag, match.version) for tag, match in matches.items() if match and match.release not in releases)
    return tuple(tag for tag, _ in sorted(strangers, key=lambda pair: pair[1]))
