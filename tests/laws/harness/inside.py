"""The product from inside: a session in a clone, and its steps one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from release import app
from release.app import Session, clock
from release.core.finding import Finding, Pending
from release.engine.step import Step
from tests.world import World


def opened(world: World, clone: Path, monkeypatch: pytest.MonkeyPatch, now: str) -> Session:
    """A session in a clone, in the world's environment, at an hour of ours."""
    for name in set(os.environ) - set(world.environment):
        if name.startswith(("GIT_", "GITHUB_", "SLUICE_")):
            monkeypatch.delenv(name)
    for name, value in world.environment.items():
        if name in ("HOME", "GIT_CONFIG_NOSYSTEM") or name.startswith(("GITHUB_", "SLUICE_")):
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(clock, "now", lambda: now)
    return app.session(clone)


def walked(session: Session, steps: Sequence[Step[Any]]) -> Iterator[tuple[Step[Any], dict[Step[Any], Finding[Any]]]]:
    """Reach one step after the other; each with all findings once it was reached."""
    found: dict[Step[Any], Finding[Any]] = dict.fromkeys(steps, Pending("not reached"))
    with session.engine() as engine:
        for number, step in enumerate(steps):
            found = dict(engine.reach(steps[: number + 1], found))
            yield step, found
