"""Channels as text: what stands where, what stands before the next, and what to type."""

from __future__ import annotations

import io
from typing import Any

import pytest

from release.core.channel_plan import (
    Approved,
    ChannelList,
    ChannelStatus,
    PromotionPlan,
    Promotions,
    Resumed,
    RolledBack,
    Watched,
)
from release.core.channels import Wait
from release.core.finding import Conflict
from release.core.model import Waiver
from release.core.plan import StepState
from release.reports import console

DAY = 86400
HOSTILE = "a\x1b[31mred\r\n\0\u2028\u202ebidi\x9b2J##[error]"
STEP = StepState("image docker.io/rancher/rke2:stable", "pending", "v1.29.6-rke2r1 -> v1.30.2-rke2r1")
SOAK = Wait("soak", "v1.30.2+rke2r1 is in latest for 3h of 24h", "2026-01-06T10:00:00Z")
SKIP = Conflict("minor-skip", "stable has 1.28, and v1.30.2+rke2r1 skips 1.29", "promote a 1.29 first")


def text_of(value: object) -> str:
    out = io.StringIO()
    console.show(value, out)
    return out.getvalue()


def listed(*channels: ChannelStatus, remarks: tuple[str, ...] = ()) -> list[str]:
    return text_of(ChannelList(channels, remarks)).splitlines()


def stable(**more: Any) -> ChannelStatus:
    given: dict[str, Any] = {"version": "1.28.11+rke2r1", "tag": "v1.28.11+rke2r1", "since": "2026-01-05T10:00:00Z"}
    return ChannelStatus("stable", **{**given, "age": 2 * DAY, "follows": "latest", **more})


def test_each_channel_has_a_row_and_what_stands_before_its_next_version_below_it() -> None:
    said = listed(ChannelStatus("testing"), stable(next="1.30.2+rke2r1", waits=(SOAK,), conflicts=(SKIP,), type="x y"))
    assert [said[n].split() for n in range(3)] == [
        ["CHANNEL", "VERSION", "SINCE", "AGE", "NEXT"],
        ["testing", "nothing", "yet"],
        ["stable", "v1.28.11+rke2r1", "2026-01-05", "2d", "1.30.2+rke2r1"],
    ]
    assert said[0].index("NEXT") == said[2].index("1.30.2")
    assert said[3] == f"  waits [soak] {SOAK.why}; not before {SOAK.until}"
    assert said[4].endswith(SKIP.why)
    assert said[5].strip() == SKIP.remedy
    assert said[6] == "  next: x y"


def test_a_line_of_a_channel_is_named_with_it() -> None:
    assert listed(stable(line="1.28"))[1].startswith("stable 1.28  v1.28.11+rke2r1")


def test_a_channel_that_is_held_and_one_that_moves_say_so() -> None:
    said = listed(stable(held="it breaks upgrades", moving="to v1.29.6+rke2r1, since 3h"), remarks=("the list is old",))
    assert said[2:] == ["  held: it breaks upgrades", "  moving: to v1.29.6+rke2r1, since 3h", "note: the list is old"]


def test_that_a_channel_is_held_is_told_once_and_what_else_stands_against_it_as_well() -> None:
    against = (Conflict("channel-held", "stable is held: it breaks upgrades", "resume it"), SKIP)
    said = listed(stable(held="it breaks upgrades", conflicts=against))
    assert said[2] == "  held: it breaks upgrades"
    assert said[3].startswith(f"  conflict [minor-skip] {SKIP.why}")
    assert "channel-held" not in "".join(said)


def test_what_came_to_a_channel_without_a_promotion_is_told() -> None:
    assert listed(stable(hand="no promotion brought it there"))[2] == "  by hand: no promotion brought it there"


def test_without_channels_it_says_where_they_come_from() -> None:
    assert "[[channel]]" in text_of(ChannelList(()))


def test_a_cell_of_any_length_does_not_push_the_others_away() -> None:
    said = listed(stable(), stable(tag="x" * 300))
    assert len(said[0]) < 100


def promotion(**more: Any) -> PromotionPlan:
    given: dict[str, Any] = {"version": "1.30.2+rke2r1", "tag": "v1.30.2+rke2r1", "before": "1.29.6+rke2r1"}
    return PromotionPlan("stable", **{**given, "commit": "0123456789abcdef", "steps": (STEP,), **more})


def test_a_plan_says_what_goes_where_after_what_and_each_step() -> None:
    said = text_of(promotion(waivers=(Waiver("soak", "urgent", "Ada"),))).splitlines()
    assert said[0] == "v1.30.2+rke2r1  into stable, after 1.29.6+rke2r1, at 0123456789"
    assert said[1] == "waived [soak] by Ada: urgent"
    assert STEP.name in said[2]
    assert "pending" in said[2]
    assert said[2].endswith(STEP.detail)
    assert len(said) == 3


def test_a_plan_that_waits_is_blocked_or_unfinished_says_so_and_what_to_type() -> None:
    failed = StepState("health upgrade", "failed", "no data\nthe server said nothing")
    plan = promotion(steps=(failed,), waits=(SOAK,), conflicts=(SKIP,), next="invoke channel.promote --to stable")
    said = text_of(plan)
    assert "the server said nothing" in said
    assert f"waits [soak] {SOAK.why}; not before {SOAK.until}" in said
    assert f"conflict [minor-skip] {SKIP.why}" in said
    assert said.endswith("to go on, here or in any other clone: invoke channel.promote --to stable\n")


def test_a_wait_of_which_nobody_knows_the_end_names_none() -> None:
    assert "not before" not in text_of(promotion(waits=(Wait("approval", "one of two said yes"),)))


def test_a_plan_for_nothing_and_one_for_another_line_say_why() -> None:
    nothing = text_of(PromotionPlan("stable", nothing="stable has v1.30.2+rke2r1"))
    assert nothing.splitlines() == ["stable", "nothing to do: stable has v1.30.2+rke2r1"]
    assert "skipped: a lower line" in text_of(promotion(steps=(), skipped="a lower line"))


def test_a_way_back_is_told_as_one() -> None:
    assert "  back in stable 1.30, after" in text_of(promotion(kind="rollback", line="1.30"))


def test_several_promotions_are_told_one_after_the_other_with_what_was_watched() -> None:
    watched = Watched("stable", "v1.30.2+rke2r1", None, (StepState("errors", "failed", "no data"),), "")
    said = text_of(Promotions((promotion(), PromotionPlan("latest", nothing="x")), (watched,), ("a remark",)))
    assert said.index("into stable") < said.index("latest") < said.index("nobody can tell") < said.index("a remark")


def test_nothing_ripe_is_said() -> None:
    assert text_of(Promotions(())) == "nothing to do: no channel has a release that is ripe for it\n"


@pytest.mark.parametrize(
    ("healthy", "word"), [(True, ": healthy"), (False, ": unhealthy"), (None, ": nobody can tell")]
)
def test_health_has_three_answers(healthy: bool | None, word: str) -> None:
    said = text_of(Watched("stable", "v1", healthy, (), "held now")).splitlines()
    assert said == [f"v1  in stable{word}", "  held: held now"]
    onward = text_of(Watched("stable", "v1", healthy, (), "held now", ("invoke release",))).splitlines()
    assert onward[2:] == ["the way forward:", "  1. invoke release"]


def test_a_rollback_says_that_the_channel_is_held_and_the_way_forward_in_order() -> None:
    forward = ("invoke release --revision", "invoke channel.promote --to stable --version v1.30.2+rke2r2")
    back = RolledBack("stable", "", "1.30.2+rke2r1", "it breaks upgrades", "1.30.2+rke2r2", forward)
    said = text_of(back).splitlines()
    assert said[0] == "stable on hold, and nothing enters it: it breaks upgrades"
    assert said[1:3] == ["  the bad one: 1.30.2+rke2r1", "  the fix: 1.30.2+rke2r2"]
    assert [line.strip() for line in said[4:]] == [f"1. {forward[0]}", f"2. {forward[1]}"]


def test_a_rollback_that_moves_shows_the_move_and_one_that_is_refused_why() -> None:
    moves = text_of(RolledBack("stable", "", "1", "bad", move=promotion(kind="rollback")))
    assert "back in stable" in moves
    refused = text_of(RolledBack("stable", "", None, "", conflicts=(SKIP,)))
    assert refused.startswith("conflict [minor-skip]")
    assert "is held" not in refused


def test_a_channel_goes_on_or_was_not_held() -> None:
    said = text_of(Resumed("stable", "it broke", "v1.30.2+rke2r1", "invoke channel.promote --auto"))
    assert said.splitlines() == [
        "stable goes on; it was held: it broke",
        "  v1.30.2+rke2r1 may be taken again",
        "  next: invoke channel.promote --auto",
    ]
    assert text_of(Resumed("stable", "")) == "stable was not held\n"


@pytest.mark.parametrize(("wanted", "count"), [(2, "1 of 2 said yes"), (1, "1 of 1 said yes"), (0, "of none")])
def test_an_approval_says_how_many_it_takes(wanted: int, count: str) -> None:
    said = text_of(Approved("stable", "v1", ("Ada",), wanted))
    assert count in said
    assert said.endswith(": Ada\n")


H = HOSTILE
HOSTILES: list[object] = [
    ChannelList((ChannelStatus(H, H, H, H, H, 1, H, H, (Wait(H, H, H),), (Conflict(H, H, H),), H, H, H),), (H,)),
    PromotionPlan(H, "promotion", H, H, H, H, H, (StepState(H, "failed", H),), (Conflict(H, H, H),), (Wait(H, H, H),),
                  (Waiver(H, H, H),), H, H, H),
    Promotions((PromotionPlan(H, nothing=H),), (Watched(H, H, None, (StepState(H, "done", H),), H),), (H,)),
    RolledBack(H, H, H, H, H, (H,), PromotionPlan(H), (Conflict(H, H, H),)),
    Resumed(H, H, H, H),
    Approved(H, H, (H,), 1),
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILES, ids=lambda value: type(value).__name__)
def test_texts_can_do_nothing_to_a_terminal(value: object) -> None:
    said = text_of(value)
    assert all(c.isprintable() or c == "\n" for c in said)
    assert "##[" not in said
    assert not any(line.endswith(" ") for line in said.splitlines())
