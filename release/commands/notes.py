"""Notes: what users are told of a release, whether it is out or comes next."""

from __future__ import annotations

import msgspec

from release.app import Session
from release.commands.adopt import asked_for
from release.commands.decide import Decision, decided
from release.commands.version import looked_at
from release.core.aim import Aim, Nothing, Wishes, branch_of
from release.core.design import Choice
from release.core.finding import Conflict
from release.core.plan import ReleaseNotes
from release.core.record import Record
from release.core.story import Contributor, Story, contributors, links, news
from release.core.version import Version, scheme
from release.errors import ConflictError, UsageError


def notes(session: Session, version: str) -> ReleaseNotes:
    """The notes of a version that is out, as its record has them or else as its history tells them; or of what comes next.

    In a workflow for a tag, that is the version if none is named.
    """
    named = version or session.started_for
    return of_version(session, asked_for(session, named)) if named else of_next(session)


def of_next(session: Session) -> ReleaseNotes:
    """What users would be told if it were released now."""
    found, remarks = looked_at(session, Wishes())
    if isinstance(found, Record):
        return recorded(found)
    if isinstance(found, Nothing):
        return ReleaseNotes(None, None, None, "", (found.why,))
    if not isinstance(found, Decision):
        raise ConflictError(found)
    chosen = found.chosen
    if isinstance(chosen, Conflict):
        raise ConflictError((chosen,))
    said = (chosen.why,) if isinstance(chosen, Nothing) else ()
    told = written(session, found, chosen.version if isinstance(chosen, Choice) else None)
    return msgspec.structs.replace(told, remarks=(*remarks, *found.remarks, *said))


def of_version(session: Session, version: Version) -> ReleaseNotes:
    """What users were told of a version, by its record; by its history, where it has none."""
    seen = session.observed(version)
    record = seen.record_of(version)
    if record is not None:
        return recorded(record)
    rules = scheme(session.config.version, session.config.project.name)
    commit = seen.refs.tags.get(rules.tag(version))
    if commit is None:
        raise UsageError(f"{rules.tag(version)} is not out", "invoke release.list shows what is")
    branch = branch_of(session.config, seen.refs, version.line)
    found = decided(session, seen, Aim(branch, commit, version=version, line=version.line, pinned=True))
    if not isinstance(found, Decision):
        raise ConflictError(found if isinstance(found, tuple) else ())
    return msgspec.structs.replace(written(session, found, version), remarks=found.remarks)


def recorded(record: Record) -> ReleaseNotes:
    """The notes that a release began with."""
    release = record.release
    return ReleaseNotes(release.version, release.tag, release.previous, release.notes)


def written(session: Session, found: Decision, version: Version | None) -> ReleaseNotes:
    """The notes by the project's template; `version` is None for what has no number yet."""
    told = story(session, found, version)
    text = session.template(found.config, found.history)(told)
    return ReleaseNotes(told.version or None, told.tag or None, told.previous, text)


def story(session: Session, found: Decision, version: Version | None) -> Story:
    """All there is to tell of a release."""
    rules = scheme(found.config.version, found.config.project.name)
    previous = found.span.previous
    return Story(
        version=version.text if version else "",
        tag=rules.tag(version) if version else "",
        previous=rules.tag(previous) if previous else None,
        date=found.seen.now[:10] if version else "",
        changes=found.told,
        news=news(found.config, found.facts.fragments),
        contributors=people(session, found),
        links=links(found.config, session.server, session.repository),
    )


def people(session: Session, found: Decision) -> tuple[Contributor, ...]:
    """Who wrote the changes, where the template tells of them. Who is new is known by looking for all others in the history."""
    if found.config.changelog.template in NAMELESS:
        return ()
    emails = {change.author.email for change in found.told}
    before: frozenset[str] = frozenset()
    for commit in found.history.met:
        before |= session.remote.known(commit, emails - before, found.history.base)
    return contributors(found.told, before)


NAMELESS = ("keep-a-changelog", "release-note")
