"""Moments as they are written in git and by forges: compared, never trusted. Pure: what is now is told."""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(text: str | None) -> float | None:
    """Seconds since 1970 of an ISO 8601 time, None where it is none; one without an offset is UTC."""
    read = _read(text)
    return None if read is None else (read - EPOCH).total_seconds()


def between(begin: str | None, end: str | None) -> float | None:
    """Seconds from one time to another, below 0 where the other is earlier; None where one is not known."""
    first, last = instant(begin), instant(end)
    return None if first is None or last is None else last - first


def age(since: str | None, now: str) -> int | None:
    """Whole seconds that have passed; none where the clocks disagree."""
    passed = between(since, now)
    return None if passed is None else max(0, int(passed))


def utc(text: str) -> str:
    """The same moment as UTC tells it, by seconds; what is told so already, and what is none, stays as it is written."""
    read = _read(text)
    try:
        return read.astimezone(UTC).isoformat(timespec="seconds") if read and read.utcoffset() else text
    except OverflowError:  # the first or the last day that there is
        return text


def month(text: str | None) -> str | None:
    """The calendar month in UTC, "YYYY-MM"."""
    read = _read(text)
    try:
        return read.astimezone(UTC).strftime("%Y-%m").zfill(7) if read else None
    except OverflowError:  # the first or the last day that there is
        return None


def _read(text: str | None) -> datetime | None:
    try:
        read = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
