"""Which version is next: the number itself, never one that was used."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

import semver

from release.core.commits import plain
from release.core.finding import Conflict
from release.core.model import Level
from release.core.version import Scheme, Version

Core = tuple[int, int, int]
Rise = Level | Literal["revision"]

NOTHING: Core = (0, 0, 0)
FIRST: Core = (0, 1, 0)
"""The version of a first release: where the SemVer FAQ advises to start."""


def next_version(
    scheme: Scheme,
    *,
    previous: Version | None,
    level: Rise,
    stage: str,
    taken: Collection[Version],
    core: Core | None,
    floor: Core = NOTHING,
    burned: Collection[Version] = (),
) -> Version | Conflict:
    """The version to release; never one of `taken`, which holds all that exist anywhere or were abandoned (`burned`).

    `previous` is the last final of the line, None for a first release; `stage` is "" for a final, else the candidate's;
    `core` is X.Y.Z when a file decides it; else it is not below `floor`: the first one of a branch's line, or the one
    that a candidate is of. Numbers go on from the highest one, never into a gap: a candidate that was given up must not
    come back as something else. What is tagged elsewhere is somebody else's line: then the same level rises again,
    but no more than a patch in the line of `floor`.
    Level "revision" is the same X.Y.Z as `previous`, once more; "none" is taken for a patch.
    """
    if stage and stage not in scheme.rules.candidates:
        return _unknown(stage, scheme)
    if level == "revision":
        return _revision(scheme, previous, stage, taken, core)
    finals = {_core(version): version for version in taken if version.final}
    given_up = {_core(version) for version in burned if version.final}
    wanted = core or max(_bumped(previous, level), floor)
    if scheme.revisions == "always":
        while core is None and wanted in finals and wanted not in given_up:
            wanted = _raised(wanted, "patch" if wanted[:2] == floor[:2] else level)
        return _made(scheme, wanted, stage, _next_revision(scheme, wanted, taken), taken)
    if core in finals:
        return _taken(scheme, finals[core])
    while wanted in finals:
        wanted = _raised(wanted, "patch" if wanted in given_up or wanted[:2] == floor[:2] else level)
    return _made(scheme, wanted, stage, 0, taken)


def _core(version: Version) -> Core:
    return version.major, version.minor, version.patch


def _bumped(previous: Version | None, level: Level) -> Core:
    """SemVer clauses 6 to 8: what is right of the bumped number starts again at 0."""
    if previous is None:
        return (1, 0, 0) if level == "major" else FIRST
    return _raised(_core(previous), level)


def _raised(number: Core, level: Level) -> Core:
    core = semver.Version(*number)
    raised = {"major": core.bump_major, "minor": core.bump_minor}.get(level, core.bump_patch)()
    return raised.major, raised.minor, raised.patch


def _revision(
    scheme: Scheme, previous: Version | None, stage: str, taken: Collection[Version], core: Core | None
) -> Version | Conflict:
    if refused := _unrevisable(scheme, previous, stage, core):
        return refused
    wanted = _core(previous) if previous else FIRST
    known = (*taken, previous) if previous else taken
    return _made(scheme, wanted, stage, _next_revision(scheme, wanted, known), taken)


def _next_revision(scheme: Scheme, core: Core, taken: Iterable[Version]) -> int:
    """One above the finals of this core, and no lower than its candidates: those are on their way to theirs."""
    same = [version for version in taken if _core(version) == core]
    finals = (version.revision for version in same if version.final)
    candidates = (version.revision for version in same if not version.final)
    return max([1 + max(finals, default=0), *candidates])


def _unrevisable(scheme: Scheme, previous: Version | None, stage: str, core: Core | None) -> Conflict | None:
    """Why there is no next revision to be had."""
    name = scheme.rules.scheme
    if scheme.revisions == "none":
        remedy = 'release a patch (--bump patch), or set [version] scheme to "semver+revision" or "pep440"'
        return Conflict("no-revision", f"a revision was asked for, and the scheme {name} has none", remedy)
    if previous is None:
        why = "a revision was asked for, and nothing has been released that it could be one of"
        return Conflict("no-revision", why, "release a version first, without --revision")
    if core is not None and core != _core(previous):
        said = ".".join(map(str, core))
        why = f"a revision of {previous.core} was asked for, and the version file says {said}"
        return Conflict("revision-of-file", why, f"leave --revision out, or set {previous.core} in the version file")
    if stage and scheme.revisions == "asked":
        why = f"a candidate of a revision was asked for, and the scheme {name} has none: 1.2.0rc1.post1 is below 1.2.0"
        return Conflict("no-revision", why, "release the revision without --candidate, or a candidate of a patch")
    return None


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
    other = ", or ask for a revision: --revision" if scheme.revisions == "asked" else ""
    return Conflict("version-taken", why, f"set a higher version in the version file{other}")
