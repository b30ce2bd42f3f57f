"""An image as whoever runs it finds it: its files with their owners and modes, and its configuration. Read by tarfile alone."""

from __future__ import annotations

import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

NAME = "org.opencontainers.image.ref.name"


class Held(NamedTuple):
    """What lies at a path: `says` is a file's SHA-256, or where a link leads."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int
    says: str


def blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def document(layout: Path, digest: str) -> Any:
    return json.loads(blob(layout, digest).read_bytes())


def named(layout: Path, name: str = "") -> str:
    """The digest that a name stands for, or that of the only entry."""
    entries = json.loads((layout / "index.json").read_bytes())["manifests"]
    (found,) = [one for one in entries if not name or one["annotations"][NAME] == name]
    return str(found["digest"])


def manifests(layout: Path) -> dict[str, Any]:
    """Platform -> manifest, wherever below `index.json` they are."""
    found: dict[str, Any] = {}
    todo = list(json.loads((layout / "index.json").read_bytes())["manifests"])
    while todo:
        value = document(layout, todo.pop()["digest"])
        if "manifests" in value:
            todo += value["manifests"]
            continue
        config = document(layout, value["config"]["digest"])
        platform = "/".join(filter(None, (config["os"], config["architecture"], config.get("variant"))))
        assert platform not in found, "one manifest for each platform"
        found[platform] = value
    return found


def configuration(layout: Path, platform: str) -> Any:
    return document(layout, manifests(layout)[platform]["config"]["digest"])


def files(layout: Path, platform: str) -> dict[str, Held]:
    """What the layers leave when they are put on top of each other; whiteouts are taken for what they are."""
    held: dict[str, Held] = {}
    for layer in manifests(layout)[platform]["layers"]:
        place = blob(layout, layer["digest"])
        assert sha256(place.read_bytes()).hexdigest() == place.name
        with tarfile.open(place) as tar:
            for member in tar:
                _put(tar, member, held)
    return held


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, held: dict[str, Held]) -> None:
    path = member.name.strip("/")
    folder, _, name = path.rpartition("/")
    if name.startswith(".wh."):
        held.pop(f"{folder}/{name.removeprefix('.wh.')}".strip("/"), None)
        return
    content = tar.extractfile(member) if member.isreg() else None
    says = sha256(content.read()).hexdigest() if content else member.linkname
    kind = "file" if member.isreg() else "folder" if member.isdir() else "link" if member.issym() else "other"
    mode = 0o777 if kind == "link" else member.mode & 0o7777  # buildah writes the type there, too
    if path not in ("", "."):
        held[path] = Held(kind, mode, member.uid, member.gid, int(member.mtime), says)
