"""invoke fleet: the components downstream."""

from __future__ import annotations

from invoke import Context, task

from release.tasks.run import present, told


@task(
    help={
        "since": "only releases whose commit is of this day or later (YYYY-MM-DD, as git prints it)",
        "until": "only releases whose commit is of this day or earlier",
        "format": "text or json",
    },
    auto_shortflags=False,
)
def status(c: Context, since: str = "", until: str = "", format: str = "text") -> None:
    """Components x releases: what is out, what is missing, what is nobody's."""
    from release import app
    from release.commands.fleet_status import fleet_status

    with told(format):
        status = fleet_status(app.session(), since, until)
        unseen = any(component.error for component in status.components)
        present(status, format, 1 if unseen else 0)
