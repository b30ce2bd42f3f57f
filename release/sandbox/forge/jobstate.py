"""What is stored of a job: made, told to others, ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from release.sandbox.forge import gates
from release.sandbox.forge.definition import Job
from release.sandbox.forge.joblog import JobLog
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json


def of_run(world: World, run: Json) -> dict[str, list[Json]]:
    """The jobs of a run's newest attempt, by their ids in the file."""
    made: dict[str, list[Json]] = {}
    for one in world.store.all("job", run["repo"], run=run["id"], attempt=run["attempt"]):
        made.setdefault(one["key"], []).append(one)
    return made


def blank(world: World, job: Job, run: Json) -> Json:
    """A job of a run that has not begun."""
    return {
        "run": run["id"], "attempt": run["attempt"], "key": job.id, "labels": [*job.labels], "needs": {},
        "matrix": None, "strategy": {}, "environment": "", "group": "", "cancels": False, "continues": False,
        "forced": bool(run["cancelled"]), "complaint": "", **fresh(world),
    }  # fmt: skip


def fresh(world: World) -> Json:
    """What a job loses when it is to run again."""
    now = world.now()
    return {
        "status": "queued", "conclusion": None, "forgiven": False, "outputs": {}, "steps": [], "log": "", "deployment": 0,
        "created_at": now, "started_at": now, "completed_at": None,
    }  # fmt: skip


def add(world: World, repository: Json, run: Json, facts: Json) -> None:
    """Store a job, with its check run."""
    job = world.store.add("job", facts, repository["id"])
    job = world.store.change(job["id"], log=facts["log"] or f"{job['id']}.log")
    world.store.change(job["id"], check=gates.check(world, repository, run, job))
    if job["complaint"]:
        note(world, job, job["complaint"])


def over(world: World, job: Json, conclusion: str, outputs: Mapping[str, str] | None = None) -> None:
    """The end of a job."""
    with world.store.transaction():
        job = world.store.change(
            job["id"], status="completed", conclusion=conclusion, outputs=dict(outputs or {}),
            forgiven=job["continues"] and conclusion == "failure", completed_at=world.now(),
        )  # fmt: skip
        gates.tell(world, job)


def log(world: World, job: Json) -> Path:
    """Where a job's log is."""
    return world.folder / "logs" / str(job["log"])


def summary(world: World, job: Json) -> Path:
    """Where the summary that its steps wrote is, in Markdown."""
    return log(world, job).with_suffix(".md")


def note(world: World, job: Json, what: str) -> None:
    """A line in a job's log, from outside of the job."""
    told = JobLog(log(world, job), ())
    told.say(f"##[error]{what}")
    told.close()
