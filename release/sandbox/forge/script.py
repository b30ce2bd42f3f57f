"""Runs one process of a job to its end: its output goes to the log; it may be stopped, or take too long."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from release.sandbox.forge.joblog import LINE, JobLog
from release.sandbox.forge.leash import Leash, ended, signalled

Reason: TypeAlias = Literal["", "cancelled", "timeout", "lost"]
GRACE = 2.0  # seconds between asking a process to end and ending it
DRAIN = 0.2  # seconds in which what was printed before the end still arrives

SHELLS: Mapping[str, tuple[str, ...]] = {
    "": ("bash", "-e", "{0}"),
    "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail", "{0}"),
    "sh": ("sh", "-e", "{0}"),
    "python": ("python", "{0}"),
}


class Stop:
    """The way to end what a job runs: once for the step that runs now, or for good. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.reason: Reason = ""

    def now(self, reason: Reason) -> None:
        """End the process; one that is `lost` gets no time for it. The first reason holds, but for `lost`."""
        with self._lock:
            if not self.reason or reason == "lost":
                self.reason = reason
            process = self._process
            if process is None:
                return
            signalled(process, signal.SIGKILL if reason == "lost" else signal.SIGTERM)
        if reason != "lost":
            timer = threading.Timer(GRACE, self._kill, (process,))
            timer.daemon = True
            timer.start()

    def holds(self, process: subprocess.Popen[bytes] | None) -> None:
        """From now on this is the process that runs."""
        with self._lock:
            self._process = process
            if process is not None and self.reason == "lost":
                signalled(process, signal.SIGKILL)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            if process is self._process:
                signalled(process, signal.SIGKILL)


def command(shell: str, script: Path, path: str) -> list[str]:
    """How a shell runs a script; bash where it is missing is sh. Another shell is a command with `{0}` in it."""
    words = SHELLS.get(shell) or tuple(shell.split())
    if words[0] == "bash" and shutil.which("bash", path=path) is None:
        words = SHELLS["sh"]
    return [word.replace("{0}", str(script)) for word in words]


def run(
    leash: Leash,
    stop: Stop,
    argv: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: JobLog,
    seconds: float,
) -> tuple[int, subprocess.Popen[bytes] | None, bool]:
    """Run to the end: the exit code, the process (to be ended with the job), and whether it took too long."""
    program = shutil.which(argv[0], path=environment.get("PATH"))
    if program is None:
        log.say(f"##[error]{argv[0]}: command not found")
        return 127, None, False
    try:
        process = leash.start([program, *argv[1:]], folder, environment)
    except OSError as error:
        log.say(f"##[error]{argv[0]} cannot be run in {folder.name}: {error.strerror}")
        return 126, None, False
    stop.holds(process)
    late = threading.Event()
    timer = threading.Timer(seconds, _too_late, (late, process))
    timer.daemon = True
    timer.start()
    try:
        _follow(process, log)
        return ended(process), process, late.is_set()
    finally:
        timer.cancel()
        stop.holds(None)


def _too_late(late: threading.Event, process: subprocess.Popen[bytes]) -> None:
    late.set()
    signalled(process, signal.SIGKILL)


def _follow(process: subprocess.Popen[bytes], log: JobLog) -> None:
    """Take lines until the process has ended; what it left in the background does not hold us."""
    assert process.stdout is not None
    source, (over, tell) = process.stdout.fileno(), os.pipe()
    watch = threading.Thread(target=_tell_end, args=(process, tell), daemon=True)
    watch.start()
    rest, deadline = b"", float("inf")
    poll = select.poll()
    poll.register(source, select.POLLIN)
    poll.register(over, select.POLLIN)
    try:
        while (left := deadline - time.monotonic()) > 0:
            ready = {number for number, _ in poll.poll(None if left == float("inf") else left * 1000)}
            if over in ready:
                poll.unregister(over)
                deadline = time.monotonic() + DRAIN
            if source in ready:
                piece = os.read(source, LINE)
                if not piece:
                    break
                rest = _taken(rest + piece, log)
                log.flush()
    finally:
        if rest:
            log.take(rest)
        log.flush()
        watch.join()
        os.close(over)


def _taken(text: bytes, log: JobLog) -> bytes:
    """Give every whole line to the log; what is left comes back."""
    *lines, rest = text.split(b"\n")
    for line in lines:
        for at in range(0, max(len(line), 1), LINE):
            last = at + LINE >= len(line)
            log.take(line[at : at + LINE] + (b"\n" if last else b""))
    if len(rest) >= LINE:
        log.take(rest[:LINE])
        rest = rest[LINE:]
    return rest


def _tell_end(process: subprocess.Popen[bytes], tell: int) -> None:
    try:
        ended(process)
    finally:
        os.close(tell)
