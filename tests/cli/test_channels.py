"""Channels from their captains' side: a candidate, the final, the soak, and a move that dies or that two people make at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.channeled import DAY, FILE, LATEST, STABLE, THREE, Channeled, forged, plain

CANDIDATE, FINAL, NEXT = "v1.30.1-rc1+rke2r1", "v1.30.1+rke2r1", "v1.30.2+rke2r1"
TWO_FILES = LATEST + FILE.replace("channels.yaml", "mirror.yaml")
# Each push of a move, in this order.
PUSHES = ("begun in the record", "the first file", "the second file", "finished in the record")


def test_a_candidate_gets_to_testing_the_final_to_latest_and_stable_waits_for_its_soak(tmp_path: Path) -> None:
    with plain(tmp_path) as some:
        some.out(CANDIDATE)
        ada = some.clone()
        some.promote(ada, "testing").expect(0, r"finish +done +testing has v1\.30\.1-rc1\+rke2r1 since ")
        assert some.says() == {"testing": CANDIDATE, "latest": "", "stable": ""}
        some.promote(ada, "latest").expect(0, "nothing to do: latest has nothing yet, and nothing newer is out for it")
        some.out(FINAL)
        some.promote(ada, "stable").expect(3, r"\[not-followed\]", r"channel\.promote --to latest --version 1\.30\.1")
        some.promote(ada, "latest").expect(0)
        some.promote(ada, "stable").expect(4, r"waits \[soak\] .* has to be for 24h before stable; not before 20")
        some.promote(ada, "stable", "--version", FINAL).expect(4, r"waits \[soak\]")
        assert some.says() == {"testing": CANDIDATE, "latest": FINAL, "stable": ""}
        plan = some.invoke(ada, "channel.plan", "--to", "stable", "--format", "json").expect(4).value["channels"]
        assert [(one["channel"], one["tag"], [wait["rule"] for wait in one["waits"]]) for one in plan] == [
            ("stable", FINAL, ["soak"])
        ]


def test_a_schedule_moves_what_is_ripe_when_its_time_has_come_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    with forged(tmp_path) as some:
        some.out(FINAL)
        ada, robot = some.clone(), some.clone("robot")
        some.promote(robot, "").expect(0)
        assert some.says() == {"testing": FINAL, "latest": FINAL, "stable": ""}
        some.later(DAY - 3600)
        before = some.refs()
        some.promote(robot, "").expect(0, "no channel has a release that is ripe for it")
        some.invoke(ada, "channel.plan", "--auto").expect(0, "no channel has a release that is ripe for it")
        assert some.refs() == before
        some.later(3600 + 60)
        some.invoke(ada, "channel.plan", "--auto").expect(0, r"point file channels\.yaml .* pending")
        assert some.refs() == before
        some.promote(robot, "").expect(0, r"stable has v1\.30\.1\+rke2r1 since ")
        assert some.says() == dict.fromkeys(("testing", "latest", "stable"), FINAL)
        before = some.refs()
        some.promote(ada, "").expect(0, "nothing to do")
        some.promote(ada, "stable").expect(0, r"nothing to do: stable has v1\.30\.1\+rke2r1")
        some.promote(ada, "stable", "--version", FINAL).expect(0, "nothing to do: .*all of it says so")
        assert some.refs() == before


def test_what_a_schedule_does_is_told_as_json_alone_on_stdout(tmp_path: Path) -> None:
    with plain(tmp_path) as some:
        some.out(FINAL)
        ada = some.clone()
        told = some.promote(ada, "", "--format", "json").expect(0).value
        assert [(one["channel"], one["kind"], one["tag"], one["before"]) for one in told["channels"]] == [
            ("testing", "promotion", FINAL, None),
            ("latest", "promotion", FINAL, None),
        ]
        assert {step["state"] for one in told["channels"] for step in one["steps"]} == {"done"}
        assert some.promote(ada, "", "--format", "json").expect(0).value["channels"] == []


def test_the_newest_that_is_ripe_is_taken_and_one_that_waits_holds_back_no_older_one(tmp_path: Path) -> None:
    with forged(tmp_path, LATEST + STABLE) as some:
        some.out(FINAL)
        ada = some.clone()
        some.promote(ada, "").expect(0)
        some.later(DAY)
        some.out(NEXT)
        some.promote(ada, "latest").expect(0)
        some.promote(ada, "stable").expect(0, r"stable has v1\.30\.1\+rke2r1 since")
        some.promote(ada, "stable").expect(4, r"waits \[soak\] 1\.30\.2\+rke2r1 is in latest since")
        assert some.says() == {"latest": NEXT, "stable": FINAL}


def test_a_revision_is_above_what_it_mends_and_candidates_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    with plain(tmp_path) as some:
        some.out("v1.30.1-rc9+rke2r1", "v1.30.1-rc13+rke2r1")
        ada = some.clone()
        some.promote(ada, "testing").expect(0)
        assert some.says()["testing"] == "v1.30.1-rc13+rke2r1"
        some.out(FINAL)
        some.promote(ada, "").expect(0)
        some.out("v1.30.1+rke2r2", "v1.30.1-rc2+rke2r3")
        some.promote(ada, "").expect(0)
        assert some.says() == {"testing": "v1.30.1-rc2+rke2r3", "latest": "v1.30.1+rke2r2", "stable": ""}


@pytest.fixture
def halfway(tmp_path: Path) -> Iterator[Channeled]:
    """A channel that users follow in two files; both have a version, and one of the same minor is out after that."""
    with plain(tmp_path, TWO_FILES) as some:
        some.hand({"mirror.yaml": some.text()})
        some.out(FINAL)
        some.promote(some.clone("seeding"), "latest").expect(0)
        some.out(NEXT)
        yield some


def mirror(some: Channeled) -> tuple[str, str]:
    """What each of the files says, in the order in which they are moved."""
    return some.says()["latest"], some.says("mirror.yaml")["latest"]


PROMOTE = ("channel.promote", "--to", "latest", "--yes")
BACK = ("channel.rollback", "latest", "--allow-downgrade", "--reason", "it does not start", "--yes")


def dies(some: Channeled, clone: Path, pushes: int, *words: str) -> None:
    """A captain types something, a promotion without words, and is killed right after so many of its pushes."""
    folder = some.world.folder
    count, victim = folder / "pushes", folder / "victim"
    some.world.refuse("upstream", KILLS.format(count=count, victim=victim, after=pushes), "post-receive")
    process = some.world.start(clone, *(words or PROMOTE))
    victim.with_suffix(".new").write_text(str(process.pid))
    victim.with_suffix(".new").rename(victim)
    said = process.communicate(timeout=60)
    (some.git / "hooks" / "post-receive").unlink()
    assert process.returncode == -signal.SIGKILL, said


KILLS = """\
#!/bin/sh
echo >> '{count}'
[ "$(wc -l < '{count}')" -eq {after} ] || exit 0
until [ -s '{victim}' ]; do sleep 0.02; done
kill -9 "$(cat '{victim}')"
"""


@pytest.mark.parametrize("pushes", [*range(1, len(PUSHES) + 1)], ids=PUSHES)
def test_a_promotion_that_is_killed_is_finished_by_the_same_command_in_another_clone(
    halfway: Channeled, pushes: int
) -> None:
    some, ada, bob = halfway, halfway.clone(), halfway.clone("bob")
    dies(some, ada, pushes)
    assert mirror(some) == (NEXT if pushes > 1 else FINAL, NEXT if pushes > 2 else FINAL)
    some.promote(bob, "latest").expect(0)
    assert mirror(some) == (NEXT, NEXT)
    state = some.state("latest")
    assert (state.number, state.moves[""].outcome, state.moves[""].by.name) == (2, "finished", "Ada")
    assert state.standing[""].version == "1.30.2+rke2r1"
    assert [some.writers(path) for path in ("channels.yaml", "mirror.yaml")] == [
        ["Ada" if pushes > 1 else "Bob", "Seeding"],
        ["Ada" if pushes > 2 else "Bob", "Seeding"],
    ]
    before = some.refs()
    some.promote(ada, "latest").expect(0, "nothing to do")
    assert some.refs() == before


def test_what_has_begun_is_finished_first_even_where_something_newer_came_out(halfway: Channeled) -> None:
    some, bob = halfway, halfway.clone("bob")
    dies(some, some.clone(), 2)
    some.out("v1.30.3+rke2r1")
    some.invoke(bob, "channel.list").expect(0, r"moving: to v1\.30\.2\+rke2r1, begun by Ada at")
    some.promote(bob, "latest", "--version", "v1.30.3+rke2r1").expect(
        3, r"\[channel-moving\] \w+ began to move latest to v1\.30\.2\+rke2r1 at .*, and it is not finished"
    )
    some.promote(bob, "").expect(0, r"latest has v1\.30\.2\+rke2r1 since")
    some.promote(bob, "").expect(0, r"latest has v1\.30\.3\+rke2r1 since")
    assert mirror(some) == ("v1.30.3+rke2r1", "v1.30.3+rke2r1")


def test_a_move_that_has_begun_and_moved_nothing_yet_is_taken_back_without_a_word_about_users(
    halfway: Channeled,
) -> None:
    some, bob = halfway, halfway.clone("bob")
    dies(some, some.clone(), 1)
    some.invoke(bob, "channel.rollback", "latest", "--reason", "not today", "--yes").expect(0)
    state = some.state("latest")
    assert (mirror(some), state.moves[""].outcome, state.standing[""].version) == (
        (FINAL, FINAL),
        "returned",
        "1.30.1+rke2r1",
    )
    some.promote(bob, "latest").expect(0)
    assert mirror(some) == (NEXT, NEXT)


def test_a_half_moved_channel_is_taken_back_where_somebody_says_that_users_go_back_as_well(
    halfway: Channeled,
) -> None:
    some, bob = halfway, halfway.clone("bob")
    dies(some, some.clone(), 2)
    before = some.refs()
    some.invoke(bob, *(word for word in BACK if word != "--allow-downgrade")).expect(
        3, r"\[rollback-downgrade\] 1 of the pointers of latest say v1\.30\.2\+rke2r1 already", "finish it: invoke"
    )
    assert some.refs() == before
    some.invoke(bob, *BACK).expect(0)
    assert mirror(some) == (FINAL, FINAL)
    assert [some.writers(path) for path in ("channels.yaml", "mirror.yaml")] == [["Bob", "Ada", "Seeding"], ["Seeding"]]
    newest = some.json(bob, "channel.history")["moves"][0]
    assert (newest["to"], newest["outcome"], newest["hand"]) == ("1.30.2+rke2r1", "returned", "")


@pytest.mark.parametrize("pushes", [1, 3], ids=["held", "the first file is back"])
def test_a_rollback_that_is_killed_is_finished_by_the_same_command_and_goes_back_once(
    halfway: Channeled, pushes: int
) -> None:
    some, bob = halfway, halfway.clone("bob")
    some.promote(bob, "latest").expect(0)
    dies(some, some.clone(), pushes, *BACK)
    assert mirror(some).count(FINAL) == pushes // 2
    for _ in range(2):
        some.invoke(bob, *BACK).expect(0)
        state = some.state("latest")
        assert (mirror(some), list(state.bad), state.number) == ((FINAL, FINAL), ["1.30.2+rke2r1"], 3)


def test_a_half_moved_channel_does_not_go_back_across_a_minor(halfway: Channeled) -> None:
    some, bob = halfway, halfway.clone("bob")
    some.out("v1.31.0+rke2r1")
    dies(some, some.clone(), 2)
    answer = some.invoke(bob, "channel.rollback", "latest", "--reason", "no", "--yes", "--allow-downgrade")
    answer.expect(3, r"\[rollback-minor\]", r"finish it: invoke channel\.promote --to latest --version v1\.31\.0")
    some.promote(bob, "latest").expect(0)
    assert mirror(some) == ("v1.31.0+rke2r1", "v1.31.0+rke2r1")


def test_of_two_captains_who_promote_at_once_one_begins_the_move_and_the_other_joins_it(halfway: Channeled) -> None:
    some = halfway
    clones = [some.clone(name) for name in ("ada", "bob")]
    for number, tag in enumerate((NEXT, "v1.30.3+rke2r1"), 2):
        some.out(tag)
        both = [some.world.start(one, "channel.promote", "--to", "latest", "--yes") for one in clones]
        told = [(one.communicate(timeout=60), one.returncode) for one in both]
        assert [code for _, code in told] == [0, 0], told
        state = some.state("latest")
        assert (mirror(some), state.number, state.moves[""].outcome) == ((tag, tag), number, "finished")
        assert [len(some.writers(path)) for path in ("channels.yaml", "mirror.yaml")] == [number, number]


def test_a_pointer_that_somebody_moved_meanwhile_stops_the_promotion_until_a_person_decides(halfway: Channeled) -> None:
    some, bob = halfway, halfway.clone("bob")
    some.hand({"mirror.yaml": some.text("mirror.yaml").replace(FINAL, "v1.29.9+rke2r1")})
    before = some.refs()
    some.promote(bob, "latest").expect(3, r"\[pointer-moved\]", r"v1\.29\.9\+rke2r1")
    some.promote(bob, "latest", "--waive", "pointer-moved").expect(2, "--reason")
    assert some.refs() == before
    some.promote(bob, "latest", "--waive", "pointer-moved", "--reason", "a slip of the hand").expect(0)
    assert mirror(some) == (NEXT, NEXT)
    newest: dict[str, Any] = some.json(bob, "channel.history")["moves"][0]
    assert (newest["to"], newest["violations"]) == ("1.30.2+rke2r1", ["pointer-moved"])


def test_a_file_that_is_written_by_promotions_keeps_everything_else_as_it_was(tmp_path: Path) -> None:
    text = "# ours\nchannels:\n- {name: latest, latest: 'v1.30.1+rke2r1'}  # do not touch\n\n\n# the end\n"
    with plain(tmp_path, LATEST) as some:
        some.hand({"channels.yaml": text})
        some.out(FINAL, NEXT)
        some.promote(some.clone(), "latest").expect(0)
        assert some.text() == text.replace(FINAL, NEXT)


def test_a_release_that_is_out_on_the_forge_alone_counts_and_a_tag_does_not(tmp_path: Path) -> None:
    with forged(tmp_path, THREE) as some:
        some.out(FINAL)
        ada = some.clone()
        commit = some.hand({"app.txt": "next\n"}, "feat: next")
        some.world.git(some.git, "update-ref", f"refs/tags/{NEXT}", commit)
        some.promote(ada, "latest", "--version", NEXT).expect(2, "is tagged, and not published: no channel can have it")
        some.promote(ada, "latest").expect(0)
        assert some.says()["latest"] == FINAL
