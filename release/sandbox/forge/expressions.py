"""The language inside `${{ }}`: values, loose comparison and functions, as GitHub Actions has them.

A value is inserted into its text as it is: what a stranger wrote becomes part of a script, here as there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
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


class ExpressionError(Exception):
    """An expression that cannot be read or worked out; the text is for the author of the workflow."""


@dataclass(frozen=True)
class Scope:
    """What an expression can see: the contexts by name, and how the job or its needs stand (`success`, ...)."""

    contexts: Mapping[str, Value]
    status: Mapping[str, bool] = field(default_factory=lambda: {"success": True})


def insert(text: str, scope: Scope) -> str:
    """The text with every expression replaced by its value's text."""
    return "".join(part if plain else shown(evaluate(part, scope)) for plain, part in _parts(text))


def resolve(text: str, scope: Scope) -> Value:
    """As `insert`, but a text that is one expression and nothing else keeps the kind of its value."""
    parts = list(_parts(text.strip()))
    return evaluate(parts[0][1], scope) if len(parts) == 1 and not parts[0][0] else insert(text, scope)


def condition(text: str, scope: Scope) -> bool:
    """What an `if:` decides; one that does not ask for the status goes on only after success."""
    node = parse(_bare(text))
    asks = any(isinstance(one, Call) and one.name in STATUS for one in _nodes(node))
    return (asks or scope.status.get("success", False)) and truth(_worked_out(node, scope))


def check(text: str) -> None:
    """Raises where a text holds an expression that cannot be read."""
    for plain, part in _parts(text):
        if not plain:
            parse(part)


def check_condition(text: str) -> None:
    """Raises where an `if:` cannot be read."""
    parse(_bare(text))


def evaluate(text: str, scope: Scope) -> Value:
    """The value of an expression, without its braces."""
    return _worked_out(parse(text), scope)


def shown(value: Value) -> str:
    """A value as text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _digits(value)
        case Mapping():
            return "Object"
        case list() | tuple():
            return "Array"
        case _:
            return str(value)


def truth(value: Value) -> bool:
    return bool(value) and not _nan(value) if not isinstance(value, (Mapping, list, tuple)) else True


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
            return Literal(_number(token))
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


def _nodes(node: Node) -> Iterator[Node]:
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
            yield from _nodes(one)


class _Each(list[Value]):
    """What `.*` gave: the next access goes into every one."""


def _worked_out(node: Node, scope: Scope) -> Value:
    match node:
        case Literal(value):
            return value
        case Context(name):
            return scope.contexts.get(name)
        case Not(of):
            return not truth(_worked_out(of, scope))
        case Access(whole, key):
            inner = _worked_out(whole, scope)
            return _every(inner) if key is None else _part(inner, _worked_out(key, scope))
        case Operation("&&", left, right):
            first = _worked_out(left, scope)
            return _worked_out(right, scope) if truth(first) else first
        case Operation("||", left, right):
            first = _worked_out(left, scope)
            return first if truth(first) else _worked_out(right, scope)
        case Operation(sign, left, right):
            return compared(sign, _worked_out(left, scope), _worked_out(right, scope))
        case Call(name, ()) if name in STATUS:
            return name == "always" or scope.status.get(name, False)
        case Call(name, arguments):
            return FUNCTIONS[name](*(_worked_out(one, scope) for one in arguments))


def compared(sign: str, left: Value, right: Value) -> bool:
    """GitHub's loose comparison: other kinds become numbers, text has no case."""
    left, right = _alike(left, right)
    if sign in ("==", "!="):
        both = left is right if isinstance(left, (Mapping, list)) else bool(left == right)
        return both is (sign == "==")
    if isinstance(left, (Mapping, list)) or isinstance(right, (Mapping, list)):
        return False
    if left is None or right is None:
        return left is right and sign in ("<=", ">=")
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign])


def _alike(left: Value, right: Value) -> tuple[Value, Value]:
    if isinstance(left, str) and isinstance(right, str):
        return left.upper(), right.upper()
    same = _kind(left) is _kind(right)
    return (left, right) if same else (_as_number(left), _as_number(right))


def _kind(value: Value) -> type:
    return float if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value)


def _as_number(value: Value) -> float:
    match value:
        case None:
            return 0
        case bool() | int() | float():
            return value
        case str():
            return _number(value.strip()) if value.strip() else 0
        case _:
            return math.nan


def _number(text: str) -> float:
    try:
        if re.fullmatch(r"0x[0-9A-Fa-f]+|0o[0-7]+", text):
            return int(text, 0)
        if re.fullmatch(r"[-+]?\d{1,18}", text):
            return int(text)
        return float(text) if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?Infinity", text) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _digits(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else ("-" if value < 0 else "") + "Infinity"
    return f"{value:.15g}".replace("e+", "E+").replace("e-", "E-")


def _nan(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _part(whole: Value, key: Value) -> Value:
    if isinstance(whole, _Each):
        return _Each(found for one in whole if (found := _part(one, key)) is not None)
    if isinstance(whole, Mapping):
        return _property(whole, shown(key))
    if isinstance(whole, (list, tuple)):
        index = _as_number(key)
        return whole[int(index)] if math.isfinite(index) and 0 <= index < len(whole) else None
    return None


def _property(whole: Mapping[str, Value], key: str) -> Value:
    if key in whole:
        return whole[key]
    return next((value for name, value in whole.items() if name.lower() == key.lower()), None)


def _every(whole: Value) -> Value:
    if isinstance(whole, _Each):
        return _Each(inner for one in whole for inner in _every(one))
    return _Each(whole.values() if isinstance(whole, Mapping) else whole if isinstance(whole, (list, tuple)) else ())


def _contains(where: Value, what: Value) -> bool:
    if isinstance(where, (list, tuple)):
        return any(compared("==", one, what) for one in where)
    return not isinstance(where, Mapping) and shown(what).upper() in shown(where).upper()


def _format(pattern: Value, *values: Value) -> str:
    def part(found: re.Match[str]) -> str:
        whole = found[0]
        if whole in ("{{", "}}"):
            return whole[0]
        if found.lastindex is None or int(found[1]) >= len(values):
            raise ExpressionError(f"The following format string is invalid: {shown(pattern)}")
        return shown(values[int(found[1])])

    return re.sub(r"\{\{|\}\}|\{(\d{1,4})\}|[{}]", part, shown(pattern))


def _join(values: Value, between: Value = ",") -> str:
    many = values if isinstance(values, (list, tuple)) else [values]
    return shown(between).join(shown(one) for one in many)


def _from_json(text: Value) -> Value:
    try:
        return json.loads(shown(text))
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"fromJSON: not JSON ({error})") from error


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "contains": _contains,
    "startswith": lambda text, start: shown(text).upper().startswith(shown(start).upper()),
    "endswith": lambda text, end: shown(text).upper().endswith(shown(end).upper()),
    "format": _format,
    "join": _join,
    "tojson": lambda value: json.dumps(value, indent=2, ensure_ascii=False, default=dict),
    "fromjson": _from_json,
}
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


def _bare(text: str) -> str:
    """An `if:` with or without its braces; one that mixes text and expressions is a text, and so nearly always true."""
    parts = list(_parts(text.strip()))
    if len(parts) < 2:
        return parts[0][1] if parts else "success()"
    pattern, holes = "", list[str]()
    for plain, part in parts:
        pattern += part.replace("{", "{{").replace("}", "}}").replace("'", "''") if plain else f"{{{len(holes)}}}"
        holes += [] if plain else [f"({part})"]
    return f"format('{pattern}', {', '.join(holes)})"


def _parts(text: str) -> Iterator[tuple[bool, str]]:
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
