"""Freezes and windows go by the clock on the wall, whatever that does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.core.calendar import DAYS, Closed, closed, ever_open, read_freeze, read_window, read_zone

BERLIN = "Europe/Berlin"
MINUTE = timedelta(minutes=1)
# A zone with a place where its clocks are about to be changed: an hour, half an hour, at midnight, a day that is left out.
CHANGES = [
    (BERLIN, datetime(2026, 3, 29, 1)), (BERLIN, datetime(2026, 10, 25, 1)),
    ("America/New_York", datetime(2026, 3, 8, 7)), ("America/New_York", datetime(2026, 11, 1, 6)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15)), ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30)),
    ("America/Santiago", datetime(2026, 9, 6, 4)), ("Africa/Cairo", datetime(2026, 4, 23, 22)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10)), ("Asia/Kathmandu", datetime(2026, 1, 1)),
]  # fmt: skip
DAY = st.sampled_from(DAYS)
SPAN = st.builds(lambda one, two: one if one == two else f"{one}-{two}", DAY, DAY)
CLOCK = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
HOURS = st.tuples(CLOCK, CLOCK | st.just("24:00")).filter(lambda both: both[0] != both[1]).map("-".join)
WINDOWS = st.lists(HOURS | st.builds(lambda days, hours: f"{days} {hours}", SPAN, HOURS), max_size=3)


def at(text: str, freeze: tuple[str, ...] = (), windows: tuple[str, ...] = (), zone: str = BERLIN) -> Closed | None:
    return closed(freeze, windows, zone, text)


def by_hand(freeze: list[str], windows: list[str], zone: ZoneInfo, moment: datetime) -> bool:
    """Whether it is open, written down as a person would look at a clock and a calendar."""
    wall = moment.replace(tzinfo=UTC).astimezone(zone)
    today, yesterday, clock = DAYS[wall.weekday()], DAYS[wall.weekday() - 1], wall.strftime("%H:%M")
    if any(today in days_of(text) or dates_hold(text, wall.date().isoformat()) for text in freeze):
        return False
    for text in windows:
        days, _, hours = text.rpartition(" ")
        begin, end = hours.split("-")
        named = days_of(days) if days else list(DAYS)
        if begin < end and today in named and begin <= clock < end:
            return True
        if begin > end and ((today in named and clock >= begin) or (yesterday in named and clock < end)):
            return True
    return not windows


def days_of(text: str) -> list[str]:
    """The days of "sat-mon", going around where the week ends."""
    first, _, last = text.partition("-")
    if first not in DAYS:
        return []
    found = [first]
    while found[-1] != (last or first):
        found.append(DAYS[(DAYS.index(found[-1]) + 1) % 7])
    return found


def dates_hold(text: str, day: str) -> bool:
    first, _, last = text.partition("..")
    return first <= day <= (last or first)


@settings(deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.integers(-36 * 60, 6 * 60),
    st.lists(SPAN | st.sampled_from(["2026-03-29", "2026-10-24..2026-10-25", "2011-12-29"]), max_size=2),
    WINDOWS,
)
def test_what_is_told_is_what_looking_at_every_minute_tells(
    change: tuple[str, datetime], minutes: int, freeze: list[str], windows: list[str]
) -> None:
    zone, near = change
    now = near + minutes * MINUTE
    info = ZoneInfo(zone)
    told = closed(freeze, windows, zone, now.isoformat())
    assert (told is None) == by_hand(freeze, windows, info, now)
    if told is None:
        return
    looked = (now + number * MINUTE for number in range(3 * 24 * 60))
    first = next((moment for moment in looked if by_hand(freeze, windows, info, moment)), None)
    if first is not None:
        assert told.until == first.replace(tzinfo=UTC).isoformat()
    else:
        assert told.until == "" or told.until >= (now + timedelta(days=3)).replace(tzinfo=UTC).isoformat()


def test_never_on_a_friday() -> None:
    # 2026-11-27 is a Friday; it begins in Berlin an hour before it does in UTC.
    assert at("2026-11-26T22:59:59Z", ("fri",)) is None
    told = at("2026-11-26T23:00:00Z", ("fri",))
    assert told is not None
    assert told.until == "2026-11-27T23:00:00+00:00"
    assert "fri 2026-11-27" in told.why
    assert at("2026-11-27T23:00:00Z", ("fri",)) is None


def test_a_freeze_of_dates_holds_from_its_first_day_to_its_last() -> None:
    freeze = ("2026-12-20..2027-01-06",)
    assert at("2026-12-19T22:59:00Z", freeze) is None
    for inside in ("2026-12-19T23:00:00Z", "2027-01-01T00:00:00Z", "2027-01-06T22:59:59Z"):
        told = at(inside, freeze)
        assert told is not None
        assert told.until == "2027-01-06T23:00:00+00:00"
    assert at("2026-12-20T12:00:00Z", ("2026-12-20",)) is not None


def test_a_freeze_goes_before_a_window_that_began_the_day_before() -> None:
    # 22:00 to 02:00 in Berlin is 21:00 to 01:00 in UTC; Friday is over at 23:00 there.
    windows = ("fri 22:00-02:00",)
    assert at("2026-11-27T23:30:00Z", (), windows) is None
    assert at("2026-11-27T23:30:00Z", ("sat",), windows) is not None
    assert at("2026-11-27T22:30:00Z", ("sat",), windows) is None


def test_a_window_says_when_it_opens_next() -> None:
    windows = ("mon-thu 09:00-16:00", "sat 10:00-12:00")
    assert at("2026-11-26T14:59:59Z", (), windows) is None
    told = at("2026-11-26T15:00:00Z", (), windows)
    assert told is not None
    assert told.until == "2026-11-28T09:00:00+00:00"
    assert "thu 2026-11-26 16:00 in Europe/Berlin" in told.why


def test_an_hour_that_the_clocks_leave_out_opens_nothing_that_day() -> None:
    told = at("2026-03-29T00:00:00Z", (), ("02:00-03:00",))
    assert told is not None
    assert told.until == "2026-03-30T00:00:00+00:00"


def test_an_hour_that_the_clocks_have_twice_is_open_twice() -> None:
    windows = ("02:00-03:00",)
    assert at("2026-10-25T00:30:00Z", (), windows) is None
    assert at("2026-10-25T01:30:00Z", (), windows) is None
    assert at("2026-10-25T02:00:00Z", (), windows) is not None


def test_what_does_not_open_within_a_year_has_no_end() -> None:
    told = at("2026-01-01T00:00:00Z", ("2020-01-01..2040-01-01",))
    assert told is not None
    assert told.until == ""
    told = at("2026-01-01T00:00:00Z", ("2020-01-01..2026-12-31",))
    assert told is not None
    assert told.until == "2026-12-31T23:00:00+00:00"


def test_without_freeze_and_windows_it_is_always_open() -> None:
    assert closed((), (), "no zone at all", "no time at all") is None


@pytest.mark.parametrize("now", ["", "yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31"])
def test_a_time_that_no_calendar_has_is_an_error_and_neither_open_nor_closed(now: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        closed(("fri",), (), "UTC", now)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("friday", "neither a day"), ("Fri", "neither a day"), ("", "neither a day"), ("fri ", "neither a day"),
        ("fri-", "neither a day"), ("2026-13-01", "there is no 2026-13-01"), ("2026-02-29", "there is no 2026-02-29"),
        ("2026-12-20..2026-12-19", "ends before it begins"), ("2026-12-20-2026-12-21", "neither a day"),
        ("２０26-12-20", "neither a day"),
    ],
)  # fmt: skip
def test_what_is_no_freeze_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_freeze(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mon", "is not like"), ("mon 9:00-10:00", "is not like"), ("09:00-25:00", "there is no 25:00"),
        ("09:60-10:00", "there is no 09:60"), ("09:00-09:00", "ends when it begins"), ("09:00-24:01", "no 24:01"),
        ("24:00-02:00", "is an end"), ("mon,tue 09:00-10:00", "is not like"), ("mon  09:00-10:00", "is not like"),
    ],
)  # fmt: skip
def test_what_is_no_window_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_window(text)


@pytest.mark.parametrize(
    "name", ["", "Berlin", "../../etc/passwd", "/etc/localtime", "Europe/", "Europe", "localtime", "Europe/Berlin\n", "a" * 300]
)  # fmt: skip
def test_a_zone_is_one_that_is_the_same_everywhere(name: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        read_zone(name)


def test_a_week_that_leaves_nothing_is_noticed() -> None:
    assert ever_open((), ())
    assert ever_open(("mon-sat",), ())
    assert not ever_open(("mon-sun",), ())
    assert not ever_open(("fri",), ("fri 09:00-16:00",))
    assert ever_open(("fri",), ("fri 22:00-02:00",))
    assert not ever_open(("fri-sat",), ("fri 22:00-02:00",))
    assert ever_open(("2026-12-24",), ("09:00-10:00",))
