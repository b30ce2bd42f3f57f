"""What the laws put into a client from outside, for Python loads this file by itself: another day, and a sudden death.

LAW_DAYS: by how many days its clock is ahead. LAW_DISK=n: it is killed at its n-th moment. A moment is just before
anything that changes what others can see on disk under LAW_ROOT (a file made or emptied, link, rename, mkdir, unlink),
and also just after a file was made or emptied. What comes after one change is what comes before the next; fsync
changes nothing for those who can still look. Appending to the journal is no moment: nothing reads it, and the moments
around it are those of git. Every moment is a file in LAW_COUNT.
"""

from __future__ import annotations

import builtins
import datetime
import io
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

Call = Callable[..., Any]


def shift(days: int) -> None:
    """Put the clock ahead."""

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Shifted:
            return super().now(tz) + datetime.timedelta(days=days)

    real = time.time
    datetime.datetime = Shifted  # type: ignore[misc]
    time.time = lambda: real() + days * 86400


def deadly(fatal: int) -> None:
    """Count the moments, and die at the one that is named."""
    root, count = os.environ["LAW_ROOT"], os.environ["LAW_COUNT"]
    spared = (os.environ["TMPDIR"], count)
    real_open, lock = os.open, threading.Lock()
    passed = 0

    def counts(path: object) -> bool:
        if not isinstance(path, str | os.PathLike):
            return False
        full = os.path.abspath(os.fsdecode(path))
        return full.startswith(root + os.sep) and not full.startswith(spared)

    def moment(what: str, path: Any) -> None:
        nonlocal passed
        with lock:
            passed += 1
            os.close(real_open(os.path.join(count, str(passed)), os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            with real_io_open(os.path.join(count, str(passed)), "w") as file:
                file.write(f"{what} {path}\n")
            if passed == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def before(name: str, argument: int, wanted: bool | None = None) -> None:
        real: Call = getattr(os, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            path = args[argument]
            changes = wanted is None or os.path.exists(path) == wanted
            if name == "mkdir":
                changes = changes and os.path.isdir(os.path.dirname(os.path.abspath(path)))
            if changes and counts(args[argument]):
                moment(name, args[argument])
            return real(*args, **kwargs)

        setattr(os, name, watched)

    def empties(path: Any, writes: bool, keeps: bool) -> bool:
        """Whether opening a file changes the disk: it is made, or it loses what it holds."""
        if not writes or not counts(path) or os.path.isdir(path):
            return False
        return not os.path.exists(path) or (not keeps and os.path.getsize(path) > 0)

    def opened(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        changes = empties(path, bool(flags & os.O_CREAT or flags & os.O_TRUNC), not flags & os.O_TRUNC)
        if changes:
            moment("open", path)
        descriptor = real_open(path, flags, *args, **kwargs)
        if changes:
            moment("opened", path)
        return descriptor

    def io_opened(path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        changes = empties(path, bool(set(mode) & set("wax")), "w" not in mode)
        if changes:
            moment("open", path)
        file = real_io_open(path, mode, *args, **kwargs)
        if changes:
            moment("opened", path)
        return file

    real_io_open: Call = io.open
    for name in ("link", "rename", "replace"):
        before(name, 1)
    before("mkdir", 0, wanted=False)
    before("unlink", 0, wanted=True)
    os.open = opened
    io.open = builtins.open = io_opened  # type: ignore[assignment]


if os.environ.get("LAW_DAYS"):
    shift(int(os.environ["LAW_DAYS"]))
if os.environ.get("LAW_DISK"):
    deadly(int(os.environ["LAW_DISK"]))
