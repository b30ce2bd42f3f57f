"""The keys that lead to a value: `image.tag`, `items[0].version`, `channels[name=stable].latest`, `"a.b".c`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from release.core.finding import Conflict
from release.core.references.leaf import Leaf, Path, Unfit, the_one

LONGEST_KEY = 500
_QUOTED = r'"(?:[^"\\]|\\["\\])*"'
_NAME = rf'(?:{_QUOTED}|[^\s."\[\]=]+)'
_PART = re.compile(
    rf'(?P<dot>\.?)(?P<name>{_NAME})|\[(?P<number>[0-9]{{1,9}})\]|\[(?P<field>{_NAME})=(?P<value>{_QUOTED}|[^\]"]+)\]'
)


class Where(msgspec.Struct, frozen=True):
    """The part of a list whose `field` says `value`."""

    field: str
    value: str


Step = str | int | Where


def steps_of(key: str) -> tuple[Step, ...]:
    """What a key names, step by step; ValueError, with what is wrong, where it is none."""
    return tuple(step for step, _ in _read(key))


def by_key(key: str, leaves: Sequence[Leaf], roots: Iterable[Path] = ((),)) -> Leaf:
    """The value that a key leads to, from any of the roots. Unfit where there is none, or more than one."""
    places, shown = set(roots), ""
    depth = len(next(iter(places), ()))
    for number, (step, text) in enumerate(_read(key), 1):
        further = _beyond(places, step, leaves)
        further &= {leaf.path[: depth + number] for leaf in leaves}
        if not further:
            why = f"{shown} and no {text.lstrip('.')} in it" if shown else f"no {text}"
            raise Unfit(
                Conflict("update-missing", f"has {why}", "mend [[downstream.update]] key, or write it there first")
            )
        places, shown = further, shown + text
    found = [leaf for leaf in leaves if leaf.path in places]
    if not found:
        raise Unfit(
            Conflict("update-refused", f"has {key}, which is no single value", "name one of those that are in it")
        )
    return the_one(found, key)


def _beyond(places: set[Path], step: Step, leaves: Sequence[Leaf]) -> set[Path]:
    if not isinstance(step, Where):
        return {(*place, step) for place in places}
    said = (
        leaf.path[:-1]
        for leaf in leaves
        if len(leaf.path) > 1 and leaf.path[-1] == step.field and leaf.says == step.value
    )
    return {path for path in said if isinstance(path[-1], int) and path[:-1] in places}


def _read(key: str) -> Iterator[tuple[Step, str]]:
    """Each step with its text."""
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise ValueError(f"it has to have 1 to {LONGEST_KEY} printable characters")
    at = 0
    while at < len(key):
        seen = _PART.match(key, at)
        if seen is None or (seen["name"] and bool(seen["dot"]) == (at == 0)):
            raise ValueError(f"it cannot be read from {key[at:]!r:.60} on")
        at = seen.end()
        if seen["name"]:
            yield _plain(seen["name"]), seen[0]
        elif seen["number"]:
            yield int(seen["number"]), seen[0]
        else:
            yield Where(_plain(seen["field"]), _plain(seen["value"])), seen[0]


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
