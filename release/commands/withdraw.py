"""Withdraw: say of a release that is out that nobody should take it any more. Nothing is ever deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from release.app import Session
from release.commands.adopt import asked_for
from release.commands.plan import states
from release.commands.verify import released
from release.core.finding import Blocked, Conflict
from release.core.model import Release
from release.core.plan import Withdrawn
from release.core.publishing import yanked_by_hand
from release.core.record import Withdrawal
from release.engine.step import Step
from release.engine.walk import Event, Findings
from release.errors import ConflictError
from release.steps import withdrawal_path


@dataclass(frozen=True)
class Withdrawing:
    """What is to be done, and how it was found."""

    release: Release
    reason: str
    steps: Sequence[Step[Any]]
    found: Findings
    left: tuple[str, ...] = ()

    @property
    def withdrawn(self) -> Withdrawn:
        return Withdrawn(self.release.tag, self.reason, states(self.steps, self.found), self.left)


def prepared(session: Session, version: str, reason: str) -> Withdrawing:
    """Look at a release that is out; ConflictError says all that stands against withdrawing it."""
    who = session.who()
    seen = session.observed(asked_for(session, version))
    release = released(session, seen, version)
    if release.tag not in seen.refs.tags:
        why = f"{release.tag} is not out: there is nothing to withdraw"
        raise ConflictError((Conflict("not-released", why, "invoke release.abandon gives up what has only begun"),))
    steps = withdrawal_path(session.doors(), release, Withdrawal(release.version, reason, who, session.now()))
    with session.engine() as engine:
        found = engine.look(steps)
        if conflicts := engine.preflight(steps, found):
            raise ConflictError(conflicts)
    left = yanked_by_hand(session.ledger.latest(release), release.packages)
    return Withdrawing(release, reason, steps, found, left)


def withdraw(
    session: Session, todo: Withdrawing, listener: Callable[[Event], None]
) -> tuple[Withdrawn, tuple[Conflict, ...]]:
    """Do it; what came of it, and what stands against it by now."""
    with session.journal() as journal, session.engine(journal, listener) as engine:
        found = engine.reach(todo.steps, todo.found)
    conflicts = tuple(finding.conflict for finding in found.values() if isinstance(finding, Blocked))
    return replace(todo, found=found).withdrawn, conflicts
