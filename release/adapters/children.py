"""Foreign programs, each in a session of its own: heard line by line, without our secrets, and ended with all they started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread, Timer
from typing import IO

from release.errors import Refused
from release.redact import HIDE

SECRET = re.compile(
    r"TOKEN|SECRET|CREDENTIAL|CREDS|COOKIE|SESSION|KUBECONFIG|NETRC|(?:SSH|GPG)_AGENT"
    r"|(?<!COM)(?<!BY)PASS|(?<=_)PWD(?![A-Z])"  # neither COMPASS nor BYPASS, neither PWD nor OLDPWD
    r"|AUTH(?!ORS?(?![A-Z]))"  # not AUTHOR
    r"|(?:API|ACCESS|PRIVATE|SIGNING|SSH)KEY|(?<![A-Z])(?:KEYS?|PAT)(?![A-Z])",  # neither KEYBOARD nor MONKEY nor PATH
    re.IGNORECASE,
)
LINE = 1 << 16  # bytes; a longer one is taken in pieces
UMASK = 0o022  # modes get into what is built: they are no matter of whose machine it is
LONGEST = 1 << 13  # characters: no form of a secret is longer


class Children:
    """The programs that one door runs; `stop` ends them all. They get `grace` seconds to end by themselves, and what they
    started with them, before they are killed."""

    def __init__(self, grace: float = 0.0) -> None:
        self._grace = grace
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = Event()
        self._lock = Lock()

    def run(
        self,
        what: str,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        hear: Callable[[bytes], None],
        seconds: float | None = None,
        printed: Callable[[bytes], None] | None = None,
    ) -> int:
        """Run to the end, with this environment and no other; its exit code, or minus the signal that ended it.

        `hear` gets every line of both outputs, redacted; with `printed`, those of stdout go there, from a thread of their own.
        Refused where it cannot be started, with `what` it is for.
        What still runs after so many seconds is ended, too. After `stop` nothing begins any more: it is as if it had been ended.
        """
        if self._stopped.is_set():
            return -signal.SIGTERM if self._grace else -signal.SIGKILL
        try:
            process = subprocess.Popen(
                list(argv), cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT if printed is None else subprocess.PIPE,
                start_new_session=True, umask=UMASK,
            )  # fmt: skip
        except OSError as error:
            why = f"{what}: `{argv[0]}` cannot be run ({error.strerror})"
            raise Refused(why, "install it, or mend the command") from error
        with self._lock:
            self._running.add(process)
            if self._stopped.is_set():
                self._dismiss(process)
        # What it leaves in the background ends with it, and does not hold its output open. It is a zombie until it is
        # waited for below, so that its group's number is nobody else's.
        watch = Thread(target=_watch, args=(process,), daemon=True)
        watch.start()
        timer = Timer(seconds or 0.0, _end, (process,))
        if seconds is not None:
            timer.start()
        try:
            _listen(process, hear, printed)
        except BaseException:
            _end(process)
            raise
        finally:
            timer.cancel()
            if seconds is not None:
                timer.join()
            watch.join()
            with self._lock:
                self._running.discard(process)
            process.wait()
        return process.returncode

    def stop(self) -> None:
        """End what still runs, children included, and what another thread is just about to start."""
        with self._lock:
            self._stopped.set()
            for process in self._running:
                self._dismiss(process)

    def _dismiss(self, process: subprocess.Popen[bytes]) -> None:
        """Tell a program to end, and see to it that it does."""
        if not self._grace:
            return _end(process)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        late = Timer(self._grace, self._late, (process,))
        late.daemon = True
        late.start()

    def _late(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:  # until it is taken out of these it is at most a zombie, whose number is nobody else's
            if process in self._running:
                _end(process)


def _listen(
    process: subprocess.Popen[bytes], hear: Callable[[bytes], None], printed: Callable[[bytes], None] | None
) -> None:
    """Hear both outputs to their end, which are one where nobody wants stdout for itself."""
    assert process.stdout is not None
    if printed is None or process.stderr is None:
        return _heard(process.stdout, hear)
    aside = _Aside(process, process.stdout, printed)
    aside.start()
    try:
        _heard(process.stderr, hear)
    except BaseException:
        _end(process)
        raise
    finally:
        aside.join()
    if aside.error is not None:
        raise aside.error


class _Aside(Thread):
    """Hears one output while somebody else hears the other; what went wrong with that ends the program, and is told by `error`."""

    def __init__(self, process: subprocess.Popen[bytes], out: IO[bytes], hear: Callable[[bytes], None]) -> None:
        super().__init__(daemon=True)
        self._process, self._out, self._hear = process, out, hear
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            _heard(self._out, self._hear)
        except BaseException as error:
            self.error = error
            _end(self._process)


def _heard(out: IO[bytes], hear: Callable[[bytes], None]) -> None:
    with out:
        for line in hidden(out):
            hear(line)


def secret(name: str) -> bool:
    """Whether an environment variable is none of a build's business."""
    return bool(SECRET.search(name)) or name.startswith(("GIT_", "ACTIONS_ID_", "ACTIONS_RUNTIME_"))


def ended(code: int) -> str:
    """How a program ended, for people."""
    return f"exit code {code}" if code > 0 else f"signal {-code}"


def hidden(out: IO[bytes]) -> Iterator[bytes]:
    """Foreign output line by line, without our secrets; a very long line comes in pieces, and no secret is cut in two."""
    rest = ""
    while raw := out.readline(LINE):
        text = HIDE.redacted(rest + raw.decode("utf-8", "surrogateescape"))
        upto = len(text) if text.endswith("\n") else max(0, len(text) - LONGEST)
        if upto:
            yield text[:upto].encode("utf-8", "surrogateescape")
        rest = text[upto:]
    if rest:
        yield rest.encode("utf-8", "surrogateescape")


def printable(line: bytes) -> str:
    """One line of foreign output that can do nothing to a terminal."""
    said = HIDE.redacted(line.decode("utf-8", "replace").rstrip())
    return "".join(c for c in said if c.isprintable() or c == "\t")[:400]


def _watch(process: subprocess.Popen[bytes]) -> None:
    """Wait for a command's end, and end what it left running."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
