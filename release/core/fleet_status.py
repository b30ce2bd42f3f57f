"""The fleet at a glance: components x releases, what is missing, not right or behind, and what belongs to nothing.

What is expected of a component follows from the configuration (`when`, `lines`, `of`) and from the upstream's tags; what is
there, from lists. The real fleets that this was learned from show why each is told apart: tags that nobody made a
release for, releases whose workflow was red, tags with a typing error, a channel's tag on another repository, and 40
of 100 tags missing for half a year. What could not be seen is neither there nor missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from release.core.address import without_secret
from release.core.assembly import applies
from release.core.behind import Behind, behind
from release.core.cells import Cell, Due, Lists, Tagged, found, missing, released
from release.core.config import Config, Downstream
from release.core.evidence import Listed
from release.core.expected import Expected, of_downstream, of_upstream
from release.core.finding import Conflict
from release.core.fleet import dependency_order
from release.core.fleet_window import EVERYTHING, Upstream, Wanted, asked, window
from release.core.model import Tag
from release.core.naming import Match, Naming, naming
from release.core.own_tags import Own, by_release
from release.core.record import TAG, Proof
from release.core.runs import by_tag, noted
from release.core.version import template_values


class Seen(msgspec.Struct, frozen=True):
    """A component's tags as its remote shows them: name -> peeled commit; None if they could not be seen, and why."""

    tags: Mapping[str, str] | None
    error: str | None = None


class Component(msgspec.Struct, frozen=True):
    """A repository of the fleet, with its address as it may be shown.

    With an `error` nothing is known of it, and so nothing is said of its releases. `unseen` are lists that could not be had,
    by their names, and why; the rest is judged all the same.
    """

    name: str
    role: Literal["upstream", "downstream"]
    repository: str
    error: str | None = None
    malformed: tuple[str, ...] = ()
    releases: tuple[Cell, ...] = ()
    unseen: Mapping[str, str] = {}


class Summary(msgspec.Struct, frozen=True):
    """What a downstream has and lacks. By upstream tags, in order of precedence: what is `expected`, and of that what is
    `found`, `missing` or `waiting` for the component that it is built on; and of what is found, what is `incomplete`, or
    still `underway`. By its own tags: `extra` are well-formed and of no upstream release, `malformed` are not a tag of
    this component at all, `wrong_commit` are on a commit where they should not be. `behind` is by lines.
    """

    expected: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    missing_final: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    underway: tuple[str, ...] = ()
    wrong_commit: tuple[str, ...] = ()
    behind: tuple[Behind, ...] = ()


class Status(msgspec.Struct, frozen=True):
    """All components, the upstream first, and a summary for each downstream; `upstream` is the upstream's own."""

    components: tuple[Component, ...]
    summary: Mapping[str, Summary]
    upstream: Summary = Summary()

    @property
    def blind(self) -> bool:
        """Whether something could not be seen."""
        return any(one.error is not None or one.unseen for one in self.components)


NOT_SEEN = Seen(None, "nobody looked at it")
NOT_LISTED = Listed(errors={"tags": "nobody looked at it"})


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
    scene = _Scene(config, world, wanted, home, proved, now)
    judged: dict[str, tuple[Component, Summary]] = {}
    for one in _parents_first(asked(config, wanted)):
        parent = judged[one.of][0] if one.of in judged else None
        judged[one.name] = _judge(one, listed.get(one.name, NOT_LISTED), scene, parent)
    shown = [one.name for one in config.downstream if not wanted.components or one.name in wanted.components]
    first, own = _upstream(scene)
    return Status((first, *(judged[name][0] for name in shown)), {name: judged[name][1] for name in shown}, own)


def holes(fleet: Status, downstreams: Sequence[Downstream]) -> tuple[tuple[str, str], ...]:
    """What is to be released after all: (release tag, component name), by precedence, then dependencies first.

    Left out is what a promotion releases, and what could not be seen: that is not known to be missing. What waits for
    another component is released after it, where that one is released now.
    """
    ordered = [one for one in dependency_order(downstreams) if one.per == "release" and one.name in fleet.summary]
    missing = {one.name: frozenset(fleet.summary[one.name].missing) for one in ordered}
    waiting = {one.name: frozenset(fleet.summary[one.name].waiting) for one in ordered}
    wanted: list[tuple[str, str]] = []
    for cell in fleet.components[0].releases:
        filled: set[str] = set()
        for one in ordered:
            if cell.release in missing[one.name] or (one.of in filled and cell.release in waiting[one.name]):
                filled.add(one.name)
                wanted.append((cell.release, one.name))
    return tuple(wanted)


class _Scene:
    """All that is judged by, with what several components have in common computed once."""

    def __init__(
        self,
        config: Config,
        world: Upstream,
        wanted: Wanted,
        home: Listed,
        proved: Mapping[str, Mapping[str, Proof]],
        now: str,
    ) -> None:
        self.config, self.world, self.wanted, self.home, self.proved, self.now = (
            config,
            world,
            wanted,
            home,
            proved,
            now,
        )
        self.due = {name: Due(name, world.came_out(name, home.releases)) for name in world.window}
        self._values = {name: template_values(world.versions[name], name, world.rules) for name in world.window}
        self._namings: dict[str, Naming] = {}
        self._expected: dict[tuple[object, ...], Expected] = {}

    def naming(self, template: str) -> Naming:
        if template not in self._namings:
            self._namings[template] = naming(template, self.world.rules)
        return self._namings[template]

    def expected(self, one: Downstream, match: Match) -> Expected:
        if not one.assets and not one.images:
            return Expected()
        channel, number = match.order
        key = (match.release, match.order, one.assets, one.images, one.platforms)
        if key not in self._expected:
            own = {"channel": channel, "n": str(number)} if channel else {}
            self._expected[key] = of_downstream(one, {**self._values[match.release], **own})
        return self._expected[key]

    def expected_at_home(self, release: str) -> Expected:
        version = self.world.versions[release]
        return of_upstream(self.config, version.line, version.kind, self._values[release])


def _parents_first(downstreams: Sequence[Downstream]) -> Iterator[Downstream]:
    """Each after the one that it is built on; a ring, which no configuration that is loaded has, is entered somewhere."""
    named, done = {one.name: one for one in downstreams}, set[str]()
    for one in downstreams:
        chain: dict[str, Downstream] = {}
        while one.name not in done and one.name not in chain:
            chain[one.name] = one
            one = named.get(one.of, one)
        done.update(chain)
        yield from reversed(chain.values())


def _upstream(scene: _Scene) -> tuple[Component, Summary]:
    config, world, home = scene.config, scene.world, scene.home
    commits = {name: world.tags[name].commit for name in world.window}
    seen = msgspec.structs.replace(home, tags=commits)
    lists = Lists(seen, None if seen.runs is None else by_tag(seen.runs, commits, {}), scene.now)

    def cell(release: str) -> Cell:
        evidence = scene.proved.get(release, {})
        tag = Tagged(release, ("", 0), _own_proof(evidence), scene.expected_at_home(release))
        return released(scene.due[release], tag, world.tags[release].date, lists)

    cells = tuple(map(cell, world.window))
    name, repository = config.project.name or "upstream", without_secret(config.project.repository)
    component = Component(name, "upstream", repository, None, world.malformed, cells, _unseen(home))
    incomplete, underway = _not_right(cells)
    return component, Summary(
        world.window,
        world.window,
        malformed=world.malformed,
        incomplete=incomplete,
        underway=underway,
        wrong_commit=_wrong_tags(cells),
    )


def _own_proof(evidence: Mapping[str, Proof]) -> Proof:
    """What a record proves of the upstream itself: its commit, and the digests of the files that were built."""
    files = {name.removeprefix("build "): proof.sha256 for name, proof in evidence.items() if name.startswith("build ")}
    return Proof(commit=evidence[TAG].commit if TAG in evidence else "", assets=files)


def _judge(one: Downstream, seen: Listed, scene: _Scene, parent: Component | None) -> tuple[Component, Summary]:
    repository = without_secret(one.repository)
    if one.trigger == "none":  # it releases nothing, and its tags are its own affair
        return Component(one.name, "downstream", repository), Summary()
    states = {cell.release: cell.state for cell in parent.releases} if parent is not None else {}
    expected = _expected(one, scene.world, states if parent is not None and parent.error is None else None)
    if seen.tags is None:
        error = seen.errors.get("tags") or "its tags could not be seen"
        return Component(one.name, "downstream", repository, error), Summary(expected)
    read = scene.naming(one.tag).read
    matches = {tag: read(tag) for tag in sorted(seen.tags)}
    own = by_release(matches)
    unready = () if parent is None else [name for name in expected if states.get(name) != "found"]
    cells = _cells(one, expected, frozenset(unready), own, _lists(one, seen, scene, own), scene)
    malformed = tuple(tag for tag, match in matches.items() if match is None)
    component = Component(one.name, "downstream", repository, None, malformed, cells, _unseen(seen))
    versions = scene.world.versions
    had = (
        name for name in own if name in versions and scene.wanted.takes(versions[name]) and _follows(one, scene, name)
    )
    return component, _summary(cells, malformed, _extra(own, scene), tuple(behind(cells, had, versions)), scene.world)


def _follows(one: Downstream, scene: _Scene, release: str) -> bool:
    version = scene.world.versions[release]
    return applies(one, version.line, version.kind)


def _expected(one: Downstream, world: Upstream, parents: Collection[str] | None) -> tuple[str, ...]:
    """The releases that a component follows, and the one that it is built on as well, where that could be seen."""
    versions = ((name, world.versions[name]) for name in world.window)
    followed = (name for name, version in versions if applies(one, version.line, version.kind))
    return tuple(name for name in followed if not one.of or parents is None or name in parents)


def _lists(one: Downstream, seen: Listed, scene: _Scene, own: Mapping[str, Sequence[Own]]) -> Lists:
    if seen.runs is None or not one.workflow:
        return Lists(seen, None, scene.now)
    known = noted(one.name, scene.proved, own)
    return Lists(seen, by_tag(seen.runs, seen.tags or {}, known), scene.now)


def _cells(
    one: Downstream,
    expected: Iterable[str],
    unready: Collection[str],
    own: Mapping[str, Sequence[Own]],
    lists: Lists,
    scene: _Scene,
) -> tuple[Cell, ...]:
    write = scene.naming(one.tag).write

    def cell(release: str) -> Cell:
        due, tags = scene.due[release], own.get(release)
        if not tags:
            return missing(due, write(release), "waiting" if release in unready else "missing", scene.now)
        proof = scene.proved.get(release, {}).get(f"downstream {one.name}")
        return found(due, [_tagged(one, has, proof, scene) for has in tags], lists)

    return tuple(cell(release) for release in expected)


def _tagged(one: Downstream, own: Own, proof: Proof | None, scene: _Scene) -> Tagged:
    noted = proof if proof is not None and proof.tag == own.tag else None
    return Tagged(own.tag, own.match.order, noted, scene.expected(one, own.match))


def _summary(
    cells: Sequence[Cell],
    malformed: tuple[str, ...],
    extra: tuple[str, ...],
    late: tuple[Behind, ...],
    world: Upstream,
) -> Summary:
    lacking = _in_state(cells, "missing")
    incomplete, underway = _not_right(cells)
    return Summary(
        expected=tuple(cell.release for cell in cells),
        found=_in_state(cells, "found"),
        missing=lacking,
        missing_final=tuple(release for release in lacking if world.versions[release].final),
        extra=extra,
        malformed=malformed,
        waiting=_in_state(cells, "waiting"),
        incomplete=incomplete,
        underway=underway,
        wrong_commit=_wrong_tags(cells),
        behind=late,
    )


def _in_state(cells: Iterable[Cell], state: str) -> tuple[str, ...]:
    return tuple(cell.release for cell in cells if cell.state == state)


def _not_right(cells: Iterable[Cell]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The releases that lack something for good, and those for which it may still come."""
    lacking = [cell for cell in cells if cell.lacks]
    return (
        tuple(cell.release for cell in lacking if not cell.underway),
        tuple(cell.release for cell in lacking if cell.underway),
    )


def _wrong_tags(cells: Iterable[Cell]) -> tuple[str, ...]:
    return tuple(wrong.tag for cell in cells for wrong in cell.wrong)


def _extra(own: Mapping[str, Sequence[Own]], scene: _Scene) -> tuple[str, ...]:
    """Well-formed tags of no release that the upstream ever made, by precedence; of the lines and the kind that are asked about."""
    strangers = [
        has
        for release, tags in own.items()
        for has in tags
        if release not in scene.world.versions and scene.wanted.takes(has.match.version)
    ]
    by_name = sorted(strangers, key=lambda has: has.tag)
    return tuple(has.tag for has in sorted(by_name, key=lambda has: has.match.version))


def _unseen(seen: Listed) -> Mapping[str, str]:
    return {part: why for part, why in seen.errors.items() if part != "tags"}
