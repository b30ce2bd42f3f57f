"""Whether a release may get into a channel, by one rule after the other; and which one is next."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.core.channel_record import ChannelState, Standing
from release.core.channels import WAIVABLE, Offer, Seen, Verdict, chosen, current, judged, unwaivable
from release.core.config import VersionRules
from release.core.finding import Conflict
from release.core.version import scheme
from tests.offered import LONG_AGO, NOW, RULES, bad, channel_of, config, held, move, offer, seen, stands, version

TESTING = {"name": "testing", "accepts": "candidate"}
LATEST = {"name": "latest"}
STABLE = {"name": "stable", "follows": "latest", "soak": "24h"}
YESTERDAY = "2026-11-23T12:00:00+00:00"
FRIDAY = "2026-11-27T12:00:00+00:00"


def told(verdict: Verdict) -> list[str]:
    """The names of the rules, waits with "?"; every one says what to do or until when."""
    for conflict in verdict.refusals:
        assert conflict.why
        assert conflict.remedy
    return [*(one.rule for one in verdict.refusals), *(f"{one.rule}?" for one in verdict.waits)]


def alone(text: str, state: ChannelState | None = None, *waived: str, of: str = "stable", **more: Any) -> Verdict:
    """A release before a channel that follows nobody; `more` is of the channel."""
    tables = config({"name": of, **more})
    world = seen({of: state or ChannelState()}, [text])
    return judged(tables, channel_of(tables, of), offer(text), world, waived)


def chain(world: Seen, text: str, *waived: str) -> Verdict:
    """A release before stable, which follows latest, which follows testing."""
    tables = config(TESTING, {**LATEST, "follows": "testing"}, STABLE)
    return judged(tables, channel_of(tables, "stable"), offer(text), world, waived)


# One release


def test_an_empty_channel_takes_whatever_is_out() -> None:
    assert alone("1.33.4").ripe


def test_what_a_channel_has_is_none_of_its_business() -> None:
    verdict = alone("1.33.4", stands("1.33.4"))
    assert (verdict.skipped, told(verdict)) == ("stable has 1.33.4+rke2r1 already", [])
    assert not verdict.ripe


def test_a_revision_is_a_later_version() -> None:
    assert alone("1.33.4+rke2r2", stands("1.33.4+rke2r1")).ripe
    assert told(alone("1.33.4+rke2r1", stands("1.33.4+rke2r2"))) == ["backward-move"]


def test_a_channel_that_accepts_candidates_takes_finals_and_not_the_other_way_round() -> None:
    verdict = alone("1.33.4-rc1", stands("1.33.3"))
    assert told(verdict) == ["channel-accepts"]
    assert "1.33.4-rc1+rke2r1 is a candidate, and stable accepts finals" in verdict.refusals[0].why
    assert "invoke release --version 1.33.4+rke2r1;" in verdict.refusals[0].remedy
    tables = config({"name": "stable"})
    out = judged(
        tables, tables.channel[0], offer("1.33.4-rc1+rke2r2"), seen({}, ["1.33.4-rc1+rke2r2", "1.33.4+rke2r2"])
    )
    assert "invoke channel.promote --to stable --version 1.33.4+rke2r2;" in out.refusals[0].remedy
    assert alone("1.33.4-rc1", stands("1.33.3"), accepts="candidate").ripe
    assert alone("1.33.4", stands("1.33.4-rc9"), accepts="candidate").ripe


def test_rc13_comes_after_rc9() -> None:
    assert alone("1.33.4-rc13", stands("1.33.4-rc9"), accepts="candidate").ripe


def test_a_lower_line_is_skipped_by_a_global_channel_and_is_no_failure() -> None:
    verdict = alone("1.32.9", stands("1.33.4"))
    assert told(verdict) == []
    assert "lower line" in verdict.skipped
    assert not verdict.ripe
    by_line = stands("1.33.4", line="1.33")
    assert alone("1.32.9", by_line, scope="line").ripe


def test_a_promotion_never_goes_back_and_a_way_back_is_told_within_the_minor() -> None:
    (conflict,) = alone("1.33.3", stands("1.33.4")).refusals
    assert conflict.rule == "backward-move"
    assert "invoke channel.rollback stable --to 1.33.3+rke2r1" in conflict.remedy


def test_what_is_neither_above_nor_below_is_not_taken() -> None:
    tables = msgspec.structs.replace(config({"name": "stable"}), version=VersionRules())
    one = scheme(tables.version).parse("1.0.0+a")
    assert one is not None
    state = ChannelState({"": Standing("1.0.0+b", "v1.0.0+b", LONG_AGO)})
    verdict = judged(tables, tables.channel[0], Offer(one, "v1.0.0+a", "c" * 40, LONG_AGO), seen({"stable": state}))
    assert told(verdict) == ["backward-move"]
    assert "not above" in verdict.refusals[0].why


@pytest.mark.parametrize(
    ("has", "gets", "skips"),
    [
        ("1.33.4", "1.34.0", False), ("1.33.4", "1.35.0", True), ("1.33.4", "1.33.9", False),
        ("1.33.4", "2.0.0", False), ("1.33.4", "2.0.7", False), ("1.33.4", "2.1.0", True), ("1.33.4", "3.0.0", True),
    ],
)  # fmt: skip
def test_a_global_channel_goes_one_minor_at_a_time(has: str, gets: str, skips: bool) -> None:
    assert told(alone(gets, stands(has))) == (["minor-skip"] if skips else [])
    assert alone(gets, stands(has), "minor-skip").ripe


@pytest.mark.parametrize(("trails", "skips"), [("1.28.13", True), ("1.29.2", False), ("1.29.8", False)])
def test_who_follows_a_pointer_that_is_behind_the_others_skips_no_minor_either(trails: str, skips: bool) -> None:
    tables = config({"name": "stable"})
    shown = {"stable": {"": "1.29.8"}}
    world = seen({"stable": stands()}, ["1.30.4"], shown=shown, trailing={"stable": {"": version(trails)}})
    verdict = judged(tables, tables.channel[0], offer("1.30.4"), world)
    assert told(verdict) == (["minor-skip"] if skips else [])
    if skips:
        assert "a pointer of stable says 1.28.13+rke2r1" in verdict.refusals[0].why
        assert "invoke channel.promote --to stable --version 1.29.8+rke2r1" in verdict.refusals[0].remedy
        assert judged(tables, tables.channel[0], offer("1.30.4"), world, ["minor-skip"]).ripe


def test_what_to_promote_first_is_told() -> None:
    tables = config({"name": "stable"})
    offers: list[Any] = ["1.34.1", "1.34.2", "1.34.3-rc1", offer("1.34.3", withdrawn="crashes"), "1.35.0"]
    world = seen({"stable": stands("1.33.4")}, offers)
    (conflict,) = judged(tables, tables.channel[0], offer("1.35.0"), world).refusals
    assert "would skip 1.34" in conflict.why
    assert conflict.remedy.startswith("first invoke channel.promote --to stable --version 1.34.2+rke2r1")
    (conflict,) = alone("2.1.0", stands("1.33.4")).refusals
    assert conflict.remedy.startswith("first release one of 2.0")


def test_a_new_minor_is_taken_from_a_patch_on() -> None:
    more: dict[str, Any] = {"new_minor_from_patch": 4}
    assert told(alone("1.34.3", stands("1.33.9"), **more)) == ["new-minor"]
    assert alone("1.34.4", stands("1.33.9"), **more).ripe
    assert alone("1.33.1", stands("1.33.0"), **more).ripe
    assert told(alone("1.34.3", None, **more)) == ["new-minor"]
    assert told(alone("1.34.3", stands("1.33.9", line="1.33"), scope="line", **more)) == ["new-minor"]
    assert alone("1.34.3", stands("1.33.9"), "new-minor", **more).ripe


def test_a_channel_that_is_held_takes_nothing() -> None:
    (conflict,) = alone("1.33.5", stands("1.33.4", hold=held())).refusals
    assert conflict.rule == "channel-held"
    assert "1.33.5+rke2r1" in conflict.why
    assert "agents lose their address" in conflict.why
    assert "invoke channel.resume stable" in conflict.remedy
    assert told(alone("1.33.5", stands("1.33.4", hold=held()), *WAIVABLE)) == ["channel-held"]


def test_texts_of_others_stay_on_their_line() -> None:
    hostile = held("\x1b[2J\nclean")
    (conflict,) = alone("1.33.5", stands("1.33.4", hold=hostile)).refusals
    assert conflict.why.isprintable()


def test_another_move_is_ended_first() -> None:
    begun = stands("1.33.4", moves={"": move("1.33.5", "1.33.4")})
    (conflict,) = alone("1.33.6", begun).refusals
    assert conflict.rule == "channel-moving"
    assert "invoke channel.promote --to stable --version v1.33.5+rke2r1" in conflict.remedy
    assert "invoke channel.rollback stable" in conflict.remedy
    assert alone("1.33.5", begun).ripe
    ended = stands("1.33.5", moves={"": move("1.33.5", "1.33.4", outcome="finished")})
    assert alone("1.33.6", ended).ripe


def test_who_goes_back_or_is_taken_back_gets_nothing_new() -> None:
    back = stands("1.33.5", moves={"": move("1.33.4", "1.33.5", kind="rollback")})
    (conflict,) = alone("1.33.6", back).refusals
    assert "invoke channel.rollback stable --reason WHY --to v1.33.4+rke2r1 --allow-downgrade" in conflict.remedy
    assert told(alone("1.33.4", back)) == ["channel-moving", "backward-move"]
    returning = stands("1.33.4", moves={"": move("1.33.5", "1.33.4", outcome="returning")})
    assert told(alone("1.33.5", returning)) == ["channel-moving"]


def test_a_move_of_one_line_is_none_of_another_ones() -> None:
    state = stands("1.33.4", line="1.33", moves={"1.33": move("1.33.5", "1.33.4", line="1.33")})
    assert alone("1.34.1", state, scope="line").ripe
    (conflict,) = alone("1.33.6", state, scope="line").refusals
    assert "invoke channel.rollback stable --line 1.33" in conflict.remedy


def test_what_has_begun_keeps_what_was_waived_for_it() -> None:
    state = stands("1.33.4", moves={"": move("1.35.1", "1.33.4", waived=["minor-skip"])})
    assert alone("1.35.1", state).ripe
    assert told(alone("1.35.1", stands("1.33.4"))) == ["minor-skip"]


def test_a_record_that_cannot_be_read_is_not_taken_for_an_empty_one() -> None:
    state = msgspec.structs.replace(
        stands("1.33.4"), standing={"": msgspec.structs.replace(stands("1.33.4").standing[""], version="2024.1")}
    )
    assert told(alone("1.33.5", state)) == ["channel-unreadable"]
    assert told(alone("1.33.5", state, *WAIVABLE)) == ["channel-unreadable"]
    by_line = ChannelState({"1.34": Standing("2024.1", "v2024.1", LONG_AGO)})
    assert told(alone("1.34.5", by_line, scope="line")) == ["channel-unreadable"]
    assert alone("1.33.5", by_line, scope="line").ripe


def test_what_is_withdrawn_or_marked_bad_is_nobodys_next_version() -> None:
    tables = config({"name": "stable"})
    withdrawn = judged(tables, tables.channel[0], offer("1.33.5", withdrawn="data loss"), seen({}))
    assert told(withdrawn) == ["withdrawn-version"]
    assert "data loss" in withdrawn.refusals[0].why
    (conflict,) = alone("1.33.5", stands("1.33.4", bad=bad("1.33.5"))).refusals
    assert conflict.rule == "rolled-back"
    assert "invoke channel.resume stable --version 1.33.5+rke2r1" in conflict.remedy


def test_doubts_about_the_list_of_releases_are_passed_on() -> None:
    doubt = Conflict("shrunken-list", "3 releases are listed, and there were 12", "look")
    tables = config({"name": "stable"})
    world = seen({"stable": stands("1.33.4")}, ["1.33.5"], doubts=(doubt,))
    assert judged(tables, tables.channel[0], offer("1.33.5"), world).refusals == (doubt,)
    assert judged(tables, tables.channel[0], offer("1.33.5"), world, ["shrunken-list"]).ripe


# After another channel


def test_a_version_was_in_the_channel_before_by_its_record_or_by_its_pointers() -> None:
    verdict = chain(seen({}), "1.33.5")
    assert told(verdict) == ["not-followed"]
    assert "invoke channel.promote --to latest --version 1.33.5+rke2r1" in verdict.refusals[0].remedy
    passed = chain(seen({"latest": stands("1.33.6")}), "1.33.5").refusals[0].remedy
    assert passed == "latest has 1.33.6+rke2r1 by now: invoke channel.promote --to stable --version 1.33.6+rke2r1"
    assert chain(seen({"latest": stands("1.33.5")}), "1.33.5").ripe
    assert chain(seen({"latest": stands("1.33.6", arrivals={"1.33.5": LONG_AGO})}), "1.33.5").ripe
    assert chain(seen({}, shown={"latest": {"": "1.33.5"}}), "1.33.5").ripe
    forgotten = msgspec.structs.replace(stands("1.33.5", at=YESTERDAY), arrivals={})
    assert chain(seen({"latest": forgotten}, now=YESTERDAY), "1.33.5").waits[0].until == NOW


def test_the_soak_begins_with_the_arrival_by_record_and_not_with_the_publication() -> None:
    world = seen({"latest": stands("1.33.5", at="2026-11-24T00:00:00Z")})
    (wait,) = chain(world, "1.33.5").waits
    assert (wait.rule, wait.until) == ("soak", "2026-11-25T00:00:00+00:00")
    assert chain(world, "1.33.5", "soak").ripe
    over = msgspec.structs.replace(world, now="2026-11-25T00:00:00Z")
    assert chain(over, "1.33.5").ripe


def test_without_a_record_the_soak_begins_with_the_publication() -> None:
    tables = config({"name": "latest"}, STABLE)
    world = seen({}, shown={"latest": {"": "1.33.5"}})
    fresh = offer("1.33.5", "2026-11-24T06:00:00Z")
    (wait,) = judged(tables, tables.channel[1], fresh, world).waits
    assert wait.until == "2026-11-25T06:00:00+00:00"
    alone_ = config({"name": "stable", "soak": "7d"})
    (wait,) = judged(alone_, alone_.channel[0], fresh, seen({})).waits
    assert wait.until == "2026-12-01T06:00:00+00:00"


@pytest.mark.parametrize("published", ["", "once", "9999-12-31T23:59:59Z", "2026-11-24T12:00:01Z"])
def test_a_time_that_is_unknown_or_yet_to_come_has_not_soaked(published: str) -> None:
    tables = config({"name": "stable", "soak": "1s"})
    verdict = judged(tables, tables.channel[0], offer("1.33.5", published), seen({}))
    assert told(verdict) == ["soak?"]


def test_what_is_bad_in_a_channel_goes_no_further() -> None:
    arrived = {"1.33.5": LONG_AGO}
    for where in ("latest", "testing"):
        states = {"latest": stands("1.33.4", arrivals=arrived), "testing": stands("1.33.4", arrivals=arrived)}
        states[where] = msgspec.structs.replace(states[where], bad=bad("1.33.5"))
        verdict = chain(seen(states), "1.33.5")
        assert told(verdict) == ["rolled-back"]
        assert f"invoke channel.resume {where} --version" in verdict.refusals[0].remedy


def test_what_a_channel_is_held_for_goes_no_further_and_all_else_does() -> None:
    arrived = {"1.33.4": LONG_AGO, "1.33.5": LONG_AGO}
    world = seen({"latest": stands("1.33.5", arrivals=arrived, hold=held(about="1.33.5"))})
    verdict = chain(world, "1.33.5")
    assert told(verdict) == ["channel-held"]
    assert "invoke channel.resume latest" in verdict.refusals[0].remedy
    assert chain(world, "1.33.4").ripe


# When


def test_nothing_moves_in_a_freeze() -> None:
    tables = config({"name": "stable", "freeze": ["fri"], "timezone": "Europe/Berlin"})
    world = seen({"stable": stands("1.33.4")}, now=FRIDAY)
    (wait,) = judged(tables, tables.channel[0], offer("1.33.5"), world).waits
    assert (wait.rule, wait.until) == ("frozen", "2026-11-27T23:00:00+00:00")
    assert "stable" in wait.why
    assert judged(tables, tables.channel[0], offer("1.33.5"), world, ["frozen"]).ripe
    assert judged(tables, tables.channel[0], offer("1.33.5"), msgspec.structs.replace(world, now=NOW)).ripe


def test_what_users_see_half_done_is_finished_in_a_freeze_and_nothing_else() -> None:
    tables = config({"name": "stable", "freeze": ["fri"]})
    state = {"stable": stands("1.33.4", moves={"": move("1.33.5", "1.33.4")})}
    begun = seen(state, now=FRIDAY)
    assert told(judged(tables, tables.channel[0], offer("1.33.5"), begun)) == ["frozen?"]
    half = seen(state, now=FRIDAY, shown={"stable": {"": "1.33.5"}})
    assert judged(tables, tables.channel[0], offer("1.33.5"), half).ripe
    by_hand = seen({"stable": stands("1.33.4")}, now=FRIDAY, shown={"stable": {"": "1.33.5"}})
    assert told(judged(tables, tables.channel[0], offer("1.33.5"), by_hand)) == ["frozen?"]


def test_what_a_hand_moved_can_be_promoted_by_the_rules_and_what_it_skipped_is_told() -> None:
    tables = config({"name": "stable"})
    world = seen({"stable": stands("1.28.11")}, ["1.30.2"], shown={"stable": {"": "1.30.2"}})
    assert told(judged(tables, tables.channel[0], offer("1.30.2"), world)) == ["minor-skip"]
    assert judged(tables, tables.channel[0], offer("1.28.12"), world).skipped
    within = seen({"stable": stands("1.28.11")}, shown={"stable": {"": "1.28.12"}})
    assert judged(tables, tables.channel[0], offer("1.28.12"), within).ripe


def test_a_version_that_is_not_out_and_that_somebody_wrote_into_a_pointer_stops_everything_that_a_slip_would_hide() -> (
    None
):
    tables = config({"name": "stable"})
    slip = seen({"stable": stands("1.30.1")}, ["1.30.2", "1.31.0"], shown={"stable": {"": "1.300.1"}})
    for text in ("1.30.2", "1.31.0"):
        (conflict,) = judged(tables, tables.channel[0], offer(text), slip).refusals
        assert conflict.rule == "pointer-astray"
        assert "stable has 1.30.1+rke2r1 by its record, and its pointers say 1.300.1+rke2r1" in conflict.why
        assert "back to 1.30.1+rke2r1 by hand" in conflict.remedy
    found = chosen(tables, tables.channel[0], "", slip)
    assert found is not None
    assert (found.offer.version, told(found)) == (version("1.31.0"), ["pointer-astray"])
    outage = msgspec.structs.replace(slip, offers=(), doubts=(Conflict("shrunken-list", "none", "wait"),))
    assert told(judged(tables, tables.channel[0], offer("1.300.2"), outage)) == ["shrunken-list"]


def test_what_a_hand_moved_is_taken_up_where_the_rules_let_it_in() -> None:
    within = seen({"stable": stands("1.28.11")}, ["1.28.11", "1.28.12"], shown={"stable": {"": "1.28.12"}})
    across = seen({"stable": stands("1.28.11")}, ["1.28.11", "1.30.2"], shown={"stable": {"": "1.30.2"}})
    unknown = seen({}, ["1.28.12"], shown={"stable": {"": "1.28.12"}})
    tables = config({"name": "stable"})
    found = [chosen(tables, tables.channel[0], "", world) for world in (within, across, unknown)]
    assert [one and (one.offer.version, told(one)) for one in found] == [
        (version("1.28.12"), []), (version("1.30.2"), ["minor-skip"]), None,
    ]  # fmt: skip


def test_what_a_hand_wrote_into_a_channel_that_has_a_record_has_not_soaked_there() -> None:
    tables = config({"name": "latest"}, STABLE)
    world = seen({"latest": stands("1.33.4")}, ["1.33.4", "1.33.5"], shown={"latest": {"": "1.33.5"}})
    (wait,) = judged(tables, tables.channel[1], offer("1.33.5"), world).waits
    assert (wait.rule, wait.until) == ("soak", "")
    assert "nobody knows since when it is in latest" in wait.why
    assert "invoke channel.promote --to latest --version 1.33.5+rke2r1" in wait.why


@pytest.mark.parametrize(("was", "now", "line"), [("global", "line", ""), ("line", "global", "1.33")])
def test_a_move_that_has_begun_is_not_forgotten_where_the_scope_is_another_one_by_now(
    was: str, now: str, line: str
) -> None:
    tables = config({"name": "stable", "scope": now})
    state = stands("1.33.4", line=line, moves={line: move("1.33.5", "1.33.4", line=line)})
    verdict = judged(tables, tables.channel[0], offer("1.33.6"), seen({"stable": state}, ["1.33.5", "1.33.6"]))
    assert told(verdict) == ["channel-moving"]
    assert f'set scope = "{was}" again' in verdict.refusals[0].remedy


def test_all_that_stands_against_a_release_is_told_at_once() -> None:
    world = seen({"stable": stands("1.31.1", hold=held())}, now=NOW)
    tables = config(LATEST, {**STABLE, "freeze": ["tue"], "new_minor_from_patch": 2})
    verdict = judged(tables, tables.channel[1], offer("1.33.1-rc1", YESTERDAY, "bad"), world)
    assert told(verdict) == [
        "channel-held", "channel-accepts", "minor-skip", "new-minor", "not-followed", "withdrawn-version", "frozen?",
    ]  # fmt: skip


def test_only_some_rules_can_be_waived() -> None:
    assert unwaivable(["soak", "backward-move", "channel-held", "frozen"]) == ("backward-move", "channel-held")
    assert told(alone("1.33.3", stands("1.33.4"), "backward-move")) == ["backward-move"]


def test_a_half_move_to_what_turned_out_bad_may_be_finished_by_a_persons_decision_and_no_other_may() -> None:
    assert unwaivable(["rolled-back", "withdrawn-version"]) == ()
    aside = ("rolled-back", "withdrawn-version")
    tables = config({"name": "stable"})
    withdrawn = offer("1.33.5", withdrawn="crashes")
    for moves, rules in (({"": move("1.33.5", "1.32.9")}, []), ({}, ["rolled-back", "withdrawn-version"])):
        state = msgspec.structs.replace(stands("1.32.9"), bad=bad("1.33.5"), moves=moves)
        found = judged(tables, tables.channel[0], withdrawn, seen({"stable": state}, [withdrawn, "1.32.9"]), aside)
        assert sorted(told(found)) == rules


# The next one


def next_of(state: ChannelState, offers: list[Any], **more: Any) -> Verdict | None:
    tables = config({"name": "stable", **more})
    return chosen(tables, tables.channel[0], "", seen({"stable": state}, offers))


def test_the_newest_that_is_ripe_is_next() -> None:
    found = next_of(stands("1.33.4"), ["1.33.5", "1.33.6", "1.33.4"])
    assert found is not None
    assert (found.offer.version, found.ripe) == (version("1.33.6"), True)


def test_what_is_not_ripe_does_not_hold_up_what_is() -> None:
    found = next_of(stands("1.33.4"), ["1.33.5", offer("1.33.6", withdrawn="bad"), "1.35.0", "1.33.7-rc1"])
    assert found is not None
    assert (found.offer.version, found.ripe) == (version("1.33.5"), True)


def test_without_a_ripe_one_the_newest_that_only_waits_is_told_then_the_newest() -> None:
    fresh = offer("1.33.5", YESTERDAY)
    found = next_of(stands("1.33.4"), ["1.33.4", fresh, "1.35.0"], soak="7d")
    assert found is not None
    assert (found.offer.version, told(found)) == (version("1.33.5"), ["soak?"])
    found = next_of(stands("1.33.4"), ["1.33.4", "1.35.0", "1.36.0"])
    assert found is not None
    assert (found.offer.version, told(found)) == (version("1.36.0"), ["minor-skip"])


def test_there_is_no_next_one_where_nothing_is_above() -> None:
    assert next_of(stands("1.33.4"), ["1.33.4", "1.33.3", "1.32.9", "1.34.0-rc1"]) is None
    assert next_of(ChannelState(), []) is None


def test_what_has_begun_is_finished_first() -> None:
    tables = config({"name": "stable"})
    state = {"stable": stands("1.33.4", moves={"": move("1.33.5", "1.33.4")})}
    for shown in ({}, {"stable": {"": "1.33.5"}}):
        found = chosen(tables, tables.channel[0], "", seen(state, ["1.33.5", "1.33.6"], shown=shown))
        assert found is not None
        assert (found.offer.version, found.ripe) == (version("1.33.5"), True)
    withdrawn: list[Any] = [offer("1.33.5", withdrawn="data loss"), "1.33.6"]
    found = chosen(tables, tables.channel[0], "", seen(state, withdrawn))
    assert found is not None
    assert (found.offer.version, told(found)) == (version("1.33.5"), ["withdrawn-version"])


def test_each_line_of_a_channel_by_line_has_a_next_one_of_its_own() -> None:
    tables = config({"name": "stable", "scope": "line"})
    world = seen({"stable": stands("1.33.4", line="1.33")}, ["1.33.5", "1.34.1", "1.32.9"])
    found = {line: chosen(tables, tables.channel[0], line, world) for line in ("1.34", "1.33", "1.32", "1.31")}
    assert [one and one.offer.version.text for one in found.values()] == [
        "1.34.1+rke2r1", "1.33.5+rke2r1", "1.32.9+rke2r1", None,
    ]  # fmt: skip


# What holds of every world

VERSIONS = st.builds(
    lambda major, minor, patch, stage, revision: version(f"{major}.{minor}.{patch}{stage}+rke2r{revision}"),
    st.integers(1, 2), st.integers(0, 4), st.integers(0, 4), st.sampled_from(["", "", "-rc1", "-rc13"]), st.integers(1, 2),
)  # fmt: skip
TIMES = st.sampled_from([LONG_AGO, YESTERDAY, NOW, "2026-11-25T00:00:00Z", ""])
OFFERS = st.lists(
    st.tuples(VERSIONS, TIMES, st.sampled_from(["", "", "", "bad"])), max_size=8, unique_by=lambda one: one[0].text
).map(lambda some: [offer(one.text, at, why) for one, at, why in some])
CHANNELS = st.fixed_dictionaries(
    {},
    optional={
        "accepts": st.sampled_from(["candidate", "final"]),
        "scope": st.sampled_from(["global", "line"]),
        "soak": st.sampled_from(["", "24h"]),
        "new_minor_from_patch": st.integers(0, 4),
        "freeze": st.sampled_from([(), ("tue",), ("fri",)]),
        "follows": st.just("latest"),
    },
)
WORLDS = st.tuples(
    CHANNELS,
    OFFERS,
    st.none() | VERSIONS,
    st.none() | VERSIONS,
    st.lists(VERSIONS, max_size=4),
    st.lists(VERSIONS, max_size=2),
)


@settings(deadline=None)
@given(WORLDS, st.lists(st.sampled_from(WAIVABLE), max_size=2), st.randoms())
def test_no_promotion_goes_back_or_skips_and_the_order_of_releases_does_not_matter(
    world: Any, waived: list[str], random: Any
) -> None:
    more, offers, has, shows, arrived, marked = world
    tables = config({"name": "latest", "accepts": "candidate"}, {"name": "stable", **more})
    channel = channel_of(tables, "stable")
    line = (has.line if has else "1.3") if channel.scope == "line" else ""
    if shows is not None and channel.scope == "line" and shows.line != line:
        shows = None
    states = {
        "latest": stands("", arrivals={one.text: LONG_AGO for one in arrived}),
        "stable": stands(has.text if has else "", line=line, bad=bad(*(one.text for one in marked))),
    }
    shown = {"stable": {line: shows.text}} if shows is not None else {}
    view = seen(states, offers, shown=shown)
    before = current(RULES, channel, view, line)
    found = chosen(tables, channel, line, view, waived)
    random.shuffle(offers)
    assert chosen(tables, channel, line, seen(states, offers, shown=shown), waived) == found
    verdicts = [judged(tables, channel, one, view, waived) for one in offers]
    for one in verdicts:
        after = one.offer.version
        if not one.ripe:
            continue
        assert not one.offer.withdrawn
        assert after not in marked
        assert after.final or channel.accepts == "candidate"
        if channel.follows:
            assert after in arrived
        if before is not None and channel.scope == "global":
            assert after > before or (has is None or after > has)
            assert after >= before
            if "minor-skip" not in waived and after != before:
                assert (after.major, after.minor - before.minor) in (
                    (before.major, 0), (before.major, 1), (before.major + 1, -before.minor),
                )  # fmt: skip
    hand = shows if has is not None and shows is not None and shows > has else None
    above = has if hand is not None and all(one.version != hand for one in offers) else before
    mine = [
        one
        for one in verdicts
        if (above is None or one.offer.version > above or one.offer.version == hand)
        and (channel.scope == "global" or one.offer.version.line == line)
        and (one.offer.version.final or channel.accepts == "candidate")
    ]
    ripe = [one.offer.version for one in mine if one.ripe]
    if found is None:
        assert not mine
    elif found.ripe:
        assert found.offer.version == max(ripe, key=lambda one: one.key)
    else:
        assert not ripe
        waiting = [one.offer.version for one in mine if not one.refusals and not one.skipped]
        assert found.offer.version == max(waiting or [one.offer.version for one in mine], key=lambda one: one.key)


def test_a_candidate_whose_final_is_out_is_nobodys_next_release() -> None:
    tables = config({"name": "testing", "accepts": "candidate"})
    state = msgspec.structs.replace(stands("1.33.4"), bad=bad("1.33.5"))
    found = chosen(tables, tables.channel[0], "", seen({"testing": state}, ["1.33.4", "1.33.5-rc1", "1.33.5"]))
    assert found is not None
    assert (found.offer.version.text, [one.rule for one in found.refusals]) == ("1.33.5+rke2r1", ["rolled-back"])
    newer = chosen(tables, tables.channel[0], "", seen({"testing": state}, ["1.33.5-rc1", "1.33.5", "1.33.6-rc1"]))
    assert newer is not None
    assert newer.ripe
    assert newer.offer.version.text == "1.33.6-rc1+rke2r1"
