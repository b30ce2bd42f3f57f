"""OCI images as documents: descriptors, manifests, indexes, configurations (https://github.com/opencontainers/image-spec, 1.1).

A document is written in one way only, so that the same image has the same digest wherever it is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

import msgspec

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = (INDEX, DOCKER_INDEX)
MANIFESTS = (INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST)
LARGEST = 4 << 20
"""Bytes of a manifest or an index: what registries take (distribution spec, "Pushing manifests")."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """As an index has it. `str` gives "os/arch" or "os/arch/variant"."""

    architecture: str = ""
    os: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


class Descriptor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a document says of a thing that it holds: size in bytes. What has `urls` lies elsewhere, and need not be there."""

    mediaType: str
    digest: str
    size: int
    annotations: Mapping[str, str] = {}
    platform: Platform | None = None
    artifactType: str = ""
    urls: tuple[str, ...] = ()


class Index(msgspec.Struct, frozen=True, omit_defaults=True):
    """An image for several platforms."""

    manifests: tuple[Descriptor, ...]
    mediaType: str = ""
    schemaVersion: int = 0
    annotations: Mapping[str, str] = {}


class ImageManifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """An image for one platform, or (with `artifactType` and `subject`) something about another one."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    mediaType: str = ""
    schemaVersion: int = 0
    artifactType: str = ""
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = {}


# Made here, once: msgspec learns a type where it first meets it, and two threads must not do so at once.
_INDEX = msgspec.json.Decoder(Index)
_IMAGE = msgspec.json.Decoder(ImageManifest)


class Document(msgspec.Struct, frozen=True):
    """A manifest or an index as its bytes are, by the media type that came with them."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    @property
    def descriptor(self) -> Descriptor:
        return Descriptor(self.media_type, self.digest, len(self.content))

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEXES

    def index(self) -> Index:
        """ValueError where it is none."""
        return _INDEX.decode(self.content)

    def manifest(self) -> ImageManifest:
        """ValueError where it is none."""
        return _IMAGE.decode(self.content)


def written(value: Index | ImageManifest) -> Document:
    """A document of ours: keys in the order of the fields, no blanks, no key without a value."""
    full = msgspec.structs.replace(value, mediaType="", schemaVersion=0)
    media_type = INDEX if isinstance(value, Index) else MANIFEST
    head = {"schemaVersion": 2, "mediaType": media_type}
    return Document(media_type, msgspec.json.encode({**head, **msgspec.to_builtins(full)}))


def digest_of(content: bytes) -> str:
    """The digest of bytes: "sha256:" and lower hex."""
    return f"sha256:{sha256(content).hexdigest()}"


def is_digest(text: str) -> bool:
    """Whether a text is a digest of an algorithm that registries have to know."""
    return bool(_DIGEST.fullmatch(text))


def platform_of(text: str) -> Platform:
    """ "os/arch" or "os/arch/variant" as an index has it."""
    system, _, rest = text.partition("/")
    arch, _, variant = rest.partition("/")
    return Platform(arch, system, variant)


def normal(platform: Platform) -> str:
    """A platform's name without what its architecture implies: arm64 is arm64/v8, arm is arm/v7 (containerd's `Normalize`)."""
    arch = {"aarch64": "arm64", "x86_64": "amd64"}.get(platform.architecture, platform.architecture)
    variant = platform.variant
    if (arch, variant) in (("arm64", "v8"), ("amd64", "v1")):
        variant = ""
    return "/".join(filter(None, (platform.os, arch, "v7" if arch == "arm" and not variant else variant)))
