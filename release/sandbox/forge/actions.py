"""The endpoints of workflows, their runs and jobs, and the two dispatches."""

from __future__ import annotations

import json

from release.sandbox.forge import gates, jobs, jobstate, runs, runshapes, shapes, storage
from release.sandbox.forge import workflow as workflows
from release.sandbox.forge.answers import Answer, Page, Problem, invalid, missing, refused
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.events import Event
from release.sandbox.forge.runner import Runner
from release.sandbox.forge.runs import Found
from release.sandbox.forge.sandbox import Sandbox
from release.sandbox.serving.store import Json

ACTIONS = "/repos/{owner}/{repo}/actions"
MOST_INPUTS, MOST_KEYS, LONGEST_TYPE, LARGEST = 25, 10, 100, 64 << 10
ALWAYS_DETAILS = "2026-03-10"  # the API version in which a dispatch always tells its run


@route("GET", f"{ACTIONS}/workflows", "actions:read")
def workflow_list(call: Call) -> Page:
    return Page(_registered(call), total="workflows", shape=lambda one: runshapes.workflow(call, one))


@route("GET", ACTIONS + "/workflows/{workflow_id}", "actions:read")
def workflow_get(call: Call) -> Answer:
    return Answer(runshapes.workflow(call, _workflow(call)))


@route("POST", ACTIONS + "/workflows/{workflow_id}/dispatches", "actions:write")
def workflow_dispatch(call: Call) -> Answer:
    """204, or 200 with the run where the caller asks for it; neither says that the run will be any good."""
    workflow, ref, given = _workflow(call), call.take("ref", str), call.take("inputs", dict, {})
    if len(given) > MOST_INPUTS:
        raise refused(f"you may only define up to {MOST_INPUTS} `inputs` for a `workflow_dispatch` event")
    full = _full(call, ref)
    commit = call.git.commit_of(full)
    found = next(iter(runs.found(call.git, commit, workflow["path"])), None)
    if found is None:
        raise missing()
    typed, texts = _inputs(found, given)
    payload = {"inputs": texts, "ref": full, "workflow": workflow["path"]} | _common(call)
    event = Event(call.name, "workflow_dispatch", full, commit, call.actor.login, payload, call.actor.by_workflow)
    run = _runner(call).dispatch(call.repository, event, found, typed)
    if not (call.take("return_run_details", bool, False) or _version(call) >= ALWAYS_DETAILS):
        return Answer(status=204)
    url, page = (
        f"{call.urls.repository(call.name)}/actions/runs/{run}",
        call.urls.html(call.name, "actions", "runs", run),
    )
    return Answer({"workflow_run_id": run, "run_url": url, "html_url": page})


@route("POST", "/repos/{owner}/{repo}/dispatches", "contents:write")
def repository_dispatch(call: Call) -> Answer:
    kind, payload = call.take("event_type", str), call.take("client_payload", dict, {})
    if not 1 <= len(kind) <= LONGEST_TYPE:
        raise invalid("RepositoryDispatch", "event_type", "invalid")
    if len(payload) > MOST_KEYS:
        raise refused(f"No more than {MOST_KEYS} properties are allowed; {len(payload)} were supplied.")
    try:
        size = len(json.dumps(payload, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except ValueError as error:
        raise Problem(400, "Problems parsing JSON") from error
    if size > LARGEST:
        raise refused("client_payload is too large.")
    ref = f"refs/heads/{call.repository['default_branch']}"
    body = {"action": kind, "branch": call.repository["default_branch"], "client_payload": payload}
    call.emit("repository_dispatch", ref, call.git.commit_of(ref), body)
    return Answer(status=204)


@route("GET", f"{ACTIONS}/runs", "actions:read")
def run_list(call: Call) -> Page:
    return _runs(call, call.store.all("run", call.repo))


@route("GET", ACTIONS + "/workflows/{workflow_id}/runs", "actions:read")
def workflow_runs(call: Call) -> Page:
    return _runs(call, call.store.all("run", call.repo, workflow=_workflow(call)["id"]))


@route("GET", ACTIONS + "/runs/{run_id}", "actions:read")
def run_get(call: Call) -> Answer:
    return Answer(runshapes.run(call, call.document("run", "run_id")))


@route("GET", ACTIONS + "/runs/{run_id}/attempts/{attempt_number}", "actions:read")
def run_attempt(call: Call) -> Answer:
    run = call.document("run", "run_id")
    return Answer(runshapes.run(call, run, _attempt(call, run)))


@route("GET", ACTIONS + "/runs/{run_id}/jobs", "actions:read")
def run_jobs(call: Call) -> Page:
    """Those of the newest attempt, or with `filter=all` of every one."""
    run = call.document("run", "run_id")
    every = call.store.all("job", call.repo, run=run["id"])
    shown = [one for one in every if call.query.get("filter") == "all" or one["attempt"] == run["attempt"]]
    return _jobs(call, run, shown)


@route("GET", ACTIONS + "/runs/{run_id}/attempts/{attempt_number}/jobs", "actions:read")
def attempt_jobs(call: Call) -> Page:
    run = call.document("run", "run_id")
    number = _attempt(call, run).get("attempt", run["attempt"])
    return _jobs(call, run, call.store.all("job", call.repo, run=run["id"], attempt=number))


@route("GET", ACTIONS + "/runs/{run_id}/artifacts", "actions:read")
def artifacts(call: Call) -> Page:
    """No action here uploads any."""
    call.document("run", "run_id")
    return Page([], total="artifacts")


@route("GET", ACTIONS + "/jobs/{job_id}", "actions:read")
def job_get(call: Call) -> Answer:
    job = call.document("job", "job_id")
    return Answer(runshapes.job(call, job, call.store.get("run", job["run"]) or {}))


@route("GET", ACTIONS + "/jobs/{job_id}/logs", "actions:read")
def job_logs(call: Call) -> Answer:
    """Where the log of a job is downloaded; a job that never ran has none."""
    job = call.document("job", "job_id")
    path = jobstate.log(call.world, job)
    if job["status"] != "completed" or not path.is_file():
        raise missing()
    return Answer(
        None, 302, {"Location": storage.address(call.world, call.urls, "logs", path.name, "log.txt", "text/plain")}
    )


@route("POST", ACTIONS + "/runs/{run_id}/rerun", "actions:write")
def rerun(call: Call) -> Answer:
    return _again(call, failed_only=False)


@route("POST", ACTIONS + "/runs/{run_id}/rerun-failed-jobs", "actions:write")
def rerun_failed(call: Call) -> Answer:
    return _again(call, failed_only=True)


@route("POST", ACTIONS + "/runs/{run_id}/cancel", "actions:write")
def cancel(call: Call) -> Answer:
    run = call.document("run", "run_id")
    if run["status"] == "completed":
        raise Problem(409, "Cannot cancel a workflow run that is completed.")
    _runner(call).cancel(run)
    return Answer({}, 202)


@route("GET", ACTIONS + "/runs/{run_id}/pending_deployments", "actions:read")
def pending(call: Call) -> Answer:
    """The environments that a run waits for."""
    shown = []
    for job in _waiting(call):
        environment = _environment(call, job)
        may = call.actor.login.lower() in {login.lower() for login in environment["reviewers"]}
        people = [
            {"type": "User", "reviewer": shapes.user(call.urls, call.world, one)} for one in environment["reviewers"]
        ]
        about = {"id": environment["id"], "name": environment["name"]}
        shown.append({"environment": about, "current_user_can_approve": may, "wait_timer": 0, "reviewers": people})
    return Answer(shown)


@route("POST", ACTIONS + "/runs/{run_id}/pending_deployments", "")
def review(call: Call) -> Answer:
    """A reviewer lets the jobs for these environments through, or ends them."""
    wanted, state = call.take("environment_ids", list), call.take("state", str)
    if state not in ("approved", "rejected"):
        raise refused("state must be approved or rejected")
    meant = [job for job in _waiting(call) if _environment(call, job)["id"] in wanted]
    if not meant:
        raise refused("There are no pending deployments to approve or reject")
    for job in meant:
        if not gates.reviewed(call.world, call.repository, job, call.actor.login, state == "approved"):
            raise refused("You are not a reviewer of this environment")
    _runner(call).wake()
    return Answer([])


def _again(call: Call, failed_only: bool) -> Answer:
    run = call.document("run", "run_id")
    if run["status"] != "completed":
        raise Problem(403, "This workflow is already running")
    if run["conclusion"] == "startup_failure":
        raise Problem(403, "This workflow run cannot be retried: its workflow file is invalid")
    made = call.store.all("job", call.repo, run=run["id"], attempt=run["attempt"])
    if failed_only and not jobs.red(made):
        raise Problem(403, "The workflow run containing this job has no failed jobs")
    if not _runner(call).rerun(call.repository, run, call.actor.login, failed_only):
        raise Problem(403, "This workflow is already running")
    return Answer({}, 201)


def _inputs(found: Found, given: Json) -> tuple[Json, Json]:
    if found.workflow is None:
        raise refused(found.complaint)
    if found.workflow.on.inputs is None:
        raise refused("Workflow does not have 'workflow_dispatch' trigger")
    try:
        return runs.inputs(found.workflow.on.inputs, given)
    except runs.BadInput as error:
        raise refused(str(error)) from error


def _full(call: Call, ref: str) -> str:
    """The full name of a branch or tag that is there."""
    names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    for name in names:
        if name.startswith(("refs/heads/", "refs/tags/")) and call.git.commit_of(name):
            return name
    raise refused(f"No ref found for: {ref}")


def _common(call: Call) -> Json:
    return {
        "repository": shapes.minimal_repository(call.urls, call.world, call.repository),
        "sender": shapes.user(call.urls, call.world, call.actor.login),
    }


def _registered(call: Call) -> list[Json]:
    """Every workflow of the default branch, and those that ran."""
    head = call.git.commit_of(f"refs/heads/{call.repository['default_branch']}")
    for one in runs.found(call.git, head) if head else ():
        runs.registered(call.world, call.repository, one)
    return call.store.all("workflow", call.repo)


def _workflow(call: Call) -> Json:
    """The workflow that the path names: by id, or by its file's name."""
    name = call.params["workflow_id"]
    for one in _registered(call):
        if name in (str(one["id"]), one["path"], one["path"].removeprefix(workflows.FOLDER)):
            return one
    raise missing()


def _runs(call: Call, found: list[Json]) -> Page:
    """Newest first, of those that fit what the query asks for."""
    fitting = [run for run in reversed(found) if all(_fits(run, name, said) for name, said in call.query.items())]
    return Page(fitting, total="workflow_runs", batch=lambda page: runshapes.runs(call, page))


def _fits(run: Json, name: str, said: str) -> bool:
    match name:
        case "event" | "branch":
            return bool(run[name] == said)
        case "status":
            return said in (run["status"], run["conclusion"])
        case "head_sha":
            return bool(run["sha"] == said)
        case "actor":
            return bool(run["actor"].lower() == said.lower())
        case "check_suite_id":
            return str(run["id"]) == said
        case "created":
            return _within(run["created_at"], said)
        case _:
            return True


def _within(time: str, said: str) -> bool:
    """GitHub's search syntax for dates: `>=`, `>`, `<=`, `<`, `A..B`, a day or a moment."""
    first, dots, last = said.partition("..")
    if dots:
        return (first == "*" or _within(time, f">={first}")) and (last == "*" or _within(time, f"<={last}"))
    for sign in (">=", "<=", ">", "<"):
        if said.startswith(sign):
            wanted = _moment(said.removeprefix(sign))
            mine = time[: len(wanted)]
            return {">=": mine >= wanted, "<=": mine <= wanted, ">": mine > wanted, "<": mine < wanted}[sign]
    return time.startswith(_moment(said))


def _moment(text: str) -> str:
    """UTC as the store writes it, so that it compares as text; a day stays a day."""
    return text.replace("+00:00", "Z").removesuffix("Z").partition(".")[0]


def _attempt(call: Call, run: Json) -> Json:
    """What differs at an older attempt; nothing at the newest."""
    number = call.number("attempt_number")
    if number == run["attempt"]:
        return {}
    for one in run["attempts"]:
        if one["attempt"] == number:
            return {**one, "status": "completed"}
    raise missing()


def _jobs(call: Call, run: Json, shown: list[Json]) -> Page:
    return Page(shown, total="jobs", shape=lambda one: runshapes.job(call, one, run))


def _waiting(call: Call) -> list[Json]:
    run = call.document("run", "run_id")
    return call.store.all("job", call.repo, run=run["id"], attempt=run["attempt"], status="waiting")


def _environment(call: Call, job: Json) -> Json:
    return call.store.find("environment", job["environment"].lower(), call.repo) or {
        "id": 0,
        "name": "",
        "reviewers": [],
    }


def _version(call: Call) -> str:
    return call.request.headers.get("X-GitHub-Api-Version", "")


def _runner(call: Call) -> Runner:
    assert isinstance(call.world, Sandbox), "only a sandbox runs workflows"
    return call.world.workflows
