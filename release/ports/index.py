"""Package indexes: what they hold, and what puts files there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from release.core.model import (
    PackageWish,
)


class Index(Protocol):
    """What Python package indexes hold, by PEP 691 and PEP 503; read only. `place` is an index's "simple" address.

    Unseen where it cannot be told.
    """

    def versions(self, place: str, name: str) -> frozenset[str]:
        """Every version of a package that a file is named for, yanked ones too, in PEP 440's normal form."""
        ...

    def holds(self, place: str, name: str, version: str) -> bool:
        """Whether a package has this version, however both are spelt."""
        ...

    def files(self, place: str, name: str, version: str) -> Mapping[str, str]:
        """The wheels and sdists of a version, yanked ones too: name -> SHA-256 (hex), "" where the index does not say."""
        ...

    def fetched(self, place: str, name: str, file: str) -> Iterator[bytes]:
        """A file's bytes, in pieces; not compared with any digest."""
        ...


class Uploads(Protocol):
    """Puts files onto Python package indexes. An index takes a file's name once: nothing is ever replaced."""

    def lacks(self, wish: PackageWish) -> str:
        """Why nothing could be uploaded, "" if nothing says so: no credentials and no identity. Nothing is written."""
        ...

    def wrong(self, wish: PackageWish, files: Mapping[str, Path]) -> str:
        """Why an index would not take these files, by name: what is in them; "" if nothing says so. Nothing is sent."""
        ...

    def upload(self, wish: PackageWish, files: Mapping[str, Path], say: Callable[[str], None]) -> None:
        """Upload files, by name, one after the other; `say` hears of each that was taken. Streams.

        Refused with the index's words; Uncertain where its answer was lost: then what came before is there.
        """
        ...
