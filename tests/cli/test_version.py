"""`invoke release.version`: what comes next and why, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.world import World, made

PLAIN = """\
[project]
name = "demo"

[version]
scheme = "semver"
candidates = ["beta", "rc"]
"""
RKE2 = """\
[project]
name = "rke2"

[version]
scheme = "semver+revision"
revision = "rke2r"
source = "file"
branches = ["release-{line}", "master"]
final_from_candidate = true

[[version.file]]
path = "version.sh"
pattern = 'KUBERNETES_VERSION:-v(?P<value>[0-9.]+)'
value = "{core}"
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path / "world", PLAIN, ())


@pytest.fixture
def captain(world: World) -> Path:
    """A clone of an upstream whose v1.2.0 is out."""
    clone = world.clone("captain")
    tagged(world, clone, "v1.2.0")
    return clone


def tagged(world: World, clone: Path, *tags: str) -> None:
    """Tags made by hand at the head, and pushed."""
    world.git(clone, "push", "--quiet", "origin", *(f"HEAD:refs/tags/{tag}" for tag in tags))


def upcoming(world: World, clone: Path, *flags: str) -> dict[str, Any]:
    answer = world.invoke(clone, "release.version", *flags, "--format", "json").expect(0)
    value = answer.value
    assert isinstance(value, dict)
    assert {"current", "next", "tag", "bump", "line", "reasons"} <= set(value)
    return value


def test_the_first_version_follows_from_nothing_that_was_there(world: World) -> None:
    found = upcoming(world, world.clone("captain"))
    assert (found["current"], found["next"], found["tag"], found["line"]) == (None, "0.1.0", "v0.1.0", "0.1")


def test_a_feature_raises_the_minor_number_and_is_named(world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "docs: a page")
    made_by = world.commit(captain, {"a": "2"}, "feat(api): a thing")
    found = upcoming(world, captain)
    assert (found["current"], found["next"], found["bump"], found["line"]) == ("1.2.0", "1.3.0", "minor", "1.3")
    assert [(one["source"], one["what"], one["bump"]) for one in found["reasons"]] == [
        (made_by[:10], "feat(api): a thing", "minor")
    ]


def test_a_tag_that_this_clone_does_not_have_counts_only_if_it_is_in_the_history(world: World, captain: Path) -> None:
    mate = world.clone("mate")
    world.git(mate, "checkout", "--quiet", "-b", "aside")
    world.commit(mate, {"b": "1"}, "feat!: elsewhere")
    tagged(world, mate, "v2.0.0")
    world.git(mate, "checkout", "--quiet", "main")
    world.commit(mate, {"a": "1"}, "feat: here")
    tagged(world, mate, "v1.3.0")
    world.commit(mate, {"a": "2"}, "fix: here")
    world.git(captain, "fetch", "--quiet", "--no-tags", "origin", "main")
    world.git(captain, "merge", "--quiet", "--ff-only", "FETCH_HEAD")
    assert world.git(captain, "tag") == ""
    found = upcoming(world, captain)
    assert (found["current"], found["next"]) == ("1.3.0", "1.3.1")
    world.git(mate, "merge", "--quiet", "--no-edit", "aside")
    world.git(mate, "push", "--quiet", "origin", "main")
    world.git(captain, "pull", "--quiet", "--no-tags")
    found = upcoming(world, captain)
    assert (found["current"], found["next"]) == ("2.0.0", "2.1.0")  # which does not have the feature of 1.3.0


@pytest.mark.parametrize("message", [None, "docs: a page", "chore: tidy"])
def test_where_nothing_calls_for_a_release_that_is_said_and_no_failure(
    message: str | None, world: World, captain: Path
) -> None:
    if message:
        world.commit(captain, {"a": "1"}, message)
    found = upcoming(world, captain)
    assert (found["current"], found["next"], found["tag"], found["bump"]) == ("1.2.0", None, None, "none")
    assert found["line"] == "1.2"
    assert found["nothing"]
    world.invoke(captain, "release.version").expect(0, r"^1\.2\.0  nothing to release: ")


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        (("--bump", "major"), "2.0.0"),
        (("--bump", "minor"), "1.3.0"),
        (("--bump", "patch"), "1.2.1"),
        (("--bump", "patch", "--candidate"), "1.2.1-rc.1"),
        (("--bump", "major", "--candidate=beta"), "2.0.0-beta.1"),
        (("--candidate",), "1.3.0-rc.4"),
        (("--bump", "candidate"), "1.3.0-rc.4"),
        (("--final",), "1.3.0"),
        (("--bump", "final"), "1.3.0"),
    ],
)
def test_a_kind_that_was_asked_for_is_told(flags: tuple[str, ...], wanted: str, world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "feat: a thing")
    tagged(world, captain, "v1.3.0-rc.1", "v1.3.0-rc.3")
    assert upcoming(world, captain, *flags)["next"] == wanted


def test_a_kind_that_was_asked_for_is_told_though_nothing_changed(world: World, captain: Path) -> None:
    assert upcoming(world, captain, "--bump", "minor")["next"] == "1.3.0"
    assert upcoming(world, captain)["next"] is None


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--bump", "huge"), "there are: major, minor, patch, final, revision, candidate"),
        (("--bump", "major", "--final"), "contradict each other"),
        (("--candidate", "--final"), "contradict each other"),
        (("--candidate=gamma",), "there are: beta, rc"),
        (("--format", "yaml"), "text, json"),
    ],
)
def test_bad_use_is_told_with_what_there_is(flags: tuple[str, ...], said: str, world: World, captain: Path) -> None:
    world.invoke(captain, "release.version", *flags).expect(2, said)


def test_a_scheme_without_revisions_has_no_next_one(world: World, captain: Path) -> None:
    world.invoke(captain, "release.version", "--revision").expect(3, "no-revision")


def test_the_table_tells_what_where_which_bump_and_why(world: World, captain: Path) -> None:
    fixed = world.commit(captain, {"a": "1"}, "fix: a fault")
    broke = world.commit(captain, {"a": "2"}, "feat!: another way")
    said = world.invoke(captain, "release.version", "--explain").expect(0).out.split("\n")
    assert said[0].startswith("2.0.0  major")
    assert said[1].split() == ["BUMP", "WHERE", "WHY", "WHAT"]
    assert said[2].split(maxsplit=3)[:2] == ["major", broke[:10]]
    assert said[2].endswith("feat!: another way")
    assert said[3].split(maxsplit=2)[:2] == ["patch", fixed[:10]]


def test_what_is_not_pushed_is_looked_at_and_that_is_said(world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "feat: a thing", push=False)
    found = upcoming(world, captain)
    assert found["next"] == "1.3.0"
    assert "does not have" in found["remarks"][0]


def test_a_clone_without_a_remote_is_its_own_upstream(world: World, captain: Path) -> None:
    world.git(captain, "fetch", "--quiet", "--tags")
    world.git(captain, "remote", "remove", "origin")
    world.commit(captain, {"a": "1"}, "fix: a fault", push=False)
    found = upcoming(world, captain)
    assert (found["next"], found["remarks"]) == ("1.2.1", [])
    world.invoke(captain, "release.plan").expect(2, "no remote named origin")


def test_a_release_that_has_begun_comes_first(world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "feat: a thing")
    world.refuse("upstream", "#!/bin/sh\ncase $1 in refs/tags/*) exit 1;; esac\n", "update")
    world.invoke(captain, "release", "--yes").expect(1)
    found = upcoming(world, captain)
    assert (found["current"], found["next"]) == ("1.2.0", "1.3.0")
    assert found["reasons"][0]["source"] == "record"
    world.commit(captain, {"a": "2"}, "fix: a fault")
    assert upcoming(world, captain, "--candidate")["next"] == "1.3.0-rc.1"


def test_hostile_messages_stay_text(world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "feat: a\x1b[2Jb \u202etxt ::error::no")
    answer = world.invoke(captain, "release.version", "--explain").expect(0)
    assert "\x1b" not in answer.said
    assert "\u202e" not in answer.said


def test_rke2s_line_goes_on_with_the_next_candidate_or_the_final(tmp_path: Path) -> None:
    """Line 1.35 at v1.35.8-rc1+rke2r1, with tags of another branch beside it, as it was seen in public."""
    world = made(tmp_path / "world", RKE2, ())
    clone = world.clone("captain")
    world.commit(clone, {"version.sh": "${KUBERNETES_VERSION:-v1.35.7}\n"}, "Update to v1.35.7")
    tagged(world, clone, "v1.35.7-rc1+rke2r1", "v1.35.7+rke2r1")
    world.git(clone, "checkout", "--quiet", "-b", "release-1.35")
    world.commit(clone, {"version.sh": "${KUBERNETES_VERSION:-v1.35.8}\n"}, "Update to v1.35.8")
    tagged(world, clone, "v1.35.8-rc1+rke2r1")
    world.git(clone, "checkout", "--quiet", "main")
    world.commit(clone, {"version.sh": "${KUBERNETES_VERSION:-v1.36.3}\n"}, "Update to v1.36.3")
    tagged(world, clone, "v1.36.3+rke2r1")
    world.git(clone, "checkout", "--quiet", "release-1.35")
    candidate, final = upcoming(world, clone, "--candidate"), upcoming(world, clone)
    assert (candidate["current"], candidate["next"]) == ("1.35.8-rc1+rke2r1", "1.35.8-rc2+rke2r1")
    assert (final["next"], final["tag"], final["line"]) == ("1.35.8+rke2r1", "v1.35.8+rke2r1", "1.35")
    tagged(world, clone, "v1.35.8+rke2r1")
    world.commit(clone, {"more": "1"}, "Mend the build")
    assert upcoming(world, clone, "--revision", "--candidate")["next"] == "1.35.8-rc1+rke2r2"
    world.invoke(clone, "release.version", "--bump", "minor").expect(3, "bump-of-file", "version.sh")


def test_on_a_lines_branch_a_bump_beyond_patch_is_a_conflict(world: World, captain: Path) -> None:
    world.git(captain, "checkout", "--quiet", "-b", "release-1.2")
    world.commit(captain, {"a": "1"}, "fix: a fault")
    assert upcoming(world, captain)["next"] == "1.2.1"
    world.commit(captain, {"a": "2"}, "feat: a thing")
    world.invoke(captain, "release.version").expect(3, "wrong-line", r"1\.3\.0 is of line 1\.3", "more than a patch")
    assert upcoming(world, captain, "--bump", "patch")["next"] == "1.2.1"
    world.invoke(captain, "release.version", "--bump", "minor").expect(3, "wrong-line")


def test_the_first_version_of_a_lines_branch_is_the_lines_unless_more_is_called_for(
    world: World, captain: Path
) -> None:
    world.git(captain, "checkout", "--quiet", "-b", "release-1.5")
    world.commit(captain, {"a": "1"}, "feat: a thing")
    flags: list[tuple[str, ...]] = [(), ("--bump", "patch"), ("--bump", "minor")]
    assert [upcoming(world, captain, *flag)["next"] for flag in flags] == ["1.5.0"] * 3
    assert upcoming(world, captain, "--candidate")["next"] == "1.5.0-rc.1"
    world.commit(captain, {"a": "2"}, "feat!: another way")
    world.invoke(captain, "release.version").expect(3, "wrong-line", r"2\.0\.0 is of line 2\.0")


@pytest.mark.parametrize("flag", ["--revision", "--final"])
def test_a_final_that_is_out_is_never_what_comes_next(flag: str, tmp_path: Path) -> None:
    """Neither once more, nor because commits came that no candidate has."""
    config = '[project]\nname = "demo"\n\n[version]\nscheme = "semver+revision"\nrevision = "r"\nfinal_from_candidate = true\n'
    world = made(tmp_path / "world", config, ())
    clone = world.clone("captain")
    world.invoke(clone, "release", "--candidate", "--yes").expect(0)
    world.invoke(clone, "release", "--yes").expect(0)
    world.commit(clone, {"a": "1"}, "feat: a thing")
    found = upcoming(world, clone, flag)
    assert (found["current"], found["next"], found["tag"]) == ("0.1.0+r1", None, None)
    assert "no candidate has come" in found["nothing"]
    assert upcoming(world, clone, "--candidate")["next"] == "0.2.0-rc1+r1"


def test_a_version_file_that_nobody_raised_is_no_failure_until_a_change_calls_for_a_release(tmp_path: Path) -> None:
    config = '[project]\nname = "demo"\n\n[version]\nsource = "file"\n\n[[version.file]]\npath = "V"\npattern = "(?P<value>.+)"\nvalue = "{core}"\n'
    world = made(tmp_path / "world", config, ())
    clone = world.clone("captain")
    world.commit(clone, {"V": "1.0.0"}, "feat: a version")
    tagged(world, clone, "v1.0.0")
    flags: list[tuple[str, ...]] = [(), ("--candidate",), ("--final",)]
    assert [upcoming(world, clone, *flag)["next"] for flag in flags] == [None] * 3
    world.commit(clone, {"a": "1"}, "docs: a page")
    assert [upcoming(world, clone, *flag)["next"] for flag in flags] == [None] * 3
    world.commit(clone, {"a": "2"}, "fix: a fault")
    world.invoke(clone, "release.version").expect(3, "version-taken", "set a higher version")
    world.commit(clone, {"V": "1.0.1"}, "chore: raise it")
    assert upcoming(world, clone)["next"] == "1.0.1"


def test_a_detached_head_at_a_tag_is_not_called_a_branch(world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "feat: a thing")
    world.git(captain, "fetch", "--quiet", "--tags")
    world.git(captain, "checkout", "--quiet", "--detach", "v1.2.0")
    assert upcoming(world, captain)["nothing"] == "1.2.0 is tagged, and HEAD is that very commit"


def test_a_candidate_that_somebody_chose_is_gone_on_with(world: World, captain: Path) -> None:
    world.commit(captain, {"a": "1"}, "docs: a page")
    world.invoke(captain, "release", "--bump", "major", "--candidate", "--yes").expect(0)
    final = upcoming(world, captain)
    assert (final["next"], final["bump"], final["current"]) == ("2.0.0", "major", "2.0.0-rc.1")
    assert final["reasons"][0]["source"] == "v2.0.0-rc.1"
    world.commit(captain, {"a": "2"}, "fix: a fault")
    assert upcoming(world, captain, "--candidate")["next"] == "2.0.0-rc.2"
    assert upcoming(world, captain, "--bump", "patch")["next"] == "1.2.1"
    world.invoke(captain, "release", "--yes").expect(0, r"v2\.0\.0")
    assert upcoming(world, captain)["current"] == "2.0.0"


def test_a_number_of_somebody_elses_line_is_not_gone_on_with(world: World, captain: Path) -> None:
    world.git(captain, "checkout", "--quiet", "-b", "elsewhere")
    world.commit(captain, {"b": "1"}, "feat: there")
    tagged(world, captain, "v1.3.0")
    world.git(captain, "checkout", "--quiet", "main")
    world.commit(captain, {"a": "1"}, "feat: here")
    assert upcoming(world, captain)["next"] == "1.4.0"
    assert upcoming(world, captain, "--bump", "patch")["next"] == "1.2.1"


def test_what_release_would_not_do_on_a_released_head_is_said(world: World, captain: Path) -> None:
    found = upcoming(world, captain, "--bump", "minor")
    assert found["next"] == "1.3.0"
    assert any("would refuse this: there is no commit since v1.2.0" in remark for remark in found["remarks"])
    world.invoke(captain, "release.plan", "--bump", "minor").expect(3, "nothing-changed")
    tagged(world, captain, "v1.3.0-rc.1")
    found = upcoming(world, captain, "--candidate")
    assert any("would do nothing here" in remark for remark in found["remarks"])
    world.invoke(captain, "release.plan", "--candidate").expect(0, "nothing to do")
