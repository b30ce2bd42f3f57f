"""Runs git: one place for its environment, its options and its answers.

Nothing of the caller's environment but identity, credentials and proxies reaches git; the repository's own hooks and
programs are off; every output is bytes until it is split.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from threading import Thread
from typing import IO, cast
from weakref import WeakSet

from git import Git
from git.exc import GitCommandNotFound

from release.adapters.git import alone
from release.core.address import without_secret
from release.errors import ReleaseError, Unseen

OPTIONS = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("push.followTags", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.gpgSign", "false"),
    ("push.pushOption", ""),
    ("fetch.recurseSubmodules", "no"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("log.showSignature", "false"),
    ("i18n.logOutputEncoding", "UTF-8"),
    ("submodule.recurse", "false"),
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "60"),
)
OF_REMOTES = ("clone", "fetch", "ls-remote", "push")
BLOCK = 1 << 16
PIPE = 4096  # bytes that a pipe takes at once, whoever reads
PATIENCE = 900  # seconds; a push of new history may take a while, but not for ever
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_FLUSH": "0",  # else a log is written commit by commit
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_GLOB_PATHSPECS": "0",
    "GIT_NOGLOB_PATHSPECS": "0",
    "GIT_ICASE_PATHSPECS": "0",
    "LC_ALL": "C",
}

RUNNING: WeakSet[subprocess.Popen[bytes]] = WeakSet()


class Failure(ReleaseError):
    """Git ended badly: `out` and `err` are what it said."""

    def __init__(self, command: str, out: bytes, err: bytes) -> None:
        self.out, self.err = out, err
        super().__init__(f"git {command}: {complaint(err) or 'failed'}", "")


class Runner:
    """Git with a fixed repository: `folder` is a `.git` directory or a bare one, `tree` its work tree if there is one.

    `config` are settings; `credentials` gives those that open a remote, when one is about to be asked.
    """

    def __init__(
        self,
        folder: Path,
        tree: Path | None = None,
        config: Sequence[tuple[str, str]] = (),
        credentials: Callable[[], Sequence[tuple[str, str]]] = tuple,
    ) -> None:
        self.folder = folder
        self._git = Git(str(tree or folder))
        place = ["--git-dir", str(folder), *(["--work-tree", str(tree)] if tree else [])]
        self._prefix = ["git", *place, *(word for key, value in OPTIONS for word in ("-c", f"{key}={value}"))]
        self._config = tuple(config)
        self._credentials = credentials

    def __call__(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """What git printed; Failure if it ended with anything but 0."""
        process = self._start(args, env)
        out, err = _heard(process, stdin)
        if process.returncode != 0:
            raise Failure(args[0], out, err)
        return out

    def at(self, folder: Path) -> Runner:
        """The same git, settings included, in another bare repository."""
        return Runner(folder, config=self._config, credentials=self._credentials)

    def asks(self, *args: str) -> bool:
        """A question that git answers by exit code: 0 yes, 1 no."""
        process = self._start(args, None)
        out, err = _heard(process, b"")
        if process.returncode not in (0, 1):
            raise Failure(args[0], out, err)
        return process.returncode == 0

    def blocks(self, *args: str, stdin: bytes = b"", settings: Sequence[tuple[str, str]] = ()) -> Generator[bytes]:
        """What git prints, as it comes, with some settings more. It is ended where nobody reads on."""
        process = self._start(args, None, settings)
        out, err = cast("BufferedReader", process.stdout), cast("IO[bytes]", process.stderr)
        said: list[bytes] = []
        aside = (
            Thread(target=_fed, args=(cast("IO[bytes]", process.stdin), stdin), daemon=True),
            Thread(target=lambda: said.append(err.read()), daemon=True),
        )
        for thread in aside:
            thread.start()
        try:
            while block := out.read(BLOCK):
                yield block
            process.wait()
        finally:
            process.kill()
            for thread in aside:
                thread.join()
            process.wait()
            out.close()
            err.close()
        if process.returncode != 0:
            raise Failure(args[0], b"", b"".join(said))

    def stream(self, *args: str, stdin: bytes = b"", settings: Sequence[tuple[str, str]] = ()) -> Generator[bytes]:
        """What git prints, split at NUL, as it comes. It is ended where nobody reads on."""
        rest: list[bytes] = []
        for block in self.blocks(*args, stdin=stdin, settings=settings):
            first, *more = block.split(b"\0")
            rest.append(first)
            for part in more:
                yield b"".join(rest)
                rest = [part]
        if any(rest):
            yield b"".join(rest)

    def _start(
        self, args: Sequence[str], env: Mapping[str, str] | None, settings: Sequence[tuple[str, str]] = ()
    ) -> subprocess.Popen[bytes]:
        extra = {**ENVIRONMENT, **self._injected(args[0] in OF_REMOTES, settings), **(env or {})}
        try:
            started = self._git.execute([*self._prefix, *args], istream=subprocess.PIPE, as_process=True, env=extra)
        except GitCommandNotFound as error:
            raise Unseen("git is not installed or not on PATH", "install git 2.34 or later") from error
        process = cast("subprocess.Popen[bytes]", started.proc)
        RUNNING.add(process)
        started.proc = None  # else the process is ended when the wrapper is collected
        return process

    def _injected(self, remotely: bool, more: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Configuration by environment, so that a secret in it is never an argument; credentials are asked for anew, for they expire."""
        settings = (*self._config, *(self._credentials() if remotely else ()), *more)
        pairs = {
            f"GIT_CONFIG_{part}_{n}": pair[i]
            for n, pair in enumerate(settings)
            for i, part in enumerate(("KEY", "VALUE"))
        }
        return {**pairs, "GIT_CONFIG_COUNT": str(len(settings))}


def _fed(feed: IO[bytes], stdin: bytes) -> None:
    """Give a process its input; one that ends before it has read all says why elsewhere."""
    with suppress(BrokenPipeError), feed:
        feed.write(stdin)


def _heard(process: subprocess.Popen[bytes], stdin: bytes) -> tuple[bytes, bytes]:
    """What a process said. What it left running holds its pipes, and is not waited for."""
    feed, process.stdin = cast("IO[bytes]", process.stdin), None
    if len(stdin) <= PIPE:
        _fed(feed, stdin)
    else:
        Thread(target=_fed, args=(feed, stdin), daemon=True).start()
    for _ in range(PATIENCE):
        try:
            return process.communicate(timeout=1)
        except subprocess.TimeoutExpired as late:
            if process.poll() is not None:
                return _left(process, late)
    process.kill()
    with suppress(subprocess.TimeoutExpired):
        out, err = process.communicate(timeout=1)
        return out, err + f"\nno answer within {PATIENCE} seconds".encode()
    return b"", f"no answer within {PATIENCE} seconds".encode()


def _left(process: subprocess.Popen[bytes], late: subprocess.TimeoutExpired) -> tuple[bytes, bytes]:
    """All that was said by a process that is gone, its pipes closed; it may have ended just as we gave up listening."""
    return (late.output or b"") + _rest(process.stdout), (late.stderr or b"") + _rest(process.stderr)


def _rest(pipe: IO[bytes] | None) -> bytes:
    """What still lies in a pipe; nobody waits for more."""
    parts: list[bytes] = []
    if pipe is None or pipe.closed:
        return b""
    with pipe, suppress(OSError):
        os.set_blocking(pipe.fileno(), False)
        while part := os.read(pipe.fileno(), 1 << 16):
            parts.append(part)
    return b"".join(parts)


def stop() -> None:
    """End every git that still runs: what it was about to do is looked at again by the next run. Nobody waits for his turn any more."""
    alone.stop()
    for process in list(RUNNING):
        if process.poll() is None:
            process.kill()


def complaint(err: bytes) -> str:
    """The lines of git's complaint that say something, as one line; what a remote said is in it, control characters are not."""
    text = err.decode("utf-8", "replace")
    lines = ["".join(c for c in line if c.isprintable()).strip() for line in text.replace("\r", "\n").split("\n")]
    said = [line.removeprefix("remote:").strip() if line.startswith("remote:") else line for line in lines if line]
    dull = (
        "error: failed to push some refs",
        "hint:",
        "To ",
        "Enumerating",
        "Counting",
        "Writing",
        "Total",
        "Delta",
        "Please make sure you have the correct access rights",
        "and the repository exists",
    )
    kept = [line for line in said if line and not line.startswith(dull)]
    return without_secret("; ".join(line.rstrip(".;") for line in kept))[:1000]


def text(raw: bytes) -> str:
    """Bytes from git as text; what is not UTF-8 is replaced."""
    return raw.decode("utf-8", "replace")
