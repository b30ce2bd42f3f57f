"""Serves a world on loopback, from a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from release.sandbox.forge import gates, jobstate
from release.sandbox.forge.limits import Limits, Meter
from release.sandbox.forge.runner import Runner
from release.sandbox.forge.server import Site
from release.sandbox.forge.urls import Urls
from release.sandbox.forge.world import World
from release.sandbox.serving.served import HOST, Served
from release.sandbox.serving.store import Json


class Sandbox(World):
    """A forge in a folder. Inside `with` it answers at `url`; outside, its state can still be set up and looked at."""

    def __init__(
        self,
        folder: Path | str,
        port: int = 0,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(folder, clock)
        self._port = port
        self.workflows = Runner(self)
        self.meter = Meter(limits or Limits(), clock)
        self._served: Served | None = None

    @property
    def url(self) -> str:
        return self.urls.server

    @property
    def api_url(self) -> str:
        return self.urls.api

    @property
    def port(self) -> int:
        return self.urls.port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; `url` is known afterwards."""
        self._served = Served(lambda pool: Site(self, self.meter, pool).app(), "forge")
        port = self._served.listen(self._port)
        self.urls = Urls(f"{HOST}:{port}", port)
        self.workflows.start()

    def stop(self) -> None:
        """End what runs and what is served, and close the state."""
        self.workflows.stop()
        if self._served:
            self._served.leave()
        self.close()

    def idle(self, timeout: float = 60.0) -> None:
        """Waits until no workflow runs and none can begin by itself; TimeoutError."""
        if not self.workflows.idle(timeout):
            raise TimeoutError(f"workflows still run after {timeout:g} seconds")

    def runner(
        self, full_name: str, starts: bool | None = None, hold: bool | None = None, skip: int | None = None
    ) -> None:
        """Switches of a repository's runner, kept until set again.

        `starts` False: dispatches are answered, pushes and releases are taken, and nothing starts. `hold`: runs stay
        queued. `skip`: that many dispatches from now on start nothing.
        """
        self.workflows.switch(full_name, starts=starts, hold=hold, skip=skip)

    def runs(self, full_name: str) -> list[Json]:
        """The runs as they are stored, oldest first."""
        return self.store.all("run", self.find(full_name)["id"])

    def jobs(self, full_name: str, run: int) -> list[Json]:
        """The jobs of a run as they are stored, those of every attempt."""
        return self.store.all("job", self.find(full_name)["id"], run=run)

    def log(self, full_name: str, job: int) -> str:
        """What a job has logged so far."""
        found = self.store.get("job", job, self.find(full_name)["id"])
        if found is None:
            raise KeyError(f"no job {job} in {full_name}")
        path = jobstate.log(self, found)
        return path.read_text("utf-8", "replace") if path.is_file() else ""

    def summary(self, full_name: str, job: int) -> str:
        """The summary that a job's steps have written."""
        found = self.store.get("job", job, self.find(full_name)["id"])
        if found is None:
            raise KeyError(f"no job {job} in {full_name}")
        path = jobstate.summary(self, found)
        return path.read_text("utf-8") if path.is_file() else ""

    def approve(self, full_name: str, run: int, login: str, approved: bool = True) -> None:
        """A reviewer's word on everything that a run waits for; PermissionError if he is none."""
        repository = self.find(full_name)
        waiting = [job for job in self.jobs(full_name, run) if job["status"] == "waiting"]
        if not all(gates.reviewed(self, repository, job, login, approved) for job in waiting):
            raise PermissionError(f"{login} is no reviewer in {full_name}")
        self.workflows.wake()
