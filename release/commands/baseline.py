"""Adopt a project with history: write into release.toml from which release on everything has to be proved.

Records of what was released before are not written. A finished record says that every step was seen to be done, with the
digests that were seen; of a release that others made nobody has them, and a run that trusts such a record would build again
what is out. From the baseline on, what is out is looked at by its tags, and what is missing is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from release.app import Session
from release.commands.adopt import asked_for
from release.core.baseline import FILE, Baseline, counted, difference, unknown, with_baseline
from release.core.finding import Conflict
from release.core.version import scheme
from release.errors import ConflictError, Unseen

NEXT = f"commit {FILE} and push it; then invoke fleet.status shows what is missing since"


@dataclass(frozen=True)
class Adoption:
    """What would be written: the text that is there, and the one to be put in its place."""

    baseline: Baseline
    old: str
    new: str


def prepared(session: Session, since: str) -> Adoption:
    """Look: is it a release that is out, what lies below it, how does the file change."""
    version = asked_for(session, since)
    tag = scheme(session.config.version, session.config.project.name).tag(version)
    tags = session.remote.refs().tags
    if tag not in tags:
        raise ConflictError((unknown(tag, tags),))
    old = session.shelf.text(session.root / FILE)
    if old is None:
        raise Unseen(f"{FILE} went away while it was read", "run the same command again")
    new = with_baseline(old, tag)
    if isinstance(new, Conflict):
        raise ConflictError((new,))
    session.remote.bring([f"refs/tags/{name}" for name in tags], list(dict.fromkeys(tags.values())))
    history, proved = counted(session.config, session.remote.dates(tags), tag)
    before = session.config.project.since
    changed = difference(old, new)
    return Adoption(Baseline(tag, before, history, proved, changed, NEXT if changed else ""), old, new)


def adopt(session: Session, adoption: Adoption) -> Baseline:
    """Write it: the whole file or nothing of it, and only over what was looked at."""
    if adoption.new != adoption.old:
        session.shelf.rewrite(adoption.old, adoption.new, session.root / FILE)
    return adoption.baseline
