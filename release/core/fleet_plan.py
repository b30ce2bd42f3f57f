"""What a release would bring out of its fleet, and in which order: from the configuration alone, nobody is asked."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from release.core.address import without_secret
from release.core.assembly import applies
from release.core.config import Config, Downstream
from release.core.fleet import by_name, waves
from release.core.model import Kind
from release.core.version import Version, render, scheme, template_values


class Planned(msgspec.Struct, frozen=True):
    """A component that would be released: `tag` and `branch` as far as the version tells them, else as templates.

    `of` and `after` are who comes before it, `when` and `lines` what selects it, where the release is not known.
    """

    name: str
    repository: str
    tag: str
    branch: str
    trigger: str
    of: str = ""
    after: tuple[str, ...] = ()
    when: str = "always"
    lines: tuple[str, ...] = ()
    required: bool = True


class LeftOut(msgspec.Struct, frozen=True):
    """A component that would not be released, and why."""

    name: str
    why: str


class FleetPlan(msgspec.Struct, frozen=True):
    """`waves` are who can go together, when those before are out. Without a `version`, `tag` and `kind` are ""; without a
    `line`, that is any."""

    project: str
    version: str = ""
    tag: str = ""
    line: str = ""
    kind: str = ""
    waves: tuple[tuple[Planned, ...], ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def fleet_plan(config: Config, version: Version | None, line: str) -> FleetPlan:
    """The plan of a release of this version, else of any of this line, else of any at all.

    The configuration has to be resolved and free of contradictions.
    """
    line = version.line if version else line
    kind: Kind | str = version.kind if version else ""
    chosen = [one for one in config.downstream if not _against(one, line, kind)]
    names = {one.name for one in chosen}
    parents = by_name(config.downstream)
    rules = scheme(config.version, config.project.name)
    tag = rules.tag(version) if version else ""
    values = template_values(version, tag, rules) if version else {"line": line} if line else {}

    def planned(one: Downstream) -> Planned:
        return Planned(
            name=one.name,
            repository=without_secret(one.repository),
            tag=render(one.tag, values),
            branch=render(one.branch, values),
            trigger=one.trigger,
            of=one.of,
            after=tuple(name for name in one.after if name in names and name != one.of),
            when=one.when,
            lines=one.lines,
            required=one.required,
        )

    def left_out(some: Iterable[Downstream]) -> Iterable[LeftOut]:
        for one in some:
            if one.name not in names:
                parent = parents.get(one.of)
                inherited = parent is not None and parent.name not in names
                why = f"{one.of}, which it is of, is not released" if inherited else _against(one, line, kind)
                yield LeftOut(one.name, why)

    return FleetPlan(
        project=config.project.name or "the upstream",
        version=version.text if version else "",
        tag=tag,
        line=line,
        kind=kind,
        waves=tuple(tuple(map(planned, wave)) for wave in waves(chosen)),
        left_out=tuple(left_out(config.downstream)),
    )


def _against(one: Downstream, line: str, kind: str) -> str:
    """Why a component is not released with a release of this line and kind ("" for any), "" where it is."""
    if one.per == "channel":
        return "a promotion releases it, for each channel"
    if applies(one, line or next(iter(one.lines), ""), kind or ("final" if one.when == "always" else one.when)):
        return ""
    if line and one.lines and line not in one.lines:
        return f"only for {', '.join(one.lines)}"
    return f"only for {one.when}s"
