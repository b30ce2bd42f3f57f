"""Status: every line in flight, what each waits for, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator

from release.app import Session
from release.commands.adopt import adopted
from release.commands.plan import states
from release.commands.proposing import merged, opened, proposes
from release.core.aim import Observation, Refusal, can_land
from release.core.finding import Conflict
from release.core.model import Release
from release.core.plan import LinesStatus, LineStatus, StepState
from release.core.proposal import PREFIX, Offer
from release.core.record import Record
from release.core.version import scheme
from release.errors import ReleaseError
from release.steps import release_path


def status(session: Session) -> LinesStatus:
    """The records of the upstream; what is unfinished is looked at step by step."""
    seen = session.observed()
    broken = (LineStatus(line=one.line, outcome="unreadable", why=one.why) for one in seen.broken)
    lines = (line(session, seen, record) for record in seen.records)
    return LinesStatus((*lines, *broken, *(proposals(session, seen) if proposes(session) else ())))


def proposals(session: Session, seen: Observation) -> Iterator[LineStatus]:
    """What pull requests of ours wait for, those of this branch and of every other that has one."""
    named = (head.removeprefix(PREFIX) for head in seen.refs.heads if head.startswith(PREFIX))
    for branch in sorted({*named, seen.head.branch}.intersection(seen.refs.heads)):
        try:
            offer = merged(session, seen, branch) or opened(session, branch)
        except ReleaseError as error:
            yield LineStatus(line=branch, outcome="unreadable", why=str(error))
            continue
        begun = {record.release.version for record in seen.records if record.unfinished}
        if offer is not None and offer.version.text not in begun:
            yield proposed(session, seen, branch, offer)


def proposed(session: Session, seen: Observation, branch: str, offer: Offer) -> LineStatus:
    """A version that a pull request brings, and that has not begun."""
    waits = f"waits for the merge of {offer.name} {offer.pull.url}"
    why = f"{offer.name} is merged as {offer.pull.merge[:10]}" if offer.merged else waits
    rules = scheme(session.config.version, session.config.project.name)
    return LineStatus(
        line=offer.version.line,
        outcome="merged" if offer.merged else "proposed",
        tag=rules.tag(offer.version),
        at=offer.mark.date,
        commit=offer.pull.merge or offer.pull.head,
        why=why,
        next="invoke release" if seen.head.branch == branch else f"git checkout {branch} && invoke release",
    )


def line(session: Session, seen: Observation, record: Record) -> LineStatus:
    """One line's newest release."""
    release, state = record.release, record.state
    waits: tuple[StepState, ...] = ()
    why, following = state.why, next_command(seen, record, waits)
    if state.outcome != "abandoned" and can_land(record, seen.refs):
        mine = trusted(session, seen, record)
        if isinstance(mine, Release):
            waits = waiting(session, mine, record)
            following = next_command(seen, record, waits)
        else:
            why, following = "; ".join(map(str, mine)), give_up(record)
    elif record.unfinished:
        why = f"{release.branch} has moved on from {release.base[:10]}, and nothing of it is public"
    return LineStatus(
        line=record.line,
        tag=release.tag,
        outcome=state.outcome,
        by=state.by.name,
        at=state.at,
        commit=state.commit,
        waits_for=waits,
        why=why,
        next=following,
    )


def trusted(session: Session, seen: Observation, record: Record) -> Release | Refusal:
    """The release of a record, or what stands against it: one line's record does not hide the others."""
    try:
        return adopted(session, seen, record)
    except ReleaseError as error:
        return (Conflict("record-unreadable", error.message, error.remedy),)


def waiting(session: Session, release: Release, record: Record) -> tuple[StepState, ...]:
    """What is not done of a release that goes on, or that ended without a downstream that it could do without."""
    if not record.unfinished and all(wish.required for wish in release.downstreams):
        return ()
    steps = release_path(session.doors(), release, record.tip)
    with session.engine() as engine:
        return tuple(step for step in states(steps, engine.look(steps)) if step.state not in ("done", "skipped"))


def give_up(record: Record) -> str:
    """What to type for a record that nobody should go on with."""
    return f'invoke release.abandon --version {record.release.tag} --reason "its record is not to be trusted"'


def next_command(seen: Observation, record: Record, waits: tuple[StepState, ...]) -> str:
    """What takes this line on; "" where nothing has to be done."""
    if not record.unfinished and not waits:
        return ""
    if can_land(record, seen.refs):
        return f"invoke release --version {record.release.tag}"
    newer = [
        other
        for other in seen.records
        if other.release.branch == record.release.branch and other.state.at > record.state.at
    ]
    if newer:
        return f'invoke release.abandon --version {record.release.tag} --reason "superseded by {newer[0].release.tag}"'
    return f"git checkout {record.release.branch} && invoke release"
