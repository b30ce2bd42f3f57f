"""Which version is next, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from release.core.commits import Change, plain
from release.core.finding import Conflict
from release.core.model import Reason
from release.core.version import Revised, Scheme, Version

Level = Literal["none", "patch", "minor", "major"]
Core = tuple[int, int, int]

FIRST: Core = (0, 1, 0)
"""The version of a first release: where the SemVer FAQ advises to start."""

_LEVELS: tuple[Level, ...] = ("none", "patch", "minor", "major")
_OF_TYPE: dict[str, Level] = {"feat": "minor", "fix": "patch", "perf": "patch", "revert": "patch"}


def level(changes: Iterable[Change], *, base: Version | None) -> tuple[Level, tuple[Reason, ...]]:
    """The bump that changes call for, and the changes that call for one, in their order.

    Breaking is major, feat is minor, fix, perf and revert are patch (SemVer clauses 6 to 8). `base` is the version that
    is bumped: while its major is 0, or there is none, breaking is minor (clause 4), as 1.0.0 is a person's decision.
    """
    initial = base is None or base.major == 0
    reasons = tuple(reason for change in changes if (reason := _reason(change, initial)).bump != "none")
    asked = {reason.bump for reason in reasons}
    return next((known for known in reversed(_LEVELS) if known in asked), "none"), reasons


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


def _reason(change: Change, initial: bool) -> Reason:
    bump: Level = _OF_TYPE.get(change.type, "none")
    note = ""
    if change.breaking:
        bump = "minor" if initial else "major"
        note = " (breaking; minor while major is 0, SemVer clause 4: give 1.0.0 by --version)" if initial else ""
    return Reason(change.commit[:10], plain(change.header, 200) + note, bump)


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
