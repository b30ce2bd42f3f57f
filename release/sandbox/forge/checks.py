"""What says whether a commit is good: check runs (made by Apps) and commit statuses (made by anybody)."""

from __future__ import annotations

from release.sandbox.forge import shapes
from release.sandbox.forge.answers import Answer, Page, Problem, invalid, missing, refused
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.git import SHA
from release.sandbox.forge.shapes import node
from release.sandbox.serving.store import Json

STATES = ("error", "failure", "pending", "success")
RUNNING = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
CONCLUSIONS = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale")
DESCRIPTION = 140  # characters


@route("POST", "/repos/{owner}/{repo}/check-runs", "checks:write")
def create(call: Call) -> Answer:
    if call.actor.kind not in ("installation", "workflow"):
        raise Problem(403, "You must authenticate via a GitHub App.")
    sha = call.take("head_sha", str)
    if not SHA.fullmatch(sha) or call.git.kind(sha) != "commit":
        raise refused(f"No commit found for SHA: {sha}")
    app = call.store.get("app", call.actor.app) or {"slug": "github-actions"}
    facts = {
        "name": call.take("name", str),
        "head_sha": sha,
        "external_id": call.take("external_id", str, ""),
        "details_url": call.take("details_url", str, ""),
        "app_slug": app["slug"],
        "run": call.actor.run,
        "output": {},
        "status": "queued",
        "conclusion": None,
        "started_at": call.world.now(),
        "completed_at": None,
    }
    return Answer(_run(call, call.store.add("check_run", facts | _changes(call), call.repo)), 201)


@route("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:write")
def change(call: Call) -> Answer:
    if call.actor.kind not in ("installation", "workflow"):
        raise Problem(403, "You must authenticate via a GitHub App.")
    found = call.document("check_run", "check_run_id")
    names = {name: call.take(name, str) for name in ("name", "external_id", "details_url") if call.given(name)}
    return Answer(_run(call, call.store.change(found["id"], **names, **_changes(call))))


@route("GET", "/repos/{owner}/{repo}/commits/{ref:.+}/check-runs", "checks:read")
def runs(call: Call) -> Page:
    """The newest run of each name and App, unless `filter=all`."""
    found = call.store.all("check_run", call.repo, head_sha=_commit(call))
    if call.query.get("filter") != "all":
        found = [*{(one["name"], one["app_slug"]): one for one in found}.values()]
    for name, field in (("check_name", "name"), ("status", "status")):
        if wanted := call.query.get(name):
            found = [one for one in found if one[field] == wanted]
    if app := call.query.get("app_id"):
        found = [one for one in found if str(_app(call, one["app_slug"])["id"]) == app]
    return Page(found, total="check_runs", shape=lambda one: _run(call, one))


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", "statuses:write")
def tell(call: Call) -> Answer:
    sha = call.params["sha"]
    if not SHA.fullmatch(sha) or call.git.kind(sha) != "commit":
        raise refused(f"No commit found for SHA: {sha}")
    state, description = call.take("state", str), call.take("description", str, "")
    if state not in STATES:
        raise invalid("Status", "state", "custom", "state is not included in the list")
    if len(description) > DESCRIPTION:
        raise invalid(
            "Status", "description", "custom", f"description is too long (maximum is {DESCRIPTION} characters)"
        )
    now = call.world.now()
    facts = {
        "sha": sha,
        "state": state,
        "context": call.take("context", str, "default"),
        "description": description,
        "target_url": call.take("target_url", str, "") or None,
        "creator": call.actor.login,
        "created_at": now,
        "updated_at": now,
    }
    made = _status(call, call.store.add("status", facts, call.repo))
    return Answer(made, 201, {"Location": made["url"]})


@route("GET", "/repos/{owner}/{repo}/commits/{ref:.+}/statuses", "statuses:read")
def statuses(call: Call) -> Page:
    """Every status, newest first."""
    found = call.store.all("status", call.repo, sha=_commit(call))
    return Page(found[::-1], shape=lambda one: _status(call, one))


@route("GET", "/repos/{owner}/{repo}/commits/{ref:.+}/status", "statuses:read")
def combined(call: Call) -> Answer:
    """The newest of each context in one word: pending where there is none at all."""
    sha = _commit(call)
    newest = [*{one["context"]: one for one in call.store.all("status", call.repo, sha=sha)}.values()]
    me = f"{call.urls.repository(call.name)}/commits/{sha}"
    simple = [{name: value for name, value in _status(call, one).items() if name != "creator"} for one in newest]
    body = {
        "state": verdict(newest),
        "statuses": simple,
        "sha": sha,
        "total_count": len(newest),
        "repository": shapes.minimal_repository(call.urls, call.world, call.repository),
        "commit_url": me,
        "url": f"{me}/status",
    }
    return Answer(body)


def verdict(newest: list[Json]) -> str:
    """One word for the newest statuses of all contexts."""
    states = {one["state"] for one in newest}
    if states & {"error", "failure"}:
        return "failure"
    return "pending" if "pending" in states or not states else "success"


def _commit(call: Call) -> str:
    sha = call.git.commit_of(call.params["ref"])
    if not sha:
        raise (
            Problem(422, f"No commit found for SHA: {call.params['ref']}")
            if SHA.fullmatch(call.params["ref"])
            else missing()
        )
    return sha


def _changes(call: Call) -> Json:
    """What a request says about how far a check run is; a conclusion completes it."""
    found: Json = {}
    found |= {name: call.take(name, str) for name in ("status", "conclusion") if call.given(name)}
    if found.get("status", "queued") not in RUNNING or found.get("conclusion", "success") not in CONCLUSIONS:
        raise refused("Invalid request.\n\nstatus or conclusion is not included in the list")
    if found.get("status") == "completed" and "conclusion" not in found:
        raise refused('Invalid request.\n\nMissing required key "conclusion".')
    found |= {name: call.take(name, str) for name in ("started_at", "completed_at") if call.given(name)}
    if "conclusion" in found:
        found = {"completed_at": call.world.now(), **found, "status": "completed"}
    if call.given("output"):
        output = call.take("output", dict)
        found["output"] = {name: output.get(name) for name in ("title", "summary", "text")}
    return found


def _run(call: Call, run: Json) -> Json:
    me = f"{call.urls.repository(call.name)}/check-runs/{run['id']}"
    page = call.urls.html(call.name, "runs", run["id"])
    nothing = {"title": None, "summary": None, "text": None}
    return {
        "id": run["id"],
        "name": run["name"],
        "node_id": node("CheckRun", run["id"]),
        "head_sha": run["head_sha"],
        "external_id": run["external_id"],
        "url": me,
        "html_url": run.get("html_url") or page,
        "details_url": run["details_url"] or page,
        "status": run["status"],
        "conclusion": run["conclusion"],
        "started_at": run["started_at"],
        "completed_at": run["completed_at"],
        "output": nothing | run["output"] | {"annotations_count": 0, "annotations_url": f"{me}/annotations"},
        "check_suite": {"id": run["run"] or run["id"]},
        "app": _app(call, run["app_slug"]),
        "pull_requests": [],
    }


def _app(call: Call, slug: str) -> Json:
    app = call.store.find("app", slug) or {"id": 0, "created_at": call.repository["created_at"], "permissions": {}}
    return {
        "id": app["id"],
        "slug": slug,
        "node_id": node("App", app["id"]),
        "owner": call.user(call.repository["owner"]),
        "name": slug,
        "description": "",
        "external_url": f"{call.urls.server}/apps/{slug}",
        "html_url": f"{call.urls.server}/apps/{slug}",
        "created_at": app["created_at"],
        "updated_at": app["created_at"],
        "permissions": app["permissions"],
        "events": [],
    }


def _status(call: Call, status: Json) -> Json:
    creator = call.user(status["creator"])
    return {
        "url": f"{call.urls.repository(call.name)}/statuses/{status['sha']}",
        "avatar_url": creator["avatar_url"],
        "id": status["id"],
        "node_id": node("Status", status["id"]),
        "state": status["state"],
        "description": status["description"],
        "target_url": status["target_url"],
        "context": status["context"],
        "created_at": status["created_at"],
        "updated_at": status["updated_at"],
        "creator": creator,
    }
