"""Jinja2 in a sandbox: a template writes a text, and ends.

A template is part of a repository, and whoever may change it may change what a release runs, too. The sandbox is there
so that a template cannot do more than write, by accident or unseen in a review: it reads no file, calls no function but
its own macros, and uses little time and memory. Every turn of a loop, every call, filter and comparison
counts by the size of what it works on, and a template that needs more than `STEPS` of them is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.tests import TESTS
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from release.core.changelog import LONGEST

STEPS = 5_000_000
"""How much work a template may make: some seconds of it."""

T = TypeVar("T")

_TURNS, _MEASURED, _JOINED = "turns of a loop", "measured", "join"

_FILTERS = frozenset(
    {"capitalize", "count", "d", "default", "first", "groupby", "int", "last", "length", "list", "lower", "map"}
    | {
        "reject",
        "rejectattr",
        "reverse",
        "select",
        "selectattr",
        "sort",
        "title",
        "trim",
        "truncate",
        "unique",
        "upper",
    }
)
_TESTS = frozenset({"defined", "undefined", "none", "true", "false", "string", "number", "odd", "even"})
_NUMBER = 10**15


_LEFT = "steps left"
"""Among the values, under a name that no template can write."""


class Sandbox(ImmutableSandboxedEnvironment):
    """A Jinja2 that can do less: no other templates, no methods, few filters, and only so much work."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    size = 0

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
            optimized=False,
            undefined=StrictUndefined,
            finalize=_shown,
        )
        own = {"join": _joined, "replace": _replaced}
        self.filters = {name: _counting(filter_) for name, filter_ in {**_chosen(FILTERS, _FILTERS), **own}.items()}
        self.filters |= {_TURNS: _turns, _MEASURED: _measured}
        self.tests = {**_chosen(TESTS, _TESTS), "equalto": _equal, "eq": _equal, "==": _equal}
        self.globals = {"range": safe_range, "namespace": Namespace}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        self.size = _weight(tree)
        _Counted(self).visit(tree)
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        methods = callable(value) and not isinstance(obj, LoopContext) and not isinstance(value, Macro)
        return super().is_safe_attribute(obj, attr, value) and not methods

    def call(__self, __context: Context, __obj: Any, *args: Any, **named: Any) -> Any:
        ours = isinstance(__obj, Macro) or isinstance(getattr(__obj, "__self__", None), LoopContext)
        if not ours and __obj is not safe_range and __obj is not Namespace:
            raise SecurityError("nothing can be called here but macros, range, namespace and what a loop has")
        _spend(__context, 1 + __self.size + sum(map(_size, (*args, *named.values()))))
        return __context.call(__obj, *args, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        for one in (left, right):
            if not isinstance(one, int | float) or abs(one) > _NUMBER or operator == "**":
                raise SecurityError(f"{operator} is for numbers of an ordinary size only; ~ joins texts")
        return super().call_binop(context, operator, left, right)


def allowance() -> dict[str, Any]:
    """What has to be among the values of a template: the work that it may make, anew for each time."""
    return {_LEFT: _Steps()}


class _Steps:
    """The work that a template may still make."""

    def __init__(self) -> None:
        self.left = STEPS

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise SecurityError("the template runs on and on")


def _spend(context: Context, steps: int) -> None:
    context.parent[_LEFT].spend(steps)


def _size(value: object) -> int:
    return 1 + len(value) if isinstance(value, str | Sequence | Mapping) else 1


@pass_context
def _shown(context: Context, value: object) -> object:
    """What is printed is a text or a number: a list of lists could be of any size."""
    text = _text(value)
    _spend(context, 1 + len(text))
    return text


def _text(value: object) -> str:
    if isinstance(value, StrictUndefined):
        str(value)  # raises what is missing
    if not isinstance(value, str | int | float):
        raise SecurityError(f"a {type(value).__name__} is no text; take one of its parts, or join them")
    return str(value)


def _joined(values: Iterable[object], between: str = "") -> str:
    """Texts in one, with another between them; never a longer one than notes may be."""
    pieces: list[str] = []
    room = LONGEST
    for value in values:
        pieces.append(_text(value))
        room -= len(pieces[-1]) + len(between)
        if room < 0:
            raise SecurityError(f"a text of more than {LONGEST} characters")
    return between.join(pieces)


def _replaced(text: str, old: str, new: str) -> str:
    if len(text) + _text(text).count(old) * len(new) > LONGEST:
        raise SecurityError(f"a text of more than {LONGEST} characters")
    return text.replace(old, new)


def _equal(one: object, other: object) -> bool:
    return _text(one) == _text(other)


def _counting(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that counts for four steps by each part of its value: sorting, the slowest, takes about as much time."""
    passed = getattr(filter_, "jinja_pass_arg", None)

    @pass_context
    def counted(context: Context, value: Any, *args: Any, **named: Any) -> Any:
        _spend(context, 4 * _size(value))
        first = {"environment": context.environment, "context": context, "eval_context": context.eval_ctx}
        given = () if passed is None else (first[passed.name],)
        return filter_(*given, value, *args, **named)

    return counted


@pass_context
def _turns(context: Context, values: Iterable[T], steps: int) -> Iterator[T]:
    """What a loop goes through: each turn counts for as much as its body holds."""
    for value in values:
        _spend(context, max(1, steps))
        yield value


@pass_context
def _measured(context: Context, value: T) -> T:
    """What is compared or cut counts by its length."""
    _spend(context, _size(value))
    return value


def _chosen(table: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: table[name] for name in names}


def _weight(node: nodes.Node) -> int:
    """How much a piece of a template holds: its parts, and the characters that it prints as they are."""
    text = len(node.data) if isinstance(node, nodes.TemplateData) else 0
    return 1 + text + sum(map(_weight, node.iter_child_nodes()))


class _Counted(NodeTransformer):
    """Refuses what cannot be bounded, and has counted what loops, compares, cuts and joins."""

    def __init__(self, environment: Sandbox) -> None:
        self.environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:
        if node.recursive:
            _refuse("a recursive loop", node)
        turn = 1 + sum(map(_weight, node.body))
        self.generic_visit(node)
        node.iter = self._by(_TURNS, node.iter, nodes.Const(turn))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return self._by(_JOINED, nodes.List(node.nodes, lineno=node.lineno, environment=self.environment))

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = self._by(_MEASURED, node.expr)
        for operand in node.ops:
            operand.expr = self._by(_MEASURED, operand.expr)
        return node

    def visit_Slice(self, node: nodes.Slice) -> NoReturn:
        _refuse("a slice", node)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        if node.name in ("varargs", "kwargs"):
            _refuse(node.name, node)
        return node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        return self.generic_visit(node) if node.ctx == "store" else self._constant(node)

    def _constant(self, node: nodes.Node) -> nodes.Node:
        if not all(isinstance(one, nodes.Const | nodes.Pair) for one in node.iter_child_nodes()):
            _refuse("a list of anything but words and numbers", node)
        return self.generic_visit(node)

    visit_List = visit_Dict = _constant

    def _other(self, node: nodes.Node) -> NoReturn:
        _refuse("another template", node)

    visit_Include = visit_Import = visit_FromImport = visit_Extends = _other

    def _by(self, name: str, value: nodes.Node, *args: nodes.Expr) -> nodes.Filter:
        made = nodes.Filter(value, name, list(args), [], None, None)
        made.set_lineno(value.lineno).set_environment(self.environment)
        return made


def _refuse(what: str, node: nodes.Node) -> NoReturn:
    raise TemplateSyntaxError(f"{what} is not allowed here", node.lineno)
