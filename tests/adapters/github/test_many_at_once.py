"""Many components released at once: on a forge that enforces its limits, and where one request in twenty goes wrong."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fleet_release import Scale, ours, released


def test_many_are_released_at_once_none_lost_none_doubled_and_never_past_a_limit(tmp_path: Path) -> None:
    """A thousand by `python -m benchmarks.fleet_release`; here as many as a test has time for, in three short hours."""
    before, workers = ours(), 4
    scale = Scale(minute=0.5, hour=1.5, points=400, made=10, most=12)
    result = released(tmp_path, 30, scale, patience=0.05, workers=workers)
    assert result.failed == []
    assert (result.lost, result.doubled) == (0, 0)
    assert result.refused == 0, "the forge had to say no"
    assert result.faults >= result.requests // 30, "hardly anything went wrong"
    assert result.waits >= 30 - 2 * 12, "nobody had to wait for a limit"
    assert result.seconds >= 2 * 1.5, "more than an hour's contents were made in an hour"
    assert result.threads < before + 30, "whoever waited held a thread"
    each = 4  # a worker, and what it has beside it: a watch over what it asked, or git's input and complaints
    assert result.threads <= before + workers * each
