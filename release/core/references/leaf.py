"""The single values of a file, and where each of them stands in its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from release.core.finding import Conflict

Path = tuple[str | int, ...]
WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
DEEPEST = 64
"""Nobody keeps a reference deeper; what it takes to read a file grows with the depth of all that is in it."""
PATTERN = 'take kind = "regex" for this place, or write it otherwise'


class Leaf(msgspec.Struct, frozen=True):
    """`text[start:end]` is what stands there, quotes included, and `says` what it means.

    `path` are the names and numbers that lead to it. `kind`: a text, a whole number, or something else that has no parts.
    `fixed` is why nothing else can be written there, "" if it can.
    """

    path: Path
    says: str
    start: int
    end: int
    kind: Literal["text", "whole", "other"] = "text"
    fixed: str = ""


class Unfit(Exception):
    """A value cannot be found, or not be written. What is so goes on after the file's name."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict)
        self.conflict = conflict


def unreadable(what: str, why: str) -> Unfit:
    """A file that is not what it is said to be."""
    return Unfit(
        Conflict("update-unreadable", f"is no {what}: {why}", "mend it, or name another kind in [[downstream.update]]")
    )


def not_too_deep(path: Path) -> None:
    """ValueError for what is nested deeper than anybody nests."""
    if len(path) > DEEPEST:
        raise ValueError("it is nested too deep")


def the_one(found: Sequence[Leaf], what: str) -> Leaf:
    """The only value that was found, if there is one, and it can be written over."""
    if not found:
        raise Unfit(
            Conflict("update-missing", f"has no {what}", "mend [[downstream.update]], or write it there by hand first")
        )
    if len(found) > 1:
        remedy = "name the place so that only one is meant"
        raise Unfit(Conflict("update-ambiguous", f"has {what} {len(found)} times", remedy))
    if found[0].fixed:
        raise Unfit(Conflict("update-refused", f"has {what}, but {found[0].fixed}", PATTERN))
    return found[0]


def is_whole(kind: str, value: str) -> bool:
    """Whether a number may stay one: whole numbers are the same to every reader."""
    return kind == "whole" and bool(WHOLE.fullmatch(value))


def in_quotes(value: str) -> str:
    """A printable text between double quotes, as JSON, TOML and YAML read it alike."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def agree(leaves: Sequence[Leaf], data: Any) -> bool:
    """Whether a scanner of ours saw in a text what its parser made of it: the same paths, the same texts."""
    known = dict(parts(data))
    return len(known) == len(leaves) and all(
        leaf.path in known and (known[leaf.path] == leaf.says if leaf.kind == "text" else _no_text(known[leaf.path]))
        for leaf in leaves
    )


def parts(data: Any) -> Iterator[tuple[Path, Any]]:
    """What a parser made of a text: each value without parts, by its path."""
    left: list[tuple[Path, Any]] = [((), data)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left += [((*path, key), one) for key, one in value.items()]
        elif isinstance(value, list):
            left += [((*path, number), one) for number, one in enumerate(value)]
        else:
            yield path, value


def _no_text(value: Any) -> bool:
    return not isinstance(value, str)
