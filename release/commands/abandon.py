"""Abandon: give a release up that has begun and is not public yet. Its number is never used again."""

from __future__ import annotations

from release.app import Session
from release.commands.adopt import asked_for
from release.commands.proposing import merged, proposes
from release.core.aim import Aim, Observation, place, unfinished
from release.core.finding import Conflict
from release.core.model import Release
from release.core.plan import Abandoned
from release.core.proposal import Offer
from release.core.publication import ours
from release.core.record import DRAFT, Record, State, given_up
from release.core.version import scheme
from release.errors import ConflictError
from release.ports import Forge


def abandon(session: Session, version: str, reason: str) -> Abandoned:
    """Close the record of the named release, or of the only one in flight."""
    session.who()
    seen = session.observed()
    wanted = asked_for(session, version).text if version else ""
    if (offer := merged_only(session, seen, wanted)) is not None:
        return never_begun(session, seen, offer, reason)
    record = meant([record for record in seen.records if record.unfinished], wanted)
    release = record.release
    if seen.refs.tags.get(release.tag) == record.state.commit:
        why = f"{release.tag} is public: its tag is on the upstream, and others may have it"
        raise ConflictError((Conflict("public", why, f"finish it: invoke release --version {release.tag}"),))
    if session.forge is not None:
        drop_draft(session.forge, record)
    session.ledger.close(record, "abandoned", reason)
    return Abandoned(release.tag, record.line, reason)


def merged_only(session: Session, seen: Observation, version: str) -> Offer | None:
    """A version that was proposed and merged, and has not begun; not where another release is in flight and none is named."""
    placed = place(session.config, seen)
    if not proposes(session) or isinstance(placed, Conflict) or placed.branch not in seen.refs.heads:
        return None
    begun = {record.release.version for record in seen.records if record.unfinished}
    if version in begun or (begun and not version):
        return None
    offer = merged(session, seen, placed.branch)
    return offer if offer is not None and version in ("", offer.version.text) else None


def never_begun(session: Session, seen: Observation, offer: Offer, reason: str) -> Abandoned:
    """Write down that a number is not to be used, though no release of it has begun."""
    rules, version, who = scheme(session.config.version, session.config.project.name), offer.version, session.who()
    old = next((record for record in seen.records if record.line == version.line), None)
    if old is not None and old.unfinished:
        raise ConflictError((unfinished(old, seen.refs),))
    placed, merge, now = place(session.config, seen), offer.pull.merge, session.now()
    release = Release(
        version=version.text,
        tag=rules.tag(version),
        line=version.line,
        kind=version.kind,
        bump=offer.mark.bump,
        previous=None,
        branch=placed.branch if isinstance(placed, Aim) else "",
        base=merge,
        date=now,
        author=who,
        mode="none",
    )
    why = reason.encode("utf-8", "replace").decode()
    burned, withdrawn = (given_up(old), old.state.withdrawn) if old is not None else ((), ())
    state = State("abandoned", merge, who, now, why, burned, withdrawn)
    session.ledger.begin(Record(version.line, old.tip if old is not None else "", release, state))
    return Abandoned(release.tag, release.line, reason)


def drop_draft(forge: Forge, record: Record) -> None:
    """Delete the draft of a release that is given up; it is a workspace, and made again if the release goes on after all."""
    noted = record.evidence.get(DRAFT)
    draft = forge.release(noted.id) if noted else None
    if draft is not None and draft.draft and ours(draft, record.release.tag):
        forge.drop(draft.id)


def meant(begun: list[Record], version: str) -> Record:
    """The one record that is meant."""
    found = [record for record in begun if version in ("", record.release.version)]
    if len(found) == 1:
        return found[0]
    tags = ", ".join(record.release.tag for record in begun)
    if not found:
        why = f"{version} is not in flight" if version else "no release is in flight"
        why += f"; {tags} is" if tags else ""
        raise ConflictError((Conflict("not-begun", why, "invoke release.status shows what is"),))
    raise ConflictError((Conflict("several-begun", f"{tags} are in flight", "say which: --version V"),))
