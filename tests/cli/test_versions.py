"""Which version comes next and from which branch, as a captain sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.world import CONFIG, World, made

BARE = CONFIG[: CONFIG.index("[release]")] + CONFIG[CONFIG.index("[[downstream]]") :]
TAGS_ONLY = """\
[project]
name = "demo"

[version]
scheme = "semver"
candidates = ["rc"]
"""
BY_TAG = TAGS_ONLY + '\n[release]\nstart = "tag"\n'
TESTED_FIRST = """\
[project]
name = "demo"

[version]
scheme = "semver+revision"
revision = "r"
candidates = ["rc"]
source = "file"
final_from_candidate = true

[[version.file]]
path = "VERSION"
pattern = '(?P<value>[0-9.]+)'
value = "{core}"
"""
NO_TAGS = "#!/bin/sh\ncase $1 in refs/tags/*) echo no tags today >&2; exit 1;; esac\n"


def tags(world: World) -> list[str]:
    return [ref.removeprefix("refs/tags/") for ref in world.refs() if ref.startswith("refs/tags/")]


def tagged(world: World, clone: Path, tag: str) -> None:
    """A tag made by hand at the head, and pushed."""
    world.git(clone, "push", "--quiet", "origin", f"HEAD:refs/tags/{tag}")


def on(world: World, clone: Path, branch: str, message: str) -> None:
    """A commit on a branch of its own, and the checkout there."""
    world.git(clone, "checkout", "--quiet", "-B", branch)
    world.commit(clone, {"work": message}, message)


# Lines and their branches


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path / "world", TAGS_ONLY, ())


@pytest.fixture
def captain(world: World) -> Path:
    """A clone where v1.30.0 is out and has a branch of its own beside main."""
    clone = world.clone("captain")
    tagged(world, clone, "v1.30.0")
    world.git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/release-1.30")
    return clone


def test_a_fix_on_main_is_not_released_on_a_line_that_has_its_own_branch(world: World, captain: Path) -> None:
    tagged(world, captain, "v1.30.1")
    on(world, captain, "main", "fix: a thing")
    before = world.every_ref()
    answer = world.invoke(captain, "release", "--yes")
    answer.expect(3, "wrong-branch", r"1\.30\.2", "check out release-1.30", "--version")
    assert world.every_ref() == before
    assert world.json(captain, "release.plan", "--version", "1.31.0")["conflicts"] == []


def test_the_first_release_of_a_lines_branch_is_its_first_version(world: World, captain: Path) -> None:
    on(world, captain, "release-1.31", "fix: a thing")
    plan = world.json(captain, "release.plan")
    assert (plan["version"], plan["previous"], plan["conflicts"]) == ("1.31.0", "v1.30.0", [])
    assert world.json(captain, "release.plan", "--candidate")["version"] == "1.31.0-rc.1"
    on(world, captain, "release-1.30", "fix: another")
    assert world.json(captain, "release.plan")["version"] == "1.30.1"


def test_a_feature_on_a_lines_branch_is_released_there_only_if_a_person_says_so(world: World, captain: Path) -> None:
    on(world, captain, "release-1.30", "feat: a thing")
    before = world.every_ref()
    world.invoke(captain, "release", "--yes").expect(3, "wrong-line", r"1\.31\.0", r"--version 1\.30\.")
    assert world.every_ref() == before
    world.invoke(captain, "release", "--version", "1.30.1", "--yes").expect(0)
    assert tags(world) == ["v1.30.0", "v1.30.1"]


@pytest.mark.parametrize("asked", ["1.29.9", "1.0.0", "1.30.0-rc.1"])
def test_no_version_is_released_that_is_below_one_in_its_history(asked: str, world: World, captain: Path) -> None:
    on(world, captain, "main", "fix: a thing")
    before = world.every_ref()
    world.invoke(captain, "release", "--version", asked, "--yes").expect(3, "backward", r"not above 1\.30\.0")
    assert world.every_ref() == before


# What came before


def test_a_tag_pushed_by_hand_is_told_from_the_release_before_it(tmp_path: Path) -> None:
    world = made(tmp_path / "world", BY_TAG, ())
    job = world.clone("job")
    tagged(world, job, "v0.1.0")
    world.commit(job, {"more": "1"}, "feat: only this")
    tagged(world, job, "v0.2.0")
    world.commit(job, {"more": "2"}, "feat: not this")
    world.git(job, "checkout", "--quiet", "--detach", "HEAD~1")
    started = {"GITHUB_REF": "refs/tags/v0.2.0", "GITHUB_ACTIONS": "true"}
    plan = world.invoke(job, "release.plan", "--format", "json", env=started).expect(0).value
    assert (plan["version"], plan["previous"]) == ("0.2.0", "v0.1.0")
    assert "only this" in plan["notes"]
    assert "an app" not in plan["notes"]
    assert "not this" not in plan["notes"]
    world.invoke(job, "release", "--yes", env=started).expect(0)
    assert tags(world) == ["v0.1.0", "v0.2.0"]


# Numbers that were given up


def test_a_tested_final_that_was_given_up_is_not_released_again(tmp_path: Path) -> None:
    world = made(tmp_path / "world", TESTED_FIRST, ())
    captain = world.clone("captain")
    world.commit(captain, {"VERSION": "1.2.3\n"}, "feat: 1.2.3")
    world.invoke(captain, "release", "--candidate", "--yes").expect(0)
    hook = world.refuse("upstream", NO_TAGS, "update")
    world.invoke(captain, "release", "--yes").expect(1, "no tags today")
    hook.unlink()
    world.invoke(captain, "release.abandon", "--reason", "bad", "--yes").expect(0)
    before = world.every_ref()
    for asked in ([], ["--version", "1.2.3+r1"]):
        world.invoke(captain, "release", "--yes", *asked).expect(3, "burned", r"1\.2\.3\+r1 was given up")
    assert world.every_ref() == before
    world.commit(captain, {"more": "1"}, "fix: what was bad")
    world.invoke(captain, "release", "--candidate", "--yes").expect(0)
    world.invoke(captain, "release", "--yes").expect(0)
    assert tags(world) == ["v1.2.3+r2", "v1.2.3-rc1+r1", "v1.2.3-rc1+r2"]


# Files that are none


def link(clone: Path) -> None:
    (clone / "docs").mkdir()
    (clone / "docs" / "CHANGELOG.md").write_text("# Changelog\n")
    (clone / "CHANGELOG.md").symlink_to("docs/CHANGELOG.md")


def folder(clone: Path) -> None:
    (clone / "CHANGELOG.md").mkdir()
    (clone / "CHANGELOG.md" / "a.txt").write_text("a\n")


def below_a_file(clone: Path) -> None:
    text = (clone / "release.toml").read_text()
    (clone / "release.toml").write_text(text.replace('"CHANGELOG.md"', '"app.txt/CHANGELOG.md"'))


@pytest.mark.parametrize("spoil", [link, folder, below_a_file], ids=lambda spoil: spoil.__name__)
def test_a_changelog_that_is_no_plain_file_is_refused_before_anything_is_written(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    world = made(tmp_path / "world", BARE)
    captain = world.clone("captain")
    spoil(captain)
    world.commit(captain, {}, "feat: a log")
    before = world.every_ref()
    world.invoke(captain, "release.plan").expect(3, "not-a-file", "CHANGELOG.md")
    world.invoke(captain, "release", "--yes").expect(3, "not-a-file", "nothing was written")
    assert world.every_ref() == before
