"""Times as git and forges write them: compared where they are times, and nothing where they are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.moments import age, between, instant, month, utc

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(timezones=ZONES)


@given(TIMES, TIMES)
def test_times_of_any_zone_are_told_apart_by_the_seconds_between_them(one: datetime, other: datetime) -> None:
    assert between(one.isoformat(), other.isoformat()) == pytest.approx((other - one).total_seconds(), abs=1e-3)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES))
def test_a_month_is_that_of_utc(time: datetime) -> None:
    there = time.astimezone(UTC)
    assert month(time.isoformat()) == f"{there.year:04}-{there.month:02}"


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES))
def test_a_moment_is_the_same_as_utc_tells_it(time: datetime) -> None:
    told = utc(time.replace(microsecond=0).isoformat())
    assert told.endswith("+00:00")
    assert datetime.fromisoformat(told) == time.replace(microsecond=0)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "9999-12-31T23:00:00-14:00"]
)
def test_what_is_utc_already_or_no_moment_at_all_stays_as_it_is_written(text: str) -> None:
    assert utc(text) == text


def test_a_time_without_a_zone_is_utc() -> None:
    assert instant("2026-01-01T00:00:00") == instant("2026-01-01T02:00:00+02:00") == instant("2026-01-01T00:00:00Z")


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-13-01T00:00:00Z", "٢٠٢٦-01-01", "\udcff", "2" * 10_000])
def test_what_is_no_time_is_nothing(text: str | None) -> None:
    now = "2026-01-01T00:00:00Z"
    assert (instant(text), month(text), age(text, now), between(text, now), between(now, text)) == (None,) * 5


def test_the_first_and_the_last_moment_there_is_do_no_harm() -> None:
    assert month("0001-01-01T00:00:00+14:00") is None
    assert month("9999-12-31T23:59:59-14:00") is None
    assert instant("0001-01-01T00:00:00+14:00") is not None


def test_an_age_is_in_whole_seconds_and_never_below_nothing() -> None:
    assert age("2026-01-01T00:00:00Z", "2026-01-01T00:01:30+00:00") == 90
    assert age("2026-01-01T00:02:00Z", "2026-01-01T00:01:30+00:00") == 0
