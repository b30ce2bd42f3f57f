"""Runs gates and builds: in a throwaway clone of one commit, without secrets, with the log kept."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from release.adapters.children import Children, ended, printable, secret
from release.adapters.git.clone import clone
from release.core.model import ArtifactWish
from release.errors import Refused

TAIL = 20


class Processes:
    """`objects` is the store whose commits are cloned; `logs` keeps what the commands said."""

    def __init__(self, objects: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self._objects, self._logs = objects, logs
        self._environment = {key: value for key, value in environment.items() if not secret(key)}
        self._children = Children()

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
        """Run a command at a commit and keep the files that it makes."""
        name, path, run = wish.name, wish.path, wish.run
        with (
            clone(self._objects, commit, env["SLUICE_TAG"]) as tree,
            tempfile.TemporaryDirectory(prefix="sluice-output-") as output,
        ):
            self._run(f"artifact {name}", run, tree, {**env, "SLUICE_OUTPUT": output}, say)
            made = tree / path if path else Path(output) / name
            if not made.is_file() or not made.resolve().is_relative_to(tree.parent if path else Path(output).resolve()):
                where = path or f"$SLUICE_OUTPUT/{name}"
                raise Refused(
                    f"`{' '.join(run)}` ended well but made no {where}", "mend the command or [[artifact]] path"
                )
            keep(name, made)

    def stop(self) -> None:
        """End what still runs, children included, and what another thread is just about to start."""
        self._children.stop()

    def _run(
        self, what: str, run: Sequence[str], tree: Path, env: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Run to the end; every line goes to the log and to whoever listens."""
        log = self._logs / f"{re.sub(r'[^A-Za-z0-9._-]', '-', what)}.log"
        tail: list[str] = []
        try:
            self._logs.mkdir(parents=True, exist_ok=True)
            kept = log.open("wb")
        except OSError as error:
            raise Refused(
                f"cannot write {log}: {error.strerror}", "mend that, then run the same command again"
            ) from error

        def hear(line: bytes) -> None:
            kept.write(line)
            shown = printable(line)
            tail[:] = [*tail[1 - TAIL :], shown]
            say(shown)

        with kept:
            code = self._children.run(what, run, tree, {**self._environment, **env}, hear)
        if code != 0:
            raise Refused(
                f"{what}: `{' '.join(run)}` ended with {ended(code)}: {' | '.join(tail[-3:]) or 'it printed nothing'}",
                f"its log is {log}",
            )
