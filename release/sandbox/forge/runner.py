"""Runs workflows: one thread looks at what is stored and moves every run on; each job that begins gets a thread.

What happened is in the store before anything follows from it, so a killed server goes on where it was: what was queued
starts; a job that was running ends as `failure`, because its runner is gone.
"""

from __future__ import annotations

import shutil
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from release.sandbox.forge import gates, jobs, runs
from release.sandbox.forge.definition import Invalid, Job, Workflow
from release.sandbox.forge.events import DISPATCHES, Event
from release.sandbox.forge.expressions import ExpressionError
from release.sandbox.forge.joblog import JobLog
from release.sandbox.forge.leash import Leash
from release.sandbox.forge.runs import Found
from release.sandbox.forge.script import Stop
from release.sandbox.forge.store import Json
from release.sandbox.forge.worker import LOST, Order, Outcome, work
from release.sandbox.forge.world import World

AT_ONCE = 20  # jobs, as on GitHub's free plan
ACTIVE = ("queued", "pending", "waiting", "in_progress")
KEPT = 64  # workflow files that stay read


class Runner:
    """The runner of a world. Nothing runs before `start`; what happens before is remembered."""

    def __init__(self, world: World) -> None:
        self._world, self._store = world, world.store
        self._leash = Leash()
        self._changed = threading.Condition()
        self._due = False
        self._stopped = False
        self._working: dict[int, Stop] = {}
        self._read: dict[tuple[int, str, str], Found] = {}
        self._thread: threading.Thread | None = None
        world.events.subscribe(self._happened)

    def start(self) -> None:
        """Begin, with what a killed server left."""
        self._recover()
        self._thread = threading.Thread(target=self._loop, name="runner", daemon=True)
        self._thread.start()
        self.wake()

    def stop(self) -> None:
        """End every process and thread; a job that was running ends as `failure`."""
        with self._changed:
            self._stopped = True
            stops = [*self._working.values()]
            self._changed.notify_all()
        for stop in stops:
            stop.now("lost")
        with self._changed:
            self._changed.wait_for(lambda: not self._working, 30)
        if self._thread:
            self._thread.join(30)
        self._leash.close()

    def wake(self) -> None:
        """Something changed: look again."""
        with self._changed:
            self._due = True
            self._changed.notify_all()

    def idle(self, timeout: float) -> bool:
        """Waits until nothing runs and nothing can begin by itself: what is held, or waits for a person, does not count."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._working, timeout)

    def switch(
        self, full_name: str, starts: bool | None = None, hold: bool | None = None, skip: int | None = None
    ) -> None:
        """Per repository: `starts` False starts nothing at all; `hold` leaves runs queued; the next `skip` dispatches start nothing."""
        said = {
            name: value for name, value in (("starts", starts), ("hold", hold), ("skip", skip)) if value is not None
        }
        with self._store.transaction():
            repo = self._world.find(full_name)["id"]
            self._store.put("switch", "runner", self._switches(repo) | said, repo)
        self.wake()

    # What starts a run

    def dispatch(self, repository: Json, event: Event, one: Found, inputs: Mapping[str, Any]) -> int:
        """A run of one workflow; its id, even if the switches say that there will be none."""
        with self._store.transaction():
            if not self._admits(repository["id"], event):
                lost = self._store.add("run", {"status": "lost"}, repository["id"])
                self._store.remove(lost["id"])
                return int(lost["id"])
            run = runs.begin(self._world, repository, event, one, inputs)
        self.wake()
        return int(run["id"])

    def rerun(self, repository: Json, run: Json, actor: str, failed_only: bool) -> None:
        """One more attempt at a run that is over; with `failed_only` what was green stays."""
        workflow = self._workflow(repository, run)
        with self._store.transaction():
            made = self._jobs(run)
            past = {
                name: run[name]
                for name in ("attempt", "conclusion", "run_started_at", "updated_at", "triggering_actor")
            }
            now = self._world.now()
            run = self._store.change(
                run["id"], attempts=[*run["attempts"], past], attempt=run["attempt"] + 1, status="queued", conclusion=None,
                cancelled=False, run_started_at=now, updated_at=now, triggering_actor=actor,
            )  # fmt: skip
            if failed_only:
                anew, partly = jobs.again(workflow, made)
                for many in (many for name, many in made.items() if name not in anew):
                    self._keep(repository, run, many, many[0]["key"] in partly)
        self.wake()

    def cancel(self, run: Json) -> None:
        self._store.change(run["id"], cancelled=True)
        self.wake()

    def _keep(self, repository: Json, run: Json, many: Sequence[Json], partly: bool) -> None:
        red = {one["id"] for one in jobs.red(many)} if partly else set()
        for one in many:
            facts = {name: value for name, value in one.items() if name not in ("id", "repo", "check")}
            if one["id"] in red:
                facts |= _fresh(self._world.now())
            self._add(repository, run, {**facts, "attempt": run["attempt"]})

    def _happened(self, event: Event) -> None:
        if event.starts_workflows and event.sha and event.name in ("push", "release", "repository_dispatch"):
            repo = self._world.find(event.repository)["id"]
            self._store.add("event", {name: getattr(event, name) for name in Event.__dataclass_fields__}, repo)
        self.wake()

    def _take(self, stored: Json) -> None:
        """The runs that an event starts; all of them or, if this is interrupted, the event stays."""
        event = Event(**{name: stored[name] for name in Event.__dataclass_fields__})
        repository = self._world.find(event.repository)
        git = self._world.git(event.repository)
        some = runs.found(git, event.sha)
        changed = runs.changed(git, event)
        with self._store.transaction():
            if self._admits(repository["id"], event):
                for one in some:
                    if runs.wants(one, event, changed):
                        runs.begin(self._world, repository, event, one)
            self._store.remove(stored["id"])

    def _admits(self, repo: int, event: Event) -> bool:
        switches = self._switches(repo)
        if event.name in DISPATCHES and switches["skip"]:
            self._store.put("switch", "runner", switches | {"skip": switches["skip"] - 1}, repo)
            return False
        return bool(switches["starts"])

    def _switches(self, repo: int) -> Json:
        found = self._store.find("switch", "runner", repo) or {}
        return {"starts": True, "hold": False, "skip": 0} | {
            k: found[k] for k in ("starts", "hold", "skip") if k in found
        }

    # The thread that moves everything on

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._stopped)
                if self._stopped:
                    return
                # Whoever waits for quiet still sees us at work.
                self._working[0], self._due = Stop(), False
            try:
                self._tick()
            except Exception:
                traceback.print_exc()
            with self._changed:
                del self._working[0]
                self._changed.notify_all()

    def _tick(self) -> None:
        for event in self._store.all("event"):
            self._take(event)
        active = [run for status in ACTIVE for run in self._store.all("run", status=status)]
        for run in sorted(active, key=lambda one: (one["run_started_at"], one["id"])):
            repository = self._store.get("repository", run["repo"])
            assert repository is not None
            try:
                self._advance(repository, self._store.get("run", run["id"]) or run)
            except Exception as error:  # one run that cannot go on must not hold the others
                traceback.print_exc()
                self._end(run, "failure", f"{type(error).__name__}: {error}")

    def _advance(self, repository: Json, run: Json) -> None:
        if run["status"] in ("queued", "pending") and not self._begins(run):
            return
        made = self._jobs(run)
        workflow = self._workflow(repository, run)
        while self._plan(repository, run, workflow, made):
            made = self._jobs(run)
        for one in (one for many in made.values() for one in many):
            self._move(repository, run, workflow, one)
        self._settle(run, self._jobs(run), workflow)

    def _begins(self, run: Json) -> bool:
        """Whether a queued run may go on, by the switches and by its concurrency group."""
        if run["cancelled"]:
            self._end(run, "cancelled")
            return False
        if self._switches(run["repo"])["hold"]:
            return False
        if run["group"] and not self._alone(run):
            return False
        self._store.change(run["id"], status="in_progress", updated_at=self._world.now())
        return True

    def _alone(self, run: Json) -> bool:
        """One of a group runs and one waits: the newest. The run before is cancelled if the new one says so."""
        others = [
            one
            for status in ACTIVE
            for one in self._store.all("run", run["repo"], status=status, group=run["group"])
            if one["id"] != run["id"]
        ]
        order = (run["run_started_at"], run["id"])
        ahead = [one for one in others if one["status"] in ("in_progress", "waiting")]
        newer = [one for one in others if one not in ahead and (one["run_started_at"], one["id"]) > order]
        if ahead and newer:
            self._end(run, "cancelled", "Canceling since a higher priority waiting request exists")
            return False
        for one in ahead if run["cancels"] else ():
            if not one["cancelled"]:
                self.cancel(one)
        if ahead and run["status"] != "pending":
            self._store.change(run["id"], status="pending")
        return not ahead

    def _plan(self, repository: Json, run: Json, workflow: Workflow, made: Mapping[str, Sequence[Json]]) -> bool:
        """Makes the documents of jobs whose needs are over; whether there were any."""
        new = [job for job in workflow.jobs if job.id not in made and jobs.ready(job, made)]
        for job in new:
            blank = self._blank(job, run)
            with self._store.transaction():
                for facts in self._planned(repository, run, workflow, job, made):
                    self._add(repository, run, blank | facts)
        return bool(new)

    def _planned(
        self, repository: Json, run: Json, workflow: Workflow, job: Job, made: Mapping[str, Sequence[Json]]
    ) -> list[Json]:
        """What a job becomes: several with a matrix, one that is over where it is not wanted or makes no sense."""
        over = {"status": "completed", "completed_at": self._world.now()}
        try:
            contexts = self._contexts(repository, run, "") | {"needs": jobs.needs(job, made)}
            if jobs.wanted(job, contexts, jobs.status(workflow, job, made, run["cancelled"])):
                return [one | {"needs": contexts["needs"]} for one in jobs.planned(job, contexts)]
            return [over | {"name": job.id, "conclusion": "skipped"}]
        except (ExpressionError, Invalid) as error:
            return [over | {"name": job.id, "conclusion": "failure", "complaint": str(error)}]

    def _blank(self, job: Job, run: Json) -> Json:
        return {
            "run": run["id"], "attempt": run["attempt"], "key": job.id, "labels": [*job.labels], "needs": {},
            "matrix": None, "strategy": {}, "environment": "", "group": "", "cancels": False, "continues": False,
            "forced": bool(run["cancelled"]), "complaint": "", **_fresh(self._world.now()),
        }  # fmt: skip

    def _add(self, repository: Json, run: Json, facts: Json) -> None:
        job = self._store.add("job", facts, repository["id"])
        job = self._store.change(job["id"], log=facts["log"] or f"{job['id']}.log")
        self._store.change(job["id"], check=gates.check(self._world, repository, run, job))
        if job["complaint"]:
            self._note(job, job["complaint"])

    def _move(self, repository: Json, run: Json, workflow: Workflow, job: Json) -> None:
        """Start, hold or end one job."""
        if job["status"] == "completed":
            return
        stopping = (run["cancelled"] and not job["forced"]) or self._outrun(run, job)
        if job["status"] == "in_progress":
            with self._changed:
                stop = self._working.get(job["id"])
            if stopping and stop and not stop.reason:
                stop.now("cancelled")
            return
        if stopping:
            self._over(job, Outcome("cancelled"))
        elif self._may_begin(repository, run, job):
            self._submit(repository, run, workflow, job)

    def _outrun(self, run: Json, job: Json) -> bool:
        """Whether another of the same matrix failed, and one is enough."""
        if not job["strategy"].get("fail-fast", False):
            return False
        return any(
            one["conclusion"] == "failure" and not one["continues"]
            for one in self._store.all("job", run["repo"], run=run["id"], attempt=run["attempt"], key=job["key"])
        )

    def _may_begin(self, repository: Json, run: Json, job: Json) -> bool:
        with self._changed:
            if len(self._working) > AT_ONCE or self._stopped:
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
            self._over(job, Outcome("failure"))
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
            self._over(job, Outcome("cancelled"))
        for one in ahead if job["cancels"] else ():
            with self._changed:
                stop = self._working.get(one["id"])
            if stop:
                stop.now("cancelled")
        return not ahead

    def _settle(self, run: Json, made: Mapping[str, Sequence[Json]], workflow: Workflow) -> None:
        """What the run's own status follows from its jobs'."""
        if len(made) == len(workflow.jobs) and all(jobs.result(many) for many in made.values()):
            self._end(run, jobs.conclusion(made, run["cancelled"]))
            return
        states = {one["status"] for many in made.values() for one in many} - {"completed"}
        status = "waiting" if states == {"waiting"} else "in_progress"
        if status != (self._store.get("run", run["id"]) or run)["status"]:
            self._store.change(run["id"], status=status, updated_at=self._world.now())

    def _end(self, run: Json, conclusion: str, complaint: str = "") -> None:
        now = self._world.now()
        self._store.change(run["id"], status="completed", conclusion=conclusion, complaint=complaint, updated_at=now)
        self.wake()  # another one of its group may begin

    # The jobs

    def _submit(self, repository: Json, run: Json, workflow: Workflow, job: Json) -> None:
        stop = Stop()
        with self._changed:
            if self._stopped:
                return
            self._working[job["id"]] = stop
        job = self._store.change(job["id"], status="in_progress", started_at=self._world.now())
        gates.tell(self._world, job)
        definition = next(one for one in workflow.jobs if one.id == job["key"])
        arguments = (repository, run, workflow, definition, job, stop)
        threading.Thread(target=self._work, args=arguments, name=f"job-{job['id']}", daemon=True).start()

    def _work(self, repository: Json, run: Json, workflow: Workflow, definition: Job, job: Json, stop: Stop) -> None:
        granted = runs.rights(definition.permissions, workflow.permissions)
        token = self._world.workflow_token(repository["full_name"], granted, run["id"])
        outcome = Outcome("failure")
        try:
            contexts = self._contexts(repository, run, token) | {
                "needs": job["needs"], "matrix": job["matrix"], "strategy": job["strategy"],
            }  # fmt: skip
            contexts["github"] |= {"job": job["key"]}
            order = Order(
                definition, job["name"], workflow.env, contexts, runs.environment(contexts["github"], job["key"]),
                run["payload"], self._folder(job), self.log(job), tuple(runs.secrets(self._world, repository).values()),
                token, self._world.now, self._head,
            )  # fmt: skip
            outcome = work(order, self._leash, stop, lambda steps: self._tell(job, steps))
        except Exception:
            traceback.print_exc()
        finally:
            self._world.revoke(token)
            self._over(job, outcome)
            with self._changed:
                del self._working[job["id"]]
                self._due = True
                self._changed.notify_all()

    def _head(self, full_name: str) -> str:
        found = self._store.find("repository", full_name.lower())
        return str(found["default_branch"]) if found else ""

    def _tell(self, job: Json, steps: Sequence[Json]) -> None:
        self._store.change(job["id"], steps=list(steps))

    def _over(self, job: Json, outcome: Outcome) -> None:
        with self._store.transaction():
            job = self._store.change(
                job["id"], status="completed", conclusion=outcome.conclusion, outputs=dict(outcome.outputs),
                forgiven=job["continues"] and outcome.conclusion == "failure", completed_at=self._world.now(),
            )  # fmt: skip
            gates.tell(self._world, job)
        self.wake()

    def _contexts(self, repository: Json, run: Json, token: str) -> dict[str, Any]:
        secrets = runs.secrets(self._world, repository) | ({"GITHUB_TOKEN": token} if token else {})
        return {
            "github": runs.github(self._world, repository, run, token),
            "inputs": run["inputs"],
            "vars": runs.variables(self._world, repository),
            "secrets": secrets,
        }

    def _note(self, job: Json, what: str) -> None:
        """A line in a job's log, from outside of the job."""
        log = JobLog(self.log(job), ())
        log.say(f"##[error]{what}")
        log.close()

    def log(self, job: Json) -> Path:
        """Where a job's log is."""
        return self._world.folder / "logs" / str(job["log"])

    def _folder(self, job: Json) -> Path:
        return self._world.folder / "work" / str(job["id"])

    def _jobs(self, run: Json) -> dict[str, list[Json]]:
        """The jobs of a run's newest attempt, by their ids in the file."""
        made: dict[str, list[Json]] = {}
        for one in self._store.all("job", run["repo"], run=run["id"], attempt=run["attempt"]):
            made.setdefault(one["key"], []).append(one)
        return made

    def _workflow(self, repository: Json, run: Json) -> Workflow:
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

    def _recover(self) -> None:
        """What a killed server left: its jobs' runner is gone, and so are their tokens and folders."""
        for token in self._store.all("token"):
            if token["kind"] == "workflow":
                self._store.remove(token["id"])
        for job in self._store.all("job", status="in_progress"):
            self._note(job, LOST)
            self._over(job, Outcome("failure"))
        with suppress(OSError):
            shutil.rmtree(self._world.folder / "work")


def _fresh(now: str) -> Json:
    """A job that has not begun."""
    return {
        "status": "queued", "conclusion": None, "forgiven": False, "outputs": {}, "steps": [], "log": "", "deployment": 0,
        "created_at": now, "started_at": now, "completed_at": None,
    }  # fmt: skip
