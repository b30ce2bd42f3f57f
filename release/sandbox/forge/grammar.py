"""Reads what stands inside `${{ }}` into a tree, and finds it in a text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = Any  # None, bool, float or int, str, list, dict: what JSON can say

CONTEXTS = frozenset(
    ("env", "github", "inputs", "job", "jobs", "matrix", "needs", "runner", "secrets", "steps", "strategy", "vars")
)
STATUS = frozenset(("always", "cancelled", "failure", "success"))
DEPTH, LENGTH, TOKENS = 50, 21_000, 400
OPEN = "${{"

TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*')
    | (?P<number>[-+]?(?:0x[0-9A-Fa-f]+|0o[0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![A-Za-z0-9_]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_-]*)
    | (?P<sign>==|!=|<=|>=|&&|\|\||[!<>()\[\].,*])
    | (?P<end>$)
    )""",
    re.VERBOSE,
)


ARGUMENTS: Mapping[str, tuple[int, int]] = {
    "contains": (2, 2),
    "startswith": (2, 2),
    "endswith": (2, 2),
    "format": (1, 255),
    "join": (1, 2),
    "tojson": (1, 1),
    "fromjson": (1, 1),
    **dict.fromkeys(STATUS, (0, 0)),
}


class ExpressionError(Exception):
    """An expression that cannot be read or worked out; the text is for the author of the workflow."""


@dataclass(frozen=True)
class Literal:
    value: Value


@dataclass(frozen=True)
class Context:
    name: str


@dataclass(frozen=True)
class Access:
    """`key` is None for `.*`."""

    whole: Node
    key: Node | None


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Operation:
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Not:
    of: Node


Node: TypeAlias = Literal | Context | Access | Call | Operation | Not


def parse(text: str) -> Node:
    """The tree of an expression."""
    if len(text) > LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters; {LENGTH} are allowed")
    reader = _Reader(text)
    node = reader.weakest(0)
    if reader.kind != "end":
        raise ExpressionError(f"Unexpected symbol: '{reader.token}' in `{text.strip()}`")
    return node


WEAKEST_FIRST = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))


class _Reader:
    """Reads one token ahead."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._depth, self._read = text, 0, 0, 0
        self.kind = self.token = ""
        self._next()

    def weakest(self, level: int) -> Node:
        if level == len(WEAKEST_FIRST):
            return self._prefixed()
        node = self.weakest(level + 1)
        while self.token in WEAKEST_FIRST[level] and self.kind == "sign":
            sign = self._next()
            node = Operation(sign, node, self.weakest(level + 1))
        return node

    def _prefixed(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH:
            raise ExpressionError(f"an expression more than {DEPTH} deep")
        try:
            return Not(self._prefixed()) if self._took("!") else self._accessed(self._primary())
        finally:
            self._depth -= 1

    def _accessed(self, node: Node) -> Node:
        while True:
            if self._took("."):
                node = Access(node, None if self._took("*") else Literal(self._word()))
            elif self._took("["):
                node = Access(node, None if self._took("*") else self.weakest(0))
                self._expect("]")
            else:
                return node

    def _primary(self) -> Node:
        if self._took("("):
            node = self.weakest(0)
            self._expect(")")
            return node
        kind, token = self.kind, self._next()
        if kind == "text":
            return Literal(token[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(number(token))
        if kind == "word":
            return self._named(token)
        raise ExpressionError(f"Unexpected symbol: '{token or 'the end'}' in `{self._text.strip()}`")

    def _named(self, word: str) -> Node:
        if self._took("("):
            return self._call(word)
        if word in LITERALS:
            return Literal(LITERALS[word])
        if word.lower() not in CONTEXTS:
            raise ExpressionError(f"Unrecognized named-value: '{word}' in `{self._text.strip()}`")
        return Context(word.lower())

    def _call(self, word: str) -> Node:
        arguments: list[Node] = []
        while not self._took(")"):
            if arguments:
                self._expect(",")
            arguments.append(self.weakest(0))
        name = word.lower()
        least, most = ARGUMENTS.get(name, (-1, -1))
        if least < 0:
            raise ExpressionError(f"Unrecognized function: '{word}' in `{self._text.strip()}`")
        if not least <= len(arguments) <= most:
            raise ExpressionError(f"{word} takes {least} to {most} arguments, not {len(arguments)}")
        return Call(name, tuple(arguments))

    def _word(self) -> str:
        if self.kind != "word":
            raise ExpressionError(f"Unexpected symbol: '{self.token}' after a dot in `{self._text.strip()}`")
        return self._next()

    def _took(self, sign: str) -> bool:
        return self.kind == "sign" and self.token == sign and bool(self._next())

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise ExpressionError(f"Expected '{sign}', found '{self.token or 'the end'}' in `{self._text.strip()}`")

    def _next(self) -> str:
        """The token read before; reads the next one."""
        before, found = self.token, TOKEN.match(self._text, self._at)
        if not found or not found.lastgroup:
            raise ExpressionError(
                f"Unexpected symbol: '{self._text[self._at :].strip()[:20]}' in `{self._text.strip()}`"
            )
        self._read += 1
        if self._read > TOKENS:
            raise ExpressionError(f"an expression of more than {TOKENS} words and signs")
        self.kind, self.token, self._at = found.lastgroup, found[found.lastgroup], found.end()
        return before


LITERALS: Mapping[str, Value] = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": math.nan,
    "Infinity": math.inf,
}


def nodes(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Access(whole, key):
            inner: tuple[Node | None, ...] = (whole, key)
        case Call(_, arguments):
            inner = arguments
        case Operation(_, left, right):
            inner = (left, right)
        case Not(of):
            inner = (of,)
        case _:
            inner = ()
    for one in inner:
        if one is not None:
            yield from nodes(one)


def number(text: str) -> float:
    try:
        if re.fullmatch(r"0x[0-9A-Fa-f]+|0o[0-7]+", text):
            return int(text, 0)
        if re.fullmatch(r"[-+]?\d{1,18}", text):
            return int(text)
        return float(text) if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?Infinity", text) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """(True, plain text) and (False, expression) in turn; braces within an expression's text do not end it."""
    at = 0
    while (start := text.find(OPEN, at)) >= 0:
        if start > at:
            yield True, text[at:start]
        end = _close(text, start + len(OPEN))
        yield False, text[start + len(OPEN) : end]
        at = end + 2
    if at < len(text):
        yield True, text[at:]


def _close(text: str, at: int) -> int:
    quoted = False
    for place in range(at, len(text)):
        if text[place] == "'":
            quoted = not quoted
        elif not quoted and text.startswith("}}", place):
            return place
    raise ExpressionError(f"`{text[at - len(OPEN) : at + 40]}` is not closed with }}}}")
