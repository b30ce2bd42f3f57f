"""Processes that end with us: each has a group of its own, and a keeper ends what is left when this process dies, however it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# The keeper learns the groups on its input; where that ends before it was told to leave them, it ends them.
KEEPER = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    sign, number = line[0], int(line[1:])
    (groups.add if sign == "+" else groups.discard)(number)
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""

# A process begins only when the keeper knows it: should we die before, it reads the end of its input and begins nothing.
ON_WORD = ("/bin/sh", "-c", 'read -r go || exit 125; exec "$@" </dev/null', "sh")


class Leash:
    """Starts processes; `close` ends the keeper. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keeper: subprocess.Popen[str] | None = None

    def start(self, run: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """A process with its output (both kinds) on a pipe and nothing to read."""
        with self._lock:
            keeper = self._keeper = self._keeper or _keeper()
            process = subprocess.Popen(
                [*ON_WORD, *run], cwd=folder, env=dict(environment), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            _tell(keeper, f"+{process.pid}\n")
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(b"\n")
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End a process's whole group, at once, and be rid of it."""
        signalled(process, signal.SIGKILL)
        with self._lock:
            if self._keeper:
                _tell(self._keeper, f"-{process.pid}\n")
        process.wait()
        if process.stdout:
            process.stdout.close()

    def close(self) -> None:
        with self._lock:
            keeper, self._keeper = self._keeper, None
        if keeper:
            keeper.communicate()


def signalled(process: subprocess.Popen[bytes], number: int) -> None:
    """Sends a signal to a group. Its leader is not waited for before the end, so the number is nobody else's."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


def ended(process: subprocess.Popen[bytes]) -> int:
    """Waits until a process has ended, and leaves it to be waited for: its exit code, 128 + n for signal n."""
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    if found is None:
        raise ChildProcessError(process.pid)
    return found.si_status if found.si_code == os.CLD_EXITED else 128 + found.si_status


def _keeper() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", KEEPER], stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
    )


def _tell(keeper: subprocess.Popen[str], line: str) -> None:
    assert keeper.stdin is not None
    with suppress(BrokenPipeError):
        keeper.stdin.write(line)
        keeper.stdin.flush()
