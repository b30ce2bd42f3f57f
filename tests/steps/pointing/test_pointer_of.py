"""Each kind of a wish becomes its pointer; nothing is opened before it is needed, and what needs a forge says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.core.model import Person, Release
from release.core.promotion import PointWish
from release.core.reference import Reference
from release.errors import ConfigError
from release.ports import Forge, Remote
from release.steps.pointing import pointer_of
from release.steps.pointing.command import CommandPointer
from release.steps.pointing.doors import PointDoors
from release.steps.pointing.file import FilePointer
from release.steps.pointing.image import ImagePointer
from release.steps.pointing.marks import LatestMark, PrereleaseMark
from release.steps.pointing.proposed_file import ProposedFile
from tests.pointing import NEW, OLD, WHEN, WISH, Shop, forged

RELEASE = Release("1.30.2+rke2r1", NEW, "1.30", "final", "patch", OLD, "main", "0" * 40, "2026-01-02T03:04:05+00:00", Person("C", "c@x"))  # fmt: skip
IMAGE = PointWish("image", "image", Reference("r.example", "a/b", "stable"), Reference("r.example", "a/b", "v1"))
KINDS: dict[type[Any], PointWish] = {
    ImagePointer: IMAGE,
    CommandPointer: PointWish("command", "command", value=NEW, run=("true",), shows=("true",)),
    FilePointer: msgspec.structs.replace(WISH, repository="acme/channels"),
    ProposedFile: msgspec.structs.replace(WISH, repository="acme/channels", by_pull_request=True),
    PrereleaseMark: PointWish("prerelease mark", "prerelease"),
    LatestMark: PointWish("latest mark", "latest"),
}


def unopened(*which: str) -> Any:
    raise AssertionError("nobody needs it yet")


class Opened:
    """The doors of a shop on a forge, or without one, and what was opened of them."""

    def __init__(self, shop: Shop, forge: bool = True) -> None:
        self.shop, self.forge, self.repositories = shop, forge, list[str]()

    def remote_at(self, repository: str) -> Remote:
        self.repositories.append(repository)
        return self.shop.remote()

    def forge_at(self, repository: str) -> Forge | None:
        self.repositories.append(repository)
        return self.shop.proposed().forge if self.forge else None

    @property
    def doors(self) -> PointDoors:
        ada = Person("Ada", "ada@example.org")
        return PointDoors(unopened, self.remote_at, self.forge_at, unopened, ada, lambda: WHEN, "app")


@pytest.mark.parametrize("kind", KINDS)
def test_a_wish_becomes_the_pointer_of_its_kind_at_its_repository(tmp_path: Path, kind: type[Any]) -> None:
    wish = KINDS[kind]
    with forged(tmp_path) as shop:
        opened = Opened(shop)
        pointer = pointer_of(wish, RELEASE, "c" * 40, opened.doors)
        assert type(pointer) is kind
        assert pointer.name == wish.name
        assert set(opened.repositories) <= {wish.repository}


@pytest.mark.parametrize("kind", [ProposedFile, PrereleaseMark, LatestMark])
def test_what_only_a_forge_has_says_so_where_there_is_none(tmp_path: Path, kind: type[Any]) -> None:
    with forged(tmp_path) as shop, pytest.raises(ConfigError, match=r"project\.forge is none"):
        pointer_of(KINDS[kind], RELEASE, "c" * 40, Opened(shop, forge=False).doors)


def test_pointers_of_doors_move_what_they_are_for(tmp_path: Path) -> None:
    with forged(tmp_path) as shop:
        pointer = pointer_of(KINDS[FilePointer], RELEASE, "c" * 40, Opened(shop).doors)
        pointer.move(OLD, NEW, shop.said.append)
        assert pointer.reads() == NEW
        assert shop.message().startswith(f"Ada <ada@example.org> {WHEN}\n")
