"""What a release makes and triggers, with every template filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from release.core.config import Artifact, Config, Downstream, When, seconds
from release.core.model import ArtifactWish, DownstreamWish, GateWish, Release
from release.core.version import render


class Selective(Protocol):
    """A table that applies to some releases only."""

    @property
    def when(self) -> When: ...
    @property
    def lines(self) -> Sequence[str]: ...


def applies(table: Selective, line: str, kind: str) -> bool:
    """Whether a table is for a release of this line and kind."""
    return table.when in ("always", kind) and (not table.lines or line in table.lines)


def furnished(config: Config, release: Release, values: Mapping[str, str]) -> Release:
    """The release with its mode, gates, artifacts, output and downstreams."""
    line, kind = release.line, release.kind
    return msgspec.structs.replace(
        release,
        mode="push" if release.edits else "none",
        start=config.release.start,
        gates=tuple(GateWish(gate.name, gate.run) for gate in config.gate if applies(gate, line, kind)),
        artifacts=tuple(
            wish for table in config.artifact if applies(table, line, kind) for wish in artifacts(table, values)
        ),
        deadline=seconds(config.release.deadline) or 0,
        output=render(config.release.output, values),
        downstreams=downstreams(config, line, kind, values),
    )


def artifacts(table: Artifact, values: Mapping[str, str]) -> list[ArtifactWish]:
    """One artifact a platform, or one without."""
    wishes = []
    for platform in table.platforms or ("",):
        system, _, arch = platform.partition("/")
        full = {**values, "platform": platform, "os": system, "arch": arch.replace("/", "-")}
        run = tuple(render(word, full) for word in table.run)
        wishes.append(ArtifactWish(render(table.name, full), run, platform, render(table.path, full)))
    return wishes


def downstreams(config: Config, line: str, kind: str, values: Mapping[str, str]) -> tuple[DownstreamWish, ...]:
    """The components that a release itself triggers; those that a promotion triggers are left to it."""
    chosen = [one for one in config.downstream if one.per == "release" and applies(one, line, kind)]
    names = {one.name for one in chosen}
    return tuple(_downstream(one, names, values) for one in chosen)


def _downstream(one: Downstream, names: set[str], values: Mapping[str, str]) -> DownstreamWish:
    return DownstreamWish(
        name=one.name,
        repository=one.repository,
        branch=render(one.branch, values),
        tag=render(one.tag, values),
        after=tuple(name for name in one.after if name in names),
        required=one.required,
    )
