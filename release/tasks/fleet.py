"""invoke fleet: the components downstream."""

from __future__ import annotations

from invoke import Context, task

from release.tasks.run import confirmed, present, told


@task(
    help={
        "line": "only releases of this line, as in 1.33; may be repeated",
        "component": "only this component; may be repeated. The others are not asked",
        "kind": "only releases of this kind: candidate or final",
        "since": "only releases whose commit is of this day or later (YYYY-MM-DD, as git prints it)",
        "until": "only releases whose commit is of this day or earlier",
        "history": "whether tags are looked for in the histories of their branches, which are fetched for that",
        "format": "text or json",
    },
    iterable=["line", "component"],
    auto_shortflags=False,
)
def status(
    c: Context,
    line: list[str],
    component: list[str],
    kind: str = "",
    since: str = "",
    until: str = "",
    history: bool = True,
    format: str = "text",
) -> None:
    """Components x releases: what is out, what is missing, what is nobody's."""
    from release import app
    from release.commands.evidence import asked_about
    from release.commands.fleet_status import fleet_status
    from release.commands.looks import PARTS

    with told(format):
        wanted = asked_about(line, component, kind, since, until)
        parts = PARTS if history else [part for part in PARTS if part != "strangers"]
        status = fleet_status(app.session(), wanted, parts)
        present(status, format, 1 if status.blind else 0)


@task(
    help={
        "line": "only releases of this line, as in 1.33; may be repeated",
        "component": "only this component; may be repeated. The others are not asked",
        "since": "only releases whose commit is of this day or later (YYYY-MM-DD, as git prints it)",
        "until": "only releases whose commit is of this day or earlier",
        "format": "text or json",
    },
    iterable=["line", "component"],
    auto_shortflags=False,
)
def stats(
    c: Context, line: list[str], component: list[str], since: str = "", until: str = "", format: str = "text"
) -> None:
    """Releases per month, lead time to each component, failures, time to restore."""
    from release import app
    from release.commands.evidence import asked_about
    from release.commands.fleet_stats import fleet_stats

    with told(format):
        wanted = asked_about(line, component, "", since, until)
        counted = fleet_stats(app.session(), wanted)
        present(counted, format, 1 if counted.blind else 0)


@task(
    help={
        "last": "how many of the upstream's newest releases are looked at (default: [sync] last)",
        "since": "only releases of this day or later (YYYY-MM-DD)",
        "yes": "act without asking",
        "format": "text or json",
    },
    auto_shortflags=False,
)
def sync(c: Context, last: str = "", since: str = "", yes: bool = False, format: str = "text") -> None:
    """In a component's own checkout: look at its upstream's newest releases, and make what is missing of them here.

    Ends with 0 when all is there or made, 1 when something failed, 3 when a person has to decide, 4 when something waits.
    """
    import sys

    from release import app
    from release.commands import fleet_sync
    from release.reports import console

    with told(format):
        wanted = number_of_releases(last)
        session = app.session()
        planned = fleet_sync.prepared(session, wanted or session.config.sync.last, since)
        done = planned.sync
        if planned.todo:
            if format == "text":
                console.show(done, sys.stderr)
            confirmed(f"Make {len(planned.todo)} of them?", yes, app.interactive)
            with console.progress([]) as listener:
                done = fleet_sync.sync(session, planned, listener)
        present(done, format, done.code)


@task(
    help={
        "version": "the version that would be released (default: any)",
        "line": "only what a release of this line would bring, as in 1.33",
        "format": "text or json",
    },
    auto_shortflags=False,
)
def plan(c: Context, version: str = "", line: str = "", format: str = "text") -> None:
    """Who would be released with a version, in which order, and who not and why: by the configuration alone."""
    from release import app
    from release.commands.fleet_plan import fleet_plan

    with told(format):
        present(fleet_plan(app.surveying(), version, line), format)


def number_of_releases(typed: str) -> int:
    """How many are to be looked at, 0 where nobody said."""
    from release.core.sync_rules import MOST
    from release.errors import UsageError

    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
    if typed and not 1 <= number <= MOST:
        raise UsageError(f"--last {typed[:60]!r} is no number of releases", f"write one from 1 to {MOST}")
    return number
