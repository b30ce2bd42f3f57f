"""A question about health, as a step: healthy is done, unhealthy is a person's turn, and what nobody can tell has failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import pytest

from release.core.finding import Blocked, Conflict, Done, Failed
from release.core.model import Person, Release
from release.core.promotion import HealthWish, Reading
from release.engine.step import Known
from release.errors import Refused
from release.steps.health import HealthCheck

COMMIT = "c0ffee" * 6 + "c0ff"
DATE = "2026-01-02T03:04:05+00:00"
RELEASE = Release("1.0.0", "v1.0.0", "1.0", "final", "minor", None, "main", COMMIT, DATE, Person("C", "c@example.org"))
WISH = HealthWish("errors", "prometheus", deadline=7)
NOTHING = cast(Known, {})
LACKS = Conflict("health-lacks", "health errors: PROMETHEUS is not set", "install it, or set it")


@dataclass
class Said:
    """Readings, one after the other as they are asked for; the last one for ever."""

    readings: list[Reading]
    lacks: tuple[Conflict, ...] = ()

    def lacking(self, wish: HealthWish) -> tuple[Conflict, ...]:
        assert wish == WISH
        return self.lacks

    def reading(self, wish: HealthWish, release: Release, commit: str, say: Callable[[str], None]) -> Reading:
        assert (wish, release, commit) == (WISH, RELEASE, COMMIT)
        return self.readings.pop(0) if self.readings[1:] else self.readings[0]


def check(*readings: Reading, lacks: tuple[Conflict, ...] = ()) -> HealthCheck:
    return HealthCheck("health errors", RELEASE, WISH, COMMIT, Said(list(readings), lacks))


def test_healthy_is_done_with_what_was_seen() -> None:
    step = check(Reading(True, "0.002 < 0.01"))
    assert step.inspect(NOTHING) == Done("errors: 0.002 < 0.01", "errors: 0.002 < 0.01")
    step.apply(NOTHING, lambda line: None)
    assert step.deadline == 7


def test_unhealthy_is_for_a_person_who_is_told_the_ways_out() -> None:
    step = check(Reading(False, "0.02 is not under 0.01"))
    found = step.inspect(NOTHING)
    assert isinstance(found, Blocked)
    assert found.conflict.rule == "unhealthy"
    assert found.conflict.why == "1.0.0 does not do well: errors: 0.02 is not under 0.01"
    assert found.conflict.remedy == "wait until it does well, or release and promote what mends it"
    with pytest.raises(Refused, match="does not do well"):
        step.apply(NOTHING, lambda line: None)


def test_what_nobody_can_tell_is_not_healthy_and_not_unhealthy() -> None:
    step = check(Reading(None, "there is no data"))
    found = step.inspect(NOTHING)
    assert isinstance(found, Failed)
    assert "there is no data" in found.why
    with pytest.raises(Refused, match="there is no data"):
        step.apply(NOTHING, lambda line: None)


def test_what_was_told_once_is_asked_again() -> None:
    step = check(Reading(True, "fine"), Reading(False, "worse"))
    assert isinstance(step.inspect(NOTHING), Done)
    assert isinstance(step.inspect(NOTHING), Blocked)


def test_what_cannot_be_asked_is_told_before_anything_is_done() -> None:
    step = check(Reading(True, "never asked"), lacks=(LACKS,))
    assert step.preflight() == (LACKS,)
    assert step.inspect(NOTHING) == Blocked(LACKS)
