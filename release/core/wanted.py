"""Which files have to be looked at before the sources of a bump can speak."""

from __future__ import annotations

from collections.abc import Collection

from release.core.config import Config
from release.core.dependencies import manifests
from release.core.inheritance import upstream_files


def wanted(config: Config, changed: Collection[str]) -> tuple[str, ...]:
    """The paths whose texts are wanted at both commits, each once: changed manifests, and where versions of upstreams stand."""
    upstreams = upstream_files(config) if "upstream" in config.changes.sources else ()
    return tuple(dict.fromkeys([*asking(config, changed), *upstreams]))


def asking(config: Config, changed: Collection[str]) -> tuple[str, ...]:
    """The changed files of dependencies, if that source counts."""
    return manifests(config, changed) if "dependencies" in config.changes.sources else ()
