"""Decides which runs and jobs go on: by their needs, concurrency groups, matrices, environments and cancellations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from release.sandbox.forge import gates, jobs, jobstate, runs, switches
from release.sandbox.forge.definition import Invalid, Job, Workflow
from release.sandbox.forge.expressions import ExpressionError
from release.sandbox.forge.runs import Found
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

KEPT = 64  # workflow files that stay read


class Hands(Protocol):
    """Who does what was decided."""

    def free(self) -> bool:
        """Whether one more job can be taken on."""
        ...

    def begin(self, repository: Json, run: Json, workflow: Workflow, job: Json) -> None:
        """Take on a job."""
        ...

    def halt(self, job: Json) -> None:
        """Cancel a job that runs."""
        ...

    def wake(self) -> None:
        """Something changed that may let others go on."""
        ...


class Rota:
    """Everything that is decided is in the store before anything follows from it."""

    def __init__(self, world: World, hands: Hands) -> None:
        self._world, self._store, self._hands = world, world.store, hands
        self._read: dict[tuple[int, str, str], Found] = {}

    def active(self) -> list[Json]:
        """The runs that are not over, oldest first."""
        found = [run for status in runs.ACTIVE for run in self._store.all("run", status=status)]
        return sorted(found, key=lambda run: (run["run_started_at"], run["id"]))

    def advance(self, repository: Json, run: Json) -> None:
        """Move a run on as far as it goes now."""
        if run["status"] in ("queued", "pending") and not self._begins(run):
            return
        made = jobstate.of_run(self._world, run)
        workflow = self.workflow(repository, run)
        while self._plan(repository, run, workflow, made):
            made = jobstate.of_run(self._world, run)
        for one in (one for many in made.values() for one in many):
            self._move(repository, run, workflow, one)
        self._settle(run, jobstate.of_run(self._world, run), workflow)

    def _begins(self, run: Json) -> bool:
        """Whether a queued run may go on, by the switches and by its concurrency group."""
        if run["cancelled"]:
            self.end(run, "cancelled")
            return False
        if switches.of(self._world, run["repo"])["hold"]:
            return False
        if run["status"] == "pending" and not runs.alone(self._world, run):
            return False
        self._store.change(run["id"], status="in_progress", updated_at=self._world.now())
        return True

    def _plan(self, repository: Json, run: Json, workflow: Workflow, made: Mapping[str, Sequence[Json]]) -> bool:
        """Makes the documents of jobs whose needs are over; whether there were any."""
        new = [job for job in workflow.jobs if job.id not in made and jobs.ready(job, made)]
        for job in new:
            blank = jobstate.blank(self._world, job, run)
            with self._store.transaction():
                for facts in self._planned(repository, run, workflow, job, made):
                    jobstate.add(self._world, repository, run, blank | facts)
        return bool(new)

    def _planned(
        self, repository: Json, run: Json, workflow: Workflow, job: Job, made: Mapping[str, Sequence[Json]]
    ) -> list[Json]:
        """What a job becomes: several with a matrix, one that is over where it is not wanted or makes no sense."""
        over = {"status": "completed", "completed_at": self._world.now()}
        try:
            contexts = runs.contexts(self._world, repository, run, "") | {"needs": jobs.needs(job, made)}
            if jobs.wanted(job, contexts, jobs.status(workflow, job, made, run["cancelled"])):
                return [one | {"needs": contexts["needs"]} for one in jobs.planned(job, contexts)]
            return [over | {"name": job.id, "conclusion": "skipped"}]
        except (ExpressionError, Invalid) as error:
            return [over | {"name": job.id, "conclusion": "failure", "complaint": str(error)}]

    def _move(self, repository: Json, run: Json, workflow: Workflow, job: Json) -> None:
        """Start, hold or end one job."""
        if job["status"] == "completed":
            return
        stopping = (run["cancelled"] and not job["forced"]) or self._outrun(run, job)
        if job["status"] == "in_progress":
            if stopping:
                self._hands.halt(job)
            return
        if stopping:
            self._over(job, "cancelled")
        elif self._may_begin(repository, run, job):
            self._hands.begin(repository, run, workflow, job)

    def _outrun(self, run: Json, job: Json) -> bool:
        """Whether another of the same matrix failed, and one is enough."""
        if not job["strategy"].get("fail-fast", False):
            return False
        return any(
            one["conclusion"] == "failure" and not one["continues"]
            for one in self._store.all("job", run["repo"], run=run["id"], attempt=run["attempt"], key=job["key"])
        )

    def _may_begin(self, repository: Json, run: Json, job: Json) -> bool:
        if not self._hands.free():
            return False
        beside = self._store.all(
            "job", run["repo"], run=run["id"], attempt=run["attempt"], key=job["key"], status="in_progress"
        )
        if len(beside) >= job["strategy"].get("max-parallel", 1):
            return False
        if job["group"] and not self._job_alone(job):
            return False
        verdict = gates.verdict(self._world, repository, run, job)
        if verdict == "rejected":
            self._over(job, "failure")
        return verdict == "open"

    def _job_alone(self, job: Json) -> bool:
        others = [
            one
            for status in ("in_progress", "waiting", "queued")
            for one in self._store.all("job", job["repo"], status=status, group=job["group"])
            if one["id"] != job["id"]
        ]
        ahead = [one for one in others if one["status"] != "queued"]
        if ahead and any(one["status"] == "queued" and one["id"] > job["id"] for one in others):
            self._over(job, "cancelled")
        for one in ahead if job["cancels"] else ():
            self._hands.halt(one)
        return not ahead

    def _settle(self, run: Json, made: Mapping[str, Sequence[Json]], workflow: Workflow) -> None:
        """What the run's own status follows from its jobs'."""
        if len(made) == len(workflow.jobs) and all(jobs.result(many) for many in made.values()):
            self.end(run, jobs.conclusion(made, run["cancelled"]))
            return
        states = {one["status"] for many in made.values() for one in many} - {"completed"}
        status = "waiting" if states == {"waiting"} else "in_progress"
        if status != (self._store.get("run", run["id"]) or run)["status"]:
            self._store.change(run["id"], status=status, updated_at=self._world.now())

    def end(self, run: Json, conclusion: str, complaint: str = "") -> None:
        """The end of a run."""
        runs.end(self._world, run, conclusion, complaint)
        self._hands.wake()  # another one of its group may begin

    def _over(self, job: Json, conclusion: str) -> None:
        jobstate.over(self._world, job, conclusion)
        self._hands.wake()

    def workflow(self, repository: Json, run: Json) -> Workflow:
        """A run's workflow, at its commit; Invalid where that cannot be read."""
        key = (run["repo"], run["sha"], run["path"])
        if key not in self._read:
            some = runs.found(self._world.git(repository["full_name"]), run["sha"], run["path"])
            if not some:
                raise Invalid(f"{run['path']} is not there at {run['sha'][:10]}")
            if len(self._read) >= KEPT:
                self._read.pop(next(iter(self._read)))
            self._read[key] = some[0]
        workflow = self._read[key].workflow
        if workflow is None:
            raise Invalid(self._read[key].complaint)
        return workflow
