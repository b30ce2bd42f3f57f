"""What lists of a fleet show: all that is needed to judge it, by a few requests for each component."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast, get_args

from release.app import Session
from release.commands.looks import HOME, PARTS, Look, Scene, every, refs_of_all
from release.core.commits import plain
from release.core.evidence import Listed
from release.core.finding import Conflict
from release.core.fleet_window import Wanted, asked, window
from release.core.model import Kind, Refs, Tag
from release.core.record import Proof, Record
from release.engine.walk import Engine
from release.errors import ConflictError, ReleaseError, UsageError
from release.redact import HIDE

LONGEST = 400  # characters of an error
MERGED = ("images", "errors")  # parts of which several looks have a piece

Parts: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """`tags` are the upstream's, with dates; `home` its lists, and `listed` those of the components, by name.

    `proved` is what records say, by the tag of the release.
    """

    tags: Sequence[Tag]
    home: Listed
    listed: Mapping[str, Listed]
    proved: Mapping[str, Mapping[str, Proof]]


def evidence(session: Session, wanted: Wanted, parts: Collection[str] = PARTS) -> Evidence:
    """Look at the upstream, then at the refs of all components that are asked about, then at all their other lists.

    What cannot be seen of a component is said, and harms neither its other lists nor another component's. `parts` are
    the other lists that are wanted (see Scene).
    """
    refs = session.refs(session.remote, session.repository)
    session.remote.bring([f"refs/tags/{name}" for name in refs.tags], list(dict.fromkeys(refs.tags.values())))
    tags = session.remote.dates(refs.tags)
    world = window(session.config, tags, wanted)
    if isinstance(world, Conflict):
        raise refusal(world)
    lines = {version.line for version in world.versions.values()}
    for line in wanted.lines:
        if line not in lines:
            raise UsageError(f"the upstream has no release of line {line}", nearest(line, lines))
    scene = Scene(session, world, asked(session.config, wanted), proofs(session, refs), parts)
    found: dict[str, Parts] = {name: {"errors": {}} for name in (HOME, *(one.name for one in scene.fleet))}
    found[HOME] |= {"tags": refs.tags, "heads": refs.heads}
    with session.engine() as engine:
        gather(engine, refs_of_all(scene), found)
        gather(engine, every(scene, found) if world.window else (), found)
    listed = {name: Listed(**parts) for name, parts in found.items()}
    return Evidence(tags, listed.pop(HOME), listed, scene.proved)


def asked_about(lines: Sequence[str], components: Sequence[str], kind: str, since: str, until: str) -> Wanted:
    """What was typed; UsageError where it means nothing."""
    if kind not in ("", *get_args(Kind)):
        raise UsageError(f"{plain(kind, 100)!r} is no kind of release", nearest(kind, get_args(Kind)))
    return Wanted(since, until, tuple(lines), tuple(components), cast("Kind", kind) if kind else None)


def gather(engine: Engine, looks: Iterable[Look], found: Mapping[str, Parts]) -> None:
    """Look at all of it at the same time, and note what was found for whom."""
    for look, parts, error in engine.each(looked, list(looks)):
        for name in look.of:
            if error:
                errors = found[name]["errors"]
                errors[look.part] = f"{errors[look.part]}; {error}" if look.part in errors else error
            for part, value in parts.items():
                found[name][part] = {**found[name].get(part, {}), **value} if part in MERGED else value


def looked(look: Look) -> tuple[Look, Mapping[str, Any], str]:
    """What a look gave, or why it gave nothing; what has to wait for a limit is asked again by whoever asked."""
    try:
        return look, look.ask(), ""
    except ReleaseError as error:
        if error.after:
            raise
        return look, {}, plain(HIDE.redacted(error.message), LONGEST)


def proofs(session: Session, refs: Refs) -> Mapping[str, Mapping[str, Proof]]:
    """What the newest record of each line proves, by the tag of its release; one that cannot be read proves nothing."""
    records = session.ledger.all(refs)
    return {record.release.tag: record.evidence for record in records if isinstance(record, Record)}


def refusal(conflict: Conflict) -> ReleaseError:
    """A window that was typed wrong is bad use; anything else, a person has to decide."""
    if conflict.rule in ("bad-date", "empty-window"):
        return UsageError(conflict.why, conflict.remedy)
    return ConflictError((conflict,))


def nearest(name: str, names: Collection[str]) -> str:
    """What may have been meant."""
    near = difflib.get_close_matches(name[:100].lower(), list(names), n=1)
    if near:
        return f"did you mean {near[0]}?"
    shown = ", ".join(sorted(names)[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"there are: {shown or 'none'}"
