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
from typing import Any

from release.sandbox.forge import gates, jobs, jobstate, runs, switches
from release.sandbox.forge.definition import Job, Workflow
from release.sandbox.forge.events import Event
from release.sandbox.forge.leash import Leash
from release.sandbox.forge.rota import Rota
from release.sandbox.forge.runs import Found
from release.sandbox.forge.script import Stop
from release.sandbox.forge.worker import LOST, Order, Outcome, work
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

AT_ONCE = 20  # jobs, as on GitHub's free plan


class Runner:
    """The runner of a world. Nothing runs before `start`; what happens before is remembered."""

    def __init__(self, world: World) -> None:
        self._world, self._store = world, world.store
        self._leash = Leash()
        self._changed = threading.Condition()
        self._due = False
        self._stopped = False
        self._working: dict[int, Stop] = {}
        self._rota = Rota(world, self)
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

    def switch(self, full_name: str, **said: bool | int | None) -> None:
        """Set a repository's switches: `starts`, `hold`, `skip`."""
        switches.set_for(self._world, full_name, said)
        self.wake()

    # What starts a run

    def dispatch(self, repository: Json, event: Event, one: Found, inputs: Mapping[str, Any]) -> int:
        """A run of one workflow; its id, even if the switches say that there will be none."""
        with self._store.transaction():
            if not switches.admits(self._world, repository["id"], event.name):
                lost = self._store.add("run", {"status": "lost"}, repository["id"])
                self._store.remove(lost["id"])
                return int(lost["id"])
            run = runs.begin(self._world, repository, event, one, inputs)
        self.wake()
        return int(run["id"])

    def rerun(self, repository: Json, run: Json, actor: str, failed_only: bool) -> bool:
        """One more attempt at a run; with `failed_only` what was green stays. False where it is not over (any more)."""
        workflow = self._rota.workflow(repository, run)
        with self._store.transaction():
            run = self._store.get("run", run["id"]) or run
            if run["status"] != "completed":
                return False
            made = jobstate.of_run(self._world, run)
            past = {
                name: run[name]
                for name in ("attempt", "conclusion", "run_started_at", "updated_at", "triggering_actor")
            }
            now = self._world.now()
            run = self._store.change(
                run["id"], attempts=[*run["attempts"], past], attempt=run["attempt"] + 1, conclusion=None,
                cancelled=False, run_started_at=now, updated_at=now, triggering_actor=actor,
            )  # fmt: skip
            run = runs.queued(self._world, run)
            if failed_only:
                anew, partly = jobs.again(workflow, made)
                for many in (many for name, many in made.items() if name not in anew):
                    self._keep(repository, run, many, many[0]["key"] in partly)
        self.wake()
        return True

    def cancel(self, run: Json) -> None:
        self._store.change(run["id"], cancelled=True)
        self.wake()

    def _keep(self, repository: Json, run: Json, many: Sequence[Json], partly: bool) -> None:
        red = {one["id"] for one in jobs.red(many)} if partly else set()
        for one in many:
            facts = {name: value for name, value in one.items() if name not in ("id", "repo", "check")}
            if one["id"] in red:
                facts |= jobstate.fresh(self._world)
            jobstate.add(self._world, repository, run, {**facts, "attempt": run["attempt"]})

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
            if switches.admits(self._world, repository["id"], event.name):
                for one in some:
                    if runs.wants(one, event, changed):
                        runs.begin(self._world, repository, event, one)
            self._store.remove(stored["id"])

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
            try:
                self._take(event)
            except Exception:  # one event that cannot be understood must not hold the others
                traceback.print_exc()
                self._store.remove(event["id"])
        for run in self._rota.active():
            if self._store.all("event"):  # what happened before comes first, for concurrency's sake
                self.wake()
                return
            repository = self._store.get("repository", run["repo"])
            assert repository is not None
            try:
                self._rota.advance(repository, self._store.get("run", run["id"]) or run)
            except Exception as error:
                traceback.print_exc()
                self._rota.end(run, "failure", f"{type(error).__name__}: {error}")

    # The jobs

    def free(self) -> bool:
        """Whether one more job can be taken on."""
        with self._changed:
            return len(self._working) <= AT_ONCE and not self._stopped  # the thread that asks is one of them

    def halt(self, job: Json) -> None:
        """Cancel a job that runs."""
        with self._changed:
            stop = self._working.get(job["id"])
        if stop and not stop.reason:
            stop.now("cancelled")

    def begin(self, repository: Json, run: Json, workflow: Workflow, job: Json) -> None:
        """Take on a job, in a thread of its own."""
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
            order = self._order(repository, run, workflow, definition, job, token)
            outcome = work(order, self._leash, stop, lambda steps: self._tell(job, steps))
        except Exception:
            traceback.print_exc()
        finally:
            self._world.revoke(token)
            jobstate.over(self._world, job, outcome.conclusion, outcome.outputs)
            with self._changed:
                del self._working[job["id"]]
                self._due = True
                self._changed.notify_all()

    def _order(self, repository: Json, run: Json, workflow: Workflow, definition: Job, job: Json, token: str) -> Order:
        contexts = runs.contexts(self._world, repository, run, token)
        contexts |= {name: job[name] for name in ("needs", "matrix", "strategy")}
        contexts["github"] |= {"job": job["key"]}
        variables = self._world.machine | runs.environment(contexts["github"], job["key"])
        return Order(
            definition, job["name"], workflow.env, contexts, variables, run["payload"],
            self._world.folder / "work" / str(job["id"]), jobstate.log(self._world, job),
            jobstate.summary(self._world, job), tuple(runs.secrets(self._world, repository).values()), token,
            self._world.now, self._head,
        )  # fmt: skip

    def _tell(self, job: Json, steps: Sequence[Json]) -> None:
        self._store.change(job["id"], steps=list(steps))

    def _head(self, full_name: str) -> str:
        found = self._store.find("repository", full_name.lower())
        return str(found["default_branch"]) if found else ""

    def _recover(self) -> None:
        """What a killed server left: its jobs' runner is gone, and so are their tokens and folders."""
        for token in self._store.all("token"):
            if token["kind"] == "workflow":
                self._store.remove(token["id"])
        for job in self._store.all("job", status="in_progress"):
            jobstate.note(self._world, job, LOST)
            jobstate.over(self._world, job, "failure")
        with suppress(OSError):
            shutil.rmtree(self._world.folder / "work")
