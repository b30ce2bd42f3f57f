"""Adopt: go on with what a record carries, after a look at whether it is what it says."""

from __future__ import annotations

from release import config as configuration
from release import observe
from release.app import Session, checked
from release.core import design
from release.core.aim import Observation, Refusal
from release.core.config import Config
from release.core.finding import Conflict
from release.core.model import Release
from release.core.record import Record
from release.core.version import Version, scheme
from release.errors import ConflictError, UsageError


def adopted(session: Session, seen: Observation, record: Record) -> Release | Refusal:
    """The release of a record, with commands from the commit that it is made from and the rest from here."""
    release, remote = record.release, session.remote
    commit, tip = record.state.commit, seen.refs.heads.get(release.branch, "")
    remote.bring([f"refs/heads/{release.branch}"] if tip else [], [one for one in (tip, release.base, commit) if one])
    public = seen.refs.tags.get(release.tag) == commit
    if not remote.ancestor(release.base, commit):
        return (design.forged(record),)
    if not public and not (tip and remote.ancestor(release.base, tip)):
        why = (
            f"{release.tag} was begun at {release.base[:10]}, which is not in {release.branch or 'any branch'} any more"
        )
        return (Conflict("base-gone", why, f"give it up: invoke release.abandon --version {release.tag}"),)
    rules = scheme(session.config.version, session.config.project.name)
    version = rules.parse(release.version)
    if version is None or (rules.tag(version), version.line) != (release.tag, record.line):
        return (design.forged(record),)
    config, _ = at_commit(session.config, remote.file(release.base, "release.toml"), release.base)
    if not public and (refusal := unproved(session, config, record, seen.head.branch)):
        return refusal
    return design.furnished(config, release)


def surely(found: Release | Refusal) -> Release:
    """The release, or all that stands against it as an error."""
    if isinstance(found, Release):
        return found
    raise ConflictError(found)


def unproved(session: Session, config: Config, record: Record, branch: str) -> Refusal:
    """Why the commit of a record that is not public yet is not the one that this project would make."""
    release, remote = record.release, session.remote
    if refusal := design.unfaithful(config, record, observe.content(remote, config, release.base), branch):
        return refusal
    made = release.base
    if release.edits:
        made = remote.commit(release.base, release.edits, release.message, release.author, release.date)
    return () if made == record.state.commit else (design.forged(record),)


def at_commit(working: Config, committed: str | None, commit: str) -> tuple[Config, tuple[str, ...]]:
    """The configuration as a commit has it, as far as it is read there; and what is to be said about that."""
    config = checked(configuration.at_commit(working, committed, f"release.toml at {commit[:10]}"))
    said = () if committed is not None else (f"{commit[:10]} has no release.toml: the one in your work tree is used",)
    return config, said


def asked_for(session: Session, text: str) -> Version:
    """The version that a person typed."""
    rules = scheme(session.config.version, session.config.project.name)
    wanted = rules.requested(text)
    if wanted is None:
        example = rules.tag(rules.make((1, 2, 3), revision=1 if rules.revisions == "always" else 0))
        shown = repr(text) if len(text) <= 60 else f"{text[:57]!r}..."
        raise UsageError(f"{shown} is no version of scheme {rules.rules.scheme}", f"write it like {example}")
    return wanted
