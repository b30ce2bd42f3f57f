"""Plan: what would happen, and why. Looks only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from release import config as configuration
from release import observe
from release.app import Session, checked
from release.core import design
from release.core.aim import Aim, History, Nothing, Observation, Refusal, Wishes, aim, settle
from release.core.config import Config
from release.core.finding import Blocked, Conflict, Done, Failed
from release.core.model import Release
from release.core.plan import Plan, State, StepState, of_release
from release.core.version import Version, scheme
from release.engine.step import Step
from release.engine.walk import Findings, state
from release.errors import UsageError
from release.steps import release_path


@dataclass(frozen=True)
class Prepared:
    """A plan with everything needed to carry it out. `release` is None where there is nothing to do."""

    plan: Plan
    release: Release | None = None
    before: str = ""
    steps: Sequence[Step[Any]] = ()
    found: Findings = field(default_factory=dict)

    @property
    def public(self) -> bool:
        """Whether others can see something of it already: then conflicts stop only what they concern."""
        return any(step.public and isinstance(self.found[step], Done) for step in self.steps)

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
    head = session.head()
    if conflicts := session.lacking(head):
        return Prepared(Plan(conflicts=conflicts))
    if wishes.version:
        asked_for(session, wishes.version)
    seen = session.observed()
    wished, remarks = designed(session, seen, msgspec.structs.replace(wishes, tag=session.started_for or wishes.tag))
    remarks = (*remarks, *remarks_on(seen))
    if isinstance(wished, Nothing):
        return Prepared(Plan(nothing=wished.why, remarks=remarks))
    if not isinstance(wished, Release):
        return Prepared(Plan(conflicts=wished, remarks=remarks))
    before = seen.refs.records.get(wished.line, "")
    remarks = (*remarks, *remarks_on_begun(seen, wished))
    steps = release_path(session.doors(), wished, before)
    with session.engine() as engine:
        found = engine.look(steps)
        conflicts = engine.preflight(steps, found)
    shown = msgspec.structs.replace(
        of_release(wished), steps=states(steps, found), conflicts=conflicts, remarks=remarks
    )
    if all(isinstance(found[step], Done) for step in steps if not step.means):
        shown = msgspec.structs.replace(shown, nothing=f"{wished.tag} is out, and was seen to be out everywhere")
    return Prepared(shown, wished, before, steps, found)


def designed(
    session: Session, seen: Observation, wishes: Wishes
) -> tuple[Release | Nothing | Refusal, tuple[str, ...]]:
    """What this run releases, by the configuration at the commit that it releases; and what is to be said about that."""
    aimed = aim(session.config, seen, wishes)
    if isinstance(aimed, Release):
        return taken_up(session, seen, aimed), ()
    if not isinstance(aimed, Aim):
        return aimed, ()
    history = observe.history(session.remote, session.config, seen, aimed.base)
    settled = settle(session.config, seen, aimed, history)
    if not isinstance(settled, Aim):
        return settled, ()
    config, remarks = at_commit(session.config, history)
    if (
        settled.base != aimed.base
        or config.version.file != session.config.version.file
        or config.changelog != session.config.changelog
    ):
        history = observe.history(session.remote, config, seen, settled.base)
        config, remarks = at_commit(session.config, history)
    span = design.ranges(config, seen, settled, history)
    since_previous = tuple(observe.commits(session.remote, settled.base, span.notes_from))
    since_final = since_previous
    if span.bump_from != span.notes_from:
        since_final = tuple(observe.commits(session.remote, settled.base, span.bump_from))
    return design.design(config, seen, settled, history, span, since_final, since_previous), remarks


def taken_up(session: Session, seen: Observation, release: Release) -> Release | Refusal:
    """A release that has begun, if the commit that it is made from is the branch's and bears it out."""
    remote, tip = session.remote, seen.refs.heads.get(release.branch, "")
    remote.bring([f"refs/heads/{release.branch}"] if tip else [], [tip, release.base] if tip else [release.base])
    if tip and release.tag not in seen.refs.tags and not remote.ancestor(release.base, tip):
        why = f"{release.tag} was begun at {release.base[:10]}, which is not in {release.branch} any more"
        return (Conflict("base-gone", why, f"give it up: invoke release.abandon --version {release.tag}"),)
    committed = remote.file(release.base, "release.toml")
    config = checked(configuration.at_commit(session.config, committed, f"release.toml at {release.base[:10]}"))
    return design.unfaithful(config, release) or release


def at_commit(working: Config, history: History) -> tuple[Config, tuple[str, ...]]:
    """The configuration as the released commit has it, as far as it is read there."""
    committed = history.files.get("release.toml")
    where = f"release.toml at {history.base[:10]}"
    config = checked(configuration.at_commit(working, committed, where))
    return config, () if committed is not None else (
        f"{history.base[:10]} has no release.toml: the one in your work tree is used",
    )


def remarks_on(seen: Observation) -> tuple[str, ...]:
    """What a captain should know of the checkout, though it stops nothing."""
    head, there = seen.head, seen.refs.heads.get(seen.head.branch, "")
    remarks = []
    if head.dirty:
        number = f"{len(head.dirty)} uncommitted change{'s' if len(head.dirty) > 1 else ''} here"
        remarks.append(
            f"{number} {'are' if len(head.dirty) > 1 else 'is'} no part of the release: it is made from {seen.refs.heads.get(head.branch, head.commit)[:10]}"
        )
    if there and there != head.commit and seen.published:
        remarks.append(f"your {head.branch} is behind: {there[:10]} is its head on the remote")
    return tuple(remarks)


def remarks_on_begun(seen: Observation, release: Release) -> tuple[str, ...]:
    """What to know of a release that is taken up, or that takes another's place."""
    record = next((record for record in seen.records if record.line == release.line and record.unfinished), None)
    if record is None:
        return ()
    begun = f"{record.release.tag}, begun by {record.state.by.name} at {record.state.at}"
    if record.of(release):
        return (f"this goes on with {begun}",)
    return (f"this takes the place of {begun}: {record.release.branch} has moved since, and nothing of it is public",)


def asked_for(session: Session, text: str) -> Version:
    """The version that a person typed."""
    rules = scheme(session.config.version, session.config.project.name)
    wanted = rules.requested(text)
    if wanted is None:
        example = rules.tag(rules.make((1, 2, 3), revision=1 if rules.rules.revision else 0))
        shown = repr(text) if len(text) <= 60 else f"{text[:57]!r}..."
        raise UsageError(f"{shown} is no version of scheme {rules.rules.scheme}", f"write it like {example}")
    return wanted


def states(steps: Sequence[Step[Any]], found: Findings) -> tuple[StepState, ...]:
    """Findings as values."""
    return tuple(StepState(step.name, word(found, step), found[step].detail) for step in steps)


def word(found: Findings, step: Step[Any]) -> State:
    """The state of a step."""
    name: State = state(found[step])  # type: ignore[assignment]
    return name


def blocked(found: Findings) -> tuple[Conflict, ...]:
    """What a person has to decide."""
    return tuple(finding.conflict for finding in found.values() if isinstance(finding, Blocked))
