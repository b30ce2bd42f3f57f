"""Channels under attack: hands that slip, machines that die between a hold and what follows from it, lists that lie."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from release.core.channel_record import ChannelState, Standing, ref_of_channel
from tests.channeled import DAY, FILE, LATEST, STABLE, Channeled, forged, plain

ONE, TWO = (f"v1.30.{patch}+rke2r1" for patch in (1, 2))


def test_what_somebody_wrote_into_the_channel_before_has_not_soaked_there_until_it_is_taken_up(tmp_path: Path) -> None:
    with forged(tmp_path, LATEST + STABLE) as some:
        some.out(ONE)
        ada = some.clone()
        some.promote(ada, "latest").expect(0)
        some.out(TWO)
        some.follow(latest=TWO)
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


HEALTH = """
[[channel.health]]
name = "well"
kind = "command"
run = ["sh", "-c", "test ! -e '{folder}/{tag}.ill'"]
"""
AUTO = ("held", "begun to go back")
"""The first pushes of a schedule that finds a release unhealthy and goes back by itself."""
KILLS = """\
#!/bin/sh
echo >> '{count}'
[ "$(wc -l < '{count}')" -eq {after} ] || exit 0
until [ -s '{victim}' ]; do sleep 0.02; done
kill -9 "$(cat '{victim}')"
"""


def dies(some: Channeled, clone: Path, after: int, *words: str) -> None:
    """Somebody types a command, and is killed right after so many of its pushes."""
    folder = some.world.folder
    count, victim = folder / f"pushes-{clone.name}", folder / f"victim-{clone.name}"
    some.world.refuse("upstream", KILLS.format(count=count, victim=victim, after=after), "post-receive")
    process = some.world.start(clone, *words)
    victim.with_suffix(".new").write_text(str(process.pid))
    victim.with_suffix(".new").rename(victim)
    said = process.communicate(timeout=60)
    (some.git / "hooks" / "post-receive").unlink()
    assert process.returncode == -signal.SIGKILL, said


@pytest.fixture
def soaking(tmp_path: Path) -> Iterator[Channeled]:
    """A release of the same minor as the one before is in latest, which goes back by itself, and does not do well there."""
    health = HEALTH.replace("{folder}", str(tmp_path))
    with plain(tmp_path, LATEST.replace(FILE, 'unhealthy = "rollback"\n' + FILE) + health + STABLE) as some:
        ada = some.clone("seeding")
        for tag in (ONE, TWO):
            some.out(tag)
            some.promote(ada, "latest").expect(0)
        (tmp_path / f"{TWO}.ill").touch()
        yield some


@pytest.mark.parametrize("pushes", [*range(1, len(AUTO) + 1)], ids=AUTO)
def test_a_schedule_that_is_killed_after_it_held_a_channel_is_ended_by_the_next_one(
    soaking: Channeled, pushes: int
) -> None:
    some = soaking
    dies(some, some.clone(), pushes, "channel.promote", "--auto", "--yes")
    state = some.state("latest")
    assert state.hold is not None
    assert (state.hold.told, some.says()["latest"]) == (False, TWO)
    some.promote(some.clone("robot"), "").expect(0)
    state = some.state("latest")
    assert state.hold is not None
    assert (state.hold.told, state.standing[""].tag, some.says()["latest"]) == (True, ONE, ONE)
    assert [*state.bad] == [TWO.removeprefix("v")]
    before = some.refs()
    some.promote(some.clone("again"), "").expect(0)
    assert some.refs() == before


def test_a_schedule_tells_every_time_of_a_move_that_has_begun_and_cannot_be_finished(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        ada, robot = some.clone(), some.clone("robot")
        for tag in (ONE, TWO):
            some.out(tag)
            some.promote(ada, "latest").expect(0)
        back = ("channel.rollback", "latest", "--allow-downgrade", "--reason", "it crashes", "--yes")
        dies(some, ada, 2, *back)
        before = some.refs()
        for _ in range(2):
            some.promote(robot, "").expect(3, r"\[channel-moving\] Ada began to move latest to v1\.30\.1\+rke2r1")
        some.promote(robot, "latest", "--version", TWO).expect(3, r"\[channel-moving\]")
        assert some.refs() == before
        some.invoke(robot, *back).expect(0)
        assert some.says() == {"latest": ONE}


def test_a_version_that_a_channel_has_and_is_held_for_is_not_put_back_where_a_hand_took_it_away(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        ada = some.clone()
        for tag in (ONE, TWO):
            some.out(tag)
            some.promote(ada, "latest").expect(0)
        some.invoke(ada, "channel.rollback", "latest", "--reason", "it crashes", "--yes").expect(0)
        some.promote(ada, "latest", "--version", TWO).expect(0, "nothing to do")
        some.follow(latest=ONE)
        before = some.refs()
        some.promote(ada, "latest", "--version", TWO).expect(3, r"\[channel-held\]", r"\[rolled-back\]")
        assert some.refs() == before
        some.invoke(ada, "channel.resume", "latest", "--version", TWO, "--yes").expect(0)
        some.promote(ada, "latest", "--version", TWO).expect(0)
        assert some.says() == {"latest": TWO}


def test_a_promotion_never_takes_back_what_a_hand_moved_on_after_a_rollback(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        ada = some.clone()
        for tag in (ONE, TWO):
            some.out(tag)
            some.promote(ada, "latest").expect(0)
        back = ("channel.rollback", "latest", "--allow-downgrade", "--reason", "it crashes", "--yes")
        some.invoke(ada, *back).expect(0)
        some.invoke(ada, "channel.resume", "latest", "--yes").expect(0)
        some.follow(latest=TWO)
        before = some.refs()
        some.promote(ada, "latest", "--version", ONE).expect(3, r"\[backward-move\] latest has 1\.30\.2\+rke2r1")
        assert some.refs() == before


def test_a_record_that_somebody_forged_with_a_time_that_is_none_is_shown_as_text_and_no_bug(tmp_path: Path) -> None:
    with plain(tmp_path, LATEST) as some:
        some.out(ONE)
        ada = some.clone()
        some.promote(ada, "latest").expect(0)
        hostile = "\x1b[2J\n::error::pwned"
        standing = Standing(ONE.removeprefix("v"), ONE, hostile)
        text = msgspec.json.encode(ChannelState({"": standing}, {standing.version: hostile})).decode()
        git, place = some.world.git, some.git
        tree = git(
            place,
            "mktree",
            stdin=f"100644 blob {git(place, 'hash-object', '-w', '--stdin', stdin=text)}\tchannel.json\n",
        )
        commit = git(place, "-c", "user.name=g", "-c", "user.email=g@x", "commit-tree", tree, "-m", "forged")
        git(place, "update-ref", ref_of_channel("latest"), commit)
        for command in ("channel.list", "channel.history"):
            said = some.invoke(ada, command).expect(0).said
            assert "\x1b" not in said
            assert not [line for line in said.splitlines() if line.startswith("::")]
        (one,) = some.json(ada, "channel.list")["channels"]
        assert (one["version"], one["age"]) == (standing.version, None)
