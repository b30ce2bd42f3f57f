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
        "out": "the folder that takes the files, each commit's in one of its own (default: .release/artifacts); a shard's is its own",
        "shard": "one piece alone, of a release that has begun: invoke release.matrix names them",
        "format": "text or json",
    },
    auto_shortflags=False,
)
def build(c: Context, version: str = "", out: str = "", shard: str = "", format: str = "text") -> None:
    """Build the files of a release, and publish nothing. The same commit gives the same digests."""
    from release import app
    from release.commands import build as building

    with told(format):
        session = app.session()
        if shard:
            one_shard(session, version, shard, out, format)
            return
        bench = carried_out(session, building.artifacts(session, version))
        made = building.made_files(session, bench, Path(out) if out else session.root / ".release" / "artifacts")
        present(made, format, code_of(made.steps, bench))


def one_shard(session: Session, version: str, name: str, out: str, form: str) -> None:
    """Build one piece, and lay it into its folder."""
    from release.commands import shards

    shard, bench = shards.prepared(session, version, name)
    bench = carried_out(session, bench)
    made = shards.made(session, shard, bench, Path(out) if out else session.root / ".release" / "shards" / name)
    present(made, form, code_of(made.steps, bench))


@task(help={"version": VERSION, "format": "text or json"}, auto_shortflags=False)
def matrix(c: Context, version: str = "", format: str = "text") -> None:
    """The pieces of a release that several machines can make, as a matrix of GitHub Actions takes them (--format json)."""
    from release import app
    from release.commands import shards

    with told(format):
        present(shards.matrix(app.session(), version), format)


@task(
    help={
        "version": "the version to begin, with or without the tag's prefix (default: what comes next)",
        "candidate": "a candidate; a word chooses its stage",
        "final": "a final, and nothing else that may have begun",
        "yes": "act without asking",
        "format": "text or json",
    },
    optional=["candidate"],
    auto_shortflags=False,
)
def begin(
    c: Context,
    version: str = "",
    candidate: str | None = None,
    final: bool = False,
    yes: bool = False,
    format: str = "text",
) -> None:
    """Begin a release, so that other machines can build pieces of it: gates, and its record. Nothing is public yet."""
    from release import app
    from release.commands import begin as beginning
    from release.commands import release as releasing
    from release.core.plan import exit_code
    from release.reports import console
    from release.tasks.release import code_of as code_of_plan
    from release.tasks.typed import wished

    with told(format):
        session = app.session()
        ready = releasing.ready(session, wished(session, version, "", candidate, final, False))
        if ready.stopped or ready.plan.complete:
            present(ready.plan, format, code_of_plan(ready))
            return
        confirmed(f"Begin {ready.plan.tag}?", yes, app.interactive)
        with console.progress([step.name for step in ready.steps]) as listener:
            done = beginning.begin(session, ready, listener)
        present(done, format, exit_code([step.state for step in done.steps], done.conflicts))


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
