"""Runs git: one place for its environment, its options and its answers.

Nothing of the caller's environment but identity, credentials and proxies reaches git; the repository's own hooks and
programs are off; every output is bytes until it is split.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast
from weakref import WeakSet

from git import Git
from git.exc import GitCommandNotFound

from release.errors import ReleaseError, Unseen

OPTIONS = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("push.followTags", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.gpgSign", "false"),
    ("fetch.recurseSubmodules", "no"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("log.showSignature", "false"),
    ("submodule.recurse", "false"),
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "60"),
)
PATIENCE = 900  # seconds; a push of new history may take a while, but not for ever
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
}

RUNNING: WeakSet[subprocess.Popen[bytes]] = WeakSet()


class Failure(ReleaseError):
    """Git ended badly: `out` and `err` are what it said."""

    def __init__(self, command: str, out: bytes, err: bytes) -> None:
        self.out, self.err = out, err
        super().__init__(f"git {command}: {complaint(err) or 'failed'}", "")


class Runner:
    """Git with a fixed repository: `folder` is a `.git` directory or a bare one, `tree` its work tree if there is one."""

    def __init__(self, folder: Path, tree: Path | None = None, config: Sequence[tuple[str, str]] = ()) -> None:
        self.folder = folder
        self._git = Git(str(tree or folder))
        place = ["--git-dir", str(folder), *(["--work-tree", str(tree)] if tree else [])]
        self._prefix = ["git", *place, *(word for key, value in OPTIONS for word in ("-c", f"{key}={value}"))]
        self._config = tuple(config)

    def __call__(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """What git printed; Failure if it ended with anything but 0."""
        process = self._start(args, env)
        try:
            out, err = process.communicate(stdin, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += f"\nno answer within {PATIENCE} seconds".encode()
        if process.returncode != 0:
            raise Failure(args[0], out, err)
        return out

    def at(self, folder: Path) -> Runner:
        """The same git, settings included, in another bare repository."""
        return Runner(folder, config=self._config)

    def asks(self, *args: str) -> bool:
        """A question that git answers by exit code: 0 yes, 1 no."""
        process = self._start(args, None)
        out, err = process.communicate(b"")
        if process.returncode not in (0, 1):
            raise Failure(args[0], out, err)
        return process.returncode == 0

    def stream(self, *args: str, stdin: bytes = b"") -> Iterator[bytes]:
        """What git prints, split at NUL, as it comes."""
        process = self._start(args, None)
        out, err = cast("IO[bytes]", process.stdout), cast("IO[bytes]", process.stderr)
        with cast("IO[bytes]", process.stdin) as feed:
            feed.write(stdin)
        rest = b""
        while block := out.read(1 << 16):
            *whole, rest = (rest + block).split(b"\0")
            yield from whole
        if rest:
            yield rest
        complaints = err.read()
        if process.wait() != 0:
            raise Failure(args[0], b"", complaints)

    def _start(self, args: Sequence[str], env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
        extra = {**ENVIRONMENT, **self._injected(), **(env or {})}
        try:
            started = self._git.execute([*self._prefix, *args], istream=subprocess.PIPE, as_process=True, env=extra)
        except GitCommandNotFound as error:
            raise Unseen("git is not installed or not on PATH", "install git 2.34 or later") from error
        process = cast("subprocess.Popen[bytes]", started.proc)
        RUNNING.add(process)
        started.proc = None  # else the process is ended when the wrapper is collected
        return process

    def _injected(self) -> dict[str, str]:
        """Configuration by environment, so that a secret in it is never an argument."""
        pairs = {
            f"GIT_CONFIG_{part}_{n}": pair[i]
            for n, pair in enumerate(self._config)
            for i, part in enumerate(("KEY", "VALUE"))
        }
        return {**pairs, "GIT_CONFIG_COUNT": str(len(self._config))}


def stop() -> None:
    """End every git that still runs: what it was about to do is looked at again by the next run."""
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
    return without_secret("; ".join(line.rstrip(".;") for line in kept)[:1000])


def without_secret(address: str) -> str:
    """An address, or a text with addresses, without the user and password before the host."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", address)


def text(raw: bytes) -> str:
    """Bytes from git as text; what is not UTF-8 is replaced."""
    return raw.decode("utf-8", "replace")
