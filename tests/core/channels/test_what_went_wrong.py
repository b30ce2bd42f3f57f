"""What went wrong for users of a real fleet, with its versions: each is refused, and a way out is told."""

from __future__ import annotations

import msgspec

from release.core.channels import chosen, doubts, judged, judged_back, violations
from tests.offered import LONG_AGO, bad, channel_of, config, offer, seen, stands, version

TABLES = config(
    {"name": "testing", "accepts": "candidate"},
    {"name": "latest"},
    {"name": "stable", "follows": "latest", "soak": "24h", "new_minor_from_patch": 4, "freeze": ["fri"]},
)
TESTING, LATEST, STABLE = (channel_of(TABLES, name) for name in ("testing", "latest", "stable"))


def test_excluding_a_bad_release_does_not_let_latest_fall_back_to_an_older_minor() -> None:
    """Controllers that followed `latest` downgraded live clusters."""
    left = ["1.29.6", "1.28.11"]
    without = seen({"latest": stands("1.30.2", releases=3)}, left)
    assert chosen(TABLES, LATEST, "", without) is None
    assert judged(TABLES, LATEST, offer("1.29.6"), without).skipped
    marked = seen({"latest": stands("1.30.2", bad=bad("1.30.2"), arrivals={"1.29.6": LONG_AGO})}, ["1.30.2", *left])
    assert chosen(TABLES, LATEST, "", marked) is None
    (conflict,) = judged_back(TABLES, LATEST, "", offer("1.29.6"), marked)
    assert conflict.rule == "rollback-minor"
    assert "release and promote what comes after 1.30.2+rke2r1" in conflict.remedy


def test_stable_does_not_go_from_1_28_to_1_30_and_nobody_who_did_goes_unnoticed() -> None:
    world = seen(
        {"stable": stands("1.28.11"), "latest": stands("1.30.4", arrivals={"1.29.6": LONG_AGO})}, ["1.30.4", "1.29.6"]
    )
    (conflict,) = judged(TABLES, STABLE, offer("1.30.4"), world).refusals
    assert conflict.rule == "minor-skip"
    assert "invoke channel.promote --to stable --version 1.29.6+rke2r1" in conflict.remedy
    found = chosen(TABLES, STABLE, "", world)
    assert found is not None
    assert (found.offer.version, found.ripe) == (version("1.29.6"), True)
    assert "minor-skip" in violations(STABLE, version("1.28.11"), version("1.30.4"), LONG_AGO)


def test_an_outage_of_the_release_api_moves_nothing() -> None:
    """The newest release looked like an old one."""
    state = stands("1.30.2", releases=40)
    for listed in ([], ["1.27.1"], ["1.30.2", "1.30.3"]):
        offers = [offer(one) for one in listed]
        found = doubts(offers, [version("1.30.2")], [state], True)
        assert {one.rule for one in found} == {"shrunken-list"}
        world = seen({"latest": state}, offers, doubts=found)
        next_one = chosen(TABLES, LATEST, "", world)
        assert next_one is None or not next_one.ripe


def test_testing_leaves_a_beta_that_is_four_years_old() -> None:
    """Nothing was above it for who compares metadata as SemVer does; and a global channel takes one minor after the other."""
    old = seen({"testing": stands("1.18.9-beta21")}, ["1.18.9-beta22", "1.18.9", "1.19.0-rc1"])
    found = chosen(TABLES, TESTING, "", old)
    assert found is not None
    assert (found.offer.version, found.ripe) == (version("1.19.0-rc1"), True)
    far = judged(TABLES, TESTING, offer("1.30.2"), old)
    assert [one.rule for one in far.refusals] == ["minor-skip"]
    assert judged(TABLES, TESTING, offer("1.30.2"), old, ["minor-skip"]).ripe


def test_r2_is_an_upgrade_of_r1() -> None:
    """Fleets would not upgrade, and user interfaces greyed out r3's candidates."""
    world = seen({"latest": stands("1.21.7+rke2r1"), "testing": stands("1.21.7+rke2r2")}, ["1.21.7+rke2r2"])
    assert judged(TABLES, LATEST, offer("1.21.7+rke2r2"), world).ripe
    assert judged(TABLES, TESTING, offer("1.21.7-rc2+rke2r3"), world).ripe


def test_stable_waits_a_day_never_moves_on_a_friday_and_takes_a_minor_from_its_fourth_patch() -> None:
    arrived = stands("1.30.4", arrivals={"1.30.3": LONG_AGO}, at="2026-11-26T18:00:00Z")
    world = seen({"stable": stands("1.29.6"), "latest": arrived}, ["1.30.4"], now="2026-11-27T12:00:00Z")
    verdict = judged(TABLES, STABLE, offer("1.30.4"), world)
    assert [(one.rule, one.until) for one in verdict.waits] == [
        ("soak", "2026-11-27T18:00:00+00:00"),
        ("frozen", "2026-11-28T00:00:00+00:00"),
    ]
    assert judged(TABLES, STABLE, offer("1.30.4"), msgspec.structs.replace(world, now="2026-11-28T00:00:00Z")).ripe
    early = judged(TABLES, STABLE, offer("1.30.3"), world)
    assert [one.rule for one in early.refusals] == ["new-minor"]


def test_four_lines_that_are_released_in_one_week_do_not_fight_for_a_channel() -> None:
    week = ["1.33.9", "1.34.5", "1.35.2", "1.36.1"]
    world = seen({"latest": stands("1.36.0")}, week)
    found = chosen(TABLES, LATEST, "", world)
    assert found is not None
    assert (found.offer.version, found.ripe) == (version("1.36.1"), True)
    lower = [judged(TABLES, LATEST, offer(one), world) for one in week[:3]]
    assert all(one.skipped and not one.refusals for one in lower)
