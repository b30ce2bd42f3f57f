"""Downstream: release the components of a version that is out already, or of all whose tags are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from release.app import Session
from release.commands.adopt import adopted, asked_for, surely
from release.commands.fleet_status import fleet_status
from release.commands.plan import states
from release.commands.verify import released
from release.core.aim import Observation, burned
from release.core.design import existing
from release.core.finding import Blocked, Conflict, Done, Skipped
from release.core.fleet_status import holes
from release.core.fleet_window import Wanted
from release.core.model import DownstreamWish, Release
from release.core.plan import Filled, StepState
from release.core.version import scheme
from release.engine.step import Step
from release.engine.walk import Event, Findings
from release.errors import ConflictError, UsageError
from release.steps import Downstream, downstream_path, release_path


@dataclass(frozen=True)
class Filling:
    """What is to be done: the steps, how they were found, and what stands against it."""

    filled: Filled
    steps: Sequence[Step[Any]]
    found: Findings
    unseen: tuple[StepState, ...] = ()


def one(session: Session, version: str, only: str) -> Filling:
    """The downstreams of a released version, or the one that is named."""
    session.who()
    seen = session.observed(asked_for(session, version))
    release = released(session, seen, version)
    if release.tag not in seen.refs.tags:
        why = f"{release.tag} is not tagged on the upstream, and its downstreams come after it"
        raise ConflictError((Conflict("unmet-need", why, f"release it first: invoke release --version {release.tag}"),))
    if given_up_of(session, seen, release.tag):
        why = f"{release.tag} was given up, and is not released anywhere"
        raise ConflictError(
            (Conflict("burned", why, "have its tag taken away by whoever made it; take the next version"),)
        )
    known(only, [wish.name for wish in release.downstreams], release.tag)
    return looked(session, seen, [release], {(release.tag, only)} if only else None)


def missing(session: Session, since: str, until: str, only: str) -> Filling:
    """Every hole that `fleet.status` finds; what could not be seen is a failure, not an absence."""
    session.who()
    if not since and not session.config.project.since:
        raise UsageError("all of history is meant", "say --since YYYY-MM-DD, or set [project] since")
    known(only, [one.name for one in session.config.downstream if one.per == "release"], "this fleet")
    status = fleet_status(session, Wanted(since, until, components=(only,) if only else ()), parts=())
    wanted = {(tag, name) for tag, name in holes(status, session.config.downstream) if only in ("", name)}
    seen = session.observed()
    wanted = {(tag, name) for tag, name in wanted if not given_up_of(session, seen, tag)}
    filling = looked(
        session, seen, [tagged(session, seen, tag) for tag in dict.fromkeys(tag for tag, _ in sorted(wanted))], wanted
    )
    unseen = tuple(
        StepState(f"downstream {one.name}", "failed", one.error)
        for one in status.components
        if one.error and only in ("", one.name)
    )
    filled = msgspec.structs.replace(filling.filled, steps=(*unseen, *filling.filled.steps))
    return Filling(filled, filling.steps, filling.found, unseen)


def given_up_of(session: Session, seen: Observation, tag: str) -> bool:
    """Whether a tag is of a version that was given up: somebody made it by hand."""
    rules = scheme(session.config.version, session.config.project.name)
    return rules.of_tag(tag) in burned(rules, seen)


def known(only: str, names: Sequence[str], of: str) -> None:
    """Refuse a name that nothing bears."""
    if only and only not in names:
        raise UsageError(f"{only!r} is no downstream of {of}", f"there are: {', '.join(names) or 'none'}")


def tagged(session: Session, seen: Observation, tag: str) -> Release:
    """A release that is out, by its line's record if that tells of it, else by its tag."""
    version = scheme(session.config.version, session.config.project.name).of_tag(tag)
    assert version is not None, "status names well-formed releases only"
    record = seen.record_of(version)
    return surely(adopted(session, seen, record)) if record else existing(session.config, seen, version)


def looked(
    session: Session, seen: Observation, releases: Sequence[Release], wanted: set[tuple[str, str]] | None
) -> Filling:
    """Look at the downstreams of these releases, and at what they come after: that has to be out already."""
    steps = [step for release in releases for step in path(session, seen, with_needs(release, wanted))]
    with session.engine() as engine:
        found = engine.look(steps)
        downstreams = [step for step in steps if isinstance(step, Downstream)]
        ours = [step for step in downstreams if wanted is None or (step.release.tag, step.wish.name) in wanted]
        unmet = [
            unmet_need(step, need)
            for step in ours
            for need in step.needs
            if need not in ours and not isinstance(found[need], Done)
        ]
        conflicts = (*dict.fromkeys(unmet), *(engine.preflight(ours, found)))
    filled = Filled(tuple(release.tag for release in releases), states(downstreams, found), conflicts)
    return Filling(filled, ours, found)


def path(session: Session, seen: Observation, release: Release) -> Sequence[Step[Any]]:
    """The whole path of a release that has a record; of one that has only its tag, the downstreams."""
    doors = replace(session.doors(), ours=True)  # it is asked for here: nothing is left to the run of a tag
    if session.ledger.latest(release) is None:
        return downstream_path(doors, release, ())
    return release_path(doors, release, seen.refs.records.get(release.line, ""))


def with_needs(release: Release, wanted: set[tuple[str, str]] | None) -> Release:
    """The release with the wanted downstreams and those that they come after."""
    if wanted is None:
        return release
    by_name = {wish.name: wish for wish in release.downstreams}
    kept: dict[str, DownstreamWish] = {}
    left = [name for tag, name in wanted if tag == release.tag and name in by_name]
    while left:
        name = left.pop()
        if name not in kept:
            kept[name] = by_name[name]
            left += by_name[name].after
    chosen = tuple(wish for wish in release.downstreams if wish.name in kept)
    return msgspec.structs.replace(release, downstreams=chosen)


def unmet_need(step: Downstream, need: Step[Any]) -> Conflict:
    return Conflict(
        "unmet-need",
        f"{step.name} of {step.release.tag} comes after {need.name}, which is not out",
        f"release that first: invoke release --version {step.release.tag}, or leave out --only",
    )


def fill(session: Session, filling: Filling, listener: Callable[[Event], None]) -> Filled:
    """Do it. One bad component does not hold the others."""
    if any(conflict.rule == "unmet-need" for conflict in filling.filled.conflicts):
        return filling.filled
    with session.journal() as journal, session.engine(journal, listener) as engine:
        asked = frozenset(filling.steps)
        spare = {step: Skipped("nobody asked for it") for step in filling.found if step not in asked}
        seen = {
            step: found if isinstance(found, Done) else spare.get(step, found) for step, found in filling.found.items()
        }
        found = engine.reach([*seen], seen)
    conflicts = tuple(finding.conflict for finding in found.values() if isinstance(finding, Blocked))
    return Filled(filling.filled.releases, (*filling.unseen, *states(filling.steps, found)), conflicts)
