"""Images as somebody pushed them: brought to a real registry piece by piece, by its own API, and lost there again."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests

from release.core.oci import CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, INDEX, LAYER, MANIFEST
from tests.registries import Running


def blob(real: Running, name: str, content: bytes, media_type: str) -> dict[str, Any]:
    """Upload a blob; its descriptor, worked out here."""
    digest = f"sha256:{sha256(content).hexdigest()}"
    begun = requests.post(f"http://{real.host}/v2/{name}/blobs/uploads/", timeout=10)
    put = requests.put(begun.headers["Location"], params={"digest": digest}, data=content, timeout=10)
    put.raise_for_status()
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def put(real: Running, name: str, what: str, media_type: str, document: dict[str, Any]) -> dict[str, Any]:
    """Put a manifest or an index under a tag or, for "", its digest; its descriptor."""
    content = json.dumps({"schemaVersion": 2, "mediaType": media_type, **document}).encode()
    digest = f"sha256:{sha256(content).hexdigest()}"
    place = f"http://{real.host}/v2/{name}/manifests/{what or digest}"
    requests.put(place, data=content, headers={"Content-Type": media_type}, timeout=10).raise_for_status()
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def image(real: Running, name: str, platform: str, tag: str = "", media_type: str = MANIFEST) -> dict[str, Any]:
    """An image for one platform, with a layer of its own."""
    system, architecture = platform.split("/")
    config = blob(real, name, json.dumps({"os": system, "architecture": architecture}).encode(), CONFIG)
    layer = blob(real, name, f"layer of {name} {tag} for {platform}".encode(), LAYER)
    made = put(real, name, tag, media_type, {"config": config, "layers": [layer]})
    return {**made, "platform": {"os": system, "architecture": architecture}, "layer": layer["digest"]}


def index(real: Running, name: str, tag: str, *platforms: str, media_type: str = INDEX) -> list[dict[str, Any]]:
    of = DOCKER_MANIFEST if media_type == DOCKER_INDEX else MANIFEST
    made = [image(real, name, platform, media_type=of) for platform in platforms]
    entries = [{key: value for key, value in one.items() if key != "layer"} for one in made]
    put(real, name, tag, media_type, {"manifests": entries})
    return made


def lose(folder: Path, digest: str) -> None:
    """Take a blob's bytes out of the registry's storage, as a broken disk does."""
    found = list(folder.glob(f"**/blobs/sha256/*/{digest.removeprefix('sha256:')}/data"))
    assert found
    for one in found:
        one.unlink()
