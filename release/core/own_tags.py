"""A component's tags by the release that each is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from release.core.naming import Match


class Own(NamedTuple):
    """A tag that a component has, and what it says."""

    tag: str
    match: Match


def by_release(matches: Mapping[str, Match | None]) -> dict[str, tuple[Own, ...]]:
    """Upstream tag -> the component's tags for it, ordered by channel and number; what says nothing is left out."""
    found: dict[str, list[Own]] = {}
    for tag, match in matches.items():
        if match:
            found.setdefault(match.release, []).append(Own(tag, match))
    return {release: tuple(sorted(tags, key=_order)) for release, tags in found.items()}


def _order(own: Own) -> tuple[str, int, str]:
    return *own.match.order, own.tag
