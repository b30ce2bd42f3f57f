"""One at a time in a store of ours: git's own locks wait for nobody, and lie there for good when their git is killed."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import IO
from weakref import WeakSet

from release.errors import Unseen

LOCK = "sluice.lock"
STALE = ("shallow.lock", "refs/history/*.lock")
LONGEST = 300.0  # seconds that a fetch of somebody else is waited for
PAUSE = 0.05  # seconds: the system's own wait would hear of no Ctrl-C

WAITING: WeakSet[Event] = WeakSet()


@contextmanager
def alone(store: Path) -> Iterator[None]:
    """Nobody else, of any thread or process, is in here for the same store; what a dead git has locked is free again.

    Where nothing can be locked, as on a disk that is read-only, it goes on all the same: git will say what is wrong.
    """
    try:
        file = (store / LOCK).open("a")
    except OSError:
        yield
        return
    with file:
        for pattern in STALE if _taken(file, store) else ():
            for lock in store.glob(pattern):
                with suppress(OSError):
                    lock.unlink()
        yield


def _taken(file: IO[str], store: Path) -> bool:
    """Wait for it; false on a file system without locks. The system lets go of it when its holder ends, however that ends."""
    until, stopped = time.monotonic() + LONGEST, Event()
    WAITING.add(stopped)
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > until:
                raise Unseen(
                    f"another command has been reading into {store} for {LONGEST:.0f} seconds",
                    "see what still runs in this clone, then run the same command again",
                ) from None
            if stopped.wait(PAUSE):
                raise Unseen(f"{store} was not read: we were told to stop", "run the same command again") from None
        except OSError:
            return False


def stop() -> None:
    """Nobody waits any more."""
    for stopped in list(WAITING):
        stopped.set()
