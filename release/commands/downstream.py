"""Downstream: release the components of a version that is out already, or of all whose tags are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from release.app import Session
from release.commands.fleet_status import fleet_status
from release.commands.plan import states
from release.commands.verify import released
from release.core.design import existing
from release.core.finding import Blocked, Conflict, Done, Skipped
from release.core.fleet import holes
from release.core.model import DownstreamWish, Release
from release.core.plan import Filled
from release.core.version import scheme
from release.engine.step import Step
from release.engine.walk import Event, Findings
from release.errors import ConflictError, UsageError
from release.steps import downstream_path


@dataclass(frozen=True)
class Filling:
    """What is to be done: the steps, how they were found, and what stands against it."""

    filled: Filled
    steps: Sequence[Step[Any]]
    found: Findings


def one(session: Session, version: str, only: str) -> Filling:
    """The downstreams of a released version, or the one that is named."""
    session.who()
    seen = session.observed()
    release = released(session, seen, version)
    if release.tag not in seen.refs.tags:
        why = f"{release.tag} is not tagged on the upstream, and its downstreams come after it"
        raise ConflictError((Conflict("unmet-need", why, f"release it first: invoke release --version {release.tag}"),))
    if only and only not in {wish.name for wish in release.downstreams}:
        names = ", ".join(wish.name for wish in release.downstreams) or "none"
        raise UsageError(f"{only!r} is no downstream of {release.tag}", f"there are: {names}")
    return looked(session, [release], {(release.tag, only)} if only else None)


def missing(session: Session, since: str, until: str, only: str) -> Filling:
    """Every hole that `fleet.status` finds."""
    status = fleet_status(session, since, until)
    wanted = {(tag, name) for tag, name in holes(status, session.config.downstream) if only in ("", name)}
    seen = session.observed()
    rules = scheme(session.config.version, session.config.project.name)
    tags = dict.fromkeys(cell.release for cell in status.components[0].releases)
    versions = [version for tag in tags if any(tag == hole for hole, _ in wanted) and (version := rules.of_tag(tag))]
    return looked(session, [existing(session.config, seen, version) for version in versions], wanted)


def looked(session: Session, releases: Sequence[Release], wanted: set[tuple[str, str]] | None) -> Filling:
    """Look at the downstreams of these releases. What only others need is looked at, and named where it is not there."""
    doors = session.doors()
    steps = [step for release in releases for step in downstream_path(doors, with_needs(release, wanted), ())]
    with session.engine() as engine:
        found = engine.look(steps)
        ours = [step for step in steps if wanted is None or (step.release.tag, step.wish.name) in wanted]
        unmet = [
            unmet_need(step, need)
            for step in ours
            for need in step.after
            if need not in ours and not isinstance(found[need], Done)
        ]
        conflicts = (*unmet, *(engine.preflight(ours, found)))
    filled = Filled(tuple(release.tag for release in releases), states(steps, found), conflicts)
    return Filling(filled, ours, found)


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


def unmet_need(step: Step[Any], need: Step[Any]) -> Conflict:
    return Conflict(
        "unmet-need",
        f"{step.name} comes after {need.name}, which is not out",
        "leave out --only, or release that first",
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
    return Filled(filling.filled.releases, states(filling.steps, found), conflicts)
