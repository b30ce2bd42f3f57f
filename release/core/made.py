"""What a part of the path made, for people and for programs."""

from __future__ import annotations

import msgspec

from release.core.finding import Conflict
from release.core.model import PlatformImage
from release.core.plan import StepState
from release.core.shards import ShardFile


class MadeFile(msgspec.Struct, frozen=True):
    """A file that was built: `path` is where it lies now, `size` in bytes, `sha256` in hex."""

    name: str
    path: str
    size: int
    sha256: str


class Artifacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The files of a release; `conflicts` and `steps` only where not all of them could be made."""

    artifacts: tuple[MadeFile, ...]
    conflicts: tuple[Conflict, ...] = ()
    steps: tuple[StepState, ...] = ()


class ShardMade(msgspec.Struct, frozen=True, omit_defaults=True):
    """One piece of a release, and the folder that it lies in: files, or an image for one platform."""

    shard: str
    folder: str
    files: tuple[ShardFile, ...] = ()
    image: PlatformImage | None = None
    conflicts: tuple[Conflict, ...] = ()
    steps: tuple[StepState, ...] = ()


class ImageFact(msgspec.Struct, frozen=True):
    """An image that was built: the digest of its index, what it holds, and which builder made it.

    `location` is where it is to be had: the tag in a registry, else its place in an OCI layout, as skopeo writes both;
    `pushed` are all tags in registries.
    """

    name: str
    digest: str
    platforms: tuple[PlatformImage, ...]
    builder: str
    location: str
    pushed: tuple[str, ...] = ()


class ImageList(msgspec.Struct, frozen=True, omit_defaults=True):
    """The images of a release; `conflicts` and `steps` only where not all of them could be made."""

    images: tuple[ImageFact, ...]
    conflicts: tuple[Conflict, ...] = ()
    steps: tuple[StepState, ...] = ()
