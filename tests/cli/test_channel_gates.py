"""What a promotion waits for, and what it moves but files in the upstream: people, pull requests, freezes, lines, commands."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from release.sandbox.forge.pulls import merge
from tests.channeled import FILE, Channeled, forged, plain
from tests.forge import Client
from tests.forged import CAPTAIN

ONE, TWO, OTHER = "v1.30.1+rke2r1", "v1.30.2+rke2r1", "v1.31.0+rke2r1"
DAY, FRIDAY = timedelta(days=1), 4
NAMED = '\n[[channel]]\nname = "stable"\ndeadline = "1s"\n'
BY_PULL = NAMED + FILE + 'mode = "pull-request"\n'
BY_LINE = (
    NAMED + 'scope = "line"\n' + FILE.replace("channels.yaml", "lines.yaml").replace("name={channel}", "name=v{line}")
)
SITE = """
[[channel.point]]
kind = "command"
name = "site"
run = ["sh", "-c", "echo moved >> '{file}.log'; echo \\"$SLUICE_NEW\\" > '{file}'"]
shows = ["sh", "-c", "cat '{file}' 2>/dev/null || true"]
"""


def test_two_people_say_yes_in_the_record_and_one_counts_once(tmp_path: Path) -> None:
    with plain(tmp_path, NAMED + "approvals = 2\n" + FILE) as some:
        some.out(ONE, TWO)
        ada, bob = some.clone(), some.clone("bob")
        yes = ("channel.approve", "stable", "--version", TWO)
        some.promote(ada, "stable").expect(
            4, r"approvals +underway +0 of 2 said yes to v1\.30\.2\+rke2r1; who agrees types: invoke channel\.approve"
        )
        for _ in range(2):
            some.invoke(ada, *yes, "--reason", "it runs here").expect(0, r"1 of 2 said yes: Ada$")
        some.promote(ada, "stable").expect(4, r"1 of 2 said yes to v1\.30\.2\+rke2r1 \(Ada\)")
        some.promote(ada, "stable", "--version", ONE).expect(4, r"0 of 2 said yes to v1\.30\.1\+rke2r1")
        assert some.says() == {"stable": ""}
        told = some.invoke(bob, *yes, "--format", "json").expect(0).value
        assert told == {"channel": "stable", "version": "1.30.2+rke2r1", "people": ["Ada", "Bob"], "wanted": 2}
        some.promote(bob, "stable").expect(0, r"approvals +done +approved by Ada, Bob")
        assert some.says() == {"stable": TWO}
        (move,) = some.json(ada, "channel.history")["moves"]
        assert move["evidence"] == {"approvals": "approved by Ada, Bob"}


def test_a_reviewer_of_the_forges_environment_says_yes_to_one_version(tmp_path: Path) -> None:
    with forged(tmp_path, NAMED + 'approval = "production"\n' + FILE) as some:
        assert some.forge is not None
        some.forge.environment("acme/app", "production", reviewers=("boss",))
        some.out(ONE)
        ada = some.clone()
        for _ in range(2):
            some.promote(ada, "stable").expect(
                4, r"approval +underway +waits for approval in production: gh api repos/"
            )
        (asked,) = asks(some)
        assert (asked["environment"], asked["task"]) == ("production", f"channel:stable:{ONE}")
        assert some.says() == {"stable": ""}
        answers(some, asked)
        some.promote(ada, "stable").expect(0, "approved by boss in production")
        some.out(TWO)
        some.promote(ada, "stable").expect(4, "waits for approval in production")
        assert some.says() == {"stable": ONE}


def asks(some: Channeled) -> list[dict[str, Any]]:
    """The deployments that were asked for."""
    assert some.forge is not None
    return some.forge.store.all("deployment", some.forge.find("acme/app")["id"])


def answers(some: Channeled, asked: dict[str, Any]) -> None:
    """The reviewer's yes."""
    assert some.forge is not None
    some.forge.repository("acme/app", "main", push=(CAPTAIN, "boss"))
    with closing(Client(some.forge, some.forge.token("boss"))) as boss:
        boss.post(f"/repos/acme/app/deployments/{asked['id']}/statuses", state="success")


def test_a_file_that_is_moved_by_a_pull_request_waits_until_somebody_merges_it(tmp_path: Path) -> None:
    with forged(tmp_path, BY_PULL) as some:
        assert some.forge is not None
        some.out(ONE)
        ada, bob = some.clone(), some.clone("bob")
        some.promote(ada, "stable").expect(4, r"point file .* underway +waits for .*/pull/1", "not finished; to go on")
        some.promote(bob, "stable").expect(4, "/pull/1")
        some.invoke(ada, "channel.list").expect(0, r"moving: to v1\.30\.1\+rke2r1, begun by Ada at")
        assert some.says() == {"stable": ""}
        assert [one["number"] for one in some.forge.store.all("pull")] == [1]
        merge(some.forge, "acme/app", 1, CAPTAIN, "squash")
        some.promote(bob, "stable").expect(0, r"stable has v1\.30\.1\+rke2r1 since")
        assert some.says() == {"stable": ONE}
        (move,) = some.json(ada, "channel.history")["moves"]
        assert (move["to"], move["outcome"], move["hand"]) == ("1.30.1+rke2r1", "finished", "")


def test_a_pull_request_that_is_closed_is_a_no_and_the_move_is_taken_back(tmp_path: Path) -> None:
    with forged(tmp_path, BY_PULL) as some:
        assert some.forge is not None
        some.out(ONE)
        ada = some.clone()
        some.promote(ada, "stable").expect(4)
        with closing(Client(some.forge, some.forge.token(CAPTAIN))) as captain:
            captain.patch("/repos/acme/app/pulls/1", state="closed")
        some.promote(ada, "stable").expect(
            1, r"/pull/1\), which was for v1\.30\.1\+rke2r1, was closed without a merge; reopen it and merge it"
        )
        some.invoke(ada, "channel.rollback", "stable", "--reason", "the site's people said no", "--yes").expect(0)
        assert some.state("stable").moves[""].outcome == "returned"
        some.out(TWO)
        some.promote(ada, "stable").expect(4, "/pull/2")
        assert some.says() == {"stable": ""}


def test_nothing_moves_today_where_today_is_frozen_and_a_person_may_set_that_aside(tmp_path: Path) -> None:
    with forged(tmp_path, NAMED + 'freeze = ["2020-01-01..2039-12-31"]\n' + FILE) as some:
        some.out(ONE)
        ada = some.clone()
        before = some.refs()
        some.promote(ada, "stable").expect(4, r"waits \[frozen\] stable is closed: nothing moves on ")
        some.promote(ada, "").expect(0, "no channel has a release that is ripe for it")
        assert some.refs() == before
        some.promote(ada, "stable", "--waive", "frozen", "--reason", "it mends a leak").expect(
            0, r"waived \[frozen\] by Ada: it mends a leak"
        )
        (move,) = some.json(ada, "channel.history")["moves"]
        assert (move["to"], move["violations"]) == ("1.30.1+rke2r1", ["frozen"])


def test_a_friday_is_told_with_the_moment_when_it_is_over(tmp_path: Path) -> None:
    with forged(tmp_path, NAMED + 'freeze = ["fri"]\ntimezone = "Europe/Berlin"\n' + FILE) as some:
        assert some.forge is not None
        some.out(ONE)
        now = datetime.fromtimestamp(some.forge.clock(), ZoneInfo("Europe/Berlin"))
        friday = now.date() + timedelta((FRIDAY - now.weekday()) % 7 or 7)
        noon, midnight = (
            datetime.combine(friday, time(12), now.tzinfo),
            datetime.combine(friday + DAY, time(), now.tzinfo),
        )
        some.later(noon.timestamp() - now.timestamp())
        ada = some.clone()
        (wait,) = some.promote(ada, "stable", "--format", "json").expect(4).value["channels"][0]["waits"]
        assert (wait["rule"], datetime.fromisoformat(wait["until"])) == ("frozen", midnight)
        some.later(midnight.timestamp() - noon.timestamp())
        some.promote(ada, "stable").expect(0)
        assert some.says() == {"stable": ONE}


def test_by_line_each_line_has_its_version_and_a_lower_line_is_nobodys_mistake(tmp_path: Path) -> None:
    with plain(tmp_path, BY_LINE + '\n[[channel]]\nname = "latest"\n' + FILE) as some:
        some.hand({"lines.yaml": 'channels:\n- name: v1.30\n  latest: ""\n- name: v1.31\n  latest: ""\n'})
        some.out(ONE, OTHER)
        ada = some.clone()
        some.promote(ada, "").expect(0)
        assert some.says("lines.yaml") == {"v1.30": ONE, "v1.31": OTHER}
        assert some.says()["latest"] == OTHER
        some.out(TWO)
        some.promote(ada, "latest", "--version", TWO).expect(0, "skipped: .* a lower line never takes its place")
        some.promote(ada, "").expect(0, r"v1\.30\.2\+rke2r1 +into stable 1\.30")
        assert some.says("lines.yaml") == {"v1.30": TWO, "v1.31": OTHER}
        assert some.says()["latest"] == OTHER
        rows = some.json(ada, "channel.list")["channels"]
        assert [(one["name"], one["line"], one["tag"]) for one in rows] == [
            ("stable", "1.31", OTHER), ("stable", "1.30", TWO), ("latest", "", OTHER),
        ]  # fmt: skip


def test_a_command_moves_what_only_it_can_move_and_what_it_shows_is_what_counts(tmp_path: Path) -> None:
    file = tmp_path / "site.txt"
    with plain(tmp_path / "world", NAMED + SITE.replace("{file}", str(file))) as some:
        some.out(ONE)
        ada = some.clone()
        some.promote(ada, "stable").expect(0, r"point site +done +says v1\.30\.1\+rke2r1")
        some.promote(ada, "stable", "--version", ONE).expect(0, "nothing to do")
        assert (file.read_text(), file.with_suffix(".txt.log").read_text()) == (f"{ONE}\n", "moved\n")
        some.out(TWO)
        file.write_text("v1.29.0+rke2r1\n")
        some.promote(ada, "stable").expect(3, r"\[pointer-moved\]")
        assert file.read_text() == "v1.29.0+rke2r1\n"


def test_a_line_that_the_file_does_not_have_yet_stops_no_other_line_and_no_other_channel(tmp_path: Path) -> None:
    with plain(tmp_path, BY_LINE + '\n[[channel]]\nname = "latest"\n' + FILE) as some:
        some.hand({"lines.yaml": 'channels:\n- name: v1.31\n  latest: ""\n'})
        some.out(ONE, OTHER)
        ada = some.clone()
        missing = (
            r"\[pointer-missing\] main of .*lines\.yaml has channels and no \[name=v1\.30\] in it\n +write it there"
        )
        some.promote(ada, "").expect(3, missing, r"latest has v1\.31\.0\+rke2r1 since")
        assert (some.says("lines.yaml"), some.says()["latest"]) == ({"v1.31": OTHER}, OTHER)
        some.hand({"lines.yaml": f'channels:\n- name: v1.31\n  latest: "{OTHER}"\n- name: v1.30\n  latest: ""\n'})
        some.promote(ada, "").expect(0)
        assert some.says("lines.yaml") == {"v1.31": OTHER, "v1.30": ONE}


def test_what_a_command_shows_counts_before_there_is_any_record(tmp_path: Path) -> None:
    file = tmp_path / "site.txt"
    with plain(tmp_path / "world", NAMED + SITE.replace("{file}", str(file))) as some:
        some.out(ONE)
        file.write_text(f"{OTHER}\n")
        ada = some.clone()
        some.promote(ada, "stable", "--version", ONE).expect(0, "skipped: .* a lower line never takes its place")
        assert some.promote(ada, "stable").code == 0
        assert file.read_text() == f"{OTHER}\n"
        some.out(OTHER)
        assert some.json(ada, "channel.list")["channels"][0]["tag"] == OTHER
