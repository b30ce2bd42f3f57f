"""What only tells of releases: the next version, the list, notes, changelog and rules. It looks, and needs nobody to be known."""

from __future__ import annotations

from invoke import Context, task

from release.tasks.run import aside, present, told
from release.tasks.typed import HELP, wished


@task(
    help={
        **{key: HELP[key] for key in ("bump", "candidate", "final", "revision")},
        "explain": "a table of all reasons: what, where, which bump, and why",
        "format": HELP["format"],
    },
    optional=["candidate"],
    auto_shortflags=False,
)
def version(
    c: Context,
    bump: str = "",
    candidate: str | None = None,
    final: bool = False,
    revision: bool = False,
    explain: bool = False,
    format: str = "text",
) -> None:
    """What version comes next, and why. Looks only; ends with 0 where nothing changed."""
    from release import app
    from release.commands.version import upcoming
    from release.core.plan import Explanation

    with told(format):
        session = app.looking()
        found = upcoming(session, wished(session, "", bump, candidate, final, revision))
        present(Explanation(found) if explain and format == "text" else found, format)


@task(name="list", help={"format": HELP["format"]}, auto_shortflags=False)
def releases(c: Context, format: str = "text") -> None:
    """Every release by its tag, lowest version first, and the tags that are no versions."""
    from release import app
    from release.commands.listing import listing

    with told(format):
        present(listing(app.looking()), format)


@task(
    help={"version": "the release to tell of (default: what comes next)", "format": HELP["format"]},
    auto_shortflags=False,
)
def notes(c: Context, version: str = "", format: str = "text") -> None:
    """What users are told of a release, in Markdown."""
    from release import app
    from release.commands.notes import notes as told_of

    with told(format):
        found = told_of(app.looking(), version)
        present(found, format)
        aside(found.remarks, format)


@task(
    help={"all": "the whole history, release by release, newest first", "format": HELP["format"]},
    auto_shortflags=False,
)
def changelog(c: Context, all: bool = False, format: str = "text") -> None:
    """The changelog's entry for what comes next, or the whole changelog."""
    from release import app
    from release.commands import changelog as telling

    with told(format):
        session = app.looking()
        found = telling.whole(session) if all else telling.entry(session)
        present(found, format)
        aside(found.remarks, format)


@task(name="rules", help={"format": HELP["format"]}, auto_shortflags=False)
def all_rules(c: Context, format: str = "text") -> None:
    """What can say no to a release, what each does here, and what to do about it."""
    from release import app
    from release.commands.rules import rules

    with told(format):
        present(rules(app.looking().config), format)
