"""What a job shows to others: its check run, and the deployment to an environment that a reviewer lets through."""

from __future__ import annotations

from typing import Literal, TypeAlias

from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

Verdict: TypeAlias = Literal["open", "waiting", "rejected"]
BOT = "github-actions[bot]"
LETS_THROUGH = ("queued", "in_progress", "success")
REJECTS = ("failure", "error", "inactive")


def check(world: World, repository: Json, run: Json, job: Json) -> int:
    """The id of a new check run of this job, on the run's commit."""
    page = world.urls.html(repository["full_name"], "actions", "runs", run["id"], "job", job["id"])
    facts = {
        "name": job["name"],
        "head_sha": run["sha"],
        "details_url": page,
        "html_url": page,
        "external_id": str(job["id"]),
        "app_slug": "github-actions",
        "run": run["id"],
        "output": {"title": None, "summary": None, "text": None},
        **_state(job),
    }
    return int(world.store.add("check_run", facts, repository["id"])["id"])


def tell(world: World, job: Json) -> None:
    """The job's state, for its check run and its deployment."""
    world.store.change(job["check"], **_state(job))
    if job["deployment"]:
        state = (
            "in_progress"
            if job["status"] == "in_progress"
            else "success"
            if job["conclusion"] == "success"
            else "failure"
        )
        _say(world, job, state)


def verdict(world: World, repository: Json, run: Json, job: Json) -> Verdict:
    """Whether a job may begin: at once without an environment that has reviewers, else when one of them says so."""
    if not job["environment"]:
        return "open"
    environment = world.store.find("environment", job["environment"].lower(), repository["id"])
    environment = environment or world.environment(repository["full_name"], job["environment"])
    if not job["deployment"]:
        job = _asked(world, repository, run, job, bool(environment["reviewers"]))
    if not environment["reviewers"]:
        return "open"
    reviewers = {login.lower() for login in environment["reviewers"]}
    statuses = world.store.all("deployment_status", job["repo"], deployment=job["deployment"])
    said = [one["state"] for one in statuses if one["creator"].lower() in reviewers]
    if any(state in REJECTS for state in said):
        return "rejected"
    return "open" if any(state in LETS_THROUGH for state in said) else "waiting"


def reviewed(world: World, repository: Json, job: Json, login: str, lets_through: bool) -> bool:
    """A reviewer's word on a waiting job; False where he is none."""
    environment = world.store.find("environment", job["environment"].lower(), repository["id"])
    if environment is None or login.lower() not in {one.lower() for one in environment["reviewers"]}:
        return False
    _say(world, job, "queued" if lets_through else "failure", login)
    return True


def _asked(world: World, repository: Json, run: Json, job: Json, waits: bool) -> Json:
    now = world.now()
    facts = {
        "sha": run["sha"],
        "ref": run["branch"],
        "task": "deploy",
        "environment": job["environment"],
        "description": "",
        "payload": {},
        "creator": BOT,
        "created_at": now,
        "updated_at": now,
        "transient": False,
        "production": False,
    }
    with world.store.transaction():
        deployment = world.store.add("deployment", facts, repository["id"])
        job = world.store.change(job["id"], deployment=deployment["id"], status="waiting" if waits else job["status"])
        world.store.change(job["check"], **_state(job))
        if waits:
            _say(world, job, "waiting")
    return job


def _say(world: World, job: Json, state: str, login: str = BOT) -> None:
    now = world.now()
    facts = {
        "deployment": job["deployment"],
        "state": state,
        "description": "",
        "environment": job["environment"],
        "environment_url": "",
        "log_url": "",
        "target_url": "",
        "creator": login,
        "created_at": now,
        "updated_at": now,
    }
    if login == BOT:
        world.user(BOT, "Bot")
    world.store.add("deployment_status", facts, job["repo"])


def _state(job: Json) -> Json:
    begun = job["status"] in ("in_progress", "completed")
    return {
        "status": job["status"],
        "conclusion": job["conclusion"],
        "started_at": job["started_at"] if begun else None,
        "completed_at": job["completed_at"],
    }
