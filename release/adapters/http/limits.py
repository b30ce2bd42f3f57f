"""What servers ask of us: their clocks, and the limits that they told. Shared by all threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock

MINUTE = 60.0
LONGEST = 86_400.0 * 7  # seconds: what says more is taken for this


@dataclass
class Host:
    """What is known of one server. Times of ours are monotonic seconds."""

    heard: datetime | None = None
    heard_at: float = 0.0
    until: float = 0.0
    asked_at: float = 0.0
    strikes: int = 0
    why: str = ""
    lock: Lock = field(default_factory=Lock)


class Limits:
    """One for all threads: who meets a limit, holds everybody."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._hosts: dict[str, Host] = {}
        self._lock = Lock()

    def now(self, origin: str) -> datetime | None:
        """A server's own time, None if it never told."""
        host = self._of(origin)
        with host.lock:
            return None if host.heard is None else host.heard + timedelta(seconds=self._clock() - host.heard_at)

    def heard(self, origin: str, headers: Mapping[str, str]) -> None:
        """Take over the time of an answer."""
        told = _date(headers.get("date", ""))
        if told is not None:
            host = self._of(origin)
            with host.lock:
                host.heard, host.heard_at = told, self._clock()

    def remaining(self, origin: str) -> float:
        """Seconds until a server may be asked again."""
        return max(0.0, self._of(origin).until - self._clock())

    def why(self, origin: str) -> str:
        return self._of(origin).why

    def met(self, origin: str, headers: Mapping[str, str], sent_at: float, why: str) -> None:
        """A server said: not now. Answers to what was sent before the limit was known are the same news."""
        host, now = self._of(origin), self.now(origin)
        with host.lock:
            if sent_at < host.asked_at:
                return
            asked = waiting(headers, now or datetime.now(UTC))
            pause = asked if asked is not None else MINUTE * 2**host.strikes
            host.strikes = 0 if asked is not None else min(host.strikes + 1, 12)
            host.asked_at = self._clock()
            host.until = max(host.until, host.asked_at + min(max(pause, 1.0), LONGEST))
            host.why = why

    def passed(self, origin: str) -> None:
        """A server answered as usual."""
        self._of(origin).strikes = 0

    def _of(self, origin: str) -> Host:
        with self._lock:
            return self._hosts.setdefault(origin, Host())


def limited(status: int, headers: Mapping[str, str], words: str) -> bool:
    """Whether an answer means: certainly not done, ask again later.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if status == 429:
        return True
    told = "rate limit" in words.lower() or "abuse detection" in words.lower()
    return status == 403 and (told or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")


def waiting(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that an answer asks us to wait by the server's clock; None if it does not say."""
    after = headers.get("retry-after", "").strip()
    if after.isascii() and after.isdigit():
        return float(after[:9])
    if (date := _date(after)) is not None:
        return (date - now).total_seconds()
    reset = headers.get("x-ratelimit-reset", "").strip()
    if headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        return float(reset[:12]) - now.timestamp() + 1.0  # it is rounded down
    return None


def _date(text: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
