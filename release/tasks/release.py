"""invoke release: one path from a commit to everything downstream of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from invoke import Context, task
from invoke.exceptions import Exit

from release.errors import UsageError
from release.tasks.run import confirmed, present, told
from release.tasks.typed import HELP, for_lines, reasonable, waived, wished

if TYPE_CHECKING:
    from release.app import Session
    from release.commands.plan import Prepared
    from release.core.aim import Wishes
    from release.core.plan import Plan, Plans

# Commands are imported where they run: `invoke --list` then costs a few milliseconds more than invoke alone.

WISHES = ("version", "bump", "candidate", "final", "revision", "line", "waive", "reason")


@task(default=True, help=HELP, optional=["candidate"], iterable=["line", "waive"], auto_shortflags=False)
def release(
    c: Context,
    version: str = "",
    bump: str = "",
    candidate: str | None = None,
    final: bool = False,
    revision: bool = False,
    line: Sequence[str] | None = None,
    waive: Sequence[str] | None = None,
    reason: str = "",
    shards: str = "",
    yes: bool = False,
    format: str = "text",
) -> None:
    """Release, and every downstream with it; run again after any failure, it finishes.

    Ends with 0 when everything was seen to be out, 1 when something failed, 3 when a person has to decide,
    4 when something is still under way. Examples:

        invoke release --candidate       the next candidate
        invoke release                   the final, or what has begun and is not finished
        invoke release --line 1.33 --line 1.34
                                         two lines at once, without a checkout of either
    """
    from release import app

    with told(format):
        session = app.session()
        wishes = wished(session, version, bump, candidate, final, revision, waived(waive, reason))
        each = for_lines(session, wishes, line)
        if len(each) > 1 and shards:
            raise UsageError("--shards are pieces of one release", "say one --line with them")
        done: Plan | Plans
        if len(each) > 1:
            done, code = together(session, each, yes, format)
        else:
            done, code = alone(session, each[0], shards, yes, format)
        present(done, format, code)


def alone(session: Session, wishes: Wishes, shards: str, yes: bool, format: str) -> tuple[Plan, int]:
    """Release one version: what came of it, and the exit code."""
    from release import app
    from release.commands import release as releasing
    from release.reports import console

    ready = releasing.ready(session, wishes)
    if shards and not ready.stopped:
        taken_in(session, ready, shards)
    if ready.stopped and format == "text":  # told like any other refusal
        refused(ready.plan, code_of(ready))
    if not ready.stopped and not ready.plan.complete:
        if format == "text":
            console.show(ready.plan, sys.stderr)
        confirmed(f"Release {ready.plan.tag}?", yes, app.interactive)
    with console.progress([step.name for step in ready.steps]) as listener:
        done = releasing.release(session, wishes, ready, listener)
    return done, came_to(ready, done)


def together(session: Session, wishes: Sequence[Wishes], yes: bool, format: str) -> tuple[Plans, int]:
    """Release several lines in one walk: what came of each, and the exit code of all."""
    from release import app
    from release.commands import lines
    from release.core.plan import Plans, worst
    from release.reports import console

    ready = lines.ready_for(session, wishes)
    plans = Plans(tuple(one.plan for one in ready))
    if lines.stopped(ready):
        if format == "text":
            refused(plans, code_of_all(ready))
        return plans, code_of_all(ready)
    if left := lines.unfinished(ready):
        if format == "text":
            console.show(plans, sys.stderr)
        confirmed(f"Release {' and '.join(one.plan.tag or '' for one in left)}?", yes, app.interactive)
    name = lines.labels(left)
    with console.progress([name(step) for one in left for step in one.steps]) as listener:
        done = lines.release(session, wishes, ready, listener)
    return done, worst(came_to(one, plan) for one, plan in zip(ready, done.lines, strict=True))


def refused(plan: Plan | Plans, code: int) -> NoReturn:
    """Nothing begins: what stands against it, told like any other refusal."""
    from release.reports import console

    console.show(plan, sys.stderr)
    print("nothing was written", file=sys.stderr)
    raise Exit(code=code)


@task(
    help={key: HELP[key] for key in (*WISHES, "format")},
    optional=["candidate"],
    iterable=["line", "waive"],
    auto_shortflags=False,
)
def plan(
    c: Context,
    version: str = "",
    bump: str = "",
    candidate: str | None = None,
    final: bool = False,
    revision: bool = False,
    line: Sequence[str] | None = None,
    waive: Sequence[str] | None = None,
    reason: str = "",
    format: str = "text",
) -> None:
    """What a release would do, and why. Looks only."""
    from release import app
    from release.commands import lines
    from release.core.plan import Plans

    with told(format):
        session = app.session()
        wishes = wished(session, version, bump, candidate, final, revision, waived(waive, reason))
        ready = lines.looked_at(session, for_lines(session, wishes, line))
        plans = tuple(one.plan for one in ready)
        present(plans[0] if len(plans) == 1 else Plans(plans), format, code_of_all(ready))


@task(help={"format": HELP["format"]}, auto_shortflags=False)
def status(c: Context, format: str = "text") -> None:
    """Every line in flight, what each waits for, and the next command to type."""
    from release import app
    from release.commands.status import status as lines

    with told(format):
        present(lines(app.session()), format)


@task(
    help={"version": "the release to verify (default: the newest of this branch)", "format": HELP["format"]},
    auto_shortflags=False,
)
def verify(c: Context, version: str = "", format: str = "text") -> None:
    """Is it all really out there, byte by byte? Ends with 1 if it is not."""
    from release import app
    from release.commands.verify import verify as look

    with told(format):
        verified = look(app.session(), version)
        present(verified, format, 0 if verified.verified else 1)


@task(
    help={
        "since": "the release from which on everything has to be whole; what is below it is history",
        **{key: HELP[key] for key in ("yes", "format")},
    },
    auto_shortflags=False,
)
def adopt(c: Context, since: str = "", yes: bool = False, format: str = "text") -> None:
    """For a project with history: write [project] since into release.toml, and nothing else of it is touched."""
    from release import app
    from release.commands import baseline
    from release.reports import console

    with told(format):
        if not since:
            raise UsageError("a baseline is a release", "say --since V")
        session = app.looking()
        todo = baseline.prepared(session, since)
        if todo.baseline.diff:
            if format == "text":
                console.show(todo.baseline, sys.stderr)
            confirmed("Write this into release.toml?", yes, app.interactive)
        present(baseline.adopt(session, todo), format)


@task(
    help={
        "version": "the release to give up (default: the only one in flight)",
        "reason": "why; it is kept in the record",
        **{key: HELP[key] for key in ("yes", "format")},
    },
    auto_shortflags=False,
)
def abandon(c: Context, reason: str = "", version: str = "", yes: bool = False, format: str = "text") -> None:
    """Give up a release that has begun and is not public. Its number is never used again."""
    from release import app
    from release.commands.abandon import abandon as give_up

    with told(format):
        if not reason.strip():
            raise UsageError("a release is given up for a reason", 'say --reason "..."')
        confirmed(f"Give up {version or 'the release in flight'}?", yes, app.interactive)
        present(give_up(app.session(), version, reasonable(reason)), format)


@task(
    help={
        "version": "the release that nobody should take any more",
        "reason": "why; it is shown on top of the release's notes, and kept in the record",
        **{key: HELP[key] for key in ("yes", "format")},
    },
    auto_shortflags=False,
)
def withdraw(c: Context, version: str = "", reason: str = "", yes: bool = False, format: str = "text") -> None:
    """Mark a release that is out as not to be taken: a prerelease, with a notice. Nothing is deleted."""
    from release import app
    from release.commands import withdraw as withdrawing
    from release.core.plan import exit_code
    from release.reports import console

    with told(format):
        if not version or not reason.strip():
            raise UsageError("a release is withdrawn by name and for a reason", 'say --version V --reason "..."')
        session = app.session()
        todo = withdrawing.prepared(session, version, reasonable(reason))
        if any(step.state != "done" for step in todo.withdrawn.steps):
            if format == "text":
                console.show(todo.withdrawn, sys.stderr)
            confirmed(f"Withdraw {todo.release.tag}?", yes, app.interactive)
        with console.progress([step.name for step in todo.steps]) as listener:
            done, conflicts = withdrawing.withdraw(session, todo, listener)
        present(done, format, exit_code([step.state for step in done.steps], conflicts))


@task(
    help={
        "version": "the release whose downstreams are to be released",
        "only": "one downstream's name",
        "missing": "instead of one version: every hole that fleet.status finds",
        "since": "with --missing: only releases whose commit is of this day or later (YYYY-MM-DD)",
        "until": "with --missing: only releases whose commit is of this day or earlier",
        **{key: HELP[key] for key in ("yes", "format")},
    },
    auto_shortflags=False,
)
def downstream(
    c: Context,
    version: str = "",
    only: str = "",
    missing: bool = False,
    since: str = "",
    until: str = "",
    yes: bool = False,
    format: str = "text",
) -> None:
    """Release the downstreams of a version that is out, or of all that lack theirs."""
    from release import app
    from release.commands import downstream as filling
    from release.core.plan import exit_code
    from release.reports import console

    with told(format):
        if missing == bool(version):
            raise UsageError("say which releases are meant", "--version V, or --missing --since YYYY-MM-DD")
        session = app.session()
        todo = filling.missing(session, since, until, only) if missing else filling.one(session, version, only)
        states = [step.state for step in todo.filled.steps]
        if not set(states) - {"done"} or any(conflict.rule == "unmet-need" for conflict in todo.filled.conflicts):
            present(todo.filled, format, exit_code(states, todo.filled.conflicts))
            return
        if format == "text":
            console.show(todo.filled, sys.stderr)
        confirmed(f"Release {sum(state != 'done' for state in states)} downstreams?", yes, app.interactive)
        with console.progress([step.name for step in todo.steps]) as listener:
            done = filling.fill(session, todo, listener)
        present(done, format, exit_code([step.state for step in done.steps], done.conflicts))


def taken_in(session: Session, ready: Prepared, shards: str) -> None:
    """Take in what other machines built, or say why not."""
    from pathlib import Path

    from release.commands.shards import take
    from release.errors import ConflictError

    if conflicts := take(session, ready, Path(shards)):
        raise ConflictError(conflicts)


def code_of(ready: Prepared) -> int:
    """A plan's exit code: only what stops it counts."""
    if ready.unseen and not ready.public:
        return 1
    return 3 if ready.plan.conflicts else 0


def code_of_all(ready: Sequence[Prepared]) -> int:
    """The exit code of several plans."""
    from release.core.plan import worst

    return worst(map(code_of, ready))


def came_to(ready: Prepared, done: Plan) -> int:
    """The exit code of a release: by what stopped it, else by what came of it."""
    from release.core.plan import exit_code

    return code_of(ready) if ready.stopped else exit_code([step.state for step in done.steps], done.conflicts)
