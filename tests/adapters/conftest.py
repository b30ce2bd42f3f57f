"""What the tests of the doors stand on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Script, Server
from tests.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A remote, and a process whose git knows nothing of anybody's settings."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    identity = {f"GIT_{role}_{part}": f"seed@{part}".lower() for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}  # fmt: skip
    made = World(tmp_path, {**os.environ, **identity})
    made.bare("upstream")
    return made


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Servers that say what a script says, until the test ends."""
    running: list[Server] = []

    def start(script: Script, **how: Any) -> Server:
        running.append(Server(script, **how).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__()
