"""Where the public registry and the public package index are in this world: what a process has to be told of it."""

from __future__ import annotations

from release.sandbox.index import PackageIndex
from release.sandbox.registry import SandboxRegistry

VARIABLE = "SLUICE_PLACES"


def places(registry: SandboxRegistry, index: PackageIndex) -> str:
    """`name=address`, separated by blanks; the names are those that configurations have."""
    there = {
        "docker.io": registry.url,
        "https://pypi.org/simple": index.simple.rstrip("/"),
        "https://upload.pypi.org/legacy/": index.legacy,
    }
    return " ".join(f"{name}={address}" for name, address in there.items())
