"""Runs what a project publishes with, and what looks whether it did: at the release commit, with the variables it names."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from release.adapters.children import Children, ended
from release.adapters.git.clone import clone
from release.adapters.given import Given
from release.adapters.logged import Ran, logged
from release.core.model import PublishWish
from release.errors import Refused, Uncertain, Unseen
from release.redact import Redactor

AGAIN = "run the same command again"


class Publishers:
    """`objects` is the store whose commits are cloned; `logs` keeps what the commands said.

    Of `environment` a command gets what a build gets, and the variables that its table names; `hide` learns their values.
    """

    def __init__(self, objects: Path, logs: Path, environment: Mapping[str, str], hide: Redactor) -> None:
        self._objects, self._logs = objects, logs
        self._given = Given(environment, hide)
        self._children = Children()

    def lacks(self, wish: PublishWish) -> str:
        """Why a command could not publish, "" if nothing says so: a program that is not here, a variable that is not set."""
        return self._given.lacking(wish.env, wish.run, wish.exists)

    def publish(
        self,
        wish: PublishWish,
        commit: str,
        env: Mapping[str, str],
        files: Mapping[str, Path],
        say: Callable[[str], None],
    ) -> None:
        """Run it. Refused where it says itself that it failed, Uncertain where it was ended, or took too long."""
        ran = self._run("publish", wish, wish.run, commit, env, files, say)
        if ran.code > 0:
            raise Refused(f"publish {wish.name}: {_how(wish.run, ran)}", f"its log is {ran.log}")
        if ran.code < 0:
            why = f"publish {wish.name}: {_how(wish.run, ran)} (it may take {wish.deadline} seconds)"
            raise Uncertain(why, f"its log is {ran.log}; then {AGAIN}")

    def exists(self, wish: PublishWish, commit: str, env: Mapping[str, str], files: Mapping[str, Path]) -> bool:
        """Whether it is there; Unseen where the command that looks does not say so."""
        try:
            ran = self._run("exists", wish, wish.exists, commit, env, files, lambda line: None)
        except Refused as refused:
            raise Unseen(refused.message, refused.remedy) from refused
        if ran.code not in (0, 1):
            late = f" (it may take {wish.deadline} seconds)" if ran.code < 0 else ""
            why = f"whether {wish.name} is published cannot be told: {_how(wish.exists, ran)}{late}"
            raise Unseen(why, f"exit codes 0 (it is) and 1 (it is not) say something; its log is {ran.log}")
        return ran.code == 0

    def stop(self) -> None:
        """End what still runs."""
        self._children.stop()

    def _run(
        self,
        what: str,
        wish: PublishWish,
        run: Sequence[str],
        commit: str,
        env: Mapping[str, str],
        files: Mapping[str, Path],
        say: Callable[[str], None],
    ) -> Ran:
        with clone(self._objects, commit, env["SLUICE_TAG"]) as tree, _laid_out(files) as folder:
            told = {**self._given.to(wish.env), **env, "SLUICE_ARTIFACTS": str(folder)}
            return logged(self._children, self._logs, f"{what} {wish.name}", run, tree, told, say, wish.deadline)


@contextmanager
def _laid_out(files: Mapping[str, Path]) -> Iterator[Path]:
    """A folder with files by their names: copies, for a command may do with them what it likes."""
    with tempfile.TemporaryDirectory(prefix="sluice-artifacts-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        try:
            for file, place in files.items():
                shutil.copy(place, folder / file)
        except OSError as error:
            raise Refused(
                f"cannot copy the artifacts to {folder}: {error.strerror}", f"make room, then {AGAIN}"
            ) from error
        yield folder


def _how(run: Sequence[str], ran: Ran) -> str:
    return f"`{' '.join(run)}` ended with {ended(ran.code)}: {ran.said}"
