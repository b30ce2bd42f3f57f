"""Runs gates and builds: in a throwaway clone of one commit, without secrets, with the log kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import BoundedSemaphore, Event

from release.adapters.children import Children, ended, secret
from release.adapters.git.clone import clone
from release.adapters.logged import logged
from release.adapters.makers import maker
from release.adapters.makers.bench import Bench
from release.core.model import ArtifactWish
from release.errors import Refused


class Processes:
    """`objects` is the store whose commits are cloned; `logs` keeps what the commands said.

    `at_once` is how many builds may run at a time, 0 for as many as there are cores.
    """

    def __init__(self, objects: Path, logs: Path, environment: Mapping[str, str], at_once: int = 0) -> None:
        self._objects, self._logs = objects, logs
        self._environment = {key: value for key, value in environment.items() if not secret(key)}
        self._children = Children()
        self._turns = BoundedSemaphore(at_once or cores())
        self._stopped = Event()

    def missing(self, run: Sequence[str]) -> str:
        """The program of a command, if it is not to be found; one inside the clone cannot be known before."""
        program = run[0]
        return "" if "/" in program or shutil.which(program, path=self._environment.get("PATH")) else program

    def gate(
        self, name: str, run: Sequence[str], commit: str, env: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Run a command at a commit; Refused with the end of its output if it fails."""
        with clone(self._objects, commit) as tree:
            self._run(f"gate {name}", run, tree, env, say)

    def build(
        self,
        wish: ArtifactWish,
        commit: str,
        env: Mapping[str, str],
        inputs: Mapping[str, Path],
        keep: Callable[[str, Path], None],
        say: Callable[[str], None],
    ) -> None:
        """Make the files of a wish at a commit, and hand each of them to `keep`; as many builds at once as there are cores."""
        what = f"artifact {wish.name}"
        with (
            self._turns,
            clone(self._objects, commit, env["SLUICE_TAG"]) as tree,
            tempfile.TemporaryDirectory(prefix="sluice-output-") as output,
        ):

            def run(command: Sequence[str], more: Mapping[str, str]) -> None:
                self._run(what, command, tree, {**env, **more}, say)

            bench = Bench(tree, Path(output).resolve(), inputs, int(env["SOURCE_DATE_EPOCH"]), run, self._go_on)
            self._go_on()
            for name, place in maker(wish.kind)(wish, bench).items():
                keep(name, place)

    def stop(self) -> None:
        """End what still runs, children included, and what another thread is just about to start."""
        self._stopped.set()
        self._children.stop()

    def _go_on(self) -> None:
        """Refused where everything is to end: packing is no process that could be ended."""
        if self._stopped.is_set():
            raise Refused("the run ends", "run the same command again: it goes on from there")

    def _run(
        self, what: str, run: Sequence[str], tree: Path, env: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Run to the end; every line goes to the log and to whoever listens."""
        ran = logged(self._children, self._logs, what, run, tree, {**self._environment, **env}, say)
        if ran.code != 0:
            raise Refused(
                f"{what}: `{' '.join(run)}` ended with {ended(ran.code)}: {ran.said}", f"its log is {ran.log}"
            )


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
