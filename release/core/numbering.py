"""Which version is next: the number itself, never one that was used."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from release.core.commits import plain
from release.core.finding import Conflict
from release.core.model import Level
from release.core.version import Revised, Scheme, Version

Core = tuple[int, int, int]

FIRST: Core = (0, 1, 0)
"""The version of a first release: where the SemVer FAQ advises to start."""


def next_version(
    scheme: Scheme,
    *,
    previous: Version | None,
    level: Level,
    stage: str,
    taken: Collection[Version],
    core: Core | None,
) -> Version | Conflict:
    """The version to release; never one of `taken`, which holds all that exist anywhere or were abandoned.

    `previous` is the last final of the line, None for a first release; `stage` is "" for a final, else the candidate's;
    `core` is X.Y.Z when a file decides it. Numbers go on from the highest one, never into a gap: a candidate that was
    given up must not come back as something else. Level "none" is a caller's mistake, and taken for a patch.
    """
    if stage and stage not in scheme.rules.candidates:
        return _unknown(stage, scheme)
    finals = [version for version in taken if version.final]
    used = {_core(version) for version in finals}
    revised = isinstance(scheme, Revised)
    if core in used and not revised:
        return _taken(scheme, next(version for version in finals if _core(version) == core))
    wanted = core or _bumped(previous, level)
    while wanted in used and not revised:
        wanted = (wanted[0], wanted[1], wanted[2] + 1)
    revision = 1 + max((version.revision for version in finals if _core(version) == wanted), default=0)
    return _made(scheme, wanted, stage, revision if revised else 0, taken)


def _core(version: Version) -> Core:
    return version.major, version.minor, version.patch


def _bumped(previous: Version | None, level: Level) -> Core:
    """SemVer clauses 6 to 8: what is right of the bumped number starts again at 0."""
    if previous is None:
        return FIRST
    major, minor, patch = _core(previous)
    if level == "major":
        return major + 1, 0, 0
    return (major, minor + 1, 0) if level == "minor" else (major, minor, patch + 1)


def _made(scheme: Scheme, core: Core, stage: str, revision: int, taken: Iterable[Version]) -> Version | Conflict:
    same = (v.number for v in taken if (_core(v), v.revision, v.stage) == (core, revision, stage))
    number = 1 + max(same, default=0) if stage else 0
    try:
        return scheme.make(core, stage, number, revision)
    except ValueError as error:  # a hostile tag can have the highest number there is
        return Conflict("version-unwritable", str(error), "give the version by --version")


def _unknown(stage: str, scheme: Scheme) -> Conflict:
    known = ", ".join(scheme.rules.candidates) or "none"
    remedy = f"choose one of version.candidates ({known})"
    return Conflict("stage-unknown", f"{plain(stage, 50)} is not a stage of candidates here", remedy)


def _taken(scheme: Scheme, version: Version) -> Conflict:
    why = f"version {version.core} is taken: {scheme.tag(version)} was released or given up"
    return Conflict("version-taken", why, "set a higher version in the version file")
