"""Plan: what would happen, and why. Looks only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from release.app import Session
from release.commands.adopt import adopted, asked_for
from release.commands.around import around
from release.commands.decide import Decision, decide
from release.commands.notes import written
from release.commands.proposing import amiss, notes_of
from release.core import design
from release.core.aim import Nothing, Observation, Refusal, Wishes, can_land, line_of, other_line
from release.core.conflicts import Proposal, judge, misused
from release.core.finding import Conflict, Done, Failed, Skipped
from release.core.model import Release
from release.core.plan import Plan, State, StepState, of_release
from release.core.record import Record
from release.core.version import scheme
from release.engine.step import Step
from release.engine.walk import Findings, state
from release.errors import UsageError
from release.steps import proposal_path, release_path


@dataclass(frozen=True)
class Prepared:
    """A plan with everything needed to carry it out. `release` is None where there is nothing to do.

    `command` is what plans it once more.
    """

    plan: Plan
    release: Release | None = None
    before: str = ""
    steps: Sequence[Step[Any]] = ()
    found: Findings = field(default_factory=dict)
    command: str = "invoke release"

    @property
    def public(self) -> bool:
        """Whether others can see something of it already: then conflicts stop only what they concern."""
        reached = {step for step in self.steps if isinstance(self.found[step], (Done, Skipped))}
        return any(step.public and step in reached and reached.issuperset(step.needs) for step in self.steps)

    @property
    def stopped(self) -> bool:
        """Whether it must not begin: a person decides first, or something could not be seen."""
        return not self.public and (bool(self.plan.conflicts) or self.unseen)

    @property
    def unseen(self) -> bool:
        """Whether some part of the world could not be looked at."""
        return any(isinstance(found, Failed) and not found.seen for found in self.found.values())


def plan(session: Session, wishes: Wishes) -> Plan:
    """What `release` would do."""
    return prepared(session, wishes).plan


def prepared(session: Session, wishes: Wishes) -> Prepared:
    """Observe, design, and look at every step."""
    for wrong in misused(wishes.waivers):
        raise UsageError(wrong.why, wrong.remedy)
    head = session.head()
    if conflicts := session.lacking(head):
        return Prepared(Plan(conflicts=conflicts))
    wishes = msgspec.structs.replace(wishes, tag=session.started_for)
    rules = scheme(session.config.version, session.config.project.name)
    asked = rules.of_tag(wishes.tag) if wishes.tag else asked_for(session, wishes.version) if wishes.version else None
    seen = session.observed(asked, wishes.line)
    if wishes.line and not seen.head.branch:
        raise UsageError(f"the upstream has no branch for line {wishes.line!r}", branches_said(session, seen))
    wished, remarks = designed(session, seen, wishes)
    remarks = (*remarks, *remarks_on(seen))
    if wishes.line and isinstance(wished, (Release, Nothing)):
        elsewhere = other_line(session.config, seen, wishes.line, wished)
        wished = (elsewhere,) if elsewhere is not None else wished
    if isinstance(wished, Nothing):
        return proved(session, seen, wished, remarks)
    if not isinstance(wished, Release):
        return Prepared(Plan(conflicts=wished, remarks=remarks))
    before = seen.refs.records.get(wished.line, "")
    remarks = (*remarks, *remarks_on_begun(seen, wished, wishes))
    steps = path_of(session, wished, before)
    with session.engine() as engine:
        found = engine.look(steps)
        conflicts = engine.preflight(steps, found)
    if wished.mode == "pull-request" and all(isinstance(found[step], Done) for step in steps):
        return prepared(session, wishes)  # it was merged while we looked
    shown = msgspec.structs.replace(
        of_release(wished), steps=states(steps, found), conflicts=conflicts, remarks=remarks
    )
    if all(isinstance(found[step], Done) for step in steps if not step.means):
        hint = "; the next step is invoke release --candidate" if waits_for_candidate(session, wished, wishes) else ""
        shown = msgspec.structs.replace(shown, nothing=f"{wished.tag} is out, and was seen to be out everywhere{hint}")
    command = f"invoke release --line {wishes.line}" if wishes.line else "invoke release"
    return Prepared(shown, wished, before, steps, found, command)


def branches_said(session: Session, seen: Observation) -> str:
    """Which lines have a branch, for whoever asked for one that has none."""
    lines = sorted({line for name in seen.refs.heads if (line := line_of(session.config, name))})
    return (
        f"there are branches for {', '.join(lines)}" if lines else "see [version] branches: none of them is of a line"
    )


def path_of(session: Session, release: Release, before: str) -> list[Step[Any]]:
    """The whole path of a release; of one that is to be proposed first, the pull request."""
    doors = session.doors()
    return proposal_path(doors, release) if release.mode == "pull-request" else release_path(doors, release, before)


def designed(
    session: Session, seen: Observation, wishes: Wishes
) -> tuple[Release | Nothing | Refusal, tuple[str, ...]]:
    """What this run releases, by the configuration at the commit that it releases; and what is to be said about that."""
    found = decide(session, seen, wishes)
    if isinstance(found, Record):
        return adopted(session, seen, found), ()
    if not isinstance(found, Decision):
        return found, ()
    if not isinstance(found.chosen, design.Choice):
        return found.chosen if isinstance(found.chosen, Nothing) else (found.chosen,), found.remarks
    return proposed(session, found, found.chosen, wishes.waivers)


def proposed(
    session: Session, found: Decision, chosen: design.Choice, waivers: Sequence[tuple[str, str]]
) -> tuple[Release | Refusal, tuple[str, ...]]:
    """The release that was decided on, if nothing stands against it; and what is only to be told."""
    config, seen, aimed, history, span = found.config, found.seen, found.aimed, found.history, found.span
    lies = around(session, found, chosen.version)
    judged = judge(Proposal(config, seen, aimed, history, span, chosen.version, lies), waivers)
    merged = notes_of(config, aimed, history)
    notes = written(session, found, chosen.version).notes if merged is None else merged
    wished = design.design(config, seen, aimed, history, span, chosen, notes, judged.waived)
    remarks = (*found.remarks, *map(str, judged.warnings))
    errors = (*judged.errors, *amiss(session, config, aimed, history))
    if isinstance(wished, Release) and not errors:
        return wished, remarks
    return (*(() if isinstance(wished, Release) else wished), *errors), remarks


def proved(session: Session, seen: Observation, nothing: Nothing, remarks: tuple[str, ...]) -> Prepared:
    """Nothing to do; but where only a tag says so, everything that it should have brought has to be seen."""
    rules = scheme(session.config.version, session.config.project.name)
    since = rules.of_tag(session.config.project.since)
    if nothing.tagged is None or (since is not None and nothing.tagged < since):
        return Prepared(Plan(nothing=nothing.why, remarks=remarks))
    release = design.existing(session.config, seen, nothing.tagged)
    steps = release_path(session.doors(), release, seen.refs.records.get(release.line, ""))
    with session.engine() as engine:
        found = engine.look(steps)
    missing = ", ".join(step.name for step in steps if step.public and not isinstance(found[step], Done))
    if not missing:
        return Prepared(Plan(nothing=f"{nothing.why}; it was seen to be out everywhere", remarks=remarks))
    why = f"{release.tag} is tagged, but no record says that it is out, and not all is seen to be: {missing}"
    conflict = Conflict("unproved", why, f"finish it: invoke release --version {release.tag}")
    return Prepared(Plan(conflicts=(conflict,), remarks=remarks))


def waits_for_candidate(session: Session, release: Release, wishes: Wishes) -> bool:
    """Whether whoever wants the next final has to release a candidate first."""
    plain = wishes == Wishes(line=wishes.line)
    return session.config.version.final_from_candidate and release.kind == "final" and plain


def remarks_on(seen: Observation) -> tuple[str, ...]:
    """What a captain should know of the checkout, though it stops nothing."""
    head = seen.head
    remarks = []
    if head.dirty:
        number = f"{len(head.dirty)} uncommitted change{'s' if len(head.dirty) > 1 else ''} here"
        remarks.append(
            f"{number} {'are' if len(head.dirty) > 1 else 'is'} no part of the release: it is made from {seen.refs.heads.get(head.branch, head.commit)[:10]}"
        )
    return tuple(remarks)


def remarks_on_begun(seen: Observation, release: Release, wishes: Wishes) -> tuple[str, ...]:
    """What to know of a release that is taken up, or that takes another's place."""
    record = next((record for record in seen.records if record.line == release.line and record.unfinished), None)
    if record is None:
        return ()
    begun = f"{record.release.tag}, begun by {record.state.by.name} at {record.state.at}"
    superseded = not can_land(record, seen.refs)
    if record.of(release):
        later = (
            "; the final comes after it: type the command again"
            if release.kind == "candidate" and not wishes.stage
            else ""
        )
        return (f"this goes on with {begun}{later}",)
    return (
        (f"this takes the place of {begun}, of which nothing is public and nothing can be any more",)
        if superseded
        else ()
    )


def states(steps: Sequence[Step[Any]], found: Findings) -> tuple[StepState, ...]:
    """Findings as values."""
    return tuple(StepState(step.name, word(found, step), found[step].detail) for step in steps)


def word(found: Findings, step: Step[Any]) -> State:
    """The state of a step."""
    name: State = state(found[step])  # type: ignore[assignment]
    return name
