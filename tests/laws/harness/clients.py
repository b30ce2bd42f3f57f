"""Clients of a law: real processes, forked from one that has everything imported, so that hundreds of them are cheap."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

from tests.world import Answer

KILLED = -9
PATIENCE = 120.0
ALONE = Lock()  # how a process ended can be read once, and whoever starts another one reads it, too
SETTLE = 1.0  # seconds: the forge of a law lags behind nothing, so what cannot be seen soon will not be seen
# What a client loads late; the process that they are forked from has it already.
LOADED = (
    "invoke.main",
    "release.tasks",
    "release.app",
    "release.adapters.git.checkout",
    "release.adapters.git.ledger",
    "release.adapters.github",
    "release.adapters.disk",
    "release.adapters.process",
    "release.commands.release",
    "release.commands.verify",
    "release.reports.live",
    __name__,
)


@dataclass(frozen=True)
class Clients:
    """`folder` takes what they say; `environment` is that of a captain's machine."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def pid(self) -> Path:
        """The file that the newest of them wrote its process's number into."""
        return self.folder / "pid"

    def invoke(self, clone: Path, *words: str, env: Mapping[str, str] | None = None) -> Answer:
        """Type a command in a clone."""
        said = Path(mkdtemp(dir=self.folder))
        full = {**self.environment, **(env or {})}
        process = forks().Process(target=live, args=(words, str(clone), full, str(said), str(self.pid)))
        with ALONE:
            process.start()
        ended = wait([process.sentinel], PATIENCE)
        if not ended:
            process.kill()
        with ALONE:
            process.join()
        assert ended, f"{words} did not end within {PATIENCE:g} seconds: {told(said)}"
        code = process.exitcode
        process.close()
        assert code is not None
        return Answer(code, *told(said))


def forks() -> ForkServerContext:
    """A server that forks; it has no threads, and ends with this process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LOADED))
    return context


def told(said: Path) -> tuple[str, str]:
    """What a client said so far."""
    out, err = (
        (said / name).read_text("utf-8", "replace") if (said / name).exists() else "" for name in ("out", "err")
    )
    return out, err


def live(words: Sequence[str], place: str, environment: Mapping[str, str], said: str, pid: str) -> None:
    """The life of a client: that of `python -m invoke ...`."""
    Path(pid).write_text(str(os.getpid()))
    os.chdir(place)
    os.environ.clear()
    os.environ.update(environment)
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, f"{said}/out", os.O_WRONLY | os.O_CREAT),
        (2, f"{said}/err", os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.argv = ["invoke", *words]
    from invoke.main import program

    from release.engine.step import Step

    Step.settle = SETTLE
    program.run()
