"""What the jobs of a run come to: which may begin, what they see of those before them, and how the run ends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from release.sandbox.forge.definition import Invalid, Job, Workflow, combinations
from release.sandbox.forge.expressions import Scope, Value, condition, insert, resolve, shown
from release.sandbox.serving.store import Json

WORST_FIRST = ("failure", "cancelled", "success", "skipped")


def result(made: Sequence[Json]) -> str:
    """What a job (of several, with a matrix) came to; "" while one of them is not over."""
    if not made or any(one["status"] != "completed" for one in made):
        return ""
    conclusions = {"success" if one["forgiven"] else one["conclusion"] for one in made}
    return next(one for one in WORST_FIRST if one in conclusions)


def outputs(made: Iterable[Json]) -> dict[str, str]:
    """What a job says to those that need it; of a matrix the last one that says something."""
    return {name: value for one in made for name, value in one["outputs"].items() if value}


def needs(job: Job, made: Mapping[str, Sequence[Json]]) -> dict[str, Json]:
    """The `needs` context."""
    return {name: {"result": result(made[name]), "outputs": outputs(made[name])} for name in job.needs}


def ready(job: Job, made: Mapping[str, Sequence[Json]]) -> bool:
    """Whether all that a job needs is over."""
    return all(result(made.get(name, ())) for name in job.needs)


def status(workflow: Workflow, job: Job, made: Mapping[str, Sequence[Json]], cancelled: bool) -> dict[str, bool]:
    """How it stands for a job's `if:`, seen over everything before it."""
    before = [result(made.get(name, ())) for name in ancestors(workflow, job.id)]
    return {
        "success": not cancelled and all(one == "success" for one in before),
        "failure": not cancelled and "failure" in before,
        "cancelled": cancelled,
    }


def ancestors(workflow: Workflow, name: str) -> set[str]:
    direct = {job.id: job.needs for job in workflow.jobs}
    found, left = set[str](), [*direct[name]]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += direct[one]
    return found


def wanted(job: Job, contexts: Mapping[str, Value], standing: Mapping[str, bool]) -> bool:
    """What the job's `if:` says."""
    return condition(job.condition, Scope(contexts, standing))


def planned(job: Job, contexts: Mapping[str, Value]) -> list[Json]:
    """A document for each job that this one becomes, without what only a run knows."""
    matrix = None if job.matrix is None else _whole(job.matrix, Scope(contexts))
    several: list[dict[str, Any] | None] = [*combinations(matrix)] if matrix is not None else [None]
    strategy = {
        "fail-fast": insert(job.fail_fast, Scope(contexts)) != "false",
        "job-total": len(several),
        "max-parallel": int(insert(job.max_parallel, Scope(contexts)) or len(several)),
    }
    try:
        json.dumps(several, allow_nan=False)
    except ValueError as error:
        raise Invalid("a matrix holds what is no number") from error
    return [
        _one(job, {**contexts, "matrix": one, "strategy": {**strategy, "job-index": index}})
        for index, one in enumerate(several)
    ]


def _one(job: Job, contexts: Mapping[str, Value]) -> Json:
    scope = Scope(contexts)
    matrix, limit = contexts["matrix"], job.concurrency
    return {
        "name": name(job, matrix, scope),
        "labels": [insert(label, scope) for label in job.labels],
        "matrix": matrix,
        "strategy": contexts["strategy"],
        "environment": insert(job.environment, scope),
        "group": insert(limit.group, scope).lower() if limit else "",
        "cancels": insert(limit.cancel, scope).lower() == "true" if limit else False,
        "continues": insert(job.continues, scope).lower() == "true",
    }


def name(job: Job, matrix: Mapping[str, Any] | None, scope: Scope) -> str:
    """What a job is called: its own name, else its id and the values of the matrix."""
    if job.name:
        return insert(job.name, scope)
    values = ", ".join(shown(one) for one in _leaves(matrix or {}))
    return f"{job.id} ({values})" if values else job.id


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, (Mapping, list)):
        inner = value.values() if isinstance(value, Mapping) else value
        return [leaf for one in inner for leaf in _leaves(one)]
    return [value]


def _whole(value: Any, scope: Scope) -> Any:
    """A matrix with its expressions worked out, wherever they stand."""
    if isinstance(value, str):
        return resolve(value, scope)
    if isinstance(value, Mapping):
        return {key: _whole(one, scope) for key, one in value.items()}
    return [_whole(one, scope) for one in value] if isinstance(value, list) else value


def conclusion(made: Mapping[str, Sequence[Json]], cancelled: bool) -> str:
    """How a run ended whose jobs are all over."""
    results = {result(many) for many in made.values()}
    if "failure" in results:
        return "failure"
    if cancelled or "cancelled" in results:
        return "cancelled"
    return "success" if "success" in results else "skipped"


def again(workflow: Workflow, made: Mapping[str, Sequence[Json]]) -> tuple[set[str], set[str]]:
    """For a second try: the jobs to be planned anew, and those of which only the failed ones run again."""
    failed = {job for job, many in made.items() if any(_red(one) for one in many)}
    anew = {job.id for job in workflow.jobs if ancestors(workflow, job.id) & failed or not made.get(job.id)}
    return anew, failed - anew


def _red(one: Json) -> bool:
    return one["conclusion"] not in ("success", "skipped")


def red(made: Iterable[Json]) -> list[Json]:
    """Those that a rerun of failed jobs is about."""
    return [one for one in made if _red(one)]
