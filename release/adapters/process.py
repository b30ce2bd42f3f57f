"""Runs gates and builds: in a throwaway clone of one commit, without secrets, with the log kept."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO

from release.adapters.git.clone import clone
from release.core.model import ArtifactWish
from release.errors import Refused
from release.redact import HIDE

SECRET = re.compile(
    r"TOKEN|SECRET|CREDENTIAL|CREDS|COOKIE|SESSION|KUBECONFIG|NETRC|(?:SSH|GPG)_AGENT"
    r"|(?<!COM)(?<!BY)PASS|(?<=_)PWD(?![A-Z])"  # neither COMPASS nor BYPASS, neither PWD nor OLDPWD
    r"|AUTH(?!ORS?(?![A-Z]))"  # not AUTHOR
    r"|(?:API|ACCESS|PRIVATE|SIGNING|SSH)KEY|(?<![A-Z])(?:KEYS?|PAT)(?![A-Z])",  # neither KEYBOARD nor MONKEY nor PATH
    re.IGNORECASE,
)
TAIL = 20
LINE = 1 << 16  # bytes; a longer one is taken in pieces
LONGEST = 1 << 13  # characters: no form of a secret is longer


class Processes:
    """`objects` is the store whose commits are cloned; `logs` keeps what the commands said."""

    def __init__(self, objects: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self._objects, self._logs = objects, logs
        self._environment = {key: value for key, value in environment.items() if not secret(key)}
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._lock = Lock()

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
        with self._lock:
            self._stopped = True
            for process in self._running:
                _end(process)

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
        try:
            process = subprocess.Popen(
                list(run), cwd=tree, env={**self._environment, **env}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            kept.close()
            raise Refused(
                f"{what}: `{run[0]}` cannot be run ({error.strerror})", "install it, or mend the command"
            ) from error
        with self._lock:
            self._running.add(process)
            if self._stopped:
                _end(process)
        # What it leaves in the background ends with it, and does not hold its output open. It is a zombie until it is
        # waited for below, so that its group's number is nobody else's.
        watch = Thread(target=_watch, args=(process,), daemon=True)
        watch.start()
        try:
            assert process.stdout is not None
            with kept, process.stdout as out:
                for line in hidden(out):
                    kept.write(line)
                    shown = printable(line)
                    tail = [*tail[1 - TAIL :], shown]
                    say(shown)
        except BaseException:
            _end(process)
            raise
        finally:
            watch.join()
            process.wait()
            with self._lock:
                self._running.discard(process)
        if process.returncode != 0:
            ended = f"exit code {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
            raise Refused(
                f"{what}: `{' '.join(run)}` ended with {ended}: {' | '.join(tail[-3:]) or 'it printed nothing'}",
                f"its log is {log}",
            )


def secret(name: str) -> bool:
    """Whether an environment variable is none of a build's business."""
    return bool(SECRET.search(name)) or name.startswith(("GIT_", "ACTIONS_ID_", "ACTIONS_RUNTIME_"))


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
