"""Dockerfiles as text: instructions with their lines, flags and words (https://docs.docker.com/reference/dockerfile/).

What stands here is the language alone; what a builder makes of it is elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

INSTRUCTIONS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
LONGEST = 1 << 20  # bytes of a Dockerfile
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)")
_HEREDOC = re.compile(r"<<-?\s*[\"']?[A-Za-z_]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]")


class Bad(Exception):
    """A line that nobody can build: its number, and what is wrong with it."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line, self.why = line, why


class Instruction(msgspec.Struct, frozen=True):
    """One instruction: the number of its first line, its word in capitals, its flags, and the rest as one line.

    `heredoc` says that text of the following lines belongs to it, which is then left out.
    """

    line: int
    word: str
    flags: tuple[tuple[str, str], ...]
    rest: str
    heredoc: bool = False

    def listed(self) -> tuple[str, ...] | None:
        """The rest in its JSON form; None where it is in the other one."""
        if not self.rest.startswith("["):
            return None
        try:
            return msgspec.json.decode(self.rest, type=tuple[str, ...])
        except ValueError:
            return None


class Dockerfile(msgspec.Struct, frozen=True):
    """Instructions in their order; `escape` is the character before one that means itself, `syntax` the frontend asked for."""

    instructions: tuple[Instruction, ...]
    escape: str = "\\"
    syntax: str = ""


def parse(text: str) -> Dockerfile:
    """Read a Dockerfile. Bad where a line is no instruction, or none is there."""
    directives = dict(_directives(text))
    escape = directives.get("escape", "\\")
    if escape not in ("\\", "`"):
        raise Bad(1, f"escape is {escape!r}, and may be \\ or ` only")
    found = tuple(_instruction(number, line, body) for number, line, body in _logical(text, escape))
    if not found:
        raise Bad(1, "there is no instruction in it")
    return Dockerfile(found, escape, directives.get("syntax", ""))


def expanded(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """A word with its variables filled in and its quotes taken off; ValueError where it is not well formed.

    `$X`, `${X}`, `${X:-word}` and `${X:+word}`; what has no value is empty. Nothing is filled in between single quotes.
    """
    return _Reader(text, values, escape).word()


def words(text: str, escape: str = "\\") -> list[str]:
    """A line's words, at blanks that stand neither between quotes nor after the escape; quotes stay."""
    found, word, quote, position = [], "", "", 0
    while position < len(text):
        c = text[position]
        if c == escape and quote != "'" and position + 1 < len(text):
            word += text[position : position + 2]
            position += 2
            continue
        if c in "\"'" and quote in ("", c):
            quote = "" if quote else c
        if c in " \t" and not quote:
            found += [word] if word else []
            word = ""
        else:
            word += c
        position += 1
    return [*found, word] if word else found


def pairs(text: str, escape: str = "\\") -> list[tuple[str, str]]:
    """The names and values of ENV and LABEL: "NAME=value ...", or "NAME value with blanks". ValueError for anything else."""
    split = words(text, escape)
    if not split:
        raise ValueError("it has no name")
    if "=" not in split[0]:
        name, value = [*re.split(r"[ \t]+", text, maxsplit=1), ""][:2]
        if not value:
            raise ValueError(f"{name} has no value")
        return [(name, value)]
    found = [word.partition("=") for word in split]
    for name, equals, _ in found:
        if not equals or not name:
            raise ValueError(f"{name or '='} is no NAME=value")
    return [(name, value) for name, _, value in found]


def _directives(text: str) -> Iterator[tuple[str, str]]:
    """Comments of the form `# name=value` before anything else."""
    for line in text.splitlines():
        found = _DIRECTIVE.fullmatch(line.strip())
        if found is None:
            return
        yield found[1].lower(), found[2]


def _logical(text: str, escape: str) -> Iterator[tuple[int, str, list[str]]]:
    """Each instruction's first line, its text with continued lines joined, and the heredocs after it.

    Comments between continued lines are no part of them, nor are empty lines.
    """
    lines = iter(enumerate(re.split(r"\r?\n", text.removeprefix("\ufeff")), 1))
    continued = re.compile(rf"{re.escape(escape)}[ \t]*$")
    first, joined = 0, ""
    for number, raw in lines:
        line = raw if joined else raw.lstrip()
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        first = first or number
        joined += continued.sub("", line)
        if continued.search(line):
            continue
        yield first, joined.strip(), list(_heredocs(joined, lines, first))
        first, joined = 0, ""
    if joined.strip():
        yield first, joined.strip(), []


def _heredocs(line: str, lines: Iterator[tuple[int, str]], first: int) -> Iterator[str]:
    """The texts that RUN, COPY and ADD have after them."""
    if not re.match(r"(?:RUN|COPY|ADD)\s", line, re.IGNORECASE) or not _HEREDOC.search(line):
        return
    for dash, end in re.findall(r"<<(-?)\s*[\"']?([A-Za-z_][A-Za-z0-9_]*)", line):
        body = []
        for _, raw in lines:
            if (raw.lstrip("\t") if dash else raw) == end:
                break
            body.append(raw)
        else:
            raise Bad(first, f"the text that ends with {end} has no end")
        yield "\n".join(body)


def _instruction(number: int, line: str, heredocs: list[str]) -> Instruction:
    first, *more = re.split(r"[ \t]+", line, maxsplit=1)
    word, rest = first.upper(), "".join(more)
    if word not in INSTRUCTIONS:
        raise Bad(number, f"{word[:40]} is no instruction")
    flags = []
    while found := _FLAG.match(rest):
        flags.append((found[1], found[2] or ""))
        rest = rest[found.end() :]
    if not rest:
        raise Bad(number, f"{word} says nothing")
    return Instruction(number, word, tuple(flags), rest, bool(heredocs))


class _Reader:
    """Reads one word from left to right."""

    def __init__(self, text: str, values: Mapping[str, str], escape: str) -> None:
        self._text, self._values, self._escape = text, values, escape
        self._at = 0

    def word(self, until: str = "") -> str:
        """Up to a character that stands outside of quotes, which is passed, or to the end."""
        read: dict[str, Callable[[], str]] = {
            "'": self._single, '"': self._double, "$": self._variable, self._escape: self._escaped,
        }  # fmt: skip
        found = ""
        while self._at < len(self._text):
            c = self._text[self._at]
            self._at += 1
            if c == until:
                return found
            found += read[c]() if c in read else c
        if until:
            raise ValueError(f"{self._text} has no {until}")
        return found

    def _single(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise ValueError(f"{self._text} has a quote without an end")
        found, self._at = self._text[self._at : end], end + 1
        return found

    def _double(self) -> str:
        found = ""
        while self._at < len(self._text):
            c = self._text[self._at]
            self._at += 1
            if c == '"':
                return found
            if c == "$":
                found += self._variable()
            elif c == self._escape and self._text[self._at : self._at + 1] in ('"', "$", self._escape):
                found += self._escaped()
            else:
                found += c
        raise ValueError(f"{self._text} has a quote without an end")

    def _escaped(self) -> str:
        c = self._text[self._at : self._at + 1]
        self._at += 1
        return c or self._escape

    def _variable(self) -> str:
        if self._text[self._at : self._at + 1] == "{":
            self._at += 1
            return self._braced()
        found = _NAME.match(self._text, self._at)
        if found is None:
            return "$"
        self._at = found.end()
        return self._values.get(found[0], "")

    def _braced(self) -> str:
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise ValueError(f"{self._text} has no name in its braces")
        self._at = found.end()
        value, rest = self._values.get(found[0], ""), self._text[self._at : self._at + 2]
        if rest[:1] == "}":
            self._at += 1
            return value
        if rest not in (":-", ":+"):
            raise ValueError(f"{self._text} has {rest or 'no end'} in its braces, and may have :- or :+")
        self._at += 2
        word = self.word("}")
        return (value or word) if rest == ":-" else (word if value else "")
