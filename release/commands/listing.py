"""List: every release of the upstream by its tag, and the tags that are none."""

from __future__ import annotations

from release.app import Session
from release.core.listing import Listing, listed


def listing(session: Session) -> Listing:
    """By precedence. Only the tags are looked at, and the dates of their commits."""
    tags = session.remote.refs().tags
    session.remote.bring([f"refs/tags/{name}" for name in tags], list(dict.fromkeys(tags.values())))
    return listed(session.config, session.remote.dates(tags))
