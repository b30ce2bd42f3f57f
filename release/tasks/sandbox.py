"""invoke sandbox: a world to try things in."""

from __future__ import annotations

from pathlib import Path

from invoke import Context, task
from invoke.exceptions import Exit

from release.tasks.run import told


@task(help={"folder": "an empty folder for the demonstration (default: a new temporary one)"}, auto_shortflags=False)
def demo(c: Context, folder: str = "") -> None:
    """RKE2's fleet on a forge in a folder: its real history, a release that fails, and another captain who finishes it."""
    with told("text"):
        needed()
        from release.sandbox import demo as playing

        code = playing.run(Path(folder) if folder else None)
    if code:
        raise Exit(code=code)


@task(
    help={
        "folder": "where its state is, or will be (default: a new temporary folder)",
        "port": "the forge's port on 127.0.0.1 (default: any that is free)",
        "repository": "owner/name of a repository to be there, or owner/name=PATH for a copy; may be given several times",
    },
    iterable=["repository"],
    auto_shortflags=False,
)
def up(c: Context, folder: str = "", port: int = 0, repository: list[str] | None = None) -> None:
    """A forge on loopback, until Ctrl-C: GitHub's REST API, git over HTTP, workflows that run; a registry and an index, too."""
    with told("text"):
        needed()
        from release.sandbox import up as serving

        code = serving.run(Path(folder) if folder else None, port, repository or [])
    if code:
        raise Exit(code=code)


def needed() -> None:
    """What the sandbox needs, and the product does not."""
    from importlib.util import find_spec

    from release.errors import UsageError

    missing = [name for name in ("aiohttp", "yaml", "graphql") if find_spec(name) is None]
    if missing:
        raise UsageError(f"the sandbox needs {', '.join(missing)}", "pip install 'sluice-release[sandbox]'")
