"""Which rules a move of a channel broke, told afterwards: only what is known breaks one."""

from __future__ import annotations

import pytest

from release.core.channel_config import Channel
from release.core.channel_hindsight import arrivals, hindsight
from release.core.channel_plan import HistoricMove
from release.core.config import VersionRules
from release.core.version import Version, scheme

RULES = scheme(VersionRules(scheme="semver+revision", revision="rke2r", candidates=("rc",)), "rke2")
STABLE = Channel("stable", follows="latest", soak="24h")
V28, V29, V30 = "1.28.11+rke2r1", "1.29.6+rke2r1", "1.30.5+rke2r1"


def version(text: str) -> Version:
    found = RULES.parse(text)
    assert found is not None
    return found


def came(to: str | None, when: str, outcome: str = "finished") -> HistoricMove:
    return HistoricMove("latest", when, "Ada <a@b>", None, to, {}, (), outcome=outcome)  # type: ignore[arg-type]


LATEST = (came(V30, "2026-01-06T10:00:00Z"), came(V29, "2026-01-05T10:00:00Z"), came(V28, "2026-01-01T10:00:00Z"))


@pytest.mark.parametrize(
    ("before", "after", "when", "rules"),
    [
        (V28, V29, "2026-01-06T10:00:00Z", ()),
        (V28, V29, "2026-01-06T09:59:59Z", ("soak",)),
        (V28, V29, "2026-01-05T09:00:00Z", ("not-followed", "soak")),
        (V28, V30, "2026-01-08T10:00:00Z", ("minor-skip",)),
        (V29, V28, "2026-01-08T10:00:00Z", ("backward-move", "lower-line")),
        (V28, "1.28.12+rke2r1", "2026-01-08T10:00:00Z", ("not-followed",)),
        (V28, "1.28.12-rc1+rke2r1", "2026-01-08T10:00:00Z", ("channel-accepts", "not-followed")),
    ],
)
def test_what_the_followed_channel_had_by_then_is_what_counts(
    before: str, after: str, when: str, rules: tuple[str, ...]
) -> None:
    judge = hindsight(STABLE, LATEST, {}, {})
    assert set(judge(version(before), version(after), when)) == set(rules)


@pytest.mark.parametrize("followed", [None, (), LATEST])
def test_before_anything_is_known_of_the_followed_channel_nothing_is_held_against_anybody(
    followed: tuple[HistoricMove, ...] | None,
) -> None:
    judge = hindsight(STABLE, followed, {}, {})
    assert judge(version(V28), version("1.28.12+rke2r1"), "2025-12-31T10:00:00Z") == ()


def test_a_channel_that_follows_none_waits_from_when_a_release_came_out() -> None:
    judge = hindsight(Channel("latest", soak="2h"), None, {V29: "2026-01-05T10:00:00Z"}, {})
    assert judge(version(V28), version(V29), "2026-01-05T11:00:00Z") == ("soak",)
    assert judge(version(V28), version(V29), "2026-01-05T12:00:00Z") == ()
    assert judge(version(V29), version(V30), "2026-01-05T11:00:00Z") == ()


def test_a_release_is_withdrawn_from_then_on() -> None:
    judge = hindsight(Channel("latest"), None, {}, {V29: "2026-01-05T10:00:00Z"})
    assert judge(version(V28), version(V29), "2026-01-05T09:00:00Z") == ()
    assert judge(version(V28), version(V29), "2026-01-05T11:00:00Z") == ("withdrawn-version",)


def test_a_version_came_when_it_came_first_and_not_by_a_move_that_did_not_end() -> None:
    moves = (
        came(V29, "2026-01-09T10:00:00Z"),
        came(V29, "2026-01-05T10:00:00+01:00"),
        came(V29, "2026-01-08T10:00:00Z"),
        came(V30, "2026-01-06T10:00:00Z", "returned"),
        came(V28, "2026-01-07T10:00:00Z", "begun"),
        came(None, "2026-01-07T10:00:00Z"),
        came(V28, "yesterday"),
    )
    assert arrivals(moves) == {V29: "2026-01-05T10:00:00+01:00"}
