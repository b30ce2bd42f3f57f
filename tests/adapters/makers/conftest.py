"""A workshop, and an upstream whose commits it builds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from release.adapters.git.remote import store
from release.adapters.process import Processes
from release.core.model import ArtifactWish
from tests.world import World

EPOCH = 1700000001  # an odd second: what keeps times in two seconds, as zip does, rounds it down


class Shop:
    """Builds what a clone has committed; `kept` is where its files go."""

    def __init__(self, world: World, at_once: int = 0) -> None:
        self.world, self.said = world, list[str]()
        self.clone, self.kept = world.folder / "seed-upstream", world.folder / "kept"
        self.logs = world.folder / "logs"
        objects = store(world.folder / "store.git", self.clone / ".git" / "objects")
        self.processes = Processes(objects, self.logs, dict(os.environ), at_once)

    def commit(self, files: Mapping[str, str]) -> None:
        self.world.commit(self.clone, files, "feat: more", push=False)

    def build(self, wish: ArtifactWish, inputs: Mapping[str, Path] | None = None, into: str = "") -> dict[str, Path]:
        """The files that it keeps, in the order in which it keeps them."""
        kept: dict[str, Path] = {}
        folder = self.kept / into
        folder.mkdir(parents=True, exist_ok=True)

        def keep(name: str, place: Path) -> None:
            kept[name] = Path(shutil.copy(place, folder / name))

        env = {"SLUICE_TAG": "v1.0.0", "SLUICE_VERSION": "1.0.0", "SOURCE_DATE_EPOCH": str(EPOCH)}
        commit = self.world.git(self.clone, "rev-parse", "HEAD")
        self.processes.build(wish, commit, env, inputs or {}, keep, self.said.append)
        return kept


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)
