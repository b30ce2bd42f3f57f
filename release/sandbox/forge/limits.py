"""Counts requests as GitHub does: so many an hour for a token, and the secondary limits against bursts."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from release.sandbox.forge.answers import Problem
from release.sandbox.forge.auth import Actor
from release.sandbox.serving.store import Json

HOUR = 3600
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass(frozen=True)
class Limits:
    """How many requests; 0 is no limit. The secondary ones are off unless asked for: `GITHUB` has what is documented.

    `a_minute` and `an_hour` are how many seconds the secondary ones mean by that.
    """

    user: int = 5000  # an hour: users and Apps
    workflow: int = 1000  # an hour and repository: a workflow's own token
    anonymous: int = 0  # an hour; GitHub gives 60
    concurrent: int = 0
    points: int = 0  # a minute: reading costs 1, writing 5
    minute: int = 0  # contents made in a minute
    hour: int = 0  # contents made in an hour
    a_minute: float = 60.0
    an_hour: float = 3600.0


GITHUB = Limits(anonymous=60, concurrent=100, points=900, minute=80, hour=500)


@dataclass
class _Recent:
    """What was counted in the last so many seconds, and how much that is."""

    seconds: float
    counted: deque[tuple[float, int]] = field(default_factory=deque)
    sum: int = 0

    def forget(self, now: float) -> None:
        while self.counted and self.counted[0][0] <= now - self.seconds:
            self.sum -= self.counted.popleft()[1]

    def add(self, now: float, cost: int) -> None:
        self.counted.append((now, cost))
        self.sum += cost

    def wait(self, now: float) -> float:
        """Seconds until the oldest is forgotten."""
        return self.counted[0][0] + self.seconds - now


@dataclass
class _Window:
    """What a token used in its hour."""

    points: _Recent
    minute: _Recent
    hour: _Recent
    reset: int = 0
    used: int = 0
    running: int = 0


class Meter:
    """Safe to use from any thread. `clock` is seconds since the epoch."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[tuple[object, ...], _Window] = {}
        self.refused = 0  # requests that went past a secondary limit

    def begin(self, actor: Actor, method: str) -> None:
        """Let a request in, or say that there were too many; what was let in has to `end`."""
        with self._lock:
            window, now = self._window(actor), self._clock()
            self._primary(actor, window)
            self._secondary(window, method, now)
            window.running += 1

    def end(self, actor: Actor, free: bool = False) -> None:
        """A request is over; a 304 was `free`."""
        with self._lock:
            window = self._window(actor)
            window.running -= 1
            window.used += 0 if free else 1

    def headers(self, actor: Actor) -> dict[str, str]:
        """The headers that go with every answer."""
        rate = self.rate(actor)
        names = {"limit": "Limit", "remaining": "Remaining", "reset": "Reset", "used": "Used"}
        return {f"X-RateLimit-{name}": str(rate[key]) for key, name in names.items()} | {"X-RateLimit-Resource": "core"}

    def rate(self, actor: Actor) -> Json:
        with self._lock:
            window = self._window(actor)
            limit = self._limit(actor) or 1_000_000
            return {
                "limit": limit,
                "used": window.used,
                "remaining": max(0, limit - window.used),
                "reset": window.reset,
            }

    def _limit(self, actor: Actor) -> int:
        if not actor.known:
            return self.limits.anonymous
        return self.limits.workflow if actor.kind == "workflow" else self.limits.user

    def _window(self, actor: Actor) -> _Window:
        """A user has one, whatever his tokens; an App's installation and a workflow's repository have theirs."""
        name: object = actor.repositories if actor.kind == "workflow" else (actor.token if actor.app else actor.login)
        key = (actor.kind == "workflow", actor.app, name)
        if key not in self._windows:
            minute, hour = self.limits.a_minute, self.limits.an_hour
            self._windows[key] = _Window(_Recent(minute), _Recent(minute), _Recent(hour))
        window = self._windows[key]
        if self._clock() >= window.reset:
            window.reset, window.used = int(self._clock()) + HOUR, 0
        return window

    def _primary(self, actor: Actor, window: _Window) -> None:
        limit = self._limit(actor)
        if limit and window.used + window.running >= limit:
            who = f"user ID {actor.token}" if actor.known else "127.0.0.1"
            raise Problem(403, f"API rate limit exceeded for {who}.")

    def _secondary(self, window: _Window, method: str, now: float) -> None:
        limits, writes = self.limits, method in ("POST", "PATCH", "PUT", "DELETE")
        counted = [(window.points, 5 if writes else 1, limits.points)]
        counted += [(window.minute, 1, limits.minute), (window.hour, 1, limits.hour)] if writes else []
        if limits.concurrent and window.running >= limits.concurrent:
            self.refused += 1
            raise _wait(1)
        for recent, cost, most in counted:
            recent.forget(now)
            if most and recent.sum + cost > most:
                self.refused += 1
                raise _wait(recent.wait(now))
        for recent, cost, _ in counted:
            recent.add(now, cost)


def _wait(seconds: float) -> Problem:
    return Problem(403, SECONDARY, headers={"Retry-After": str(max(1, -(-seconds // 1)).__trunc__())})
