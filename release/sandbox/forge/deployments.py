"""Requests to deploy a commit to an environment, and what became of them."""

from __future__ import annotations

from release.sandbox.forge import checks, pushes
from release.sandbox.forge.answers import Answer, Page, Problem, invalid, missing, refused
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.git import GitError
from release.sandbox.forge.shapes import node
from release.sandbox.serving.store import Json

STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
DESCRIPTION = 140
DEPLOYMENTS = "/repos/{owner}/{repo}/deployments"
FILTERS = ("sha", "ref", "task", "environment")


@route("GET", DEPLOYMENTS, "deployments:read")
def deployments(call: Call) -> Page:
    wanted = {name: call.query[name] for name in FILTERS if call.query.get(name, "none") != "none"}
    return Page(call.store.all("deployment", call.repo, **wanted)[::-1], shape=lambda one: _deployment(call, one))


@route("POST", DEPLOYMENTS, "deployments:write")
def create(call: Call) -> Answer:
    """201; 202 where the default branch was merged first and nothing was made; 409 where it cannot be, or checks are red."""
    ref = call.take("ref", str)
    sha = call.git.commit_of(ref)
    if not sha:
        raise refused(f"No ref found for: {ref}")
    if call.take("auto_merge", bool, True) and (merged := _merged(call, ref, sha)):
        return Answer({"message": merged}, 202)
    _green(call, ref, sha)
    payload = call.body.get("payload")
    environment = call.take("environment", str, "production")
    now = call.world.now()
    facts = {
        "sha": sha,
        "ref": ref,
        "task": call.take("task", str, "deploy"),
        "environment": environment,
        "description": call.take("description", str, ""),
        "payload": payload if isinstance(payload, (dict, str)) else {},
        "creator": call.actor.login,
        "transient": call.take("transient_environment", bool, False),
        "production": call.take("production_environment", bool, environment == "production"),
        "created_at": now,
        "updated_at": now,
    }
    if not call.store.find("environment", environment.lower(), call.repo):
        call.world.environment(call.name, environment)
    made = _deployment(call, call.store.add("deployment", facts, call.repo))
    call.emit("deployment", _full(call, ref), sha, {"action": "created", "deployment": made})
    return Answer(made, 201, {"Location": made["url"]})


@route("GET", DEPLOYMENTS + "/{deployment_id}", "deployments:read")
def one(call: Call) -> Answer:
    return Answer(_deployment(call, call.document("deployment", "deployment_id")))


@route("GET", DEPLOYMENTS + "/{deployment_id}/statuses", "deployments:read")
def statuses(call: Call) -> Page:
    deployment = call.document("deployment", "deployment_id")
    found = call.store.all("deployment_status", call.repo, deployment=deployment["id"])
    return Page(found[::-1], shape=lambda status: _status(call, status))


@route("POST", DEPLOYMENTS + "/{deployment_id}/statuses", "deployments:write")
def tell(call: Call) -> Answer:
    deployment = call.document("deployment", "deployment_id")
    state, description = call.take("state", str), call.take("description", str, "")
    if state not in STATES:
        raise invalid("DeploymentStatus", "state", "custom", "state is not included in the list")
    if len(description) > DESCRIPTION:
        raise invalid(
            "DeploymentStatus", "description", "custom", "description is too long (maximum is 140 characters)"
        )
    log = call.take("log_url", str, "") or call.take("target_url", str, "")
    environment = call.take("environment", str, deployment["environment"])
    facts = {
        "deployment": deployment["id"],
        "description": description,
        "environment": environment,
        "environment_url": call.take("environment_url", str, ""),
        "log_url": log,
        "target_url": log,
    }
    with call.store.transaction():
        if state == "success" and call.take("auto_inactive", bool, True):
            _retire(call, deployment, environment)
        made = _said(call, facts | {"state": state})
        call.store.change(deployment["id"], environment=environment, updated_at=call.world.now())
    shown = _status(call, made)
    told = {"action": "created", "deployment": _deployment(call, deployment), "deployment_status": shown}
    call.emit("deployment_status", _full(call, deployment["ref"]), deployment["sha"], told)
    return Answer(shown, 201, {"Location": shown["url"]})


@route("GET", "/repos/{owner}/{repo}/environments", "actions:read")
def environments(call: Call) -> Page:
    found = call.store.all("environment", call.repo)
    return Page(found, total="environments", shape=lambda environment: _environment(call, environment))


@route("GET", "/repos/{owner}/{repo}/environments/{environment_name:.+}", "actions:read")
def environment(call: Call) -> Answer:
    found = call.store.find("environment", call.params["environment_name"].lower(), call.repo)
    if found is None:
        raise missing()
    return Answer(_environment(call, found))


def _merged(call: Call, ref: str, sha: str) -> str:
    """What was merged into a branch that is behind the default branch; "" where nothing had to be."""
    git, default = call.git, call.repository["default_branch"]
    base = git.commit_of(f"refs/heads/{default}")
    if ref == default or not base or not git.ref(f"refs/heads/{ref}") or git.contains(sha, base):
        return ""
    message = f"Merge {default} into {ref}"
    try:
        merged = git.merge(sha, base, message, call.actor.login, int(call.world.clock()))
    except GitError as error:
        raise Problem(409, f"Conflict merging {default} into {ref}.") from error
    git.run("update-ref", "--end-of-options", f"refs/heads/{ref}", merged, sha)
    change = (f"refs/heads/{ref}", sha, merged)
    pushes.announce(call.world, call.urls, call.repository, call.actor, [change])
    return f"Auto-merged {default} into {ref} on deployment."


def _green(call: Call, ref: str, sha: str) -> None:
    """Refuse a commit whose statuses are not all good: the named contexts, else all that there are."""
    newest = {status["context"]: status for status in call.store.all("status", call.repo, sha=sha)}
    required = call.take("required_contexts", list, [*newest])
    if not required:
        return
    bad = [name for name in required if name not in newest or newest[name]["state"] != "success"]
    if bad:
        state = checks.verdict([newest[name] for name in required if name in newest])
        contexts = [{"context": name, "state": newest[name]["state"] if name in newest else state} for name in bad]
        error = {"resource": "Deployment", "field": "required_contexts", "code": "invalid", "contexts": contexts}
        raise Problem(409, f"Conflict: Commit status checks failed for {ref}.", [error])


def _retire(call: Call, deployment: Json, environment: str) -> None:
    """A success makes what was there before inactive."""
    for other in call.store.all("deployment", call.repo, environment=environment):
        said = call.store.all("deployment_status", call.repo, deployment=other["id"])
        if other["id"] != deployment["id"] and not other["transient"] and said and said[-1]["state"] == "success":
            _said(call, {**said[-1], "state": "inactive", "description": ""})


def _said(call: Call, facts: Json) -> Json:
    now = call.world.now()
    body = {name: value for name, value in facts.items() if name not in ("id", "repo")}
    body |= {"creator": call.actor.login, "created_at": now, "updated_at": now}
    return call.store.add("deployment_status", body, call.repo)


def _full(call: Call, ref: str) -> str:
    names = [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    return next((name for name in names if call.git.ref(name)), "")


def _deployment(call: Call, found: Json) -> Json:
    me = f"{call.urls.repository(call.name)}/deployments/{found['id']}"
    return {
        "url": me,
        "id": found["id"],
        "node_id": node("Deployment", found["id"]),
        "task": found["task"],
        "original_environment": found["environment"],
        "environment": found["environment"],
        "description": found["description"],
        "created_at": found["created_at"],
        "updated_at": found["updated_at"],
        "statuses_url": f"{me}/statuses",
        "repository_url": call.urls.repository(call.name),
        "creator": call.user(found["creator"]),
        "sha": found["sha"],
        "ref": found["ref"],
        "payload": found["payload"],
        "transient_environment": found["transient"],
        "production_environment": found["production"],
    }


def _status(call: Call, found: Json) -> Json:
    """The description of the API knows no state `waiting`: it is shown as pending."""
    there = f"{call.urls.repository(call.name)}/deployments/{found['deployment']}"
    return {
        "url": f"{there}/statuses/{found['id']}",
        "id": found["id"],
        "node_id": node("DeploymentStatus", found["id"]),
        "state": "pending" if found["state"] == "waiting" else found["state"],
        "creator": call.user(found["creator"]),
        "description": found["description"],
        "environment": found["environment"],
        "target_url": found["target_url"],
        "created_at": found["created_at"],
        "updated_at": found["updated_at"],
        "deployment_url": there,
        "repository_url": call.urls.repository(call.name),
        "environment_url": found["environment_url"],
        "log_url": found["log_url"],
    }


def _environment(call: Call, found: Json) -> Json:
    rules = []
    if found["reviewers"]:
        reviewers = [{"type": "User", "reviewer": call.user(login)} for login in found["reviewers"]]
        rules.append(
            {
                "id": found["id"],
                "node_id": node("Gate", found["id"]),
                "type": "required_reviewers",
                "prevent_self_review": False,
                "reviewers": reviewers,
            }
        )
    return {
        "id": found["id"],
        "node_id": node("Environment", found["id"]),
        "name": found["name"],
        "url": f"{call.urls.repository(call.name)}/environments/{found['name']}",
        "html_url": call.urls.html(call.name, "deployments/activity_log"),
        "created_at": found["created_at"],
        "updated_at": found["created_at"],
        "protection_rules": rules,
        "deployment_branch_policy": None,
    }
