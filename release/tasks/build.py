"""invoke release.build, release.images: parts of the path, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from invoke import Context, task

from release.tasks.run import confirmed, present, told

if TYPE_CHECKING:
    from release.app import Session
    from release.commands.build import Bench
    from release.core.plan import StepState

VERSION = "the version (default: what has begun or is out here, else what comes next)"


@task(
    help={
        "version": VERSION,
        "out": "the folder that takes the files, each commit's in one of its own (default: .release/artifacts)",
        "format": "text or json",
    },
    auto_shortflags=False,
)
def build(c: Context, version: str = "", out: str = "", format: str = "text") -> None:
    """Build the files of a release, and publish nothing. The same commit gives the same digests."""
    from release import app
    from release.commands import build as building

    with told(format):
        session = app.session()
        bench = carried_out(session, building.artifacts(session, version))
        made = building.made_files(session, bench, Path(out) if out else session.root / ".release" / "artifacts")
        present(made, format, code_of(made.steps, bench))


@task(
    help={
        "version": VERSION,
        "push": "into the registries, under the version's tag, if that is tagged in git",
        "yes": "push without asking",
        "format": "text or json",
    },
    auto_shortflags=False,
)
def images(c: Context, version: str = "", push: bool = False, yes: bool = False, format: str = "text") -> None:
    """Build the images of a release into .release/oci. With --push, bring them to their registries and tag them."""
    from release import app
    from release.commands import build as building

    with told(format):
        session = app.session()
        bench = building.images(session, version, push)
        if push and not bench.conflicts:
            confirmed(f"Push the images of {bench.subject.release.tag}?", yes, app.interactive)
        bench = carried_out(session, bench)
        made = building.made_images(session, bench)
        present(made, format, code_of(made.steps, bench))


def carried_out(session: Session, bench: Bench) -> Bench:
    """Make what is to be made, and show how it goes."""
    from release.commands import build as building
    from release.reports import console

    with console.progress([step.name for step in bench.shown]) as listener:
        return building.make(session, bench, listener)


def code_of(steps: tuple[StepState, ...], bench: Bench) -> int:
    """The exit code of a part: that of what is not made."""
    from release.core.plan import exit_code

    return exit_code([step.state for step in steps], bench.conflicts)
