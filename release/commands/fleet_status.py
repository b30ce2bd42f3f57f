"""Fleet status: components x releases, by the tags of their remotes. Lists, and inspects nothing."""

from __future__ import annotations

from release.app import Session
from release.core.config import Component, Downstream
from release.core.finding import Conflict
from release.core.fleet_status import Seen, Status, status
from release.errors import ConflictError, ReleaseError, UsageError


def fleet_status(session: Session, since: str, until: str) -> Status:
    """One request a component, and the dates of the upstream's tags."""
    if conflicts := session.lacking(session.head()):
        raise ConflictError(conflicts)
    with session.engine() as engine:
        fleet = session.config.downstream
        looks = engine.each(lambda one: seen(session, one), fleet)
    tags = session.remote.refs().tags
    session.remote.bring([f"refs/tags/{name}" for name in tags], list(dict.fromkeys(tags.values())))
    components = {one.name: look for one, look in zip(fleet, looks, strict=True)}
    judged = status(session.config, session.remote.dates(tags), components, since=since, until=until)
    if isinstance(judged, Conflict):
        raise refusal(judged)
    return judged


def refusal(conflict: Conflict) -> ReleaseError:
    """A window that was typed wrong is bad use; anything else, a person has to decide."""
    if conflict.rule in ("bad-date", "empty-window"):
        return UsageError(conflict.why, conflict.remedy)
    return ConflictError((conflict,))


def seen(session: Session, one: Downstream | Component) -> Seen:
    """A component's tags; what cannot be seen is said, and not taken for absent."""
    try:
        return Seen(session.remote_at(one.repository, one.name).refs().tags)
    except ReleaseError as error:
        return Seen(None, error.message)
