"""What came before a release: the versions in its history, and which commits its bump and its notes count from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from release.core.aim import Aim, History, Observation
from release.core.config import Config
from release.core.version import Version, scheme


class Ranges(msgspec.Struct, frozen=True):
    """What came before: the last final, the previous release for the notes, and the commits each count from."""

    final: Version | None
    previous: Version | None
    bump_from: tuple[str, ...]
    notes_from: tuple[str, ...]


def ranges(config: Config, seen: Observation, aimed: Aim, history: History) -> Ranges:
    """Previous of a final: the previous final of its line; of a candidate: the previous tag of its line.

    A commit belongs to the first release that contains it, so notes leave out what any reachable release has.
    """
    rules = scheme(config.version, config.project.name)
    tags = seen.refs.tags
    known = {version: tags[name] for name in history.reachable if (version := rules.of_tag(name)) is not None}
    behind = {version: commit for version, commit in known.items() if came_before(aimed, version, commit)}
    finals = [version for version in behind if version.final]
    final = last(finals, aimed.line)
    candidate = aimed.stage or (aimed.version is not None and not aimed.version.final)
    previous = (
        (last([v for v in behind if v.line == aimed.line], aimed.line) or last(list(behind), ""))
        if candidate
        else final
    )
    return Ranges(
        final=final,
        previous=previous,
        bump_from=tuple(sorted({behind[final]})) if final else (),
        notes_from=tuple(sorted({behind[v] for v in (behind if candidate else finals)})),
    )


def came_before(aimed: Aim, version: Version, commit: str) -> bool:
    """Whether a version in the history is one that came before: of several tags on one commit, the lower versions did."""
    if aimed.version is None:
        return True
    return version != aimed.version and not (aimed.pinned and commit == aimed.base and version > aimed.version)


def beyond(versions: Mapping[str, Version], near: Collection[str], line: str) -> tuple[str, ...]:
    """The tags that a walk did not meet, and that would be the newest of the line (or of all) if they were in the history."""
    of_line = {name for name, version in versions.items() if version.line == line}
    asked = _above(versions, of_line, near)
    if any(versions[name].final for name in of_line.intersection(near)):
        return asked
    return tuple(dict.fromkeys((*asked, *_above(versions, versions, near))))


def _above(versions: Mapping[str, Version], names: Collection[str], near: Collection[str]) -> tuple[str, ...]:
    known = [versions[name] for name in names if name in near and versions[name].final]
    best = max(known, default=None)
    return tuple(name for name in names if name not in near and (best is None or versions[name] > best))


def last(versions: Sequence[Version], line: str) -> Version | None:
    """The greatest of a line; where the line has none, of all."""
    return max([v for v in versions if v.line == line] or versions, default=None)
