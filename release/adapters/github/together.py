"""One answer for all who ask the same at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Who asks while an answer is on its way shares the next one: no answer is older than its question.

    Many threads that each look at one file of a release then need a few lists of its files, not one each.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, Future[T]] = {}
        self._asking: dict[int, Lock] = {}
        self._lock = Lock()

    def __call__(self, key: int, ask: Callable[[], T]) -> T:
        """The answer to a question that is asked after this call began."""
        with self._lock:
            first = key not in self._waiting
            shared = self._waiting.setdefault(key, Future())
            turn = self._asking.setdefault(key, Lock())
        if first:
            with turn:
                with self._lock:
                    del self._waiting[key]
                try:
                    shared.set_result(ask())
                except BaseException as error:
                    shared.set_exception(error)
        return shared.result()
