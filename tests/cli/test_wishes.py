"""What somebody decided on, and typed again: the same command finishes the work, and another one does not do it unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.world import World, made

PLAIN = """\
[project]
name = "demo"

[version]
scheme = "semver"
candidates = ["rc"]

[[downstream]]
name = "first"
repository = "../first.git"
"""
NO_TAGS = "#!/bin/sh\ncase $1 in refs/tags/*) echo no tags today >&2; exit 1;; esac\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path / "world", PLAIN, ("first",))


@pytest.fixture
def captain(world: World) -> Path:
    """A clone of an upstream whose v1.0.0 is tagged, with a fix after it."""
    clone = world.clone("captain")
    world.git(clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1.0.0")
    world.commit(clone, {"a": "1"}, "fix: a fault")
    return clone


def tags(world: World, name: str = "upstream") -> list[str]:
    return [ref.removeprefix("refs/tags/") for ref in world.refs(name) if ref.startswith("refs/tags/")]


@pytest.mark.parametrize("rules", ["", '\n[rules]\nbranch = "warn"\n'])
def test_a_release_from_a_branch_that_was_let_pass_is_finished_by_the_same_command(
    rules: str, world: World, captain: Path
) -> None:
    world.git(captain, "checkout", "--quiet", "-B", "hotfix")
    world.commit(captain, {"release.toml": PLAIN + rules}, "fix: more")
    command = ["release", "--yes", *([] if rules else ["--waive", "branch", "--reason", "no time"])]
    hook = world.refuse("upstream", NO_TAGS, "update")
    world.invoke(captain, *command).expect(1, "no tags today")
    hook.unlink()
    world.invoke(captain, *command).expect(0, *([] if rules else [r"waived \[branch\] .*no time"]))
    assert tags(world) == ["v1.0.0", "v1.0.1"]
    record = json.loads(world.git(world.remote(), "show", "refs/sluice/1.0:release.json"))
    waived = [(one["rule"], one["why"]) for one in record.get("waivers", [])]
    assert waived == ([] if rules else [("branch", "no time")])


def test_a_waiver_in_a_record_is_not_believed_from_another_branch(world: World, captain: Path) -> None:
    world.git(captain, "checkout", "--quiet", "-B", "hotfix")
    world.git(captain, "push", "--quiet", "origin", "hotfix")
    hook = world.refuse("upstream", NO_TAGS, "update")
    world.invoke(captain, "release", "--yes", "--waive", "branch", "--reason", "no time").expect(1)
    hook.unlink()
    world.git(captain, "checkout", "--quiet", "main")
    world.invoke(captain, "release", "--yes", "--version", "1.0.1").expect(3, "record-differs")
    assert tags(world) == ["v1.0.0"]


@pytest.mark.parametrize("flags", [("--bump", "major"), ("--bump", "minor"), ("--candidate",)])
def test_another_bump_does_not_finish_what_has_begun(flags: tuple[str, ...], world: World, captain: Path) -> None:
    hook = world.refuse("upstream", NO_TAGS, "update")
    world.invoke(captain, "release", "--yes").expect(1)
    hook.unlink()
    world.invoke(captain, "release", "--yes", *flags).expect(3, "unfinished", r"v1\.0\.1")
    assert tags(world) == ["v1.0.0"]
    world.invoke(captain, "release", "--yes", "--bump", "patch").expect(0)
    assert tags(world) == ["v1.0.0", "v1.0.1"]


@pytest.mark.parametrize("kind", ["patch", "minor", "major"])
def test_the_same_bump_twice_releases_once_and_another_one_is_refused(kind: str, world: World, captain: Path) -> None:
    world.invoke(captain, "release", "--yes", "--bump", kind).expect(0)
    once = world.every_ref()
    world.invoke(captain, "release", "--yes", "--bump", kind).expect(0, "nothing to do")
    other = {"patch": "minor", "minor": "major", "major": "patch"}[kind]
    world.invoke(captain, "release", "--yes", "--bump", other).expect(3, "nothing-changed")
    assert world.every_ref() == once


def test_what_was_given_up_is_released_nowhere_though_somebody_tags_it(world: World, captain: Path) -> None:
    hook = world.refuse("upstream", NO_TAGS, "update")
    world.invoke(captain, "release", "--yes").expect(1)
    hook.unlink()
    world.invoke(captain, "release.abandon", "--reason", "broken", "--yes").expect(0)
    world.git(captain, "push", "--quiet", "origin", "HEAD:refs/tags/v1.0.1")
    started = {"GITHUB_REF": "refs/tags/v1.0.1", "GITHUB_ACTIONS": "true"}
    world.invoke(captain, "release", "--yes", env=started).expect(3, "burned")
    world.invoke(captain, "release.downstream", "--version", "1.0.1", "--yes").expect(3, "burned")
    assert tags(world, "first") == []


@pytest.mark.parametrize(("reason", "said"), [("bad\udcff", "not UTF-8"), ("long " * 1000, "characters")])
def test_a_reason_is_text_and_no_book(reason: str, said: str, world: World, captain: Path) -> None:
    for command in (["release", "--waive", "branch"], ["release.abandon"]):
        world.invoke(captain, *command, "--yes", "--reason", reason).expect(2, said)
