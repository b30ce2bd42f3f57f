"""What every builder of images is given, and what it can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from release.core.finding import Conflict
from release.core.model import ImagePart


class Recipe(msgspec.Struct, frozen=True):
    """One image to build: `dockerfile` lies in `context`, a folder of its own that holds all files that may be copied.

    `epoch` (seconds since 1970) is the time of everything in it. `labels` go into each configuration, `secrets` are
    values by id, for `RUN --mount=type=secret` alone.
    """

    name: str
    dockerfile: Path
    context: Path
    parts: tuple[ImagePart, ...]
    epoch: int
    labels: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(part.platform for part in self.parts)

    def foreign(self, part: ImagePart) -> frozenset[str]:
        """Files of builds that lie in the context for other platforms alone: `COPY . /` does not take them, as it would not
        where that platform is built by itself."""
        return frozenset(name for one in self.parts for name in one.artifacts) - {*part.artifacts}


class Builder(Protocol):
    """Builds an image for several platforms; every process that it starts ends with `stop`."""

    @property
    def name(self) -> str:
        """As [[image]] builder has it."""
        ...

    def absent(self) -> str:
        """Why it cannot be used on this machine at all, "" if it can."""
        ...

    def lacking(self, recipe: Recipe) -> tuple[Conflict, ...]:
        """What keeps it from building this, seen before anything is built: a line that it does not know, emulation."""
        ...

    def build(self, recipe: Recipe, into: Path, say: Callable[[str], None]) -> None:
        """Write an OCI layout (`oci-layout`, `index.json`, `blobs/`) into a new folder: one image manifest for each platform.

        The same recipe gives the same digests. Refused with the end of what it printed where it fails.
        """
        ...

    def stop(self) -> None:
        """End what still runs, now."""
        ...
