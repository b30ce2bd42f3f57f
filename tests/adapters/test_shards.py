"""Folders of shards: what makes room for a new one, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.disk import Disk
from release.adapters.shards import Shards
from release.core.shards import FILE, Contents
from release.errors import Refused


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(Disk(tmp_path / "cache"))


def one(shards: Shards, folder: Path, name: str) -> None:
    shards.fresh(folder, name)
    (folder / "left over").write_text(name)
    shards.write(folder, Contents("v1.0.0", "0" * 40, name), {})


def test_a_shard_takes_the_place_of_what_it_was_before(shards: Shards, tmp_path: Path) -> None:
    one(shards, tmp_path / "app", "app")
    shards.fresh(tmp_path / "app", "app")
    assert list((tmp_path / "app").iterdir()) == []


def test_a_broken_one_is_in_nobodys_way(shards: Shards, tmp_path: Path) -> None:
    one(shards, tmp_path / "app", "app")
    (tmp_path / "app" / FILE).write_text('{"tag": "v1')
    shards.fresh(tmp_path / "app", "app")
    assert list((tmp_path / "app").iterdir()) == []


@pytest.mark.parametrize("there", ["another shard", "other files"])
def test_what_is_somebody_elses_is_left_there(shards: Shards, tmp_path: Path, there: str) -> None:
    folder = tmp_path / "app"
    if there == "another shard":
        one(shards, folder, "app-arm64")
    else:
        folder.mkdir()
        (folder / "thesis.txt").touch()
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(Refused, match="name another folder"):
        shards.fresh(folder, "app")
    assert {path.name for path in folder.iterdir()} == before
