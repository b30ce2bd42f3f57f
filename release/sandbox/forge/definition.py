"""What a workflow is once it has been read: which events start it, its jobs and steps, and the jobs of a matrix."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MATRIX_MOST = 256


class Invalid(Exception):
    """A workflow file that GitHub would refuse; the text says why."""


@dataclass(frozen=True)
class Filter:
    """Which names are meant: the last pattern that fits decides, `!` takes away; with `ignore`, those that fit none."""

    names: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        if self.ignore:
            return not _last_word(self.ignore, name)
        return not self.names or _last_word(self.names, name)

    def __bool__(self) -> bool:
        return bool(self.names or self.ignore)


@dataclass(frozen=True)
class Push:
    branches: Filter = Filter()
    tags: Filter = Filter()
    paths: Filter = Filter()

    def takes(self, ref: str, changed: Sequence[str] | None = None) -> bool:
        """Whether a push of this full ref name starts it; `changed` are the paths that differ, None for not known."""
        kind, _, name = ref.removeprefix("refs/").partition("/")
        mine, other = (self.tags, self.branches) if kind == "tags" else (self.branches, self.tags)
        if kind not in ("heads", "tags") or (other and not mine) or not mine.takes(name):
            return False
        return kind == "tags" or not self.paths or changed is None or any(self.paths.takes(path) for path in changed)


@dataclass(frozen=True)
class Input:
    """One input of a dispatch; `default` is None where there is none."""

    name: str
    kind: str = "string"
    required: bool = False
    default: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Triggers:
    """`types` maps other events to the activity types that they are wanted for, () for all."""

    push: Push | None = None
    inputs: tuple[Input, ...] | None = None  # None: no workflow_dispatch
    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def takes(self, event: str, action: str = "") -> bool:
        """Whether an event other than a push starts it."""
        if event == "workflow_dispatch":
            return self.inputs is not None
        return event in self.types and (not self.types[event] or action in self.types[event])


@dataclass(frozen=True)
class Concurrency:
    group: str
    cancel: str = "false"


@dataclass(frozen=True)
class Step:
    """`id` may be empty; `run` and `uses` exclude each other. Texts may hold expressions."""

    id: str
    name: str
    condition: str = ""
    run: str = ""
    uses: str = ""
    shell: str = ""
    directory: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: str = ""
    continues: str = "false"


@dataclass(frozen=True)
class Job:
    """`matrix` is as written: a mapping, or a text that is an expression; None where there is none."""

    id: str
    name: str
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    condition: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    matrix: Any = None
    fail_fast: str = "true"
    max_parallel: str = ""
    timeout: str = "360"
    shell: str = ""
    directory: str = ""
    environment: str = ""
    permissions: Mapping[str, str] | None = None
    concurrency: Concurrency | None = None
    continues: str = "false"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workflow:
    """`permissions` is None where the repository's default holds."""

    path: str
    name: str
    on: Triggers
    jobs: tuple[Job, ...]
    run_name: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    permissions: Mapping[str, str] | None = None
    concurrency: Concurrency | None = None


def combinations(matrix: Any) -> list[dict[str, Any]]:
    """The jobs of a matrix: every combination without what is excluded, then what is included."""
    if not isinstance(matrix, Mapping):
        raise Invalid(f"a matrix is a mapping, not {matrix!r}")
    axes = {name: _axis(name, values) for name, values in matrix.items() if name not in ("include", "exclude")}
    made = [dict(zip(axes, one, strict=True)) for one in itertools.product(*axes.values())] if axes else []
    made = [one for one in made if not any(_fits(out, one) for out in _listed(matrix, "exclude"))]
    original = [dict(one) for one in made]
    for extra in _listed(matrix, "include"):
        _include(extra, made, original, set(axes))
    if len(made) > MATRIX_MOST:
        raise Invalid(f"a matrix of {len(made)} jobs; {MATRIX_MOST} are allowed")
    if not made:
        raise Invalid("Matrix vector does not contain any values")
    return made


def _axis(name: str, values: Any) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise Invalid(f"Matrix vector '{name}' does not contain any values")
    return values


def _listed(matrix: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = matrix.get(name) or []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Invalid(f"`{name}` of a matrix is a list of mappings")
    return listed


def _fits(some: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    return all(key in whole and whole[key] == value for key, value in some.items())


def _include(
    extra: Mapping[str, Any], made: list[dict[str, Any]], original: list[dict[str, Any]], axes: set[str]
) -> None:
    """Adds to every combination whose own values it leaves as they are; to none: it is one more."""
    own = {key: value for key, value in extra.items() if key in axes}
    taken = [one for one, was in zip(made, original, strict=False) if _fits(own, was)]
    for one in taken:
        one.update(extra)
    if not taken:
        made.append(dict(extra))


def glob(pattern: str) -> re.Pattern[str]:
    """A filter pattern as a regular expression: `*` stays within a `/`, `**` does not; `?`, `+` and `[]` as GitHub has them."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            double = pattern.startswith("**", at)
            out += ".*" if double else "[^/]*"
            at += double
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            out += re.escape(pattern[at])
        elif char in "?+" and out:  # of the character before; after `*` it says nothing new
            out += "" if pattern[at - 1] in "*?+" and pattern[at - 2 : at - 1] != "\\" else char
        elif char == "[" and (end := pattern.find("]", at + 1)) > 0:
            out += "[" + re.sub(r"([\\\[^&~|])", r"\\\1", pattern[at + 1 : end]) + "]"
            at = end
        else:
            out += re.escape(char)
        at += 1
    try:
        return re.compile(out, re.DOTALL)
    except re.error as error:
        raise Invalid(f"the pattern '{pattern}' cannot be read: {error}") from error


def _last_word(patterns: Sequence[str], name: str) -> bool:
    taken = False
    for pattern in patterns:
        if glob(pattern.removeprefix("!")).fullmatch(name):
            taken = not pattern.startswith("!")
    return taken
