"""The language inside `${{ }}`: values, loose comparison and functions, as GitHub Actions has them.

A value is inserted into its text as it is: what a stranger wrote becomes part of a script, here as there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from release.sandbox.forge.grammar import (
    STATUS,
    Access,
    Call,
    Context,
    ExpressionError,
    Literal,
    Node,
    Not,
    Operation,
    Value,
    nodes,
    number,
    parse,
    parts,
)

__all__ = [
    "ExpressionError",
    "Scope",
    "Value",
    "check",
    "check_condition",
    "condition",
    "evaluate",
    "insert",
    "resolve",
    "shown",
    "truth",
]


@dataclass(frozen=True)
class Scope:
    """What an expression can see: the contexts by name, and how the job or its needs stand (`success`, ...)."""

    contexts: Mapping[str, Value]
    status: Mapping[str, bool] = field(default_factory=lambda: {"success": True})


def insert(text: str, scope: Scope) -> str:
    """The text with every expression replaced by its value's text."""
    return "".join(part if plain else shown(evaluate(part, scope)) for plain, part in parts(text))


def resolve(text: str, scope: Scope) -> Value:
    """As `insert`, but a text that is one expression and nothing else keeps the kind of its value."""
    found = list(parts(text.strip()))
    return evaluate(found[0][1], scope) if len(found) == 1 and not found[0][0] else insert(text, scope)


def condition(text: str, scope: Scope) -> bool:
    """What an `if:` decides; one that does not ask for the status goes on only after success."""
    node = parse(_bare(text))
    asks = any(isinstance(one, Call) and one.name in STATUS for one in nodes(node))
    return (asks or scope.status.get("success", False)) and truth(_worked_out(node, scope))


def check(text: str) -> None:
    """Raises where a text holds an expression that cannot be read."""
    for plain, part in parts(text):
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
            return number(value.strip()) if value.strip() else 0
        case _:
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


def _no_json(word: str) -> Value:
    raise ValueError(f"{word} is no JSON")


def _from_json(text: Value) -> Value:
    try:
        return json.loads(shown(text), parse_constant=_no_json)
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


def _bare(text: str) -> str:
    """An `if:` with or without its braces; one that mixes text and expressions is a text, and so nearly always true."""
    found = list(parts(text.strip()))
    if len(found) < 2:
        return found[0][1] if found else "success()"
    pattern, holes = "", list[str]()
    for plain, part in found:
        pattern += part.replace("{", "{{").replace("}", "}}").replace("'", "''") if plain else f"{{{len(holes)}}}"
        holes += [] if plain else [f"({part})"]
    return f"format('{pattern}', {', '.join(holes)})"
