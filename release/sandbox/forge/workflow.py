"""Reads a workflow file, as strictly as GitHub does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import yaml

from release.sandbox.forge import expressions
from release.sandbox.forge.definition import (
    Concurrency,
    Filter,
    Input,
    Invalid,
    Job,
    Push,
    Step,
    Triggers,
    Workflow,
    glob,
)
from release.sandbox.forge.expressions import ExpressionError

FOLDER = ".github/workflows/"
ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
INPUT_TYPES = ("string", "boolean", "choice", "number", "environment")


def read(path: str, text: str) -> Workflow:
    """A workflow from its file's text; Invalid says what is wrong with it."""
    try:
        document = yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise Invalid(f"{path}: You have an error in your yaml syntax: {_where(error)}") from error
    root = _Reader(path, document)
    root.known("name", "run-name", "on", "env", "permissions", "concurrency", "defaults", "jobs")
    jobs = tuple(_job(name, one, root) for name, one in root.inner("jobs").items(_ids))
    _in_order(path, jobs)
    return Workflow(
        path,
        root.text("name") or path,
        _triggers(root),
        jobs,
        root.text("run-name"),
        root.texts("env"),
        _permissions(root),
        _concurrency(root),
    )


def title(path: str, text: str) -> str:
    """The name that a workflow goes by, even if it is invalid: its own, else its path."""
    try:
        document = yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError):
        return path
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) and name else path


def _triggers(root: _Reader) -> Triggers:
    said = root.raw("on")
    if isinstance(said, str):
        said = {said: None}
    elif isinstance(said, list):
        said = {str(one): None for one in said}
    if not isinstance(said, dict) or not said:
        root.wrong("on", "No event triggers defined in `on`")
    on = _Reader(root.path, said, "on")
    plain = [one for one in said if one not in ("push", "workflow_dispatch", "schedule")]
    return Triggers(
        _push(on.inner("push")) if "push" in said else None,
        _inputs(on.inner("workflow_dispatch")) if "workflow_dispatch" in said else None,
        {event: on.inner(event).list("types") for event in plain},
    )


def _push(push: _Reader) -> Push:
    push.known("branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore")
    return Push(_filter(push, "branches"), _filter(push, "tags"), _filter(push, "paths"))


def _filter(push: _Reader, name: str) -> Filter:
    made = Filter(push.list(name), push.list(f"{name}-ignore"))
    if made.names and made.ignore:
        push.wrong(name, f"you may only define one of `{name}` and `{name}-ignore` for a single event")
    if made.names and all(one.startswith("!") for one in made.names):
        push.wrong(name, "at least one pattern without `!` is needed")
    for pattern in (*made.names, *made.ignore):
        glob(pattern.removeprefix("!"))
    return made


def _inputs(dispatch: _Reader) -> tuple[Input, ...]:
    dispatch.known("inputs")
    return tuple(_input(name, one) for name, one in dispatch.inner("inputs").items(_ids))


def _input(name: str, said: _Reader) -> Input:
    said.known("description", "deprecationMessage", "required", "default", "type", "options")
    kind = said.text("type") or "string"
    if kind not in INPUT_TYPES:
        said.wrong("type", f"Unexpected value '{kind}'")
    options = said.list("options")
    if kind == "choice" and not options:
        said.wrong("options", "Required property is missing: options")
    default = said.text("default") if said.raw("default") is not None else None
    return Input(name, kind, said.text("required") == "true", default, options)


def _job(name: str, said: _Reader, root: _Reader) -> Job:
    said.known(
        "name", "runs-on", "needs", "if", "env", "outputs", "strategy", "timeout-minutes", "defaults", "environment",
        "permissions", "steps", "concurrency", "continue-on-error",
    )  # fmt: skip
    if said.raw("runs-on") is None:
        said.wrong("runs-on", "Required property is missing: runs-on")
    strategy = said.inner("strategy")
    strategy.known("matrix", "fail-fast", "max-parallel")
    defaults = [one.inner("defaults").inner("run") for one in (said, root)]
    where = said.raw("environment")
    return Job(
        name,
        said.text("name"),
        _steps(said),
        said.list("needs"),
        said.condition(),
        said.texts("env"),
        said.texts("outputs"),
        _checked(strategy, strategy.raw("matrix")),
        strategy.text("fail-fast") or "true",
        strategy.text("max-parallel"),
        said.text("timeout-minutes") or "360",
        next((shell for one in defaults if (shell := one.text("shell"))), ""),
        next((folder for one in defaults if (folder := one.text("working-directory"))), ""),
        said.inner("environment").text("name") if isinstance(where, dict) else said.text("environment"),
        _permissions(said),
        _concurrency(said),
        said.text("continue-on-error") or "false",
        () if isinstance(said.raw("runs-on"), dict) else said.list("runs-on"),
    )


def _steps(job: _Reader) -> tuple[Step, ...]:
    listed = job.raw("steps")
    if not isinstance(listed, list) or not listed:
        job.wrong("steps", "Required property is missing: steps")
    steps = tuple(_step(_Reader(job.path, one, f"{job.at}.steps[{n}]")) for n, one in enumerate(listed))
    ids = [step.id for step in steps if step.id]
    if twice := {one for one in ids if ids.count(one) > 1}:
        job.wrong("steps", f"The identifier '{min(twice)}' may not be used more than once within the same scope")
    return steps


def _step(said: _Reader) -> Step:
    said.known(
        "id", "name", "if", "run", "uses", "with", "env", "shell", "working-directory", "continue-on-error",
        "timeout-minutes",
    )  # fmt: skip
    run, uses = said.raw("run") is not None, said.raw("uses") is not None
    if run and uses:
        said.wrong("uses", "a step has either `run` or `uses`")
    if not run and not uses:
        said.wrong("run", "There's not enough info to determine what you meant; add one of these: run, uses")
    ident = said.text("id")
    if ident:
        _ids(said, ident)
    return Step(
        ident, said.text("name"), said.condition(), said.text("run"), said.text("uses"), said.text("shell"),
        said.text("working-directory"), said.texts("with"), said.texts("env"), said.text("timeout-minutes"),
        said.text("continue-on-error") or "false",
    )  # fmt: skip


def _permissions(said: _Reader) -> Mapping[str, str] | None:
    raw = said.raw("permissions")
    if raw is None:
        return None
    if raw in ("read-all", "write-all"):
        return {"*": str(raw).removesuffix("-all")}
    granted = said.texts("permissions")
    if bad := [right for right in granted.values() if right not in ("read", "write", "none")]:
        said.wrong("permissions", f"Unexpected value '{bad[0]}'")
    return granted


def _concurrency(said: _Reader) -> Concurrency | None:
    raw = said.raw("concurrency")
    if raw is None:
        return None
    if not isinstance(raw, dict):
        return Concurrency(said.text("concurrency"))
    inner = said.inner("concurrency")
    inner.known("group", "cancel-in-progress")
    return Concurrency(inner.text("group"), inner.text("cancel-in-progress") or "false")


def _in_order(path: str, jobs: Sequence[Job]) -> None:
    """Every need is a job, and there is no circle."""
    left = {job.id: set(job.needs) for job in jobs}
    if not left:
        raise Invalid(f"{path}: Required property is missing: jobs")
    for job, needs in left.items():
        if unknown := sorted(needs - left.keys()):
            raise Invalid(f"{path}: Job '{job}' depends on unknown job '{unknown[0]}'.")
    while free := {job for job, needs in left.items() if not needs}:
        left = {job: needs - free for job, needs in left.items() if job not in free}
    if left:
        raise Invalid(
            f"{path}: The workflow must contain at least one job with no dependencies: {', '.join(left)} wait for each other."
        )


def _checked(said: _Reader, value: Any) -> Any:
    for text in _strings(value):
        said.expression(text)
    return value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _ids(said: _Reader, name: str) -> None:
    if not ID.fullmatch(name):
        said.wrong(
            name, f"The identifier '{name}' is invalid. IDs may only contain alphanumeric characters, '_', and '-'."
        )


class _Reader:
    """One mapping of the file, at a place that its complaints name."""

    def __init__(self, path: str, document: Any, at: str = "") -> None:
        self.path, self.at = path, at
        if document is None:
            document = {}
        if not isinstance(document, dict):
            raise Invalid(f"{path}: {at or 'the file'} is {_kind(document)}, where a mapping is expected")
        self._document = {str(key): value for key, value in document.items()}

    def wrong(self, name: str, what: str) -> NoReturn:
        raise Invalid(f"{self.path} ({f'{self.at}.{name}'.strip('.')}): {what}")

    def known(self, *names: str) -> None:
        for name in self._document:
            if name not in names:
                self.wrong(name, f"Unexpected value '{name}'")

    def raw(self, name: str) -> Any:
        return self._document.get(name)

    def inner(self, name: str) -> _Reader:
        return _Reader(self.path, self.raw(name), f"{self.at}.{name}".strip("."))

    def items(self, law: Callable[[_Reader, str], None]) -> Iterator[tuple[str, _Reader]]:
        for name in self._document:
            law(self, name)
            yield name, self.inner(name)

    def text(self, name: str) -> str:
        value = self.raw(name)
        if isinstance(value, (dict, list)):
            self.wrong(name, f"A {_kind(value)} was not expected")
        text = expressions.shown(value)
        self.expression(text)
        return text

    def texts(self, name: str) -> Mapping[str, str]:
        """A mapping of texts."""
        inner = self.inner(name)
        return {key: inner.text(key) for key in inner._document}

    def list(self, name: str) -> tuple[str, ...]:
        """A list of texts, or one text."""
        value = self.raw(name)
        if value is None:
            return ()
        listed = value if isinstance(value, list) else [value]
        if any(isinstance(one, (dict, list)) for one in listed):
            self.wrong(name, "a list of texts is expected")
        return tuple(expressions.shown(one) for one in listed)

    def condition(self) -> str:
        value = self.raw("if")
        if isinstance(value, (dict, list)):
            self.wrong("if", f"A {_kind(value)} was not expected")
        text = expressions.shown(value)
        try:
            expressions.check_condition(text)
        except ExpressionError as error:
            self.wrong("if", str(error))
        return text

    def expression(self, text: str) -> None:
        try:
            expressions.check(text)
        except ExpressionError as error:
            raise Invalid(f"{self.path} ({self.at}): {error}") from error


def _kind(value: Any) -> str:
    return "mapping" if isinstance(value, dict) else "sequence" if isinstance(value, list) else "scalar"


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f" on line {mark.line + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or type(error).__name__}{place}"


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema: `on`, `yes` and dates are texts, and a key may be there once."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - PyYAML's own name

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, (dict, list)):
                raise yaml.constructor.ConstructorError(None, None, "a key is a text", key_node.start_mark)
            if key in mapping:
                raise yaml.constructor.ConstructorError(None, None, f"'{key}' is already defined", key_node.start_mark)
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^(?:[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16})$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
