"""What a component makes of itself for a release of its upstream: the same steps, from the other side."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from release.core.model import DownstreamWish, Release
from release.ports import Claims, Forge, Ledger, Registry, Remote, Rival
from release.steps.downstream import ReleaseDownstream
from release.steps.follow import FollowDownstream
from release.steps.trigger import ByDispatch, ByRelease, ByTag, Trigger


@dataclass(frozen=True)
class Here:
    """The component's own repository, and what stands on the other side: `rival` are the claims of the upstream's captains."""

    project: str
    remote: Remote
    ledger: Ledger
    claims: Claims
    rival: Rival
    registry: Registry


def made_here(
    here: Here, release: Release, wish: DownstreamWish, forge: Forge | None
) -> ReleaseDownstream | FollowDownstream:
    """The step that makes it. What it comes after was seen to be there."""
    name = f"downstream {wish.name}"
    if forge is None:
        return ReleaseDownstream(name, release, wish, (), (), here.remote, here.ledger)
    ready = msgspec.structs.replace(wish, after_assets=())
    trigger = _trigger(here, release, ready, forge)
    return FollowDownstream(
        name, release, ready, (), (), trigger, forge, release.tag, forge, here.registry if wish.images else None,
        here.claims, mine=True, waits=False,
    )  # fmt: skip


def _trigger(here: Here, release: Release, wish: DownstreamWish, forge: Forge) -> Trigger:
    if wish.trigger == "release":
        return ByRelease(release, wish, here.project, forge)
    if wish.trigger == "tag":
        return ByTag(release, wish, here.project, forge, here.remote)
    return ByDispatch(release, wish, here.project, forge, here.claims, here.rival, yields=True)
