"""From an event to the runs it starts: which workflows want it, and what each run is called, shows and knows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from release.sandbox.forge import workflow as workflows
from release.sandbox.forge.definition import Input, Invalid, Workflow
from release.sandbox.forge.events import Event
from release.sandbox.forge.expressions import ExpressionError, Scope, insert
from release.sandbox.forge.git import Git, GitError
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

MOST_FILES, LARGEST = 200, 1 << 20
ACTIVE = ("queued", "pending", "waiting", "in_progress")
SKIPS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
NOBODY = "0" * 40
DEFAULT_RIGHTS: Mapping[str, str] = {"contents": "read", "metadata": "read", "packages": "read"}
RIGHTS = (
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues", "packages",
    "pages", "pull-requests", "statuses",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A workflow file at a commit; `complaint` says why it is invalid, and then there is no `workflow`."""

    path: str
    title: str
    workflow: Workflow | None
    complaint: str = ""


def found(git: Git, commit: str, only: str = "") -> list[Found]:
    """The workflow files of a commit, by path; `only` one of them."""
    try:
        listing = git.run("ls-tree", "-z", "-l", "--full-tree", "--end-of-options", commit, only or workflows.FOLDER)
    except GitError:
        return []
    rows = [line.split("\t", 1) for line in listing.split("\0") if line]
    return [_read(git, about.split(), path) for about, path in rows[:MOST_FILES] if path.endswith((".yml", ".yaml"))]


def _read(git: Git, about: Sequence[str], path: str) -> Found:
    """`about` is mode, kind, id and size."""
    if about[1] != "blob" or not about[3].isdecimal() or int(about[3]) > LARGEST:
        return Found(path, path, None, f"{path} is no file of at most {LARGEST >> 10} KiB")
    key = (about[2], path)
    if key not in _KNOWN:
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = _understood(path, git.run("cat-file", "blob", about[2]))
    return _KNOWN[key]


def _understood(path: str, text: str) -> Found:
    try:
        made = workflows.read(path, text)
    except Invalid as error:
        return Found(path, workflows.title(path, text), None, str(error))
    return Found(path, made.name, made)


MOST_KNOWN = 1000
_KNOWN: dict[tuple[str, str], Found] = {}  # by the id of a file's content, and its path: that never means anything else


def registered(world: World, repository: Json, one: Found) -> Json:
    """The document of a workflow, made where it is new."""
    with world.store.transaction():
        known = world.store.find("workflow", one.path, repository["id"])
        if known is None:
            facts = {"path": one.path, "name": one.title, "state": "active", "created_at": world.now(), "runs": 0}
            return world.store.add("workflow", facts, repository["id"], one.path)
        return known if known["name"] == one.title else world.store.change(known["id"], name=one.title)


def wants(one: Found, event: Event, changed: Sequence[str] | None) -> bool:
    """Whether a workflow is to run for an event. One that cannot be read runs for each push, and fails."""
    if event.name == "push" and _skipped(event):
        return False
    if one.workflow is None:
        return event.name in ("push", "release")
    if event.name == "push":
        return one.workflow.on.push is not None and one.workflow.on.push.takes(event.ref, changed)
    return one.workflow.on.takes(event.name, str(event.payload.get("action", "")))


def _skipped(event: Event) -> bool:
    message = str((event.payload.get("head_commit") or {}).get("message", ""))
    return any(word in message for word in SKIPS)


def changed(git: Git, event: Event) -> list[str] | None:
    """The paths that a push changed; None where that cannot be told, as for a new branch."""
    before = str(event.payload.get("before", NOBODY))
    if event.name != "push" or before == NOBODY:
        return None
    try:
        listing = git.run("diff", "--name-only", "-z", "--no-renames", "--end-of-options", before, event.sha)
    except GitError:
        return None
    return [path for path in listing.split("\0") if path]


def begin(world: World, repository: Json, event: Event, one: Found, inputs: Mapping[str, Any] | None = None) -> Json:
    """A new run: queued, or ended at once where it cannot start."""
    with world.store.transaction():
        workflow = registered(world, repository, one)
        workflow = world.store.change(workflow["id"], runs=workflow["runs"] + 1)
        now = world.now()
        run = world.store.add(
            "run",
            {
                "workflow": workflow["id"], "path": one.path, "name": one.title, "number": workflow["runs"],
                "event": event.name, "ref": event.ref, "branch": branch(event.ref), "sha": event.sha,
                "actor": event.actor, "triggering_actor": event.actor, "attempt": 1, "attempts": [],
                "status": "queued", "conclusion": None, "created_at": now, "run_started_at": now, "updated_at": now,
                "payload": event.payload, "inputs": dict(inputs or {}), "complaint": "", "group": "", "cancels": False,
                "cancelled": False, "title": one.title,
            },
            repository["id"],
        )  # fmt: skip
        try:
            facts = _worked_out(world, repository, run, one)
        except ExpressionError as error:
            facts = _stillborn(f"{one.path}: {error}")
        run = world.store.change(run["id"], **facts)
        return run if run["status"] == "completed" else queued(world, run)


def queued(world: World, run: Json) -> Json:
    """A run takes its place: of a concurrency group one goes on and one waits, the newest.

    The one that waited before is cancelled, and the one that goes on too if the new one says so.
    """
    group = [
        one
        for status in ACTIVE
        for one in world.store.all("run", run["repo"], status=status, group=run["group"])
        if run["group"] and one["id"] != run["id"]
    ]
    for one in group:
        if one["status"] == "pending":
            end(world, one, "cancelled", "Canceling since a higher priority waiting request exists")
        elif run["cancels"]:
            world.store.change(one["id"], cancelled=True)
    return world.store.change(run["id"], status="pending" if group else "queued")


def alone(world: World, run: Json) -> bool:
    """Whether nothing of a waiting run's group goes on any more."""
    ahead = (status for status in ACTIVE if status != "pending")
    return not any(world.store.all("run", run["repo"], status=status, group=run["group"]) for status in ahead)


def end(world: World, run: Json, conclusion: str, complaint: str = "") -> None:
    """The end of a run."""
    facts = {"status": "completed", "conclusion": conclusion, "complaint": complaint, "updated_at": world.now()}
    world.store.change(run["id"], **facts)


def _stillborn(complaint: str) -> Json:
    return {"status": "completed", "conclusion": "startup_failure", "complaint": complaint}


def _worked_out(world: World, repository: Json, run: Json, one: Found) -> Json:
    """What depends on the workflow's own words: title and concurrency."""
    title = _title(run)
    if one.workflow is None:
        return {"title": title} | _stillborn(one.complaint)
    scope = Scope(
        {
            "github": github(world, repository, run, ""),
            "inputs": run["inputs"],
            "vars": variables(world, repository),
        }
    )
    own = " ".join(insert(one.workflow.run_name, scope).split())
    limit = one.workflow.concurrency
    return {
        "title": own or title,
        "group": insert(limit.group, scope).lower() if limit else "",
        "cancels": bool(limit) and insert(limit.cancel, scope).lower() == "true" if limit else False,
    }


def _title(run: Json) -> str:
    payload = run["payload"]
    if run["event"] == "push":
        message = str((payload.get("head_commit") or {}).get("message", ""))
        return message.strip().split("\n", 1)[0] or str(run["sha"])
    if run["event"] == "release":
        release = payload.get("release") or {}
        return str(release.get("name") or release.get("tag_name") or run["branch"])
    return str(payload.get("action") or run["name"]) if run["event"] == "repository_dispatch" else str(run["name"])


def branch(ref: str) -> str:
    """The short name of a branch or tag."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def github(world: World, repository: Json, run: Json, token: str) -> dict[str, Any]:
    """The `github` context of a run."""
    urls, full_name = world.urls, repository["full_name"]
    return {
        "action": "__run",
        "actor": run["actor"],
        "api_url": urls.api,
        "base_ref": "",
        "event": run["payload"],
        "event_name": run["event"],
        "graphql_url": f"{urls.server}/api/graphql",
        "head_ref": "",
        "ref": run["ref"],
        "ref_name": run["branch"],
        "ref_protected": False,
        "ref_type": "tag" if run["ref"].startswith("refs/tags/") else "branch",
        "repository": full_name,
        "repository_id": str(repository["id"]),
        "repository_owner": repository["owner"],
        "repositoryUrl": f"{urls.server}/{full_name}.git",
        "run_attempt": str(run["attempt"]),
        "run_id": str(run["id"]),
        "run_number": str(run["number"]),
        "server_url": urls.server,
        "sha": run["sha"],
        "token": token,
        "triggering_actor": run["triggering_actor"],
        "workflow": run["name"],
        "workflow_ref": f"{full_name}/{run['path']}@{run['ref']}",
        "workflow_sha": run["sha"],
    }


# The variables that a step finds, and the members of `github` that they are.
VARIABLES = (
    "actor", "api_url", "base_ref", "event_name", "graphql_url", "head_ref", "ref", "ref_name", "ref_type", "repository",
    "repository_id", "repository_owner", "run_attempt", "run_id", "run_number", "server_url", "sha", "triggering_actor",
    "workflow", "workflow_ref", "workflow_sha",
)  # fmt: skip


def environment(context: Mapping[str, Any], job: str) -> dict[str, str]:
    """The GITHUB_ and RUNNER_ variables of a job, without those that are files of a step."""
    named = {f"GITHUB_{name.upper()}": str(context[name]) for name in VARIABLES}
    return {
        **named,
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION": "__run",
        "GITHUB_JOB": job,
        "GITHUB_REF_PROTECTED": "false",
        "GITHUB_RETENTION_DAYS": "90",
        "RUNNER_ARCH": "X64",
        "RUNNER_ENVIRONMENT": "self-hosted",
        "RUNNER_NAME": "sandbox",
        "RUNNER_OS": "Linux",
    }


def contexts(world: World, repository: Json, run: Json, token: str) -> dict[str, Any]:
    """The contexts that are the same in every job of a run."""
    return {
        "github": github(world, repository, run, token),
        "inputs": run["inputs"],
        "vars": variables(world, repository),
        "secrets": secrets(world, repository) | ({"GITHUB_TOKEN": token} if token else {}),
    }


def secrets(world: World, repository: Json) -> dict[str, str]:
    return {one["name"]: one["value"] for one in world.store.all("secret", repository["id"])}


def variables(world: World, repository: Json) -> dict[str, str]:
    return {one["name"]: one["value"] for one in world.store.all("variable", repository["id"])}


def rights(*said: Mapping[str, str] | None) -> dict[str, str]:
    """What a job's own token may do, in the API's words; the first that says anything counts."""
    granted = next((one for one in said if one is not None), DEFAULT_RIGHTS)
    if "*" in granted:
        granted = dict.fromkeys(RIGHTS, granted["*"])
    named = {name.replace("-", "_"): level for name, level in granted.items() if level != "none"}
    return {**named, "metadata": "read"}


class BadInput(Exception):
    """An input that a workflow does not take; the text is GitHub's."""


def inputs(declared: Sequence[Input], given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The inputs of a dispatch as the `inputs` context has them (typed), and as the event has them (texts)."""
    if unknown := sorted(given.keys() - {one.name for one in declared}):
        raise BadInput(f"Unexpected inputs provided: {json.dumps(unknown)}")
    typed, texts = dict[str, Any](), dict[str, str]()
    for one in declared:
        value = _text(given[one.name]) if one.name in given else one.default
        if one.required and (value is None or value == ""):
            raise BadInput(f"Required input '{one.name}' not provided")
        texts[one.name] = "false" if value is None and one.kind == "boolean" else value or ""
        if one.kind == "choice" and value is not None and value not in one.options:
            raise BadInput(f"Provided value '{value}' for input '{one.name}' not in the list of allowed values")
        typed[one.name] = _typed(one, texts[one.name])
    return typed, texts


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _typed(one: Input, text: str) -> Any:
    if one.kind == "boolean":
        if text not in ("true", "false"):
            raise BadInput(f"Provided value '{text}' for input '{one.name}' is not a boolean")
        return text == "true"
    if one.kind != "number" or not text:
        return text
    try:
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(text)
        return int(value) if value.is_integer() else value
    except ValueError as error:
        raise BadInput(f"Provided value '{text}' for input '{one.name}' is not a number") from error
