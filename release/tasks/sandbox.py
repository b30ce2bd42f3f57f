"""invoke sandbox: a world to try things in."""

from __future__ import annotations

from pathlib import Path

from invoke import Context, task
from invoke.exceptions import Exit

from release.tasks.run import told


@task(help={"folder": "an empty folder for the demonstration (default: a new temporary one)"}, auto_shortflags=False)
def demo(c: Context, folder: str = "") -> None:
    """RKE2's fleet in a folder: its real history, a release that fails, and another captain who finishes it."""
    from release.sandbox import demo as playing

    with told("text"):
        code = playing.run(Path(folder) if folder else None)
    if code:
        raise Exit(code=code)
