"""The journal: every event of a run as a line of JSON, on disk before anything follows from it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import msgspec

from release.engine.walk import Event
from release.errors import ReleaseError
from release.redact import HIDE


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of `journal.jsonl`: `at` is ISO 8601 UTC, `run` tells apart runs that write at the same time."""

    at: str
    run: str
    step: str
    kind: str
    detail: str = ""
    state: str = ""


class Journal:
    """A listener. Lines are appended whole, so runs may share the file; a torn last line is a crash's, and harmless."""

    def __init__(self, path: Path, now: Callable[[], str], run: str) -> None:
        self._path, self._now, self._run, self._lock = path, now, run, Lock()
        self._file: int | None = None

    def __call__(self, event: Event) -> None:
        if event.kind == "progress":  # what a command prints is in its own log
            return
        line = Line(self._now(), self._run, event.step, event.kind, event.detail, event.state)
        try:
            with self._lock:
                os.write(self._open(), HIDE.redacted(msgspec.json.encode(line).decode()).encode() + b"\n")
                os.fsync(self._open())
        except OSError as error:
            raise ReleaseError(
                f"cannot write {self._path}: {error.strerror}", "make room there, then run the same command again"
            ) from error

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        return self._file
