"""What a move broke that happened: by facts alone, and what is not known breaks no rule."""

from __future__ import annotations

from typing import Any

import pytest

from release.core.channel_config import Channel
from release.core.channels import violations
from tests.offered import version

TUESDAY, FRIDAY = "2026-11-24T12:00:00+01:00", "2026-11-27T12:00:00+01:00"


def broken(
    before: str, after: str, at: str = TUESDAY, *, channel: dict[str, Any] | None = None, **more: Any
) -> set[str]:
    """`before` and `after` as short versions, "" for none."""
    one = Channel("stable", **(channel or {}))
    found = violations(one, version(before) if before else None, version(after) if after else None, at, **more)
    assert len(set(found)) == len(found)
    return set(found)


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        ("1.33.4", "1.33.5", set()), ("1.33.4", "1.34.0", set()), ("", "1.33.4", set()), ("1.33.4", "", set()),
        ("1.33.4", "1.33.4", set()), ("1.33.4", "2.0.0", set()),
        ("1.28.11", "1.30.2", {"minor-skip"}), ("1.33.4", "2.1.0", {"minor-skip"}),
        ("1.33.5", "1.33.4", {"backward-move"}), ("1.34.1", "1.33.9", {"backward-move", "lower-line"}),
        ("1.33.4", "1.33.5-rc1", {"channel-accepts"}), ("1.33.4+rke2r2", "1.33.4+rke2r1", {"backward-move"}),
    ],
)  # fmt: skip
def test_directions_and_maturity(before: str, after: str, rules: set[str]) -> None:
    assert broken(before, after) == rules


def test_a_channel_by_line_skips_nothing_and_one_of_candidates_takes_them() -> None:
    assert broken("1.28.11", "1.30.2", channel={"scope": "line"}) == set()
    assert broken("1.33.4", "1.33.5-rc1", channel={"accepts": "candidate"}) == set()


def test_a_new_minor_too_early() -> None:
    early = {"new_minor_from_patch": 4}
    assert broken("1.33.9", "1.34.3", channel=early) == {"new-minor"}
    assert broken("1.33.9", "1.34.4", channel=early) == set()
    assert broken("", "1.34.3", channel=early) == {"new-minor"}
    assert broken("1.35.4", "1.34.3", channel=early) == {"backward-move", "lower-line"}


def test_a_move_on_a_day_on_which_nothing_moves() -> None:
    frozen = {"freeze": ("fri",), "timezone": "Europe/Berlin"}
    assert broken("1.33.4", "1.33.5", FRIDAY, channel=frozen) == {"frozen"}
    assert broken("1.33.4", "1.33.5", TUESDAY, channel=frozen) == set()


@pytest.mark.parametrize("at", ["", "once", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00Z"])
def test_of_a_time_that_no_calendar_has_nothing_is_told(at: str) -> None:
    channel = {"freeze": ("fri",), "soak": "24h", "follows": "latest"}
    assert broken("1.33.4", "1.33.5", at, channel=channel) == set()


def test_what_was_not_in_the_channel_before_or_not_for_long() -> None:
    channel = {"follows": "latest", "soak": "24h"}
    assert broken("1.33.4", "1.33.5", channel=channel) == set()
    assert broken("1.33.4", "1.33.5", channel=channel, since="") == {"not-followed"}
    assert broken("1.33.4", "1.33.5", channel=channel, since="2026-11-25T00:00:00Z") == {"not-followed", "soak"}
    assert broken("1.33.4", "1.33.5", channel=channel, since="2026-11-23T11:00:01Z") == {"soak"}
    assert broken("1.33.4", "1.33.5", channel=channel, since="2026-11-23T11:00:00Z") == set()
    assert broken("1.33.4", "1.33.5", channel={"soak": "24h"}, since="2026-11-24T00:00:00Z") == {"soak"}
    assert broken("1.33.4", "1.33.5", channel={"soak": "24h"}, since="2026-11-25T00:00:00Z") == {"soak"}


def test_what_was_withdrawn_by_then() -> None:
    assert broken("1.33.4", "1.33.5", withdrawn="2026-11-24T11:00:00Z") == {"withdrawn-version"}
    assert broken("1.33.4", "1.33.5", withdrawn="2026-11-24T11:00:01Z") == set()
    assert broken("1.33.4", "1.33.5", withdrawn="") == set()
