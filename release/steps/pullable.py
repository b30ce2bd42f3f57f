"""What an image in a registry is for, where only its configuration tells."""

from __future__ import annotations

import msgspec

from release.core.oci import LARGEST, Descriptor, Platform, digest_of
from release.core.reference import Reference
from release.ports import Registry


def configured(registry: Registry, image: Reference, config: Descriptor) -> Platform:
    """What a configuration says, which is compared with its digest. ValueError where it says nothing."""
    content = bytearray()
    for piece in registry.blob(image, config.digest):
        content += piece
        if len(content) > LARGEST:
            raise ValueError(f"its configuration is larger than {LARGEST} bytes")
    if digest_of(bytes(content)) != config.digest:
        raise ValueError("its configuration is not what its digest says")
    return msgspec.json.decode(content, type=Platform)
