"""invoke fleet: the components downstream."""

from __future__ import annotations

from invoke import Context, task

from release.tasks.run import present, told


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

    with told(format):
        wanted = asked_about(line, component, kind, since, until)
        status = fleet_status(app.session(), wanted, history)
        present(status, format, 1 if status.blind else 0)
