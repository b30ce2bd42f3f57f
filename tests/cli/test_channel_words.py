"""What is printed about channels is so, and what it tells people to type does what it says."""

from __future__ import annotations

from pathlib import Path

from tests.channeled import FILE, LATEST, TESTING, Channeled, forged, plain

ONE, TWO = "v1.30.1+rke2r1", "v1.30.2+rke2r1"
PEOPLE = '\n[[channel]]\nname = "stable"\napprovals = 1\ndeadline = "1s"\n' + FILE
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
