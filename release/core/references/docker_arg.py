"""The default of an ARG of a Dockerfile: https://docs.docker.com/reference/dockerfile/#arg."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from release.core.finding import Conflict
from release.core.model import UpdateWish
from release.core.references.leaf import Leaf, Unfit, the_one, unreadable

PLAIN = re.compile(r"[A-Za-z0-9_.+:/@~-]+")
_ESCAPE = re.compile(r"(?:#[ \t]*\w+[ \t]*=[^\n]*\n)*?#[ \t]*escape[ \t]*=[ \t]*([\\`])", re.IGNORECASE)
_HERE = re.compile(r"<<-?[\"']?([A-Za-z_]\w*+)")
_END = re.compile(r"\s*$")
_WORD = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)(?:=(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']*))?(?=\s|$)")


def leaves(wish: UpdateWish, text: str) -> list[Leaf]:
    """The defaults of all ARGs, and every other instruction as it is."""
    found: list[Leaf] = []
    for lines in _instructions(text):
        start, first = lines[0]
        if re.match(r"ARG\s", first, re.IGNORECASE):
            found += _defaults(lines)
        else:
            end = lines[-1][0] + len(lines[-1][1])
            found.append(Leaf((), text[start:end], start, end, "other", "it is no ARG"))
    return found


def chosen(wish: UpdateWish, found: Sequence[Leaf]) -> Leaf:
    """The ARG of that name that has a default."""
    return the_one([leaf for leaf in found if leaf.path == (wish.key,)], f"ARG {wish.key} with a default")


def written(wish: UpdateWish, raw: str, leaf: Leaf) -> str:
    """In the quotes that are there."""
    if not PLAIN.fullmatch(wish.value):
        why = f"cannot take {wish.value!r:.80} for the ARG {wish.key}: it would be read otherwise there"
        raise Unfit(Conflict("update-refused", why, "use letters, digits and ._+:/@~-"))
    quote = raw[0] if raw[:1] in ("'", '"') else ""
    return f"{quote}{wish.value}{quote}"


def _defaults(lines: Sequence[tuple[int, str]]) -> Iterator[Leaf]:
    """Names and defaults of one ARG, which may be broken between words."""
    for number, (start, line) in enumerate(lines):
        at = 3 if number == 0 else 0
        if number and line[:1].strip() and lines[number - 1][1][-1:].strip():
            raise unreadable("Dockerfile that can be edited", f"{line!r:.80} goes on in the middle of a word")
        while not _END.match(line, at):
            seen = _WORD.match(line, at)
            if seen is None:
                raise unreadable("Dockerfile that can be edited", f"{line[at:].strip()!r:.80} is no ARG")
            at = seen.end()
            if (raw := seen["value"]) is not None:
                says = raw[1:-1] if raw[:1] in ("'", '"') else raw
                begin, end = seen.span("value")
                odd = "$" in raw or "\\" in raw or "`" in raw
                fixed = "its default is made of variables" if odd else "" if raw else "its default is empty"
                yield Leaf((seen["name"],), says, start + begin, start + end, "text", fixed)


def _instructions(text: str) -> Iterator[list[tuple[int, str]]]:
    """The lines of each instruction without what continues them, each with its place; comments and here-documents are passed over."""
    escape = "`" if (seen := _ESCAPE.match(text)) and seen[1] == "`" else "\\"
    parts: list[tuple[int, str]] = []
    documents: list[str] = []  # the last one comes first
    at = 0
    for whole in text.split("\n"):
        line, start, at = whole.rstrip(), at, at + len(whole) + 1
        if documents:
            if line.strip() == documents[-1]:
                documents.pop()
        elif line and not line.lstrip().startswith("#"):
            indent = len(line) - len(line.lstrip()) if not parts else 0
            parts.append((start + indent, line[indent:].removesuffix(escape)))
            if not line.endswith(escape):
                yield parts
                words = "".join(part for _, part in parts) if _may_hold(parts[0][1]) else ""
                documents = _HERE.findall(words)[::-1]
                parts = []
    if parts:
        yield parts


def _may_hold(line: str) -> bool:
    return line[:4].upper() in ("RUN ", "COPY", "ADD ")
