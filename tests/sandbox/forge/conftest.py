"""A forge with one repository and somebody who may push to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release.sandbox.forge import Sandbox
from tests.forge import Client, clone, serving


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Sandbox]:
    with serving(tmp_path / "forge") as served:
        served.repository("acme/app", push=("captain",))
        yield served


@pytest.fixture
def captain(forge: Sandbox) -> Iterator[Client]:
    client = Client(forge, forge.token("captain"))
    yield client
    client.close()


@pytest.fixture
def stranger(forge: Sandbox) -> Iterator[Client]:
    """Somebody with a good token and no right to push."""
    client = Client(forge, forge.token("stranger"))
    yield client
    client.close()


@pytest.fixture
def anybody(forge: Sandbox) -> Iterator[Client]:
    client = Client(forge)
    yield client
    client.close()


@pytest.fixture
def work(forge: Sandbox, captain: Client, tmp_path: Path) -> Path:
    """A clone whose first commit is on the forge's master."""
    return clone(forge, captain.token, "acme/app", tmp_path / "work")
