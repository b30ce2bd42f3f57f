"""A value of a TOML document, by its key. `tomllib` reads it, and a scanner finds where each value stands; both have to agree."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Generator, Iterator, Sequence

from release.core import toml_text
from release.core.finding import Conflict
from release.core.model import UpdateWish
from release.core.references.keys import by_key
from release.core.references.leaf import WHOLE, Leaf, Path, Unfit, agree, in_quotes, is_whole, not_too_deep, unreadable

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TEXT = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL
)
_BARE = re.compile(r"[^,\]}#\r\n]+")


def leaves(wish: UpdateWish, text: str) -> list[Leaf]:
    """Every value of the document."""
    try:
        data = toml_text.loads(text)
        found = list(_statements(text))
    except (ValueError, RecursionError) as error:
        raise unreadable("TOML", str(error)[:200] or "it is nested too deep") from None
    except (IndexError, AssertionError):
        found, data = [], {"": ""}
    if not agree(found, data):
        raise Unfit(Conflict("update-refused", "cannot be read without doubt", 'take kind = "regex" for it'))
    return found


def chosen(wish: UpdateWish, found: Sequence[Leaf]) -> Leaf:
    """The one that the key leads to."""
    return by_key(wish.key, found)


def written(wish: UpdateWish, raw: str, leaf: Leaf) -> str:
    """A string in the quotes that are there, as far as these can hold it; a whole number stays one."""
    if leaf.kind == "other":
        raise Unfit(Conflict("update-refused", f"has {wish.key}, which is no text", "make it a string"))
    if is_whole(leaf.kind, wish.value):
        return wish.value
    return f"'{wish.value}'" if raw.startswith("'") and "'" not in wish.value else in_quotes(wish.value)


def _statements(text: str) -> Iterator[Leaf]:
    """Tables and keys, from the top. The text is known to be TOML."""
    table: Path = ()
    counts: dict[Path, int] = {}
    at = _past(_GAP, text, 0)
    while at < len(text):
        if text[at] == "[":
            brackets = 2 if text.startswith("[[", at) else 1
            names, at = _key(text, at + brackets)
            table = _opened(counts, names, brackets == 2)
            at = _past(_SPACE, text, at) + brackets
        else:
            names, at = _key(text, at)
            at = yield from _value(text, at + 1, (*table, *names))
        at = _past(_GAP, text, at)


def _opened(counts: dict[Path, int], names: Path, one_more: bool) -> Path:
    """Which table a header opens: of a list of tables the last one, or one more of them."""
    path: Path = ()
    for number, name in enumerate(names):
        path = (*path, name)
        if one_more and number == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _key(text: str, at: int) -> tuple[Path, int]:
    """The parts of a dotted key, and the place of what comes after it."""
    names: list[str] = []
    while True:
        seen = _KEY.match(text, _past(_SPACE, text, at))
        assert seen is not None, "the parser has read it"
        names.append(next(iter(tomllib.loads(f"{seen[0]} = 0"))))
        at = _past(_SPACE, text, seen.end())
        if text[at] != ".":
            return tuple(names), at
        at += 1


def _value(text: str, at: int, path: Path) -> Generator[Leaf, None, int]:
    """The leaves of the value at a place; where it ends."""
    at = _past(_GAP, text, at)
    if text[at] == "[":
        return (yield from _inside(text, at, path, "]"))
    if text[at] == "{":
        return (yield from _inside(text, at, path, "}"))
    if seen := _TEXT.match(text, at):
        several = "it is written on several lines" if seen[0][:3] in ('"""', "'" * 3) else ""
        yield Leaf(path, tomllib.loads(f"x = {seen[0]}")["x"], at, seen.end(), "text", several)
        return seen.end()
    seen = _BARE.match(text, at)
    assert seen is not None, "the parser has read it"
    bare = seen[0].rstrip()
    yield Leaf(path, bare, at, at + len(bare), "whole" if WHOLE.fullmatch(bare) else "other")
    return at + len(bare)


def _inside(text: str, at: int, path: Path, closing: str) -> Generator[Leaf, None, int]:
    not_too_deep(path)
    number, at = 0, _past(_GAP, text, at + 1)
    while text[at] != closing:
        names: Path = (number,)
        if closing == "}":
            names, at = _key(text, at)
            at += 1
        at = _past(_GAP, text, (yield from _value(text, at, (*path, *names))))
        if text[at] == ",":
            at = _past(_GAP, text, at + 1)
        number += 1
    return at + 1


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    seen = pattern.match(text, at)
    return seen.end() if seen else at
