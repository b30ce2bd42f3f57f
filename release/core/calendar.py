"""When something may happen: days and dates on which nothing does, and windows in which it may, in one time zone.

Only the clock on the wall counts: what a window says of an hour holds for both of them when clocks go back, and for none
where they leave it out. Pure, but for the IANA database, which `zoneinfo` has from the system or from `tzdata`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from release.core.moments import EPOCH, instant

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
A_DAY = 24 * 60
HORIZON = timedelta(days=366)
"""How far is looked for the next opening."""

_STEP = timedelta(hours=6)  # no zone changes its offset twice in such a time
_SECOND = timedelta(seconds=1)
_DAYS = rf"(?P<day>{'|'.join(DAYS)})(?:-(?P<until>{'|'.join(DAYS)}))?"
_DAY = re.compile(_DAYS)
_DATES = re.compile(r"(?P<first>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.\.(?P<last>[0-9]{4}-[0-9]{2}-[0-9]{2}))?")
_WINDOW = re.compile(rf"(?:{_DAYS} )?(?P<hours>[0-9]{{2}}:[0-9]{{2}})-(?P<end>[0-9]{{2}}:[0-9]{{2}})")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_OF_THIS_MACHINE = ("localtime", "posixrules")


class Closed(msgspec.Struct, frozen=True):
    """Why nothing may happen now, and when that ends (ISO 8601 UTC), "" for not within a year."""

    why: str
    until: str


class Freeze(msgspec.Struct, frozen=True):
    """Days of the week (0 is Monday), or dates from `first` to `last`, on which nothing happens."""

    text: str
    days: frozenset[int] = frozenset()
    first: date = date.max
    last: date = date.min

    def holds(self, day: date) -> bool:
        return day.weekday() in self.days or self.first <= day <= self.last


class Window(msgspec.Struct, frozen=True):
    """When something may happen, in minutes of the day; one that does not end after it begins goes on into the next day."""

    text: str
    days: frozenset[int]
    begin: int
    end: int

    def holds(self, weekday: int, minute: int) -> bool:
        if self.begin < self.end:
            return weekday in self.days and self.begin <= minute < self.end
        evening = weekday in self.days and minute >= self.begin
        return evening or ((weekday - 1) % 7 in self.days and minute < self.end)


def closed(freeze: Iterable[str], windows: Iterable[str], timezone: str, now: str) -> Closed | None:
    """Why nothing may happen `now` (ISO 8601), None where it may. A freeze goes before a window.

    ValueError for what cannot be read, and for a time that no calendar has.
    """
    frozen, open_ = tuple(map(read_freeze, freeze)), tuple(map(read_window, windows))
    if not frozen and not open_:
        return None
    zone, moment = read_zone(timezone), _moment(now)
    local = moment + _offset(zone, moment)
    if _opens(frozen, open_, local):
        return None
    until = _next_opening(frozen, open_, zone, moment)
    return Closed(_why(frozen, open_, timezone, local), until.replace(tzinfo=UTC).isoformat() if until else "")


def ever_open(freeze: Iterable[str], windows: Iterable[str]) -> bool:
    """Whether there is any time of the week that its frozen days leave to its windows."""
    frozen = frozenset().union(*(read_freeze(text).days for text in freeze))
    read = tuple(map(read_window, windows))
    minutes = {0, *(one.begin for one in read)}
    days = set(range(7)) - frozen
    return any(not read or any(one.holds(day, minute) for one in read) for day in days for minute in minutes)


def read_freeze(text: str) -> Freeze:
    """Read "fri", "sat-sun", "2026-12-20" or "2026-12-20..2027-01-06"; ValueError, with what is wrong, for anything else."""
    if seen := _DAY.fullmatch(text):
        return Freeze(text, days=_weekdays(seen["day"], seen["until"]))
    seen = _DATES.fullmatch(text)
    if not seen:
        raise ValueError('it is neither a day like "fri" nor a date like "2026-12-20" or "2026-12-20..2027-01-06"')
    first = _date(seen["first"])
    last = _date(seen["last"] or seen["first"])
    if last < first:
        raise ValueError("it ends before it begins")
    return Freeze(text, first=first, last=last)


def read_window(text: str) -> Window:
    """Read "mon-thu 09:00-16:00", "sat 10:00-12:00" or "22:00-02:00"; ValueError, with what is wrong, for anything else."""
    seen = _WINDOW.fullmatch(text)
    if not seen:
        raise ValueError('it is not like "mon-thu 09:00-16:00", "sat 22:00-02:00" or "09:00-17:00"')
    begin, end = _minutes(seen["hours"]), _minutes(seen["end"])
    if begin == A_DAY:
        raise ValueError("24:00 is an end, and no beginning")
    if begin == end:
        raise ValueError("it ends when it begins")
    days = _weekdays(seen["day"], seen["until"]) if seen["day"] else frozenset(range(7))
    return Window(text, days, begin, end)


def read_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name, the same on every machine; ValueError where there is none."""
    if not _ZONE.fullmatch(name) or name in _OF_THIS_MACHINE:
        raise ValueError("it is no name of a time zone")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("there is no such time zone") from error


def _why(freeze: Iterable[Freeze], windows: Iterable[Window], timezone: str, local: datetime) -> str:
    day = f"{DAYS[local.weekday()]} {local.date().isoformat()}"
    if (frozen := next((one for one in freeze if one.holds(local.date())), None)) is not None:
        return f"nothing moves on {day} in {timezone} (freeze {frozen.text})"
    allowed = ", ".join(one.text for one in windows)
    return f"it is {day} {local:%H:%M} in {timezone}, and things move in {allowed} only"


def _opens(freeze: Iterable[Freeze], windows: Sequence[Window], local: datetime) -> bool:
    if any(one.holds(local.date()) for one in freeze):
        return False
    minute = local.hour * 60 + local.minute
    return not windows or any(one.holds(local.weekday(), minute) for one in windows)


def _next_opening(
    freeze: Sequence[Freeze], windows: Sequence[Window], zone: ZoneInfo, now: datetime
) -> datetime | None:
    """The first moment after `now` at which it is open. All moments are UTC, without saying so."""
    minutes = sorted({0, *(one.begin for one in windows)})
    for begin, end, offset in _stretches(zone, now, now + HORIZON):
        for moment in _beginnings(begin, end, offset, minutes):
            if _opens(freeze, windows, moment + offset):
                return moment
    return None


def _beginnings(begin: datetime, end: datetime, offset: timedelta, minutes: Sequence[int]) -> Iterator[datetime]:
    """Every moment of a stretch at which it can open: its own first, midnights, beginnings of windows."""
    yield begin
    midnight = datetime.combine((begin + offset).date(), datetime.min.time())
    while midnight - offset < end:
        for minute in minutes:
            moment = midnight + timedelta(minutes=minute) - offset
            if begin < moment < end:
                yield moment
        midnight += timedelta(days=1)


def _stretches(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The time from `begin` to `end` in pieces in which the zone's offset stays the same."""
    while begin < end:
        offset, further = _offset(zone, begin), min(begin + _STEP, end)
        if _offset(zone, further) != offset:
            further = _change(zone, begin, further)
        yield begin, further, offset
        begin = further


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the offset is another one for the first time."""
    offset = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()


def _moment(text: str) -> datetime:
    """A time in UTC, in whole seconds."""
    seconds = instant(text)
    moment = EPOCH + timedelta(seconds=int(seconds)) if seconds is not None else datetime.max.replace(tzinfo=UTC)
    if not 1970 <= moment.year < 9000:
        raise ValueError(f"{text!r:.60} is no time that a calendar has")
    return moment.replace(tzinfo=None)


def _weekdays(first: str, last: str | None) -> frozenset[int]:
    begin = DAYS.index(first)
    length = (DAYS.index(last or first) - begin) % 7
    return frozenset((begin + number) % 7 for number in range(length + 1))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no {text} in the calendar") from None


def _minutes(text: str) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or hours * 60 + minutes > A_DAY:
        raise ValueError(f"there is no {text} on a clock")
    return hours * 60 + minutes
