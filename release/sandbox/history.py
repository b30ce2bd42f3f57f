"""What came out of an example's fleet before the demonstration begins: its releases on the forge, its images in the registry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from release.sandbox.fleet import facts
from release.sandbox.forge import Sandbox
from release.sandbox.forge.past import AUTHOR, file_for, published
from release.sandbox.registry import SandboxRegistry
from release.sandbox.serving.store import Json

SINCE = "2023-12-01"  # what came out before is not told: nobody asks about it
BUILT = ("rke2-upgrade", "system-agent-installer-rke2")  # what makes an image of its own name
ARCHES = ("amd64", "arm64")
OF_BOTH = ("rke2.linux-{}", "rke2.linux-{}.tar.gz", "sha256sum-{}.txt")
PACKAGES = tuple(f"rke2-{arch}.rpm" for arch in ARCHES)
DOCUMENTS = ("release.json", "rke2.cdx.json", "rke2.intoto.jsonl")


def tell(forge: Sandbox, registry: SandboxRegistry, example: Path, repositories: Mapping[str, Json]) -> None:
    """Publish a release for every tag since then, and tag the images that belong to it.

    A component's comes not before its upstream's; and of what the upstream does not have, there are the tags alone.
    """
    forge.user(AUTHOR, "Bot")
    file = file_for(forge, b"what was made then is not kept\n")
    came = dict(dated(example, "rke2"))
    with forge.store.transaction():
        for name, repository in repositories.items():
            out = {tag: max(at, came[of(tag)]) for tag, at in dated(example, name) if of(tag) in came}
            recent = sorted((at, tag) for tag, at in out.items() if at >= SINCE)
            for number, (at, tag) in enumerate(recent, 1):
                names = made(tag) if name == "rke2" else PACKAGES if name == "rke2-packaging" else ()
                assets = dict.fromkeys(names, file)
                published(forge, repository, tag, at, assets, number, prerelease="-" in tag)
    for name in ("rke2", *BUILT):
        tags = [tag.replace("+", "-") for tag, _ in dated(example, name) if tag in came and tag.isascii()]
        image = "rke2-runtime" if name == "rke2" else name
        registry.past(f"{repositories[name]['owner']}/{image}", tags)


def dated(example: Path, name: str) -> Iterator[tuple[str, str]]:
    """Every tag with the moment of its commit, ISO 8601 UTC."""
    for fact in facts(example, name):
        at = datetime.fromisoformat(fact.date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield from ((tag, at) for tag in fact.tags)


def of(tag: str) -> str:
    """The upstream's tag that one of a component is for: without channel and number."""
    return re.sub(r"\.[a-z]+\.[0-9]+$", "", tag)


def made(tag: str) -> Iterator[str]:
    """The assets of a release of rke2."""
    yield from (name.format(arch) for name in OF_BOTH for arch in ARCHES)
    yield from DOCUMENTS
    final = re.fullmatch(r"v([0-9.]+)\+rke2r([0-9]+)", tag)
    if final:
        yield f"rke2_version-{final[1]}.post{final[2]}-py3-none-any.whl"
