"""Shards: what several machines make of one release, a piece each, and what comes with a piece. Pure.

A shard is a build that is made of no other build, or an image for one platform. What is made of others, and the index of an
image, is made where all shards come together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from release.core.finding import Conflict
from release.core.model import ArtifactWish, ImagePart, ImageWish, PlatformImage, Release

FILE = "shard.json"
"""What a shard's folder says of it."""


class Shard(msgspec.Struct, frozen=True):
    """One piece: `name` is fit for a job's name and for an artifact of CI, `of` what the configuration calls it."""

    name: str
    kind: Literal["artifact", "image"]
    of: str
    platform: str
    os: str
    arch: str


class Matrix(msgspec.Struct, frozen=True):
    """The shards in the form that a matrix of GitHub Actions takes: one job for each entry of `include`."""

    include: tuple[Shard, ...]


class ShardFile(msgspec.Struct, frozen=True):
    """A file of a shard: it lies beside `shard.json` under its name; SHA-256 in hex, size in bytes.

    `program`: it may be run; what carries shards from machine to machine may forget that.
    """

    name: str
    sha256: str
    size: int
    program: bool = False


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`shard.json`: which piece of which release it is, and what it holds: files, or an image in the layout `oci/`.

    `inputs` tell the files apart that lie in the image, by name.
    """

    tag: str
    commit: str
    shard: str
    files: tuple[ShardFile, ...] = ()
    image: PlatformImage | None = None
    inputs: Mapping[str, str] = {}


def shards(release: Release) -> tuple[Shard, ...]:
    """The pieces of a release, in the order of the configuration."""
    builds = [
        _shard(wish.name, "artifact", wish.name, wish.platform) for wish in release.artifacts if not wish.artifacts
    ]
    images = [
        _shard(f"image.{wish.name}.{wish.tag}.{part.platform}", "image", f"{wish.name}:{wish.tag}", part.platform)
        for wish in release.images
        for part in wish.parts
    ]
    return tuple(_distinct([*builds, *images]))


def build_of(release: Release, shard: Shard) -> ArtifactWish:
    """The build that a shard is."""
    return next(wish for wish in release.artifacts if (wish.name, wish.platform) == (shard.of, shard.platform))


def image_of(release: Release, shard: Shard) -> tuple[ImageWish, ImagePart]:
    """The image that a shard is a part of, and the part."""
    wish = next(wish for wish in release.images if f"{wish.name}:{wish.tag}" == shard.of)
    return wish, next(part for part in wish.parts if part.platform == shard.platform)


def only(release: Release, shard: Shard) -> Release:
    """A release that makes nothing but a shard, and what that is made of."""
    if shard.kind == "artifact":
        return msgspec.structs.replace(release, artifacts=(build_of(release, shard),), images=())
    wish, part = image_of(release, shard)
    needed = with_parts(release, part.artifacts)
    return msgspec.structs.replace(release, artifacts=needed, images=(msgspec.structs.replace(wish, parts=(part,)),))


def with_parts(release: Release, files: Iterable[str]) -> tuple[ArtifactWish, ...]:
    """The builds that make some files, and those that these are made of."""
    makers = {file: wish for wish in release.artifacts for file in wish.makes}
    found: list[ArtifactWish] = []
    left = list(files)
    while left:
        wish = makers[left.pop()]
        if wish not in found:
            found.append(wish)
            left += wish.artifacts
    return tuple(wish for wish in release.artifacts if wish in found)


def unmatched(
    wanted: Iterable[Shard], release: Release, found: Mapping[str, Contents], commit: str
) -> tuple[Conflict, ...]:
    """What stands against taking shards: `wanted` ones that are missing, and those of something else."""
    names, tag = {shard.name for shard in shards(release)}, release.tag
    conflicts = [
        Conflict(
            "shard-missing",
            f"no folder has the shard {name} of {tag}",
            f"build it: invoke release.build --shard {name}",
        )
        for name in sorted({shard.name for shard in wanted} - found.keys())
    ]
    for name, contents in found.items():
        if (contents.tag, contents.commit) != (tag, commit):
            why = f"the shard {name} is of {contents.tag!r:.60} at {contents.commit[:10]!r}, not of {tag} at {commit[:10]}"
            conflicts.append(Conflict("shard-foreign", why, "leave its folder out, or build it again"))
        elif name not in names:
            why = f"the shard {name!r:.100} is no piece of {tag}"
            conflicts.append(Conflict("shard-foreign", why, "leave its folder out"))
    return tuple(conflicts)


def _shard(name: str, kind: Literal["artifact", "image"], of: str, platform: str) -> Shard:
    system, _, arch = platform.partition("/")
    return Shard(re.sub(r"[^A-Za-z0-9._+-]", "-", name), kind, of, platform, system, arch.replace("/", "-"))


def _distinct(found: Iterable[Shard]) -> Iterable[Shard]:
    """Each with a name of its own: two images may differ in a character that no job's name takes."""
    seen: dict[str, int] = {}
    for shard in found:
        seen[shard.name] = seen.get(shard.name, 0) + 1
        number = seen[shard.name]
        yield shard if number == 1 else msgspec.structs.replace(shard, name=f"{shard.name}.{number}")
