"""Runs a project's own commands that look at the world, or move something in it: at a commit, with the variables they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from release.adapters.children import Children, ended
from release.adapters.git.clone import clone
from release.adapters.given import Given
from release.adapters.logged import logged
from release.core.ran import Ran
from release.errors import Uncertain
from release.redact import Redactor

LARGEST = 1 << 16
"""Bytes of stdout that are kept; the log has all of it."""


class Commands:
    """`objects` is the store whose commits are cloned; `logs` keeps what the commands said. Fit for many threads.

    Of `environment` a command gets what a build gets, and the variables that it names; `hide` learns their values.
    """

    def __init__(self, objects: Path, logs: Path, environment: Mapping[str, str], hide: Redactor) -> None:
        self._objects, self._logs = objects, logs
        self._given = Given(environment, hide)
        self._children = Children()

    def missing(self, run: Sequence[str], env: Sequence[str]) -> str:
        """Why a command could not run, "" if nothing says so: a program that is not here, a variable that is not set."""
        return self._given.lacking(env, run)

    def ran(
        self,
        name: str,
        run: Sequence[str],
        commit: str,
        told: Mapping[str, str],
        env: Sequence[str],
        seconds: float,
        say: Callable[[str], None],
    ) -> Ran:
        """Run it to its end, in a throwaway clone of `commit`; its log is called `name`.

        Refused where it cannot begin, Uncertain where it was ended because its `seconds` were over.
        """
        output = bytearray()

        def printed(line: bytes) -> None:
            output.extend(line[: LARGEST - len(output)])

        with clone(self._objects, commit, told.get("SLUICE_TAG", "")) as tree:
            surroundings = {**self._given.to(env), **told}
            found = logged(self._children, self._logs, name, run, tree, surroundings, say, seconds, printed=printed)
        if found.code < 0:
            why = f"{name}: `{' '.join(run)}` ended with {ended(found.code)} (it may take {seconds:g} seconds)"
            raise Uncertain(f"{why}: {found.said}", f"its log is {found.log}; then run the same command again")
        return Ran(found.code, output.decode("utf-8", "replace"), found.said)

    def stop(self) -> None:
        """End what still runs."""
        self._children.stop()
