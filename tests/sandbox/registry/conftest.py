"""A registry of the sandbox, and for what both have to agree on the real one, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release.sandbox.registry import SandboxRegistry
from tests import registries
from tests.sandbox.registry.client import Client


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[SandboxRegistry]:
    with SandboxRegistry(tmp_path / "registry") as served:
        yield served


@pytest.fixture
def client(registry: SandboxRegistry) -> Client:
    return Client(registry.host)


@pytest.fixture(params=["sandbox", "debian"])
def anyone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    """Somebody who speaks to the sandbox's registry, and to the real one."""
    if request.param == "sandbox":
        with SandboxRegistry(tmp_path) as served:
            yield Client(served.host)
    else:
        with registries.registry(tmp_path, storage={**_files(tmp_path), "delete": {"enabled": True}}) as running:
            yield Client(running.host)


def _files(folder: Path) -> dict[str, object]:
    return {"filesystem": {"rootdirectory": str(folder / "data")}}
