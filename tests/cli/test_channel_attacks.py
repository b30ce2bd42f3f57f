"""Channels under attack: hands that slip, machines that die between a hold and what follows from it, lists that lie."""

from __future__ import annotations

from pathlib import Path

from tests.channeled import DAY, LATEST, STABLE, forged, plain

ONE, TWO = (f"v1.30.{patch}+rke2r1" for patch in (1, 2))


def test_what_somebody_wrote_into_the_channel_before_has_not_soaked_there_until_it_is_taken_up(tmp_path: Path) -> None:
    with forged(tmp_path, LATEST + STABLE) as some:
        some.out(ONE)
        ada = some.clone()
        some.promote(ada, "latest").expect(0)
        some.out(TWO)
        some.follow(latest=TWO, stable='""')
        some.promote(ada, "stable", "--version", TWO).expect(
            4,
            r"nobody knows since when it is in latest: invoke channel\.promote --to latest --version 1\.30\.2\+rke2r1",
        )
        some.promote(ada, "").expect(0, r"latest has v1\.30\.2\+rke2r1 since ")
        some.promote(ada, "stable", "--version", TWO).expect(4, r"is in latest since .* has to be for 24h")
        assert some.says() == {"latest": TWO, "stable": ""}
        some.later(DAY + 60)
        some.promote(ada, "").expect(0)
        assert some.says() == {"latest": TWO, "stable": TWO}


def test_a_slip_of_the_hand_that_is_above_everything_is_told_by_each_command(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        some.out(ONE)
        ada = some.clone()
        some.promote(ada, "latest").expect(0)
        some.follow(latest="v1.300.1+rke2r1")
        told = r"latest has 1\.30\.1\+rke2r1 by its record, and its pointers say 1\.300\.1\+rke2r1, which is not out"
        before = some.refs()
        some.promote(ada, "latest").expect(
            3, r"\[pointer-astray\] " + told, r"put them back to 1\.30\.1\+rke2r1 by hand"
        )
        some.invoke(ada, "channel.list").expect(0, told)
        some.promote(ada, "").expect(0)
        assert some.refs() == before
        some.out(TWO)
        some.promote(ada, "latest").expect(3, told)
        some.follow(latest=ONE)
        some.promote(ada, "latest").expect(0)
        assert some.says() == {"latest": TWO}
