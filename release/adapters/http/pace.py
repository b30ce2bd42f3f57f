"""Keeps to what a server documents about bursts, so that it never has to say no: decided here, before anything is sent.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from threading import Lock

from release.adapters.http.spent import Asked, Spent

OFTEN = (50, 5.0)  # requests, seconds
BRIEF = 0.1  # seconds, where something ends as soon as somebody else's request does
SAME = 1e-6  # seconds that two moments differ by only because they were added up differently
LATE = 0.1  # of a window: who does not come back for that long after his turn is not waited for any more


@dataclass(frozen=True)
class Rates:
    """How much a server takes. `points` and `made` are for a `minute`, `hourly` for an `hour`; both are in seconds.

    Reading costs one point, writing five. `made` is what writes content; `gap` the seconds between two such writes.
    """

    at_once: int = 100
    points: int = 900
    made: int = 80
    hourly: int = 500
    minute: float = 60.0
    hour: float = 3600.0
    gap: float = 1.0


GITHUB = Rates()


class Window:
    """So much in any so many seconds. What is on its way counts, for nobody knows when it is counted at the other end."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._going = 0
        self._ended: deque[float] = deque()
        self._told: deque[float] = deque()

    def wait(self, now: float, cost: int) -> float:
        """Seconds until so much fits in, as far as can be known now; 0 for at once."""
        self._forget(now)
        over = self._going + len(self._ended) + cost - self.most
        if over <= 0:
            return 0.0
        return (self._ended[over - 1] if over <= len(self._ended) else now) + self.seconds - now

    def begin(self, now: float, cost: int) -> None:
        """Let so much in, which uses the turns of those who were told to come by now."""
        self._going += cost
        while cost and self._told and self._told[0] <= now + SAME:
            self._told.popleft()
            cost -= 1

    def end(self, now: float, cost: int) -> None:
        self._going -= cost
        self._ended.extend(repeat(now, cost))

    def past(self, at: float, cost: int) -> None:
        """So much ended then, in somebody else's process; never before what we know of, for it is in order."""
        self._ended.extend(repeat(max(at, self._ended[-1]) if self._ended else at, cost))

    def turn(self, now: float, cost: int) -> float:
        """Seconds until it is the turn of somebody who goes away now: behind all who were told before him."""
        self._forget(now)
        over = self._going + len(self._ended) + len(self._told) + cost - self.most
        known, going = len(self._ended), self._going
        if over <= 0:
            at = now
        elif over <= known:
            at = self._ended[over - 1] + self.seconds
        elif over <= known + going:
            at = now + self.seconds
        else:
            at = self._told[over - known - going - 1] + self.seconds
        self._told.extend(repeat(at, cost))
        return at - now

    def _forget(self, now: float) -> None:
        while self._ended and self._ended[0] + self.seconds <= now:
            self._ended.popleft()
        while self._told and self._told[0] + self.seconds * LATE < now:
            self._told.popleft()


class Pace:
    """One for all that counts against the same limits. Safe to use from any thread; `clock` is monotonic, in seconds.

    With `spent` it knows of other commands that share a folder with this one, those at the same time with a delay of `OFTEN`
    requests or seconds. Where others use the same token, the server's own word still counts (see `limits`).
    """

    def __init__(self, rates: Rates, clock: Callable[[], float], spent: Spent | None = None) -> None:
        self._rates, self._clock, self._spent = rates, clock, spent
        self._untold: list[tuple[float, bool]] = []
        self._told_at = -math.inf
        self._points = Window(rates.points, rates.minute)
        self._made = Window(rates.made, rates.minute), Window(rates.hourly, rates.hour)
        self._running = 0
        self._next = 0.0
        self._turns = 0.0
        self._lock = Lock()

    def begin(self, writes: bool, creates: bool) -> float:
        """Let a request go, which gives 0, and it has to `end`; or the seconds that it has to wait before it asks again."""
        self._share()
        with self._lock:
            now = self._clock()
            waits = [window.wait(now, cost) for window, cost in self._windows(writes)]
            if creates:
                waits.append(self._next - now)
            if self._running >= self._rates.at_once:
                waits.append(BRIEF)
            if (longest := max(waits)) > 0:
                return longest
            self._running += 1
            for window, cost in self._windows(writes):
                window.begin(now, cost)
            if creates:
                self._next = now + self._rates.gap
            return 0.0

    def end(self, writes: bool) -> None:
        """A request that was let go is over."""
        with self._lock:
            self._running -= 1
            for window, cost in self._windows(writes):
                window.end(self._clock(), cost)
            if self._spent is not None:
                self._untold.append((self._clock(), writes))

    def share(self) -> None:
        """Tell what is untold; for the end of a process."""
        self._share(last=True)

    def _share(self, last: bool = False) -> None:
        """Now and then, tell other commands what ended here, and count what ended there."""
        if self._spent is None:
            return
        with self._lock:
            now = self._clock()
            often = len(self._untold) >= OFTEN[0] or now - self._told_at >= OFTEN[1]
            if not (often or last):
                return
            untold, self._untold, self._told_at = self._untold, [], now
            for one in self._spent.exchange([(now - at, wrote) for at, wrote in untold]):
                self._met(now - self._spent.ago(one), one)

    def _met(self, at: float, one: Asked) -> None:
        self._points.past(at, one.reads + 5 * one.writes)
        for window in self._made:
            window.past(at, one.writes)

    def turn(self, writes: bool, creates: bool) -> float:
        """Seconds until it is the turn of a request that has to wait and goes away: no two are told the same moment.

        So a thousand that wait come back one after the other, not all at once to find that few of them are let go.
        """
        with self._lock:
            now = self._clock()
            turns = [window.turn(now, cost) for window, cost in self._windows(writes) if window.wait(now, cost) > 0]
            if creates:
                self._turns = max(self._turns, self._next, now) + self._rates.gap
                turns.append(self._turns - self._rates.gap - now)
            return max(turns, default=BRIEF)

    @contextmanager
    def ending(self, writes: bool) -> Iterator[None]:
        """A request that was let go, to its end."""
        try:
            yield
        finally:
            self.end(writes)

    def _windows(self, writes: bool) -> list[tuple[Window, int]]:
        return [(self._points, 5), *((window, 1) for window in self._made)] if writes else [(self._points, 1)]
