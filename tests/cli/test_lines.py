"""Several lines at once, each from its own branch, without a checkout of any of them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.world import REFUSING, World, made

BOTH = ("--line", "1.0", "--line", "1.1")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """v1.0.0 and v1.1.0 are out; each line has a branch with a fix that is not, and main has gone on."""
    world = made(tmp_path / "world")
    seed = world.clone("maintainer")
    for version, line in (("1.0.0", "1.0"), ("1.1.0", "1.1")):
        world.commit(seed, {f"begin-{line}": ""}, f"feat: begin {line}")
        world.git(seed, "push", "--quiet", "origin", f"HEAD:refs/tags/v{version}")
        world.git(seed, "checkout", "--quiet", "-B", f"release-{line}")
        world.commit(seed, {f"fix-{line}": ""}, f"fix: a thing of {line}")
        world.git(seed, "checkout", "--quiet", "main")
    world.commit(seed, {"next": ""}, "feat: what comes next")
    return world


def marks(table: str, row: str) -> list[str]:
    """The marks that a table has for a step."""
    (line,) = (line for line in table.split("\n") if line.strip().startswith(row))
    return line.removeprefix(f"  {row}").split()


def test_two_lines_are_released_by_one_command_from_a_checkout_of_neither(world: World) -> None:
    captain = world.clone("captain")
    world.git(captain, "checkout", "--quiet", "-b", "something-of-my-own")
    (captain / "draft").write_text("not ready")
    planned = world.json(captain, "release.plan", *BOTH)["lines"]
    assert [(plan["version"], plan["line"], plan["branch"]) for plan in planned] == [
        ("1.0.1", "1.0", "release-1.0"),
        ("1.1.1", "1.1", "release-1.1"),
    ]
    head, before = world.git(captain, "rev-parse", "HEAD"), world.git(captain, "status", "--porcelain")
    answer = world.invoke(captain, "release", *BOTH, "--yes").expect(0, r"1\.0 tag: done", r"1\.1 tag: done")
    assert marks(answer.out, "downstream second") == ["✓", "✓"]
    assert "draft" not in answer.said
    for name in ("upstream", "first", "second"):
        assert {"refs/tags/v1.0.1", "refs/tags/v1.1.1"} <= set(world.refs(name))
    refs = world.refs()
    for line in ("1.0", "1.1"):
        assert refs[f"refs/heads/release-{line}"] == refs[f"refs/tags/v{line}.1"]
    assert (world.git(captain, "rev-parse", "HEAD"), world.git(captain, "status", "--porcelain")) == (head, before)
    world.invoke(captain, "release", *BOTH, "--yes").expect(0, "nothing to do")
    assert world.refs() == refs


def test_what_one_line_lacks_holds_no_other_one_and_the_same_command_finishes(world: World) -> None:
    captain = world.clone("captain")
    refusal = world.refuse("first", "#!/bin/sh\ncase $1 in refs/tags/v1.0.1) exit 1;; esac\n", "update")
    answer = world.invoke(captain, "release", *BOTH, "--yes").expect(1, "invoke release --version v1.0.1")
    assert (marks(answer.out, "finish"), marks(answer.out, "tag")) == (["·", "✓"], ["✓", "✓"])
    assert "refs/tags/v1.1.1" in world.refs("second")
    assert "refs/tags/v1.0.1" not in world.refs("second")
    seed, head = world.clone("somebody"), world.refs()["refs/heads/release-1.1"]
    world.git(seed, "checkout", "--quiet", "release-1.1")
    world.commit(seed, {"feature": ""}, "feat: too much for a line")
    both = world.invoke(captain, "release", *BOTH, "--yes")
    both.expect(1, "wrong-line", "failed downstream first")  # what failed counts before what has to be decided
    world.git(seed, "push", "--quiet", "--force", "origin", f"{head}:release-1.1")
    refusal.unlink()
    world.invoke(world.clone("night-shift"), "release", *BOTH, "--yes").expect(0)
    assert {"refs/tags/v1.0.1", "refs/tags/v1.1.1"} <= set(world.refs("second"))
    assert sum(ref.startswith("refs/tags/v1.0") for ref in world.refs()) == 2


def test_before_anything_is_public_what_stands_against_one_line_stops_all(world: World) -> None:
    captain = world.clone("captain")
    world.refuse("first", REFUSING.replace("not today", "v1.0 not today"), "update")
    seed = world.folder / "maintainer"
    world.git(seed, "checkout", "--quiet", "release-1.1")
    world.commit(seed, {"feature": ""}, "feat: too much for a line")
    before = world.every_ref()
    world.invoke(captain, "release", *BOTH, "--yes").expect(3, "wrong-line", "nothing was written")
    assert world.every_ref() == before
    codes = world.invoke(captain, "release.plan", *BOTH, "--format", "json").expect(3).value["lines"]
    assert [[one["rule"] for one in plan["conflicts"]] for plan in codes] == [[], ["wrong-line"]]


def test_a_line_without_a_branch_is_not_taken_for_the_one_that_main_is_at(world: World) -> None:
    captain = world.clone("captain")
    before = world.every_ref()
    said = world.invoke(captain, "release", "--line", "1.2", "--yes").expect(0)
    assert "v1.2.0" in said.out
    assert set(world.refs()) - set(before["upstream.git"]) == {"refs/tags/v1.2.0", "refs/sluice/1.2"}
    before = world.every_ref()
    for line in ("1.7", "0.9"):
        world.invoke(captain, "release", "--line", line, "--yes").expect(3, "other-line", "main is at line 1.2")
    assert world.every_ref() == before


def test_two_lines_never_write_to_one_branch(world: World) -> None:
    captain = world.clone("captain")
    before = world.every_ref()
    answer = world.invoke(captain, "release", "--line", "1.2", "--line", "1.3", "--candidate", "--yes")
    answer.expect(3, "other-line")
    assert world.every_ref() == before


def test_what_is_no_line_is_bad_use(world: World) -> None:
    captain, before = world.clone("captain"), world.every_ref()
    for typed, said in (
        (("--line", "1.0; rm -rf /"), "--line has .1\\.0; rm"),
        ((*BOTH, "--version", "1.0.1"), "--version is of one line"),
        ((*BOTH, "--shards", "pieces"), "pieces of one release"),
    ):
        world.invoke(captain, "release", *typed).expect(2, said)
    tagged = {"GITHUB_REF": "refs/tags/v1.0.0", "GITHUB_ACTIONS": "true"}
    world.invoke(captain, "release", *BOTH, env=tagged).expect(2, "started for v1.0.0")
    assert world.every_ref() == before


def test_killed_while_both_lines_are_under_way_the_same_command_finishes_both(world: World) -> None:
    captain = world.clone("captain")
    reached = world.folder / "reached"
    hook = world.refuse(
        "second", f"#!/bin/sh\necho $$ > {reached}.part\nmv {reached}.part {reached}\nexec sleep 60\n", "pre-receive"
    )
    running = world.start(captain, "release", *BOTH, "--yes")
    while not reached.exists():
        assert running.poll() is None, running.communicate()
    running.send_signal(signal.SIGKILL)
    running.communicate()
    hook.unlink()
    os.kill(int(reached.read_text()), signal.SIGKILL)
    world.invoke(captain, "release", *BOTH, "--yes").expect(0)
    for name in ("upstream", "first", "second"):
        tags = [ref for ref in world.refs(name) if ref.startswith("refs/tags/v1") and ref.endswith(".1")]
        assert tags == ["refs/tags/v1.0.1", "refs/tags/v1.1.1"]
