"""What commands return: values that reports show and that JSON carries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from release.core.config import Severity
from release.core.finding import Conflict
from release.core.model import Reason, Release, Waiver

State = Literal["done", "pending", "underway", "failed", "blocked", "skipped"]


class StepState(msgspec.Struct, frozen=True):
    """A step and how it was found."""

    name: str
    state: State
    detail: str


class Plan(msgspec.Struct, frozen=True):
    """What would happen, or what came of it. `nothing` says why there is nothing to do; the version is then null.

    `next` is what to type to go on, "" where nothing has begun or all is done.
    """

    version: str | None = None
    tag: str | None = None
    line: str | None = None
    kind: str | None = None
    bump: str | None = None
    previous: str | None = None
    branch: str | None = None
    commit: str | None = None
    reasons: tuple[Reason, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    steps: tuple[StepState, ...] = ()
    notes: str = ""
    nothing: str = ""
    remarks: tuple[str, ...] = ()
    next: str = ""
    waivers: tuple[Waiver, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all that is wished is so."""
        return not self.conflicts and all(step.state in ("done", "skipped") for step in self.steps)


class Plans(msgspec.Struct, frozen=True):
    """Releases of several lines at once, in the order in which they were asked for."""

    lines: tuple[Plan, ...]

    @property
    def complete(self) -> bool:
        """Whether all that is wished is so, on every line."""
        return all(plan.complete for plan in self.lines)


class Upcoming(msgspec.Struct, frozen=True):
    """What comes next, and why. `next` is null where nothing calls for a release; `nothing` then says why.

    `current` is the newest version in the history (of the line, where the branch is a line's), null before the first.
    """

    current: str | None = None
    next: str | None = None
    tag: str | None = None
    bump: str = "none"
    line: str | None = None
    reasons: tuple[Reason, ...] = ()
    nothing: str = ""
    remarks: tuple[str, ...] = ()


class Explanation(msgspec.Struct, frozen=True):
    """What comes next, to be shown with every reason."""

    upcoming: Upcoming


class ReleaseNotes(msgspec.Struct, frozen=True):
    """What users are told of a release, in Markdown."""

    version: str | None
    tag: str | None
    previous: str | None
    notes: str
    remarks: tuple[str, ...] = ()


class ChangelogText(msgspec.Struct, frozen=True):
    """A changelog, or the entry of one, in Markdown."""

    changelog: str
    remarks: tuple[str, ...] = ()


class RuleStatus(msgspec.Struct, frozen=True):
    """A rule that can say no to a release, as this project has it: `severity` is "error", "warn" or "off".

    A `safety` rule can neither be set nor waived. `where` is what meets its conflicts.
    """

    name: str
    severity: Severity
    safety: bool
    where: str
    summary: str
    remedy: str


class Rulebook(msgspec.Struct, frozen=True):
    """Every rule: those that judge a version first."""

    rules: tuple[RuleStatus, ...]


class LineStatus(msgspec.Struct, frozen=True):
    """One line's newest release: what it waits for, and what to type next ("" for nothing)."""

    line: str
    outcome: str
    tag: str = ""
    by: str = ""
    at: str = ""
    commit: str = ""
    waits_for: tuple[StepState, ...] = ()
    why: str = ""
    next: str = ""


class LinesStatus(msgspec.Struct, frozen=True):
    """Every line that has a record."""

    lines: tuple[LineStatus, ...]


class Verified(msgspec.Struct, frozen=True):
    """Whether everything that a release made public is seen to be out."""

    tag: str
    verified: bool
    steps: tuple[StepState, ...]


class Abandoned(msgspec.Struct, frozen=True):
    """A release that was given up; its number is never used again."""

    tag: str
    line: str
    why: str


class Withdrawn(msgspec.Struct, frozen=True):
    """A release that nobody should take any more: it is marked as such where it is shown, and nothing of it is deleted.

    `left` is what a person has to do by hand, one sentence each.
    """

    tag: str
    why: str
    steps: tuple[StepState, ...]
    left: tuple[str, ...] = ()


class Filled(msgspec.Struct, frozen=True):
    """Downstreams of releases that are out: what was done for each."""

    releases: tuple[str, ...]
    steps: tuple[StepState, ...]
    conflicts: tuple[Conflict, ...] = ()


def of_release(release: Release) -> Plan:
    """A plan without its steps."""
    return Plan(
        version=release.version,
        tag=release.tag,
        line=release.line,
        kind=release.kind,
        bump=release.bump,
        previous=release.previous,
        branch=release.branch,
        commit=release.base,
        reasons=release.reasons,
        notes=release.notes,
        waivers=release.waivers,
    )


def exit_code(states: Iterable[State], conflicts: Iterable[Conflict] = ()) -> int:
    """0 all done; else, of several at once: 1 failed, 3 blocked, 4 not there yet."""
    seen = set(states) | ({"blocked"} if tuple(conflicts) else set())
    return 1 if "failed" in seen else 3 if "blocked" in seen else 4 if seen & {"underway", "pending"} else 0


def worst(codes: Iterable[int]) -> int:
    """The exit code of several: what failed counts before what has to be decided, and that before what is not there yet."""
    seen = set(codes)
    return next((code for code in (1, 3, 4) if code in seen), 0)
