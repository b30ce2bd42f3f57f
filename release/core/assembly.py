"""What a release makes and triggers, with every template filled in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from release.core import making
from release.core.config import Config, Downstream, Gate, Update, When, seconds
from release.core.making import of_platform
from release.core.model import DownstreamWish, GateWish, Release, UpdateWish
from release.core.publishing import uploaded
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
    """The release with its mode, gates, downstreams, and all that it makes and publishes."""
    line, kind = release.line, release.kind
    waits = seconds(config.release.deadline) or 0
    artifacts = tuple(
        wish for table in config.artifact if applies(table, line, kind) for wish in making.artifacts(table, values)
    )
    return msgspec.structs.replace(
        release,
        mode=_mode(config) if release.edits else "none",
        start=config.release.start,
        gates=tuple(_gate(gate, waits) for gate in config.gate if applies(gate, line, kind)),
        artifacts=artifacts,
        images=making.images([table for table in config.image if applies(table, line, kind)], values),
        packages=tuple(
            uploaded(making.package(table, values), artifacts)
            for table in config.package
            if table.files and applies(table, line, kind)
        ),
        publishers=tuple(
            making.publisher(table, values, waits) for table in config.publish if applies(table, line, kind)
        ),
        attest=making.attest(config.attest, {**values, "project": config.project.name or "release"}),
        deadline=waits,
        output=render(config.release.output, values),
        downstreams=downstreams(config, line, kind, values),
        forge=config.project.forge,
        workflow=config.release.workflow,
    )


def _mode(config: Config) -> Literal["push", "pull-request"]:
    """How what a release writes gets to its branch."""
    return "pull-request" if config.commit.mode == "pull-request" else "push"


def downstreams(config: Config, line: str, kind: str, values: Mapping[str, str]) -> tuple[DownstreamWish, ...]:
    """The components that a release itself triggers; those that a promotion triggers are left to it."""
    chosen = [one for one in config.downstream if one.per == "release" and applies(one, line, kind)]
    names = {one.name for one in chosen}
    waits = seconds(config.release.deadline) or 0
    return tuple(downstream_wish(one, names, values, waits) for one in chosen)


def _gate(gate: Gate, waits: int) -> GateWish:
    environment = (gate.environment or gate.name) if gate.kind == "approval" else ""
    deadline = seconds(gate.deadline) or waits
    return GateWish(gate.name, gate.run, gate.kind, gate.match, environment, deadline, gate.list, gate.platforms)


def downstream_wish(one: Downstream, names: Collection[str], values: Mapping[str, str], waits: int) -> DownstreamWish:
    """A component with every template filled in; `names` are those that it may come after, `waits` the seconds to wait for it
    where it does not say."""
    return DownstreamWish(
        name=one.name,
        repository=one.repository,
        branch=render(one.branch, values),
        tag=render(one.tag, values),
        of=one.of,
        after=tuple(name for name in one.after if name in names),
        required=one.required,
        trigger=one.trigger,
        updates=tuple(_update(update, values) for update in one.update),
        run=tuple(render(word, values) for word in one.run) if one.trigger == "local" else (),
        workflow=one.workflow,
        event=one.event,
        inputs={name: render(text, values) for name, text in one.inputs.items()},
        after_assets=spread(one.after_assets, one.platforms, values),
        assets=spread(one.assets, one.platforms, values),
        images=making.references(one.images, values),
        platforms=one.platforms,
        deadline=seconds(one.deadline) or waits,
        starts_within=seconds(one.starts_within) or 0,
    )


def _update(one: Update, values: Mapping[str, str]) -> UpdateWish:
    path, key, value = (render(text, values) for text in (one.path, one.key, one.value))
    return UpdateWish(path, one.kind, value, one.pattern, key, one.value, f"{one.path} {one.key}")


def spread(templates: Sequence[str], platforms: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """The names that templates stand for, one for each platform where they tell platforms apart."""
    full = [{**values, **of_platform(platform)} for platform in platforms or ("",)]
    return tuple(dict.fromkeys(render(template, each) for template in templates for each in full))
