"""Fleet status: components x releases, by lists of what is out. It inspects nothing."""

from __future__ import annotations

from collections.abc import Collection

from release.app import Session
from release.commands.evidence import Evidence, evidence, nearest, refusal
from release.commands.looks import PARTS, refs_of
from release.core.commits import plain
from release.core.config import Component, Downstream
from release.core.finding import Conflict
from release.core.fleet_status import Seen, Status, status
from release.core.fleet_window import Wanted
from release.core.notation import bad_lines
from release.errors import ConflictError, ReleaseError, UsageError


def fleet_status(session: Session, wanted: Wanted, parts: Collection[str] = PARTS) -> Status:
    """A few requests a component, and the dates of the upstream's tags."""
    seen = listed(session, wanted, parts)
    judged = status(session.config, seen.tags, seen.home, seen.listed, seen.proved, session.now(), wanted)
    if isinstance(judged, Conflict):
        raise refusal(judged)
    return judged


def listed(session: Session, wanted: Wanted, parts: Collection[str] = PARTS) -> Evidence:
    """What is to be judged; nobody is asked before the question is a good one."""
    understood(session, wanted)
    if conflicts := session.lacking(session.head()):
        raise ConflictError(conflicts)
    return evidence(session, wanted, parts)


def understood(session: Session, wanted: Wanted) -> None:
    """Refuse names of components that nothing bears, and lines that are none."""
    names = [one.name for one in session.config.downstream]
    for name in wanted.components:
        if name not in names:
            raise UsageError(f"{plain(name, 100)!r} is no component of this fleet", nearest(name, names))
    for bad in bad_lines("--line", wanted.lines):
        raise UsageError(bad.why, bad.remedy)


def seen(session: Session, one: Downstream | Component) -> Seen:
    """A component's tags; what cannot be seen is said, and not taken for absent."""
    try:
        return Seen(refs_of(session, one).tags)
    except ReleaseError as error:
        return Seen(None, error.message)
