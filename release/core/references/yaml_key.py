"""A value of a YAML stream, by its key. PyYAML's events say where each scalar stands, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from release.core.model import UpdateWish
from release.core.references.keys import by_key
from release.core.references.leaf import WHOLE, Leaf, Path, in_quotes, is_whole, not_too_deep, unreadable

PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_.+/@~-]|:(?=[A-Za-z0-9]))*")
NUMBER = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?|0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+"
)
"""What YAML 1.2, or Go's reader, takes for a number besides what PyYAML does."""
WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil", "none", "nan", ".nan", ".inf"))
"""Some reader takes these for something else than a text."""


def leaves(wish: UpdateWish, text: str) -> list[Leaf]:
    """Every scalar of every document; a path begins with the document's number."""
    return list(_read(text))


def read_only(text: str) -> list[Leaf]:
    """The same by libyaml, where PyYAML has it: ten times as quick, for a file's long past. Nothing is written by it."""
    import yaml

    return list(_read_by(getattr(yaml, "CSafeLoader", yaml.SafeLoader), text))


def chosen(wish: UpdateWish, found: Sequence[Leaf]) -> Leaf:
    """The one that the key leads to, in whichever document."""
    return by_key(wish.key, found, dict.fromkeys(leaf.path[:1] for leaf in found))


def written(wish: UpdateWish, raw: str, leaf: Leaf) -> str:
    """In the quotes that are there; without any, with some if the value would not be read as a text."""
    if raw.startswith("'"):
        return "'" + wish.value.replace("'", "''") + "'"
    if raw.startswith('"'):
        return in_quotes(wish.value)
    if is_whole(leaf.kind, wish.value) or is_text(wish.value):
        return wish.value
    return in_quotes(wish.value)


def is_text(value: str) -> bool:
    """Whether every reader takes this for a text where no quotes are around it."""
    plain = PLAIN.fullmatch(value) and not NUMBER.fullmatch(value) and value.lower() not in WORDS
    return bool(plain) and _kind(value) == "text"


@lru_cache(maxsize=4)  # PyYAML takes seconds for a megabyte, and several updates may be of one file
def _read(text: str) -> tuple[Leaf, ...]:
    import yaml  # who updates no YAML need not wait for it

    return _read_by(yaml.SafeLoader, text)


def _read_by(loader: Any, text: str) -> tuple[Leaf, ...]:
    import yaml

    try:
        return tuple(_scalars(yaml.parse(text, Loader=loader), yaml))
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        why = " ".join(str(error).split())[:200]
        raise unreadable("YAML", why or "it is nested too deep") from None


@dataclass
class _Open:
    """A mapping or a sequence that is being read: `key` is the one whose value comes next, None for a key or a sequence."""

    path: Path
    mapping: bool
    fixed: str
    keys: set[str] = field(default_factory=set)
    key: str | None = None
    count: int = 0


def _scalars(events: Iterable[Any], yaml: Any) -> Iterator[Leaf]:
    document = -1
    around: list[_Open] = []
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            document += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            around.pop()
        elif isinstance(event, yaml.NodeEvent):
            if around and around[-1].mapping and around[-1].key is None:
                _named(around[-1], event, yaml)
                continue
            path, fixed = _place(around, document)
            if isinstance(event, yaml.CollectionStartEvent):
                mapping = isinstance(event, yaml.MappingStartEvent)
                not_too_deep(path)
                around.append(_Open(path, mapping, fixed or _marked(event, "what it is in")))
            else:
                yield _leaf(event, path, fixed, yaml)


def _named(mapping: _Open, event: Any, yaml: Any) -> None:
    """Take a key of a mapping."""
    line = event.start_mark.line + 1
    if not isinstance(event, yaml.ScalarEvent):
        raise ValueError(f"line {line} has a key that is no plain text")
    if event.value in mapping.keys:
        raise ValueError(f"line {line} has the key {event.value!r:.80} for the second time")
    mapping.keys.add(event.value)
    mapping.key = event.value


def _place(around: list[_Open], document: int) -> tuple[Path, str]:
    """Where the next value stands, and why it cannot be written over, as far as that lies in what is around it."""
    if not around:
        return (document,), ""
    last = around[-1]
    part: str | int = last.count if last.key is None else last.key
    last.key, last.count = None, last.count + 1
    return (*last.path, part), last.fixed


def _leaf(event: Any, path: Path, fixed: str, yaml: Any) -> Leaf:
    start, end = event.start_mark, event.end_mark
    if isinstance(event, yaml.AliasEvent):
        said, why = f"*{event.anchor}", "it is an alias of what stands elsewhere"
        return Leaf(path, said, start.index, end.index, "other", fixed or why)
    why = fixed or _marked(event, "it")
    if not why and (event.style in ("|", ">") or start.line != end.line):
        why = "it is written on several lines"
    if not why and start.index == end.index:
        why = "it is empty"
    kind = _kind(event.value) if event.implicit[0] else "text"
    return Leaf(path, event.value, start.index, end.index, kind, why)


def _marked(event: Any, what: str) -> str:
    if event.anchor:
        return f"{what} has the anchor &{event.anchor}: it may be meant elsewhere, too"
    return f"{what} has the tag {event.tag}" if event.tag else ""


def _kind(value: str) -> Literal["text", "whole", "other"]:
    """What a scalar without quotes is to PyYAML, by YAML 1.1."""
    import yaml

    tag = yaml.SafeLoader("").resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    if tag == "tag:yaml.org,2002:str":
        return "text"
    return "whole" if tag == "tag:yaml.org,2002:int" and WHOLE.fullmatch(value) else "other"
