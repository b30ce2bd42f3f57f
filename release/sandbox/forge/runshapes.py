"""How the API shows workflows, runs and jobs."""

from __future__ import annotations

from collections.abc import Sequence

from release.sandbox.forge.calls import Call
from release.sandbox.forge.git import Commit
from release.sandbox.forge.shapes import minimal_repository, node
from release.sandbox.serving.store import Json


def workflow(call: Call, found: Json) -> Json:
    me = f"{call.urls.repository(call.name)}/actions/workflows/{found['id']}"
    return {
        "id": found["id"],
        "node_id": node("Workflow", found["id"]),
        "name": found["name"],
        "path": found["path"],
        "state": found["state"],
        "created_at": found["created_at"],
        "updated_at": found["created_at"],
        "url": me,
        "html_url": call.urls.html(call.name, "blob", call.repository["default_branch"], found["path"]),
        "badge_url": call.urls.html(call.name, "actions", "workflows", found["path"].rpartition("/")[2], "badge.svg"),
    }


def run(call: Call, found: Json, attempt: Json | None = None) -> Json:
    """A run at its newest attempt, or at an older one."""
    at = found | (attempt or {})
    return _run(call, at, 1 + len(found["attempts"]))


def runs(call: Call, page: Sequence[Json]) -> list[Json]:
    """A page of runs: their commits are looked at all at once."""
    commits = {one.sha: _head(one) for one in call.git.commits({found["sha"] for found in page})}
    repository = minimal_repository(call.urls, call.world, call.repository)
    return [_run(call, found, found["attempt"], commits.get(found["sha"]), repository) for found in page]


def _run(call: Call, at: Json, last: int, commit: Json | None = None, repository: Json | None = None) -> Json:
    base = call.urls.repository(call.name)
    me = f"{base}/actions/runs/{at['id']}"
    before = at["attempt"] - 1
    repository = repository or minimal_repository(call.urls, call.world, call.repository)
    return {
        "id": at["id"],
        "name": at["name"],
        "node_id": node("WorkflowRun", at["id"]),
        "head_branch": at["branch"],
        "head_sha": at["sha"],
        "path": at["path"],
        "display_title": at["title"],
        "run_number": at["number"],
        "event": at["event"],
        "status": at["status"],
        "conclusion": at["conclusion"],
        "workflow_id": at["workflow"],
        "check_suite_id": at["id"],
        "check_suite_node_id": node("CheckSuite", at["id"]),
        "url": me,
        "html_url": call.urls.html(call.name, "actions", "runs", at["id"]),
        "pull_requests": [],
        "created_at": at["created_at"],
        "updated_at": at["updated_at"],
        "actor": call.user(at["actor"]),
        "triggering_actor": call.user(at["triggering_actor"]),
        "run_attempt": at["attempt"],
        "referenced_workflows": [],
        "run_started_at": at["run_started_at"],
        "jobs_url": f"{me}/jobs" if at["attempt"] == last else f"{me}/attempts/{at['attempt']}/jobs",
        "logs_url": f"{me}/logs",
        "check_suite_url": f"{base}/check-suites/{at['id']}",
        "artifacts_url": f"{me}/artifacts",
        "cancel_url": f"{me}/cancel",
        "rerun_url": f"{me}/rerun",
        "previous_attempt_url": f"{me}/attempts/{before}" if before else None,
        "workflow_url": f"{base}/actions/workflows/{at['workflow']}",
        "head_commit": commit or _commit(call, at["sha"]),
        "repository": repository,
        "head_repository": repository,
        "head_repository_id": call.repo,
    }


def _commit(call: Call, sha: str) -> Json | None:
    found = next(call.git.commits([sha]), None)
    return None if found is None else _head(found)


def _head(found: Commit) -> Json:
    return {
        "id": found.sha,
        "tree_id": found.tree,
        "message": found.message,
        "timestamp": found.committer.date,
        "author": {"name": found.author.name, "email": found.author.email},
        "committer": {"name": found.committer.name, "email": found.committer.email},
    }


def job(call: Call, found: Json, of: Json) -> Json:
    """A job of the run `of`."""
    base = call.urls.repository(call.name)
    return {
        "id": found["id"],
        "run_id": found["run"],
        "workflow_name": of["name"],
        "head_branch": of["branch"],
        "run_url": f"{base}/actions/runs/{found['run']}",
        "run_attempt": found["attempt"],
        "node_id": node("CheckRun", found["check"]),
        "head_sha": of["sha"],
        "url": f"{base}/actions/jobs/{found['id']}",
        "html_url": call.urls.html(call.name, "actions", "runs", found["run"], "job", found["id"]),
        "status": found["status"],
        "conclusion": found["conclusion"],
        "created_at": found["created_at"],
        "started_at": found["started_at"],
        "completed_at": found["completed_at"],
        "name": found["name"],
        "steps": found["steps"],
        "check_run_url": f"{base}/check-runs/{found['check']}",
        "labels": found["labels"],
        "runner_id": 1,
        "runner_name": "sandbox",
        "runner_group_id": 1,
        "runner_group_name": "Default",
    }
