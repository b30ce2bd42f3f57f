"""Many reasons of one kind, told as a few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

from release.core.model import Level, Reason

MOST = 20
"""So many reasons of one source and place are told one by one."""

_WEIGHT = {level: weight for weight, level in enumerate(get_args(Level))}


def weightiest(reasons: Iterable[Reason], most: int = MOST) -> Iterator[Reason]:
    """The reasons, the highest bump first and otherwise in their order; beyond `most` they are told as a number.

    A release keeps its reasons for ever, and a generated package can have ten thousand of them.
    """
    ordered = sorted(reasons, key=lambda reason: -_WEIGHT[reason.bump])
    yield from ordered[:most]
    if rest := ordered[most:]:
        yield Reason(rest[0].source, f"and {len(rest)} more", rest[0].bump, "the highest of them")
