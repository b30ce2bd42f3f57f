"""Status: every line in flight, what each waits for, and what to type next."""

from __future__ import annotations

from release.app import Session
from release.commands.plan import states
from release.core.aim import Observation, can_land
from release.core.plan import LinesStatus, LineStatus, StepState
from release.core.record import Record
from release.steps import release_path


def status(session: Session) -> LinesStatus:
    """The records of the upstream; what is unfinished is looked at step by step."""
    seen = session.observed()
    return LinesStatus(tuple(line(session, seen, record) for record in seen.records))


def line(session: Session, seen: Observation, record: Record) -> LineStatus:
    """One line's newest release."""
    release, state = record.release, record.state
    waits: tuple[StepState, ...] = ()
    if record.unfinished:
        steps = release_path(session.doors(), release, record.tip)
        with session.engine() as engine:
            waits = tuple(step for step in states(steps, engine.look(steps)) if step.state not in ("done", "skipped"))
    return LineStatus(
        line=record.line,
        tag=release.tag,
        outcome=state.outcome,
        by=state.by.name,
        at=state.at,
        commit=state.commit,
        waits_for=waits,
        why=state.why,
        next=next_command(seen, record),
    )


def next_command(seen: Observation, record: Record) -> str:
    """What takes this line on; "" where nothing has to be done."""
    if not record.unfinished:
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
