"""A value of a JSON document, by its key."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence
from typing import Any

from release.core.finding import Conflict
from release.core.model import UpdateWish
from release.core.references.keys import by_key
from release.core.references.leaf import WHOLE, Leaf, Path, Unfit, agree, in_quotes, is_whole, not_too_deep, unreadable

_SPACE = re.compile(r"[ \t\r\n]*")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_BARE = re.compile(r"[A-Za-z0-9+.-]+")


def leaves(wish: UpdateWish, text: str) -> list[Leaf]:
    """Every value of the document."""
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        found = list(_value(text, _past(text, 0), ()))
    except (ValueError, RecursionError) as error:
        raise unreadable("JSON", str(error)[:200] or "it is nested too deep") from None
    if not agree(found, data):
        raise Unfit(Conflict("update-refused", "cannot be read without doubt", 'take kind = "regex" for it'))
    return found


def chosen(wish: UpdateWish, found: Sequence[Leaf]) -> Leaf:
    """The one that the key leads to."""
    return by_key(wish.key, found)


def written(wish: UpdateWish, raw: str, leaf: Leaf) -> str:
    """A string; a whole number stays one."""
    if leaf.kind == "other":
        raise Unfit(Conflict("update-refused", f"has {wish.key}, which is no text", "make it a string"))
    return wish.value if is_whole(leaf.kind, wish.value) else in_quotes(wish.value)


def _value(text: str, at: int, path: Path) -> Generator[Leaf, None, int]:
    """The leaves of the value at a place; where it ends. The text is known to be JSON."""
    first = text[at]
    if first == "{":
        return (yield from _inside(text, at, path, "}"))
    if first == "[":
        return (yield from _inside(text, at, path, "]"))
    if first == '"':
        says, end = _string(text, at)
        yield Leaf(path, says, at, end)
        return end
    seen = _BARE.match(text, at)
    assert seen is not None, "the parser has read it"
    yield Leaf(path, seen[0], at, seen.end(), "whole" if WHOLE.fullmatch(seen[0]) else "other")
    return seen.end()


def _inside(text: str, at: int, path: Path, closing: str) -> Generator[Leaf, None, int]:
    not_too_deep(path)
    number, at = 0, _past(text, at + 1)
    while text[at] != closing:
        part: str | int = number
        if closing == "}":
            part, at = _string(text, at)
            at = _past(text, _past(text, at) + 1)
        at = _past(text, (yield from _value(text, at, (*path, part))))
        if text[at] == ",":
            at = _past(text, at + 1)
        number += 1
    return at + 1


def _string(text: str, at: int) -> tuple[str, int]:
    seen = _TEXT.match(text, at)
    assert seen is not None, "the parser has read it"
    return str(json.loads(seen[0])), seen.end()


def _past(text: str, at: int) -> int:
    seen = _SPACE.match(text, at)
    return seen.end() if seen else at


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it has the key {key!r:.80} twice in one object")
        found[key] = value
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number there")
