"""What a release of a component has to have, by its configuration: files of its release, and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from release.core import making
from release.core.assembly import applies, spread
from release.core.config import Config, Downstream
from release.core.reference import Reference


class Expected(NamedTuple):
    """Names of assets, and images by their tags."""

    assets: tuple[str, ...] = ()
    images: tuple[Reference, ...] = ()


def of_downstream(one: Downstream, values: Mapping[str, str]) -> Expected:
    """Its `assets`, one for each platform where they name one, and its `images`. What is no image is told with the configuration."""
    return Expected(spread(one.assets, one.platforms, values), making.references(one.images, values))


def of_upstream(config: Config, line: str, kind: str, values: Mapping[str, str]) -> Expected:
    """The files of its artifacts, and what its images become in registries.

    The documents that leave with them (sums, manifest, provenance) are not asked for: releases of a time before this tool
    have none, and `release.verify` looks at them.
    """
    files = [
        file
        for table in config.artifact
        if applies(table, line, kind)
        for wish in making.artifacts(table, values)
        for file in wish.makes
    ]
    images = making.images([table for table in config.image if applies(table, line, kind)], values)
    targets = [target for image in images for target in image.targets]
    return Expected(_each_once(files), tuple(dict.fromkeys(targets)))


def _each_once(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
