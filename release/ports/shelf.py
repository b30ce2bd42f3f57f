"""What this machine keeps, and files of releases that are out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from release.core.forge import Asset, Published


class Shelf(Protocol):
    """What this machine keeps: the cache under `.release/`, and directories that take artifacts."""

    def recall(self, *key: str) -> str | None: ...

    def remember(self, value: str, *key: str) -> None: ...

    def node(self) -> str:
        """A random name of this machine's cache, the same until the cache is deleted."""
        ...

    def keep(self, source: Path) -> tuple[str, int]:
        """Copy a file into the store, under its digest; SHA-256 (hex) and size (bytes). Streams."""
        ...

    def take(self, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Write what comes in pieces into the store, under its digest; SHA-256 (hex) and size (bytes)."""
        ...

    def lay(self, source: Path, target: Path) -> None:
        """Copy a file to where an older one of that name may be, all or nothing."""
        ...

    def kept(self, sha256: str) -> Path | None:
        """The file with this digest (hex) in the store, None where it is not there."""
        ...

    def digest(self, path: Path) -> tuple[str, int] | None:
        """SHA-256 (hex) and size (bytes) of a file, None where there is none."""
        ...

    def text(self, path: Path) -> str | None:
        """A small file's text, None where there is none."""
        ...

    def place(self, source: Path, target: Path) -> None:
        """Copy a file to where nothing is yet, all or nothing; Refused where something is."""
        ...

    def write(self, text: str, target: Path) -> None:
        """Write a text to where nothing is yet, all or nothing; Refused where something is."""
        ...

    def rewrite(self, old: str, new: str, target: Path) -> None:
        """Put a text in the place of the one that was looked at, all or nothing; Refused where the file says another by now."""
        ...

    def names(self, folder: Path) -> frozenset[str] | None:
        """The names in a folder, None where there is no folder."""
        ...

    def unwritable(self, folder: Path) -> str:
        """Why a folder cannot take files, "" if it can; nothing is made."""
        ...

    def shown(self, folder: Path) -> Shown:
        """The files of a folder, as a release shows them; a folder that is not there is no release."""
        ...


class Shown(Protocol):
    """The files of releases that are out: a forge has them, and a folder. Every call may raise Unseen."""

    @property
    def name(self) -> str:
        """Where that is, for people."""
        ...

    def published(self, tag: str) -> Published | None:
        """The release for a tag, None where nothing is out."""
        ...

    def assets(self, number: int) -> tuple[Asset, ...]:
        """Its files."""
        ...

    def download(self, asset: int) -> Iterator[bytes]:
        """A file's bytes, in pieces."""
        ...
