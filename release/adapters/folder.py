"""A folder that a release was published into: its files, as a forge would show them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from release.core.forge import Asset, Published
from release.errors import Unseen

CHUNK = 1 << 20
AGAIN = "mend that, then run the same command again"


class Folder:
    """The files of one release, numbered by their names in order. What is half written has a leading dot, and is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._folder)

    def published(self, tag: str) -> Published | None:
        """The release, None where there is no folder."""
        if not self._folder.is_dir():
            return None
        return Published(0, tag, tag, "", "", draft=False, prerelease=False)

    def assets(self, number: int) -> tuple[Asset, ...]:
        """The files with their sizes in bytes; their digests are nobody's word here. Unseen where it cannot be read."""
        try:
            return tuple(Asset(at, name, (self._folder / name).stat().st_size) for at, name in enumerate(self._names()))
        except OSError as error:
            raise Unseen(f"cannot read {error.filename}: {error.strerror}", AGAIN) from error

    def download(self, asset: int) -> Iterator[bytes]:
        """A file's bytes; Unseen where it cannot be read."""
        try:
            with (self._folder / self._names()[asset]).open("rb") as file:
                while piece := file.read(CHUNK):
                    yield piece
        except OSError as error:
            raise Unseen(f"cannot read {error.filename}: {error.strerror}", AGAIN) from error

    def _names(self) -> list[str]:
        return sorted(name for name in os.listdir(self._folder) if not name.startswith("."))
