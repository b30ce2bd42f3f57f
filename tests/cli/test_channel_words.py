"""What is printed about channels is so, and what it tells people to type does what it says."""

from __future__ import annotations

from pathlib import Path

from tests.channeled import LATEST, STABLE, TESTING, Channeled, forged, plain

ONE, TWO = "v1.30.1+rke2r1", "v1.30.2+rke2r1"
ASKED = """
[[channel.health]]
kind = "command"
run = ["sh", "-c", "exit $WELL"]
env = ["WELL"]
"""
GATED = """
[[channel.point]]
kind = "command"
name = "site"
run = ["false"]
shows = ["true"]
"""


def half(some: Channeled, clone: Path) -> None:
    """A move has begun, and its first pointer cannot be moved."""
    some.out(ONE)
    some.promote(clone, "latest").expect(1, r"point site +failed")


def test_a_move_that_is_taken_back_holds_nothing_and_the_record_keeps_why(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST + GATED) as some:
        ada = some.clone()
        half(some, ada)
        back = some.invoke(ada, "channel.rollback", "latest", "--reason", "the site is gone", "--yes")
        back.expect(0, r"returned +done", r"return site +done +it said nothing before")
        assert "hold" not in back.said
        assert some.state("latest").hold is None
        (move,) = some.json(ada, "channel.history")["moves"]
        assert (move["outcome"], move["why"]) == ("returned", "the site is gone")


def test_who_says_once_that_releases_were_deleted_on_purpose_has_said_it_for_all_channels(tmp_path: Path) -> None:
    with forged(tmp_path, TESTING + LATEST) as some:
        assert some.forge is not None
        some.out("v1.29.8+rke2r1", "v1.29.9+rke2r1", ONE)
        ada = some.clone()
        for channel in ("testing", "latest"):
            some.promote(ada, channel, "--version", ONE).expect(0)
        for one in some.forge.releases("acme/app")[:-1]:
            some.forge.store.remove(one["id"])
        some.out(TWO)
        some.promote(ada, "testing").expect(3, r"\[shrunken-list\] .*there were 3 before", "--waive shrunken-list")
        some.promote(ada, "testing", "--waive", "shrunken-list", "--reason", "old ones were deleted").expect(0)
        some.promote(ada, "latest").expect(0)
        assert some.says() == {"testing": TWO, "latest": TWO}


def test_a_channel_that_somebody_wrote_before_there_were_promotions_is_told_and_taken_into_the_record(
    tmp_path: Path,
) -> None:
    with plain(tmp_path, LATEST) as some:
        some.out(ONE)
        ada = some.clone()
        some.follow(latest=TWO)
        (row,) = some.json(ada, "channel.list")["channels"]
        assert row["hand"] == "its pointers say so, and no such release is out"
        some.follow(latest=ONE)
        (row,) = some.json(ada, "channel.list")["channels"]
        assert (row["version"], row["since"], row["type"]) == ("1.30.1+rke2r1", "", "")
        said, _, typed = row["hand"].partition("; to take it into the record: ")
        assert said == "its pointers say so, and no promotion brought it there"
        some.typed(ada, typed, "--yes").expect(0)
        assert some.state("latest").standing[""].version == "1.30.1+rke2r1"
        (row,) = some.json(ada, "channel.list")["channels"]
        assert (row["hand"], bool(row["since"])) == ("", True)
        assert [(one["from"], one["to"], one["hand"] != "") for one in some.json(ada, "channel.history")["moves"]] == [
            (None, "1.30.1+rke2r1", False), ("1.30.2+rke2r1", "1.30.1+rke2r1", True), (None, "1.30.2+rke2r1", True),
        ]  # fmt: skip


def test_a_plan_of_all_that_is_ripe_ends_as_the_promotion_would(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST + ASKED) as some:
        some.out(ONE)
        ada = some.clone()
        some.invoke(ada, "channel.plan", "--auto", env={"WELL": "0"}).expect(0)
        for words in (("channel.plan", "--auto"), ("channel.promote", "--auto", "--yes")):
            some.invoke(ada, *words, env={"WELL": "1"}).expect(3, r"\[unhealthy\]", r"health command +blocked")
        assert some.says() == {"latest": ""}


def test_who_is_told_that_a_channel_is_held_by_its_health_is_told_the_way_forward(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST + ASKED + STABLE) as some:
        some.out(ONE)
        ada = some.clone()
        well, ill = {"WELL": "0"}, {"WELL": "1"}
        some.invoke(ada, "channel.promote", "--auto", "--yes", env=well).expect(0)
        looked = some.invoke(ada, "channel.promote", "--auto", "--yes", "--format", "json", env=ill).expect(3).value
        (watched,) = looked["watched"]
        back = some.json(ada, "channel.rollback", "latest", "--reason", "it is ill", "--yes")
        assert watched["forward"] == back["forward"]
        assert watched["forward"][-1] == "invoke channel.promote --to latest --version v1.30.1+rke2r2"


def test_nobody_says_yes_to_what_is_not_there(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST.replace('"latest"\n', '"latest"\napprovals = 1\n', 1)) as some:
        some.out(ONE)
        ada, before = some.clone(), some.refs()
        some.invoke(ada, "channel.approve", "latest", "--version", TWO).expect(
            2, r"v1\.30\.2\+rke2r1 is not there: nobody can say yes to it\n +invoke channel\.list"
        )
        assert some.refs() == before
        some.invoke(ada, "channel.approve", "latest", "--version", ONE).expect(0, "1 of 1 said yes: Ada")


def test_why_a_channel_went_back_is_in_its_history(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        some.out(ONE, TWO)
        ada = some.clone()
        for tag in (ONE, TWO):
            some.promote(ada, "latest", "--version", tag).expect(0)
        back = ("channel.rollback", "latest", "--allow-downgrade", "--reason", "agents lose their node IP", "--yes")
        some.invoke(ada, *back).expect(0)
        newest = some.json(ada, "channel.history")["moves"][0]
        assert (newest["kind"], newest["to"], newest["why"]) == (
            "rollback", "1.30.1+rke2r1", "agents lose their node IP",
        )  # fmt: skip
        some.promote(ada, "latest", "--version", TWO).expect(
            3, "is marked bad in latest, and does not get into it again"
        )


def test_a_channel_whose_users_were_downgraded_by_hand_is_told_and_brought_back_by_what_is_told(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        some.out("v1.29.9+rke2r1", ONE)
        ada = some.clone()
        some.promote(ada, "latest", "--version", ONE).expect(0)
        some.follow(latest="v1.29.9+rke2r1")
        some.invoke(ada, "channel.list").expect(
            0, r"by hand: a pointer says 1\.29\.9\+rke2r1, .* to see which: invoke channel\.promote --to latest"
        )
        some.promote(ada, "latest").expect(
            3, r"\[pointer-moved\] file .* says v1\.29\.9\+rke2r1", "--waive pointer-moved"
        )
        assert some.says() == {"latest": "v1.29.9+rke2r1"}
        some.promote(ada, "latest", "--waive", "pointer-moved", "--reason", "nobody is downgraded").expect(0)
        assert some.says() == {"latest": ONE}
        moves = some.json(ada, "channel.history")["moves"]
        assert ("pointer-moved",) in [tuple(one["violations"]) for one in moves if not one["hand"]]
        assert some.json(ada, "channel.list")["channels"][0]["hand"] == ""
        some.promote(ada, "latest").expect(0, "nothing newer is out for it")
