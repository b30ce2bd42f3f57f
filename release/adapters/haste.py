"""Threads that have other things to do than to wait: a pool's, whose work is to go on elsewhere meanwhile."""

from __future__ import annotations

import threading

HASTE = 2.0  # seconds: what takes less is waited for, so that nothing is begun anew for a moment's sake

_mine = threading.local()


def hurry() -> None:
    """From now on no limit is waited for in this thread for longer than a moment; for the initializer of a pool."""
    _mine.hasty = True


def patience(patient: float) -> float:
    """How many seconds a call in this thread may wait for limits, where one with time waits `patient` seconds."""
    return min(HASTE, patient) if getattr(_mine, "hasty", False) else patient
