"""Answers that a server may say are still right."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from release.adapters.http.exchange import Answer

CACHED = 16 << 20  # bytes of bodies


class Cache:
    """Answers by address, for their ETag: a server's "not modified" costs nothing. The oldest make room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, tuple[Answer, int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: object) -> Answer | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: object, answer: Answer, size: int) -> None:
        if size > CACHED // 4:
            return
        with self._lock:
            self._size += size - self._kept.pop(key, (answer, 0))[1]
            self._kept[key] = answer, size
            while self._size > CACHED:
                self._size -= self._kept.popitem(last=False)[1][1]
