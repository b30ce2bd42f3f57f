"""What a forge would hold of releases that were out before it was founded: published, with small files, no event told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

AUTHOR = "github-actions[bot]"


def file_for(world: World, content: bytes) -> Json:
    """A file that any number of assets may be."""
    digest = hashlib.sha256(content).hexdigest()
    folder = world.folder / "assets"
    folder.mkdir(exist_ok=True)
    (folder / f"past-{digest}").write_bytes(content)
    return {"file": f"past-{digest}", "size": len(content), "digest": f"sha256:{digest}"}


def published(
    world: World,
    repository: Json,
    tag: str,
    at: str,
    assets: Mapping[str, Json],
    number: int,
    prerelease: bool = False,
) -> None:
    """A release for a tag that is there, out since `at` (ISO 8601 UTC), with these files by the names of its assets."""
    facts = {
        "tag_name": tag, "target_commitish": repository["default_branch"], "name": tag, "body": "", "draft": False,
        "prerelease": prerelease, "make_latest": "true", "immutable": False, "author": AUTHOR, "created_at": at,
        "published_at": at, "flagged": number,
    }  # fmt: skip
    made = world.store.add("release", facts, repository["id"], f"tag:{tag}")
    for name, file in assets.items():
        asset = {
            "release": made["id"], "name": name, "label": "", "content_type": "text/plain", "state": "uploaded",
            "download_count": 0, "uploader": AUTHOR, "created_at": at,
        }  # fmt: skip
        world.store.add("asset", asset | file, repository["id"], f"{made['id']}:{name}")
