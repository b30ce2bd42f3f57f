"""What makes the files of an artifact: a command, a Python build backend, an archive of what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from release.adapters.makers.bench import Bench
from release.core.model import ArtifactWish

Maker = Callable[[ArtifactWish, Bench], dict[str, Path]]


def maker(kind: Literal["command", "python", "archive"]) -> Maker:
    """What makes artifacts of a kind: the files by name. It is imported when it is wanted."""
    if kind == "archive":
        from release.adapters.makers.archive import make as archive

        return archive
    if kind == "python":
        from release.adapters.makers.python import make as python

        return python
    from release.adapters.makers.command import make as command

    return command
