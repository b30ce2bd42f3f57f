"""What a release does, one file a step. The paths below are the table of contents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.core.model import DownstreamWish, Release
from release.core.record import OUTPUT, TAG
from release.engine.step import Step
from release.ports import Ledger, Remote, Shelf, Workshop
from release.steps.begin import Begin
from release.steps.build import Build
from release.steps.commit import MakeCommit
from release.steps.downstream import ReleaseDownstream
from release.steps.finish import Finish
from release.steps.gate import Gate
from release.steps.land import Land
from release.steps.output import Publish


@dataclass(frozen=True)
class Doors:
    """What the steps act through. `elsewhere` opens a downstream's remote; `ours` is false where the tag's own run builds."""

    remote: Remote
    ledger: Ledger
    workshop: Workshop
    shelf: Shelf
    elsewhere: Callable[[DownstreamWish], Remote]
    root: Path
    ours: bool = True


def release_path(doors: Doors, release: Release, before: str) -> list[Step[Any]]:
    """The whole path. `before` is the tip of the line's record that the release was designed over, "" for none."""
    gates = tuple(
        Gate(f"gate {wish.name}", release, wish, doors.ledger, doors.workshop, doors.shelf) for wish in release.gates
    )
    commit = MakeCommit("commit", release, doors.remote, doors.ledger, doors.shelf)
    begin = Begin("begin", release, before, gates, commit, doors.remote, doors.ledger)
    early = release.start == "tag"
    tag_first = (land_of(doors, release, begin, ()),) if early else ()
    builds = tuple(
        Build(
            f"build {wish.name}",
            release,
            wish,
            begin,
            tag_first,
            doors.ledger,
            doors.workshop,
            doors.shelf,
            doors.ours or not early,
        )
        for wish in release.artifacts
    )
    land = next(iter(tag_first), None) or land_of(doors, release, begin, builds)
    published = (publish_of(doors, release, begin, land, builds),) if release.output and builds else ()
    downstreams = downstream_path(doors, release, (begin, land, *published))
    required = tuple(step for step in downstreams if step.wish.required)
    finish = Finish("finish", release, begin, land, published, required, doors.ledger)
    landing = (land, *builds) if early else (*builds, land)
    return [*gates, commit, begin, *landing, *published, *downstreams, finish]


def downstream_path(doors: Doors, release: Release, upstream: tuple[Step[Any], ...]) -> list[ReleaseDownstream]:
    """The downstreams, each after those it names; `upstream` is what has to be out before any of them."""
    made: dict[str, ReleaseDownstream] = {}
    left = list(release.downstreams)
    while left:
        ready = [wish for wish in left if all(name in made for name in wish.after)]
        assert ready, "a cycle in `after` is refused with the configuration"
        for wish in ready:
            after = tuple(made[name] for name in wish.after)
            made[wish.name] = ReleaseDownstream(
                f"downstream {wish.name}", release, wish, upstream, after, doors.elsewhere(wish), doors.ledger
            )
        left = [wish for wish in left if wish.name not in made]
    return [made[wish.name] for wish in release.downstreams]


def land_of(doors: Doors, release: Release, begin: Begin, builds: tuple[Build, ...]) -> Land:
    """The push of branch and tag."""
    return Land(TAG, release, begin, builds, doors.remote, doors.ledger)


def publish_of(doors: Doors, release: Release, begin: Begin, land: Land, builds: tuple[Build, ...]) -> Publish:
    """The directory that takes the artifacts."""
    return Publish(
        OUTPUT,
        release,
        begin,
        land,
        builds,
        doors.ledger,
        doors.shelf,
        doors.root / release.output,
        doors.ours or release.start == "command",
    )
