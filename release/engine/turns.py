"""Many lives on few threads: what waits lies in a heap, not in a thread."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator
from concurrent.futures import Executor
from heapq import heappop, heappush
from itertools import count
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from release.errors import ReleaseError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

MOMENT = 0.2  # the system may hand Ctrl-C to a thread that sleeps; the one that acts on it wakes up this often
HELD = 7200.0  # seconds that one life waits for limits in all; a forge's longest window is an hour


class Turns(Generic[K, T]):
    """Lives by their keys: each is a generator that yields the seconds until it wants to go on, and returns its end."""

    def __init__(self, pool: Executor, clock: Callable[[], float]) -> None:
        self._pool, self._clock = pool, clock
        self._asleep: list[tuple[float, int, K, Generator[float, None, T]]] = []
        self._turns: SimpleQueue[tuple[K, Generator[float, None, T], float | None, T | BaseException | None]] = (
            SimpleQueue()
        )
        self._tick = count()
        self._alive = 0

    def begin(self, key: K, life: Generator[float, None, T]) -> None:
        self._alive += 1
        self._pool.submit(self._turn, key, life)

    def ends(self) -> Iterator[tuple[K, T | BaseException]]:
        """Every life's end as it comes, what it raised as well, until none goes on; more may be begun meanwhile."""
        while self._alive:
            self._wake()
            due = self._asleep[0][0] - self._clock() if self._asleep else MOMENT
            try:
                key, life, pause, end = self._turns.get(timeout=min(MOMENT, max(0.0, due)))
            except Empty:
                continue
            if pause is not None:
                heappush(self._asleep, (self._clock() + pause, next(self._tick), key, life))
            else:
                self._alive -= 1
                yield key, end  # type: ignore[misc]

    def _wake(self) -> None:
        while self._asleep and self._asleep[0][0] <= self._clock():
            _, _, key, life = heappop(self._asleep)
            self._pool.submit(self._turn, key, life)

    def _turn(self, key: K, life: Generator[float, None, T]) -> None:
        try:
            self._turns.put((key, life, next(life), None))
        except StopIteration as end:
            self._turns.put((key, life, None, end.value))
        except BaseException as error:
            self._turns.put((key, life, None, error))


class Patience:
    """How long one life has waited for limits: it is nobody's fault, so that it does not count against a deadline."""

    def __init__(self, clock: Callable[[], float], tell: Callable[[str], None]) -> None:
        self._clock, self._tell = clock, tell
        self.waited = 0.0

    def takes(self, error: ReleaseError) -> bool:
        """Whether it is a limit, and there is time to wait for its end."""
        return 0.0 < error.after <= HELD - self.waited

    def wait(self, error: ReleaseError) -> Generator[float, None, None]:
        """Wait for its end."""
        self._tell(error.message)
        began = self._clock()
        yield error.after
        self.waited += self._clock() - began
