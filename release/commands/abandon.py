"""Abandon: give a release up that has begun and is not public yet. Its number is never used again."""

from __future__ import annotations

from release.app import Session
from release.commands.adopt import asked_for
from release.core.finding import Conflict
from release.core.plan import Abandoned
from release.core.publication import ours
from release.core.record import DRAFT, Record
from release.errors import ConflictError
from release.ports import Forge


def abandon(session: Session, version: str, reason: str) -> Abandoned:
    """Close the record of the named release, or of the only one in flight."""
    session.who()
    seen = session.observed()
    wanted = asked_for(session, version).text if version else ""
    record = meant([record for record in seen.records if record.unfinished], wanted)
    release = record.release
    if seen.refs.tags.get(release.tag) == record.state.commit:
        why = f"{release.tag} is public: its tag is on the upstream, and others may have it"
        raise ConflictError((Conflict("public", why, f"finish it: invoke release --version {release.tag}"),))
    if session.forge is not None:
        drop_draft(session.forge, record)
    session.ledger.close(record, "abandoned", reason)
    return Abandoned(release.tag, record.line, reason)


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
