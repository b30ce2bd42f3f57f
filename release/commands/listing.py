"""List: every release of the upstream by its tag, and the tags that are none."""

from __future__ import annotations

from release.app import Session
from release.core.listing import Listing, listed
from release.errors import ConflictError, Unseen


def listing(session: Session) -> Listing:
    """By precedence. Only the tags are looked at, and the dates of their commits."""
    tags = session.remote.refs().tags
    try:
        session.remote.bring([f"refs/tags/{name}" for name in tags], list(dict.fromkeys(tags.values())))
    except Unseen:
        if conflicts := session.lacking(session.head()):  # git cannot add to a shallow clone what it lacks
            raise ConflictError(conflicts) from None
        raise
    return listed(session.config, session.remote.dates(tags))
