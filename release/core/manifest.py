"""The documents that leave with a release: its manifest, and the sums of its artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from release.core.model import BuiltImage, Release
from release.core.record import MANIFEST

Fact = tuple[str, str, int]


def manifest(release: Release, commit: str, artifacts: Iterable[Fact], images: Iterable[BuiltImage] = ()) -> str:
    """`release.json`: what the release is and what it holds; no times, no results of others. Artifacts: name, SHA-256, size."""
    document: dict[str, Any] = {
        "version": release.version,
        "tag": release.tag,
        "commit": commit,
        "previous": release.previous,
        "artifacts": [{"name": name, "sha256": sha256, "size": size} for name, sha256, size in sorted(artifacts)],
    }
    held = [
        {"name": one.name, "tag": one.tag, "digest": one.digest, "platforms": one.platforms}
        for one in sorted(images, key=attrgetter("name", "tag"))
    ]
    if held:
        document["images"] = held
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def documents(
    release: Release, commit: str, artifacts: Iterable[Fact], images: Iterable[BuiltImage] = ()
) -> dict[str, str]:
    """What lies beside the artifacts, by name; the manifest last: where it is, all is there."""
    known = list(artifacts)
    platforms = {file: wish.platform for wish in release.artifacts for file in wish.makes}
    return {**sums(known, platforms), MANIFEST: manifest(release, commit, known, images)}


def document_names(release: Release) -> list[str]:
    """The names of those documents, before anything is built; the manifest last."""
    attested = [name for name in (release.attest.sbom, release.attest.provenance) if name]
    return [*documents(release, "", [(name, "", 0) for name in (*release.files, *attested)])]


def sums(artifacts: Iterable[Fact], platforms: Mapping[str, str]) -> dict[str, str]:
    """`sha256sum-{arch}.txt` an architecture (`sha256sum.txt` for what has none), in the form that `sha256sum -c` reads."""
    lines: dict[str, str] = {}
    for name, sha256, _ in sorted(artifacts):
        arch = platforms.get(name, "").partition("/")[2].replace("/", "-")
        file = f"sha256sum-{arch}.txt" if arch else "sha256sum.txt"
        lines[file] = lines.get(file, "") + f"{sha256}  {name}\n"
    return lines
