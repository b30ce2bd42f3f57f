"""What was asked of a server lately, by every command that shares a folder: each goes on where the one before left off.

A limit counts requests of an hour, and a command takes seconds. The file is a memory, not a lock: a command that was
killed has told all but its last few requests, and where the file cannot be read or written each counts for itself.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import msgspec

LARGEST = 1 << 20  # bytes; what is longer is nothing of ours
AHEAD = 5.0  # seconds that a moment may lie before us: another process's clock is the same one


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """So many reads and writes that ended in one second (since 1970), by one process."""

    at: float
    reads: int
    writes: int
    by: str


class Spent:
    """The file that they share. `seconds` is how long something is remembered; `now` is the time, in seconds since 1970."""

    def __init__(self, file: Path, seconds: float, now: Callable[[], float] = time.time) -> None:
        self._file, self._seconds, self._now = file, seconds, now
        self._name = uuid4().hex[:12]
        self._seen: set[Asked] = set()
        self._times = 0

    def exchange(self, own: Collection[tuple[float, bool]]) -> list[Asked]:
        """Tell what of ours has ended (seconds ago, whether it wrote); what others told since we were here last."""
        now = self._now()
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(handle, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                there = [one for one in _read(file.read(LARGEST + 1)) if now - self._seconds < one.at < now + AHEAD]
                if own:
                    file.seek(0)
                    file.write(msgspec.json.encode([*there, *self._told(now, own)]))
                    file.truncate()
            others = {one for one in there if not one.by.startswith(self._name)}
            found, self._seen = others - self._seen, others
            return sorted(found, key=lambda one: one.at)
        return []

    def ago(self, one: Asked) -> float:
        """How many seconds ago that was."""
        return max(0.0, self._now() - one.at)

    def _told(self, now: float, own: Collection[tuple[float, bool]]) -> Iterator[Asked]:
        """Ours, an entry a second; the number of the exchange keeps it apart from what is told later of the same second."""
        self._times += 1
        seconds: dict[int, list[bool]] = {}
        for age, wrote in own:
            seconds.setdefault(int(now - age), []).append(wrote)
        for at, ended in seconds.items():
            yield Asked(at + 1.0, ended.count(False), ended.count(True), f"{self._name}-{self._times}")


def _read(content: bytes) -> list[Asked]:
    """What a file says; one that is broken says nothing."""
    try:
        return msgspec.json.decode(content, type=list[Asked]) if 0 < len(content) <= LARGEST else []
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
