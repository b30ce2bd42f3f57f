"""What pointers act through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from release.core.model import Person
from release.ports import Commands, Forge, Registry, Remote


@dataclass(frozen=True)
class PointDoors:
    """Each is opened when a pointer first needs it. `remote_at` and `forge_at` open a repository, "" for the upstream's own.

    `person` moves what is moved; `now` is ISO 8601 UTC; `project` is the upstream's name.
    """

    registry: Callable[[], Registry]
    remote_at: Callable[[str], Remote]
    forge_at: Callable[[str], Forge | None]
    commands: Callable[[], Commands]
    person: Person
    now: Callable[[], str]
    project: str
