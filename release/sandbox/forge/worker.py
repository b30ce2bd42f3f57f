"""Works on one job: its steps one after the other, as real processes in a folder that goes away with them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release.sandbox.forge import checkout, commandfiles, script
from release.sandbox.forge.commandfiles import BadFile
from release.sandbox.forge.definition import Job, Step
from release.sandbox.forge.expressions import ExpressionError, Scope, condition, insert, resolve, shown, truth
from release.sandbox.forge.joblog import JobLog
from release.sandbox.forge.leash import Leash
from release.sandbox.forge.script import Stop

# What only prepares a machine: this one has what it has.
NOTHING_TO_DO = ("actions/setup-", "docker/setup-", "azure/setup-")
LOST = "The hosted runner lost communication with the server."


@dataclass(frozen=True)
class Order:
    """What to work on. `contexts` are those that hold for the whole job, `env` the workflow's as written."""

    job: Job
    name: str
    env: Mapping[str, str]
    contexts: Mapping[str, Any]
    variables: Mapping[str, str]  # GITHUB_* and RUNNER_*
    event: Mapping[str, Any]
    folder: Path
    log: Path
    summary: Path
    secrets: tuple[str, ...]
    token: str
    clock: Callable[[], str]
    head: Callable[[str], str]  # the default branch of a repository, "" where there is none


@dataclass(frozen=True)
class Outcome:
    conclusion: str
    outputs: Mapping[str, str] = field(default_factory=dict)


Steps = list[dict[str, Any]]


def work(order: Order, leash: Leash, stop: Stop, tell: Callable[[Steps], None]) -> Outcome:
    """Run the job; `tell` hears of its steps whenever one begins or ends."""
    log = JobLog(order.log, (order.token, *order.secrets))
    worker = _Worker(order, leash, stop, log, tell)
    try:
        return worker.run()
    except (OSError, ExpressionError) as error:
        log.say(f"##[error]{error}")
        return Outcome("failure")
    finally:
        worker.clean()
        log.close()


class _Worker:
    def __init__(self, order: Order, leash: Leash, stop: Stop, log: JobLog, tell: Callable[[Steps], None]) -> None:
        self._order, self._leash, self._stop, self._log, self._tell = order, leash, stop, log, tell
        self._root = order.folder
        self.workspace = self._root / "work" / order.variables["GITHUB_REPOSITORY"].rpartition("/")[2]
        self._temp = self._root / "temp"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._shown: Steps = []
        self._steps: dict[str, dict[str, Any]] = {}
        self._paths: list[str] = []
        self._env: dict[str, str] = {}
        self._failed = False
        self._deadline = float("inf")

    def run(self) -> Outcome:
        self._prepare()
        order = self._order
        self._shown = [self._row(1, "Set up job")]
        self._row_ends(self._shown[0], "success")
        self._log.say(f"Runner: the sandbox\nJob: {order.name}")
        for text in (order.env, order.job.env):
            self._env.update({name: insert(value, self._scope()) for name, value in text.items()})
        self._deadline = time.monotonic() + _minutes(insert(order.job.timeout, self._scope()))
        for number, step in enumerate(order.job.steps):
            if self._stop.reason == "lost":
                break
            self._one(number, step)
        self._row_ends(self._row(len(order.job.steps) + 2, "Complete job"), "success")
        return Outcome(self._conclusion(), self._outputs())

    def clean(self) -> None:
        for process in self._processes:
            self._leash.end(process)
        shutil.rmtree(self._root, ignore_errors=True)

    def _prepare(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)
        for folder in (self.workspace, self._temp, self._root / "home"):
            folder.mkdir(parents=True)
        (self._temp / "event.json").write_text(json.dumps(self._order.event, indent=2), "utf-8")

    def _conclusion(self) -> str:
        if self._stop.reason == "lost":
            self._log.say(f"##[error]{LOST}")
            return "failure"
        if self._stop.reason:
            self._log.say("##[error]The operation was canceled.")
            return "cancelled"
        return "failure" if self._failed else "success"

    def _outputs(self) -> Mapping[str, str]:
        made = {}
        for name, text in self._order.job.outputs.items():
            value = insert(text, self._scope())
            if value and self._log.hides(value):
                self._log.say(f"##[warning]Skip output '{name}' since it may contain secret.")
            else:
                made[name] = value
        return made

    # One step

    def _one(self, number: int, step: Step) -> None:
        scope = self._scope()
        try:
            name = insert(step.name, scope) or _called(step, scope)
            wanted = condition(step.condition, scope)
        except ExpressionError as error:
            self._finish(self._row(number + 2, step.name or "Step"), step, "failure", f"##[error]{error}")
            return
        row = self._row(number + 2, name)
        if not wanted:
            self._finish(row, step, "skipped")
            return
        outcome, outputs = self._done(number, step)
        if outcome == "failure" and truth(_boolean(resolve(step.continues, self._scope()))):
            self._finish(row, step, "success", outcome=outcome, outputs=outputs)
        else:
            self._finish(row, step, outcome, outputs=outputs)

    def _done(self, number: int, step: Step) -> tuple[str, Mapping[str, str]]:
        """Outcome and outputs of a step that runs."""
        if time.monotonic() >= self._deadline and not self._stop.reason:
            self._overdue()
        files = self._files(number)
        try:
            env = {**self._env, **{key: insert(text, self._scope()) for key, text in step.env.items()}}
            outcome = self._uses(step, env) if step.uses else self._script(number, step, env, files)
            self._learn(files)
            return outcome, dict(commandfiles.pairs(files["GITHUB_OUTPUT"]))
        except (BadFile, ExpressionError, OSError, ValueError) as error:
            self._log.say(f"##[error]{error}")
            return "failure", {}

    def _script(self, number: int, step: Step, env: Mapping[str, str], files: Mapping[str, Path]) -> str:
        scope = self._scope(env)
        text, shell = insert(step.run, scope), insert(step.shell or self._order.job.shell, scope)
        folder = self.workspace / insert(step.directory or self._order.job.directory, scope)
        path = self._temp / f"step-{number}{'.py' if shell == 'python' else '.sh'}"
        path.write_text(text, "utf-8", "replace", newline="\n")
        whole = {**self._base(files), **env}
        whole["PATH"] = os.pathsep.join([*reversed(self._paths), env.get("PATH", self._base(files)["PATH"])])
        argv = script.command(shell, path, whole["PATH"])
        self._log.say(
            "\n".join([f"##[group]Run {_first(text)}", text.rstrip("\n"), f"shell: {' '.join(argv)}", "##[endgroup]"])
        )
        if not folder.is_dir():
            self._log.say(f"##[error]An error occurred trying to start process: no such directory {folder.name}")
            return "failure"
        return self._process(argv, folder, whole, self._seconds(step))

    def _process(self, argv: list[str], folder: Path, env: Mapping[str, str], seconds: float) -> str:
        left = max(0.0, self._deadline - time.monotonic())
        cleaned = {_sayable(name): _sayable(value) for name, value in env.items() if name and "=" not in name}
        code, process, late = script.run(self._leash, self._stop, argv, folder, cleaned, self._log, min(seconds, left))
        if process:
            self._processes.append(process)
        if late and seconds >= left:
            self._overdue()
        elif late:
            self._log.say(f"##[error]The action has timed out after {seconds / 60:g} minutes.")
        if code and not late and not self._stop.reason:
            self._log.say(f"##[error]Process completed with exit code {code}.")
        return "cancelled" if self._stop.reason and code else "failure" if code else "success"

    def _uses(self, step: Step, env: Mapping[str, str]) -> str:
        action = step.uses.partition("@")[0].lower()
        self._log.say(f"##[group]Run {step.uses}\n##[endgroup]")
        if action.startswith(NOTHING_TO_DO):
            self._log.say(f"{step.uses} has nothing to do here: a step finds what this machine has.")
            return "success"
        if action != "actions/checkout":
            self._log.say(
                f"##[error]{step.uses} cannot run here: the sandbox knows actions/checkout and setup actions; say it with `run:`."
            )
            return "failure"
        scope = self._scope(env)
        wishes = {key.lower(): insert(text, scope) for key, text in step.inputs.items()}
        wanted = checkout.wanted(wishes, self._order.contexts["github"], self._order.token, self._order.head)
        for secret in (wanted.token, checkout.credential(wanted.token)):
            self._log.mask(secret)
        base = self._base({})
        return checkout.clone(
            wanted,
            self.workspace,
            lambda argv, more: self._process(argv, self.workspace, {**base, **more}, self._seconds(step)),
        )

    def _overdue(self) -> None:
        minutes = insert(self._order.job.timeout, self._scope())
        self._log.say(f"##[error]The job has exceeded the maximum execution time of {minutes} minutes.")
        self._stop.now("timeout")

    def _seconds(self, step: Step) -> float:
        return _minutes(insert(step.timeout, self._scope()) or "360")

    # What a step sees and leaves

    def _scope(self, env: Mapping[str, str] | None = None) -> Scope:
        stopped = bool(self._stop.reason)
        status = "cancelled" if stopped else "failure" if self._failed else "success"
        contexts = {
            **self._order.contexts,
            "env": dict(self._env if env is None else env),
            "steps": self._steps,
            "job": {"status": status},
            "runner": {"os": "Linux", "arch": "X64", "name": "sandbox", "temp": str(self._temp), "debug": ""},
        }
        contexts["github"] = {**contexts["github"], "workspace": str(self.workspace)}
        return Scope(contexts, {status: True})

    def _files(self, number: int) -> Mapping[str, Path]:
        files = {name: self._temp / f"{name.lower()}-{number}" for name in commandfiles.NAMES}
        for path in files.values():
            path.touch()
        return files

    def _base(self, files: Mapping[str, Path]) -> dict[str, str]:
        """An environment that has nothing of ours but the way to the tools."""
        tools = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
        return {
            "PATH": tools,
            "HOME": str(self._root / "home"),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "TMPDIR": str(self._temp),
            **self._order.variables,
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_EVENT_PATH": str(self._temp / "event.json"),
            "RUNNER_TEMP": str(self._temp),
            "RUNNER_WORKSPACE": str(self.workspace.parent),
            **{name: str(path) for name, path in files.items()},
        }

    def _learn(self, files: Mapping[str, Path]) -> None:
        told = commandfiles.pairs(files["GITHUB_ENV"])
        if bad := [name for name in told if name in commandfiles.FORBIDDEN or name.startswith(("GITHUB_", "RUNNER_"))]:
            raise BadFile(f"Can't store {bad[0]} output parameter using '$GITHUB_ENV' command.")
        self._env.update(told)
        self._paths += commandfiles.listed(files["GITHUB_PATH"])
        if summary := self._log.masked(commandfiles.whole(files["GITHUB_STEP_SUMMARY"])):
            with self._order.summary.open("ab") as file:
                file.write(summary)

    def _row(self, number: int, name: str) -> dict[str, Any]:
        row = {"name": name, "number": number, "status": "in_progress", "conclusion": None}
        row |= {"started_at": self._order.clock(), "completed_at": None}
        self._shown.append(row) if number > 1 else None
        self._tell(self._shown or [row])
        return row

    def _row_ends(self, row: dict[str, Any], conclusion: str) -> None:
        row |= {"status": "completed", "conclusion": conclusion, "completed_at": self._order.clock()}
        self._tell(self._shown)

    def _finish(
        self, row: dict[str, Any], step: Step, conclusion: str, say: str = "", outcome: str = "",
        outputs: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        if say:
            self._log.say(say)
        if step.id:
            self._steps[step.id] = {
                "outputs": outputs or {},
                "outcome": outcome or conclusion,
                "conclusion": conclusion,
            }
        self._failed = self._failed or conclusion == "failure"
        self._row_ends(row, conclusion)


def _sayable(text: str) -> str:
    """What a process can be given: no NUL, and nothing that is no character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _called(step: Step, scope: Scope) -> str:
    return f"Run {step.uses or _first(insert(step.run, scope))}"


def _first(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _minutes(text: str) -> float:
    """Seconds, from minutes; at least none and at most six hours."""
    try:
        return min(max(float(text), 0.0), 360.0) * 60
    except ValueError as error:
        raise ExpressionError(f"'{text}' is no number of minutes") from error


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else shown(value).lower() == "true"
