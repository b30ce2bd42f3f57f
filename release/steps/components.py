"""The components of a release as steps: each after those that it names, set going and followed in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter
from typing import Any

from release.core.model import DownstreamWish, Release
from release.engine.step import Step
from release.ports import Claims, Forge, Notes
from release.steps.awaited import AwaitDownstream, BySync
from release.steps.doors import Doors
from release.steps.downstream import ReleaseDownstream
from release.steps.follow import FollowDownstream
from release.steps.local import ByLocal, RunDownstream
from release.steps.trigger import ByDispatch, ByRelease, ByTag, Trigger
from release.steps.update import UpdateReferences, updating

Downstream = ReleaseDownstream | FollowDownstream | UpdateReferences


def components_of(
    doors: Doors, release: Release, wishes: Sequence[DownstreamWish], ledger: Notes, upstream: tuple[Step[Any], ...]
) -> list[Downstream]:
    """These components of a release, each after those of them that it names. What is claimed and seen is in `ledger`."""
    made: dict[str, Downstream] = {}
    named: dict[str, tuple[UpdateReferences, ...]] = {}
    known = {wish.name: wish for wish in (*release.downstreams, *wishes)}
    for name in TopologicalSorter({wish.name: wish.after for wish in wishes}).static_order():
        wish = known[name]
        after = tuple(made[one] for one in wish.after)
        named[name] = first = updating(doors, release, wish, upstream, after, ledger)
        first_of_all = (*upstream, *first)
        made[name] = (
            first[0]
            if wish.trigger == "none"
            else downstream_of(doors, release, wish, known.get(wish.of), ledger, first_of_all, after)
        )
    each = ((*named[wish.name], made[wish.name]) for wish in wishes)
    return [step for steps in each for step in dict.fromkeys(steps)]


def downstream_of(
    doors: Doors,
    release: Release,
    wish: DownstreamWish,
    parent: DownstreamWish | None,
    ledger: Notes,
    upstream: tuple[Step[Any], ...],
    after: tuple[Downstream, ...],
) -> Downstream:
    """A downstream: on plain git a tag, on a forge all that has to come of it. `parent` is the one it is built on."""
    name = f"downstream {wish.name}"
    if doors.forge is None or doors.forge_of is None:
        return plain_downstream(doors, release, wish, ledger, upstream, after)
    forge = doors.forge_of(wish)
    trigger = trigger_of(doors, release, wish, forge, ledger)
    home, tag = (doors.forge_of(parent), parent.tag) if parent is not None else (doors.forge, release.tag)
    return FollowDownstream(
        name, release, wish, upstream, after, trigger, home, tag, forge,
        doors.registry if wish.images else None, ledger, doors.mine(release.start),
    )  # fmt: skip


def plain_downstream(
    doors: Doors,
    release: Release,
    wish: DownstreamWish,
    ledger: Notes,
    upstream: tuple[Step[Any], ...],
    after: tuple[Downstream, ...],
) -> ReleaseDownstream:
    """A downstream without a forge: its tag is made by us, by its own command, or by itself."""
    name, remote = f"downstream {wish.name}", doors.elsewhere(wish)
    if wish.trigger == "local":
        return RunDownstream(name, release, wish, upstream, after, remote, ledger, doors.delegates)
    kind = AwaitDownstream if wish.trigger == "sync" else ReleaseDownstream
    return kind(name, release, wish, upstream, after, remote, ledger)


def trigger_of(doors: Doors, release: Release, wish: DownstreamWish, forge: Forge, claims: Claims) -> Trigger:
    """What sets a downstream going."""
    if wish.trigger == "release":
        return ByRelease(release, wish, doors.project, forge)
    if wish.trigger == "tag":
        return ByTag(release, wish, doors.project, forge, doors.elsewhere(wish))
    if wish.trigger == "local":
        return ByLocal(release, wish, doors.project, forge, doors.elsewhere(wish), doors.delegates)
    if wish.trigger == "sync":
        return BySync(release, wish, doors.project, forge)
    return ByDispatch(release, wish, doors.project, forge, claims, doors.rival(wish))
