"""Our own pace: whatever is asked, and however fast, no window ever holds more than is documented."""

from __future__ import annotations

import random
import threading
from collections import deque
from itertools import pairwise

import pytest

from release.adapters.http.pace import GITHUB, Pace, Rates
from tests.serving import Time


def let_go(pace: Pace, times: Time, writes: bool = False, creates: bool = False, took: float = 0.0) -> float:
    """Wait for one request's turn and let it end after a while; when it was begun."""
    while (pause := pace.begin(writes, creates)) > 0:
        times.pause(pause)
    at = times.at
    times.at += took
    pace.end(writes)
    return at


def test_what_is_kept_to_is_what_github_documents() -> None:
    assert (GITHUB.at_once, GITHUB.points, GITHUB.made, GITHUB.hourly) == (100, 900, 80, 500)
    assert (GITHUB.minute, GITHUB.hour, GITHUB.gap) == (60, 3600, 1)


def test_nine_hundred_reads_go_at_once_and_the_next_after_a_minute() -> None:
    times = Time()
    pace = Pace(GITHUB, times.clock)
    begun = [let_go(pace, times) for _ in range(901)]
    assert begun[899] == begun[0]
    assert begun[900] == begun[0] + 60


def test_a_write_costs_five_reads() -> None:
    times = Time()
    pace = Pace(Rates(points=12, gap=0), times.clock)
    begun = [let_go(pace, times, writes=True) for _ in range(3)]
    assert [at - begun[0] for at in begun] == [0, 0, 60]
    assert [let_go(pace, times) - begun[0] for _ in range(3)] == [60, 60, 60]


def test_writes_that_make_something_are_a_second_apart_eighty_a_minute_and_five_hundred_an_hour() -> None:
    times = Time()
    pace = Pace(GITHUB, times.clock)
    begun = [let_go(pace, times, writes=True, creates=True) for _ in range(501)]
    assert all(late - early >= 1 for early, late in pairwise(begun))
    assert begun[499] - begun[0] == 499
    assert begun[500] - begun[0] == 3600
    pace, times = Pace(Rates(gap=0), times.clock), times
    begun = [let_go(pace, times, writes=True, creates=True) for _ in range(81)]
    assert (begun[79] - begun[0], begun[80] - begun[0]) == (0, 60)


def test_what_is_under_way_counts_until_it_has_ended_for_nobody_knows_when_it_arrives() -> None:
    times = Time()
    pace = Pace(Rates(points=1), times.clock)
    assert pace.begin(False, False) == 0
    times.at += 59
    assert pace.begin(False, False) == 60
    pace.end(False)
    times.at += 59
    assert pace.begin(False, False) == pytest.approx(1)
    times.at += 1
    assert pace.begin(False, False) == 0


def test_no_more_than_so_many_are_under_way_at_once() -> None:
    pace = Pace(Rates(at_once=2), Time().clock)
    assert [pace.begin(False, False) > 0 for _ in range(3)] == [False, False, True]
    pace.end(False)
    assert pace.begin(False, False) == 0


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_asked_no_window_of_the_server_ever_holds_too_much(seed: int) -> None:
    """The server counts a request at any moment between its beginning and its end."""
    chance, times = random.Random(seed), Time()
    rates = Rates(at_once=5, points=40, made=6, hourly=20, minute=10, hour=100, gap=0.5)
    pace = Pace(rates, times.clock)
    going: list[tuple[float, bool]] = []
    counted: list[tuple[float, int, bool]] = []
    for _ in range(600):
        times.at += chance.choice((0, 0, 0.01, 0.3, 2))
        for one in [one for one in going if one[0] <= times.at]:
            going.remove(one)
            pace.end(one[1])
        writes = chance.random() < 0.4
        if pace.begin(writes, writes) == 0:
            end = times.at + chance.random() * 3
            counted.append((chance.uniform(times.at, end), 5 if writes else 1, writes))
            going.append((end, writes))
            assert len(going) <= rates.at_once
    assert len(counted) > 50
    for seconds, most, weighs in (
        (rates.minute, rates.points, lambda cost, writes: cost),
        (rates.minute, rates.made, lambda cost, writes: int(writes)),
        (rates.hour, rates.hourly, lambda cost, writes: int(writes)),
    ):
        inside: deque[tuple[float, int]] = deque()
        for at, cost, writes in sorted(counted):
            inside.append((at, weighs(cost, writes)))
            while inside[0][0] <= at - seconds:
                inside.popleft()
            assert sum(weight for _, weight in inside) <= most


def test_a_thousand_that_go_away_are_told_moments_at_which_each_of_them_is_let_go() -> None:
    times = Time()
    pace = Pace(Rates(points=10**6, made=80, hourly=10**6, gap=0), times.clock)
    begun = [let_go(pace, times, writes=True, creates=True) for _ in range(80)]
    start = times.at
    turns = sorted(pace.turn(True, True) for _ in range(1000))
    assert begun[0] == start
    assert [turns[n * 80] for n in range(13)] == [60.0 * (n + 1) for n in range(13)]
    for turn in turns:
        times.at = max(times.at, start + turn)
        assert pace.begin(True, True) == 0, "who comes back at his turn is let go"
        pace.end(True)


def test_who_does_not_come_back_is_not_waited_for_for_ever() -> None:
    times = Time()
    pace = Pace(Rates(points=1), times.clock)
    let_go(pace, times)
    assert [pace.turn(False, False) for _ in range(3)] == [60, 120, 180]
    times.at += 130
    let_go(pace, times)
    assert pace.turn(False, False) == pytest.approx(110), "only the one whose turn is still to come is before him"


def test_writes_that_go_away_for_the_gap_come_back_one_by_one() -> None:
    times = Time()
    pace = Pace(GITHUB, times.clock)
    let_go(pace, times, writes=True, creates=True)
    assert [pace.turn(True, True) for _ in range(3)] == [1, 2, 3]


def test_it_holds_no_more_than_its_windows_and_those_that_wait() -> None:
    times = Time()
    pace = Pace(GITHUB, times.clock)
    for _ in range(5000):
        let_go(pace, times)
    assert len(pace._points._ended) <= GITHUB.points
    assert not pace._points._told


def test_threads_share_one_pace() -> None:
    times = Time()
    pace = Pace(Rates(at_once=1000, points=50), times.clock)
    gone: list[float] = []
    threads = [
        threading.Thread(target=lambda: gone.extend(pace.begin(False, False) for _ in range(10))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(gone), gone.count(0.0)) == (200, 50)
