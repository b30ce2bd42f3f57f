"""What is printed about channels is so, and what it tells people to type does what it says."""

from __future__ import annotations

from pathlib import Path

from tests.channeled import FILE, LATEST, Channeled, plain

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
