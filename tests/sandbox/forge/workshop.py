"""A repository in a sandbox with workflows in it, and the hands of somebody who works there."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from release.sandbox.forge import Sandbox

Json = dict[str, Any]
TIMEOUT = 30.0
IDENTITY = {
    "GIT_AUTHOR_NAME": "Captain", "GIT_AUTHOR_EMAIL": "captain@example.org",
    "GIT_COMMITTER_NAME": "Captain", "GIT_COMMITTER_EMAIL": "captain@example.org",
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
}  # fmt: skip
ONE_JOB = """
on: {on}
jobs:
  work:
    runs-on: ubuntu-latest
    steps:
"""


@dataclass
class Workshop:
    """`captain` may push to `name`, `boss` reviews."""

    forge: Sandbox
    folder: Path
    name: str = "rancher/rke2"

    def __post_init__(self) -> None:
        self.forge.repository(self.name, push=("captain",))
        self.token = self.forge.token("captain")
        self.clone = self.folder / "clone"
        self.clone.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=master")
        self.git("remote", "add", "origin", f"{self.forge.url}/{self.name}.git")

    def git(self, *arguments: str) -> str:
        header = f"http.extraHeader=Authorization: Bearer {self.token}"
        done = subprocess.run(
            ["git", "-C", str(self.clone), "-c", header, *arguments],
            env={**os.environ, **IDENTITY}, check=True, capture_output=True, text=True, timeout=TIMEOUT,
        )  # fmt: skip
        return done.stdout.strip()

    def write(self, workflow: str, name: str = "work.yml", message: str = "Work", push: bool = True) -> str:
        """Commit a workflow file and push the branch; the commit's id."""
        path = self.clone / ".github" / "workflows" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(workflow), encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        if push:
            self.git("push", "--quiet", "origin", "HEAD:refs/heads/master")
        return self.git("rev-parse", "HEAD")

    def steps(self, *runs: str, on: str = "push") -> Json:
        """One run of one job with these `run:` steps, started by a push; the run when it is over."""
        lines = "".join(f"      - run: |\n{textwrap.indent(textwrap.dedent(run), ' ' * 10)}\n" for run in runs)
        self.write(ONE_JOB.format(on=on) + lines)
        self.forge.idle(TIMEOUT)
        return self.run()

    def run(self) -> Json:
        """The newest run."""
        return self.runs()[-1]

    def runs(self) -> list[Json]:
        return self.forge.runs(self.name)

    def jobs(self, run: Json | None = None) -> dict[str, Json]:
        """The jobs of a run's newest attempt by name."""
        run = run or self.run()
        return {job["name"]: job for job in self.forge.jobs(self.name, run["id"]) if job["attempt"] == run["attempt"]}

    def log(self, job: str = "work", run: Json | None = None) -> str:
        """A job's log without its times."""
        text = self.forge.log(self.name, self.jobs(run)[job]["id"])
        lines = text.splitlines()
        assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z( |$)", line) for line in lines), lines
        return "\n".join(line[29:] for line in lines)

    def api(self, method: str, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None, **query: str) -> requests.Response:  # fmt: skip
        return requests.request(
            method, f"{self.forge.api_url}/repos/{self.name}/{path}", json=body, params=query, timeout=TIMEOUT,
            headers={"Authorization": f"Bearer {self.token}", **(headers or {})}, allow_redirects=False,
        )  # fmt: skip
