"""Subject: which release a part of the path is for, and at which commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from release.app import Session
from release.commands.adopt import asked_for, at_commit, surely
from release.commands.plan import designed
from release.commands.verify import released
from release.core.aim import Aim, Nothing, Observation, Wishes, place
from release.core.design import existing
from release.core.model import Person, Release
from release.core.record import Record, State
from release.core.version import scheme


@dataclass(frozen=True)
class Subject:
    """A release, and a record of it: the one that there is, or one that says no more than its commit."""

    release: Release
    record: Record
    seen: Observation

    @property
    def tagged(self) -> str:
        """The commit that its tag is on, "" where there is no such tag."""
        return self.seen.refs.tags.get(self.release.tag, "")


def subject(session: Session, version: str) -> Subject:
    """The release that has begun, or is out; else the one that would come next, as of its commit's date.

    A design whose clock stands at the commit is the same whenever it is made: so is what is built from it.
    """
    wanted = asked_for(session, version or session.started_for) if version or session.started_for else None
    seen = session.observed(wanted)
    if wanted is not None and seen.record_of(wanted) is None:
        rules = scheme(session.config.version, session.config.project.name)
        if rules.tag(wanted) in seen.refs.tags:
            return bare(session, seen, version or session.started_for)
    seen = as_of_commit(session, seen)
    wished, _ = designed(session, seen, Wishes(version=version, tag=session.started_for))
    if isinstance(wished, Nothing):
        release = released(session, seen, version)
        return told(session, seen, release) if recorded(session, release) else bare(session, seen, release.tag)
    return told(session, seen, surely(wished))


def told(session: Session, seen: Observation, release: Release) -> Subject:
    """With the record that there is, else with the commit that the release makes: an object that no ref points at."""
    record = recorded(session, release)
    if record is None:
        remote, commit = session.remote, release.base
        if release.edits:
            commit = remote.commit(commit, release.edits, release.message, release.author, release.date)
        record = unwritten(release, commit)
    return Subject(release, record, seen)


def bare(session: Session, seen: Observation, version: str) -> Subject:
    """A release that only a tag tells of, by the configuration at its commit."""
    wanted = asked_for(session, version)
    tag = scheme(session.config.version, session.config.project.name).tag(wanted)
    commit = seen.refs.tags[tag]
    session.remote.bring([f"refs/tags/{tag}"], [commit])
    config, _ = at_commit(session.config, session.remote.file(commit, "release.toml"), commit)
    release = existing(config, seen, wanted)
    release = msgspec.structs.replace(release, made=date_of(session, commit))
    return Subject(release, unwritten(release, commit), seen)


def recorded(session: Session, release: Release) -> Record | None:
    """The record of a release, unless it was given up."""
    record = session.ledger.latest(release)
    return record if record is not None and record.state.outcome != "abandoned" else None


def unwritten(release: Release, commit: str) -> Record:
    """A record that nobody wrote: it says which commit is meant."""
    nobody = Person("", "")
    return Record(release.line, "", release, State("begun", commit, nobody, release.date))


def as_of_commit(session: Session, seen: Observation) -> Observation:
    """The world as it would be looked at when the commit to be released was made."""
    placed = place(session.config, seen)
    if not isinstance(placed, Aim):
        return seen
    session.remote.bring([f"refs/heads/{placed.branch}"] if placed.branch in seen.refs.heads else [], [placed.base])
    moment = datetime.fromisoformat(date_of(session, placed.base)).astimezone(UTC)
    return msgspec.structs.replace(seen, now=moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def date_of(session: Session, commit: str) -> str:
    """A commit's date, ISO 8601."""
    return session.remote.dates({"": commit})[0].date
