"""Lines: several releases at once, each on its own branch, without a checkout of any of them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from release.app import Session
from release.commands.plan import Prepared, prepared
from release.commands.release import ROUNDS, begun_elsewhere, came_of, overtaken, ready, seen_out
from release.core.aim import Wishes
from release.core.finding import Conflict
from release.core.plan import Plan, Plans
from release.engine.step import Step
from release.engine.walk import Event


def looked_at(session: Session, wishes: Sequence[Wishes]) -> list[Prepared]:
    """What each line's release would be. Looks only."""
    return apart([_of(one.line, prepared(session, one)) for one in wishes])


def ready_for(session: Session, wishes: Sequence[Wishes]) -> list[Prepared]:
    """Plans that may be carried out, by somebody whom git knows."""
    return apart([_of(one.line, ready(session, one)) for one in wishes])


def apart(planned: list[Prepared]) -> list[Prepared]:
    """The same plans; of those that would make a commit on one branch, each says what stands against that."""
    writing = Counter(_branch(one) for one in planned)
    return [_with_conflict(one) if _branch(one) and writing[_branch(one)] > 1 else one for one in planned]


def stopped(planned: Sequence[Prepared]) -> bool:
    """Whether nothing must begin: something stands against one of them, and nothing of any is public."""
    return any(one.stopped for one in planned) and not any(one.public for one in planned)


def unfinished(planned: Sequence[Prepared]) -> list[Prepared]:
    """Those that a run would carry out."""
    return [one for one in planned if one.release is not None and not one.stopped and not one.plan.complete]


def labels(planned: Sequence[Prepared]) -> Callable[[Step[Any]], str]:
    """What the steps of several releases are called, so that each can be told from the others."""
    names = {step: f"{one.plan.line} {step.name}" for one in planned for step in one.steps}
    return names.__getitem__


def release(
    session: Session,
    wishes: Sequence[Wishes],
    planned: Sequence[Prepared],
    listener: Callable[[Event], None],
) -> Plans:
    """Carry them out in one walk: what one of them waits for, or lacks, holds no other one."""
    plans: dict[int, Plan] = {}
    left = dict(enumerate(planned))
    for _ in range(ROUNDS):
        results = carried_out(session, left, listener)
        plans |= results
        left = {
            number: again
            for number in left
            if (again := _again(session, wishes[number], left[number], results[number]))
        }
        if not left:
            break
    return Plans(tuple(plans[number] for number in sorted(plans)))


def carried_out(session: Session, planned: dict[int, Prepared], listener: Callable[[Event], None]) -> dict[int, Plan]:
    """One walk over all that can begin; what cannot is as it was found."""
    walked = {number: one for number, one in planned.items() if unfinished([one])}
    plans = {number: _unwalked(session, one) for number, one in planned.items() if number not in walked}
    if not walked:
        return plans
    steps = [step for one in walked.values() for step in one.steps]
    seen = {step: finding for one in walked.values() for step, finding in one.found.items()}
    label = labels(list(walked.values()))
    with session.journal() as journal, session.engine(journal, listener, label=label) as engine:
        found = engine.reach(steps, seen)
    for number, one in walked.items():
        plans[number] = came_of(session, one, {step: found[step] for step in one.steps})
    return plans


def _unwalked(session: Session, one: Prepared) -> Plan:
    """A plan that is not walked: it must not begin, or all of it is seen to be out."""
    return seen_out(session, one) if one.release is not None and one.plan.complete else one.plan


def _again(session: Session, wishes: Wishes, planned: Prepared, result: Plan) -> Prepared | None:
    """The plan to walk once more, where another captain or a merge came between; None where that is not so."""
    if planned.release is None or planned.stopped:
        return None
    if overtaken(planned, result):
        return prepared(session, wishes)
    if not begun_elsewhere(result):
        return None
    again = prepared(session, wishes)
    return again if (again.plan.tag, again.plan.commit) == (planned.plan.tag, planned.plan.commit) else None


def _of(line: str, one: Prepared) -> Prepared:
    """A plan that says which line it is of, though there may be nothing to release."""
    return dataclasses.replace(one, plan=msgspec.structs.replace(one.plan, line=one.plan.line or line or None))


def _branch(one: Prepared) -> str:
    """The branch that a release is still to write to, "" for none."""
    writes = one.release is not None and one.release.edits and not one.public
    return one.release.branch if one.release is not None and writes else ""


def _with_conflict(one: Prepared) -> Prepared:
    why = f"{one.plan.tag} and another release of this command would both make a commit on {_branch(one)}"
    conflict = Conflict("same-branch", why, "release one after the other")
    plan = msgspec.structs.replace(one.plan, conflicts=(*one.plan.conflicts, conflict))
    return dataclasses.replace(one, plan=plan)
