"""Every release by its tag, in order of precedence, and every tag that is none, by its name."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from release.core.config import Config
from release.core.model import Kind, Tag
from release.core.version import Version, scheme


class Listed(msgspec.Struct, frozen=True):
    """A release: `commit` and `date` are those of its tag, as in Tag; `line` is "X.Y"."""

    tag: str
    version: str
    line: str
    kind: Kind
    commit: str
    date: str


class Listing(msgspec.Struct, frozen=True):
    """`releases` from the lowest to the highest; `invalid` are names of tags, sorted, as the repository has them."""

    releases: tuple[Listed, ...]
    invalid: tuple[str, ...]


def listed(config: Config, tags: Iterable[Tag]) -> Listing:
    """Sort tags out by the scheme of [version]: each is a release or invalid, and none is lost.

    Releases of equal precedence (SemVer clause 10) come in the order of their texts. A tag without a date is on no
    commit, and nothing was released there. Names are not made safe here: for a terminal they go through `plain`.
    ValueError for a tag template that does not have `{version}` exactly once.
    """
    rules = scheme(config.version, config.project.name)
    read = [(rules.of_tag(tag.name) if tag.date else None, tag) for tag in tags]
    found = sorted(((version, tag) for version, tag in read if version), key=lambda one: (one[0].key, one[0].text))
    return Listing(
        tuple(_listed(version, tag) for version, tag in found),
        tuple(sorted(tag.name for version, tag in read if version is None)),
    )


def _listed(version: Version, tag: Tag) -> Listed:
    return Listed(tag.name, version.text, version.line, version.kind, tag.commit, tag.date)
