"""Fleet figures: from the lists of releases and runs that fleet.status has. Lists, and inspects nothing."""

from __future__ import annotations

from release.app import Session
from release.commands.evidence import refusal
from release.commands.fleet_status import listed
from release.core.finding import Conflict
from release.core.fleet_stats import Stats, stats
from release.core.fleet_window import Wanted


def fleet_stats(session: Session, wanted: Wanted) -> Stats:
    """A few requests a component."""
    seen = listed(session, wanted, ("releases", "runs"))
    counted = stats(session.config, seen.tags, seen.home, seen.listed, seen.proved, session.now(), wanted)
    if isinstance(counted, Conflict):
        raise refusal(counted)
    return counted
