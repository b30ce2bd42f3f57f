"""Begin: gates, and the record; nothing is built. For machines that go on together from there."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from release.app import Session
from release.commands.plan import Prepared, states
from release.core.finding import Blocked
from release.core.plan import Plan
from release.engine.walk import Event
from release.steps import with_needs
from release.steps.begin import Begin


def begin(session: Session, ready: Prepared, listener: Callable[[Event], None]) -> Plan:
    """Walk the beginning of the path, up to the record. What has to be proposed and merged first is left to the whole path."""
    if ready.stopped or ready.plan.complete:
        return ready.plan
    last = next((step for step in ready.steps if isinstance(step, Begin)), None)
    if last is None:
        return msgspec.structs.replace(ready.plan, next="invoke release")
    wanted = with_needs(last)
    steps = [step for step in ready.steps if step in wanted]
    with session.journal() as journal, session.engine(journal, listener) as engine:
        found = engine.reach(steps, {step: ready.found[step] for step in steps})
    conflicts = tuple(finding.conflict for finding in found.values() if isinstance(finding, Blocked))
    done = msgspec.structs.replace(ready.plan, steps=states(steps, found), conflicts=conflicts)
    return msgspec.structs.replace(done, next=f"invoke release --version {done.tag}")
