"""Release: walk the steps until the world matches."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from release.app import Session
from release.commands.plan import Prepared, prepared, states
from release.core.aim import Wishes
from release.core.finding import Blocked, Done
from release.core.plan import Plan
from release.core.record import TAG
from release.engine.walk import Event, Findings
from release.steps.begin import BEGUN_ELSEWHERE
from release.steps.propose import MOVED

ROUNDS = 3
TAKEN = ("image-taken", "package-taken")


def ready(session: Session, wishes: Wishes) -> Prepared:
    """A plan that may be carried out: by somebody whom git knows. What another captain began while we looked is taken up."""
    session.head()
    session.who()
    planned = prepared(session, wishes)
    for _ in range(ROUNDS):
        if all(conflict.rule not in (BEGUN_ELSEWHERE, *TAKEN) for conflict in planned.plan.conflicts):
            break
        again = prepared(session, wishes)
        if not begun_elsewhere(planned.plan):
            return again  # what is taken may be another captain's, who released it while we looked
        planned = again
    return planned


def release(session: Session, wishes: Wishes, planned: Prepared, listener: Callable[[Event], None]) -> Plan:
    """Carry out what was prepared. Where another captain began the very same release first, walk along with them."""
    for _ in range(ROUNDS):
        result = carried_out(session, planned, listener)
        if overtaken(planned, result):
            planned = prepared(session, wishes)
            continue
        if not begun_elsewhere(result):
            return result
        again = prepared(session, wishes)
        if (again.plan.tag, again.plan.commit) != (planned.plan.tag, planned.plan.commit):
            return result
        planned = again
    return result


def overtaken(planned: Prepared, result: Plan) -> bool:
    """Whether a pull request was merged while we waited for that, so that its release can begin; or is out of date by now."""
    release = planned.release
    moved = any(conflict.rule == MOVED for conflict in result.conflicts)
    return release is not None and release.mode == "pull-request" and (result.complete or moved)


def begun_elsewhere(result: Plan) -> bool:
    """Whether another captain came first."""
    return any(conflict.rule == BEGUN_ELSEWHERE for conflict in result.conflicts)


def carried_out(session: Session, planned: Prepared, listener: Callable[[Event], None]) -> Plan:
    """One walk. Before anything is public, a conflict or something unseen stops it before its first write."""
    if planned.release is None or planned.stopped:
        return planned.plan
    if planned.plan.complete:
        return seen_out(session, planned)
    with session.journal() as journal, session.engine(journal, listener) as engine:
        found = engine.reach(planned.steps, planned.found)
    return came_of(session, planned, found)


def seen_out(session: Session, planned: Prepared) -> Plan:
    """A plan of which nothing is left to do."""
    remarks = (*planned.plan.remarks, *followed(session, planned, planned.found))
    return msgspec.structs.replace(planned.plan, remarks=remarks)


def came_of(session: Session, planned: Prepared, found: Findings) -> Plan:
    """What a walk found in the end, and what to type to go on."""
    assert planned.release is not None
    remarks = (*planned.plan.remarks, *followed(session, planned, found))
    conflicts = tuple(finding.conflict for finding in found.values() if isinstance(finding, Blocked))
    done = msgspec.structs.replace(
        planned.plan, steps=states(planned.steps, found), conflicts=conflicts, remarks=remarks
    )
    if planned.release.mode == "pull-request":
        return done if done.complete else msgspec.structs.replace(done, next=planned.command)
    record = session.ledger.latest(planned.release)
    if done.complete or record is None or record.state.outcome == "abandoned":
        return done
    return msgspec.structs.replace(done, next=f"invoke release --version {done.tag}")


def followed(session: Session, planned: Prepared, found: Findings) -> tuple[str, ...]:
    """Bring the captain's checkout along, once the remote has accepted."""
    landed = next((finding for step, finding in found.items() if step.name == TAG), None)
    if planned.release is None or not isinstance(landed, Done):
        return ()
    said = session.checkout.follow(session.address, planned.release.branch, landed.value, planned.release.tag)
    return (said,) if said else ()
