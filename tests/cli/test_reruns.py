"""The same command again: it goes on, it takes nobody's record, and it calls nothing done that is not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.world import CONFIG, World, made

LINE, MAIN = "refs/sluice/0.1", "refs/heads/main"
# Without gates, artifacts and an output: only the record, the tags and the downstreams.
BARE = CONFIG[: CONFIG.index("[release]")] + CONFIG[CONFIG.index("[[downstream]]") :]
APART = BARE.replace('after = ["first"]', "")
NO_TAGS = "#!/bin/sh\ncase $1 in refs/tags/*) echo no tags today >&2; exit 1;; esac\n"
TESTED_FIRST = """\
[project]
name = "demo"

[version]
scheme = "semver+revision"
revision = "r"
candidates = ["rc"]
source = "file"
final_from_candidate = true
branches = ["release-{line}", "main"]

[[version.file]]
path = "VERSION"
pattern = '(?P<value>[0-9.]+)'
value = "{core}"

[[downstream]]
name = "first"
repository = "../first.git"
when = "final"
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path / "world", BARE)


@pytest.fixture
def captain(world: World) -> Path:
    return world.clone("captain")


def tags(world: World, name: str = "upstream") -> list[str]:
    return [ref.removeprefix("refs/tags/") for ref in world.refs(name) if ref.startswith("refs/tags/")]


def tagged(world: World, clone: Path, tag: str) -> None:
    """A tag made by hand at the head, and pushed."""
    world.git(clone, "push", "--quiet", "origin", f"HEAD:refs/tags/{tag}")


def job(world: World, tag: str) -> tuple[Path, dict[str, str]]:
    """A fresh clone as a workflow that was started for a tag has it, always at the same place; and its environment."""
    shutil.rmtree(world.folder / "job", ignore_errors=True)
    clone = world.clone("job")
    world.git(clone, "checkout", "--quiet", "--detach", tag)
    return clone, {"GITHUB_REF": f"refs/tags/{tag}", "GITHUB_ACTIONS": "true"}


# The job of an older tag


@pytest.mark.parametrize("config", [BARE, CONFIG], ids=["tags alone", "with artifacts"])
def test_the_job_of_an_older_tag_is_done_and_leaves_the_line_to_the_release_in_flight(
    config: str, tmp_path: Path
) -> None:
    world = made(tmp_path / "world", config)
    captain = world.clone("captain")
    world.invoke(captain, "release", "--yes").expect(0)
    world.commit(captain, {"more": "1"}, "fix: more")
    hook = world.refuse("first")
    world.invoke(captain, "release", "--yes").expect(1, "not today")
    before = world.every_ref()
    clone, started = job(world, "v0.1.0")
    answer = world.invoke(clone, "release", "--yes", "--format", "json", env=started).expect(0)
    assert {step["state"] for step in answer.value["steps"] if not step["name"].startswith("build ")} == {"done"}
    assert answer.value["tag"] == "v0.1.0"
    assert world.every_ref() == before
    hook.unlink()
    world.invoke(captain, "release", "--yes").expect(0, r"v0\.1\.1")
    assert (tags(world, "first"), tags(world, "second")) == (["v0.1.0", "v0.1.1"],) * 2


def test_a_tag_without_a_record_does_not_take_a_line_that_is_busy_or_further_on(world: World, captain: Path) -> None:
    tagged(world, captain, "v0.1.0")
    world.commit(captain, {"more": "1"}, "fix: more")
    hook = world.refuse("first")
    world.invoke(captain, "release", "--yes").expect(1, "not today")
    hook.unlink()
    clone, started = job(world, "v0.1.0")
    before = world.every_ref()
    world.invoke(clone, "release", "--yes", env=started).expect(3, "unfinished", r"invoke release --version v0\.1\.1")
    assert world.every_ref() == before
    world.invoke(captain, "release", "--yes").expect(0)
    before = world.every_ref()
    answer = world.invoke(clone, "release", "--yes", env=started)
    answer.expect(3, "line-ahead", r"invoke release\.downstream --version v0\.1\.0")
    assert world.every_ref() == before
    world.invoke(captain, "release.downstream", "--version", "v0.1.0", "--yes").expect(0)
    assert tags(world, "second") == ["v0.1.0", "v0.1.1"]
    assert world.refs()[LINE] == before["upstream.git"][LINE]


@pytest.mark.parametrize(
    "options", [[], ["--candidate"]], ids=["a final before a final", "a candidate before its final"]
)
def test_an_older_release_of_a_line_still_verifies(options: list[str], tmp_path: Path) -> None:
    world = made(tmp_path / "world")
    captain = world.clone("captain")
    world.invoke(captain, "release", "--yes", *options).expect(0)
    (older,) = tags(world)
    world.commit(captain, {"more": "1"}, "fix: more")
    world.invoke(captain, "release", "--yes").expect(0)
    assert len(tags(world)) == 2
    before = world.every_ref()
    for clone in (captain, world.clone("other")):
        world.invoke(clone, "release.verify", "--version", older).expect(0, f"{older} verified")
    world.invoke(captain, "release", "--version", older, "--yes").expect(0, "nothing to do")
    assert world.every_ref() == before
    (world.output / older / "app-amd64.txt").write_text("another")
    world.invoke(captain, "release.verify", "--version", older).expect(1, "not verified")


# What is not out yet is not called done


def test_a_downstream_that_is_not_required_is_still_released_by_the_same_command(tmp_path: Path) -> None:
    world = made(tmp_path / "world", BARE.replace('after = ["first"]', "required = false"))
    captain = world.clone("captain")
    hook = world.refuse("second")
    world.invoke(captain, "release", "--yes").expect(1, "not today")
    assert (tags(world, "first"), tags(world, "second")) == (["v0.1.0"], [])
    world.invoke(captain, "release", "--yes").expect(1, "not today")
    (line,) = world.json(captain, "release.status")["lines"]
    assert [step["name"] for step in line["waits_for"]] == ["downstream second"]
    hook.unlink()
    word, *typed = line["next"].split()
    assert (word, typed[0]) == ("invoke", "release")
    world.invoke(captain, "release", "--yes").expect(0)
    assert tags(world, "second") == ["v0.1.0"]
    (line,) = world.json(captain, "release.status")["lines"]
    assert (line["waits_for"], line["next"]) == ([], "")
    world.invoke(captain, *typed, "--yes").expect(0, "nothing to do")


def test_a_final_that_landed_is_gone_on_with_from_the_branch_of_its_line(tmp_path: Path) -> None:
    world = made(tmp_path / "world", TESTED_FIRST, ("first",))
    captain = world.clone("captain")
    world.commit(captain, {"VERSION": "1.2.3\n"}, "feat: 1.2.3")
    world.invoke(captain, "release", "--candidate", "--yes").expect(0)
    hook = world.refuse("first")
    world.invoke(captain, "release", "--yes").expect(1, "not today")
    world.git(captain, "checkout", "--quiet", "-b", "release-1.2")
    world.commit(captain, {"more": "1"}, "fix: more")
    world.invoke(captain, "release", "--yes").expect(1, "not today")
    hook.unlink()
    world.invoke(captain, "release", "--yes").expect(0)
    assert tags(world, "first") == ["v1.2.3+r1"]


def test_a_tag_made_by_hand_is_no_proof_that_its_release_is_out(world: World, captain: Path) -> None:
    tagged(world, captain, "v0.1.0")
    before = world.every_ref()
    unproved = ("unproved", "downstream first, downstream second", r"invoke release --version v0\.1\.0")
    world.invoke(captain, "release", "--yes").expect(3, *unproved)
    world.invoke(captain, "release.plan").expect(3, *unproved)
    assert world.every_ref() == before
    world.invoke(captain, "release", "--version", "v0.1.0", "--yes").expect(0)
    assert (tags(world), tags(world, "first"), tags(world, "second")) == (["v0.1.0"],) * 3
    assert world.refs()["refs/tags/v0.1.0"] == world.refs()[MAIN] == before["upstream.git"][MAIN]
    world.git(world.remote(), "update-ref", "-d", LINE)
    before = world.every_ref()
    world.invoke(captain, "release", "--yes").expect(0, "nothing to do", "seen to be out everywhere")
    assert world.every_ref() == before


def test_a_record_that_was_deleted_is_no_proof_that_its_release_is_out(world: World, captain: Path) -> None:
    hook = world.refuse("first")
    world.invoke(captain, "release", "--yes").expect(1, "not today")
    world.git(world.remote(), "update-ref", "-d", LINE)
    hook.unlink()
    landed = world.refs()
    for clone in (captain, world.clone("night")):
        world.invoke(clone, "release", "--yes").expect(3, "unproved", "downstream first", "invoke release --version")
    world.invoke(captain, "release", "--version", "v0.1.0", "--yes").expect(0)
    assert (tags(world), tags(world, "first"), tags(world, "second")) == (["v0.1.0"],) * 3
    assert {**world.refs(), LINE: ""} == {**landed, LINE: ""}


def test_a_component_that_cannot_be_seen_is_named_and_the_others_are_filled(tmp_path: Path) -> None:
    world = made(tmp_path / "world", APART)
    captain = world.clone("captain")
    tagged(world, captain, "v0.1.0")
    away = world.remote("first").rename(world.folder / "away.git")
    every_hole = ("release.downstream", "--missing", "--since", "2020-01-01", "--yes")
    world.invoke(captain, *every_hole).expect(1, "downstream first +failed", r"first\.git")
    assert tags(world, "second") == ["v0.1.0"]
    answer = world.invoke(captain, *every_hole, "--format", "json").expect(1)
    assert [step["name"] for step in answer.value["steps"] if step["state"] == "failed"] == ["downstream first"]
    away.rename(world.remote("first"))
    world.invoke(captain, *every_hole).expect(0)
    assert tags(world, "first") == ["v0.1.0"]
    world.invoke(captain, *every_hole).expect(0, "no downstream is missing")


def test_filling_every_hole_of_all_of_history_or_of_nobody_is_bad_use(world: World, captain: Path) -> None:
    tagged(world, captain, "v0.1.0")
    before = world.every_ref()
    world.invoke(captain, "release.downstream", "--missing", "--yes").expect(2, "--since YYYY-MM-DD")
    since = ("--missing", "--since", "2020-01-01", "--yes")
    world.invoke(captain, "release.downstream", *since, "--only", "frist").expect(2, "'frist'", "first, second")
    assert world.every_ref() == before


def test_no_downstream_is_released_by_hand_before_what_it_comes_after(tmp_path: Path) -> None:
    world = made(tmp_path / "world")
    captain = world.clone("captain")
    foreign = world.output / "v0.1.0" / "notes.txt"
    put = f'mkdir -p "{foreign.parent}" && : > "{foreign}"'
    world.refuse("upstream", f"#!/bin/sh\ngrep -q refs/tags/ || exit 0\n{put}\n", "post-receive")
    world.invoke(captain, "release", "--yes").expect(3, r"notes\.txt")
    before = world.every_ref()
    by_hand = ("release.downstream", "--version", "v0.1.0", "--yes")
    for more in ([], ["--only", "first"]):
        world.invoke(captain, *by_hand, *more).expect(3, "unmet-need", "output", "not out")
    assert world.every_ref() == before
    assert (tags(world), tags(world, "first")) == (["v0.1.0"], [])
    foreign.unlink()
    world.invoke(captain, "release", "--yes").expect(0)


def test_a_downstream_tagged_by_hand_does_not_make_a_release_public(world: World, captain: Path) -> None:
    tagged(world, world.clone("here", "first"), "v0.1.0")
    stray = world.clone("stray", "second")
    world.commit(stray, {"stray": "1"}, "feat: stray", push=False)
    tagged(world, stray, "v0.1.0")
    before = world.every_ref()
    world.invoke(captain, "release", "--yes").expect(3, "tag-elsewhere", "second", "nothing was written")
    assert world.every_ref() == before


# What was built is not built again


def test_a_job_that_is_run_again_on_a_fresh_machine_does_not_rebuild_what_it_published(tmp_path: Path) -> None:
    text = CONFIG.replace('output = "{output}"', 'output = "dist"\nstart = "tag"\ndeadline = "1s"')
    text = text.replace("printf '%s %s'", "echo built >> {output}.log; printf '%s %s %s' $(date +%N)")
    world = made(tmp_path / "world", text)
    world.invoke(world.clone("captain"), "release", "--yes").expect(4)
    built = world.folder / "out.log"
    assert not built.exists()
    hook = world.refuse("first")
    clone, started = job(world, "v0.1.0")
    world.invoke(clone, "release", "--yes", env=started).expect(1, "not today")
    assert (clone / "dist" / "v0.1.0" / "release.json").exists()
    hook.unlink()
    once = built.read_text()
    assert once == "built\n" * 2
    clone, started = job(world, "v0.1.0")
    world.invoke(clone, "release", "--yes", env=started).expect(0)
    assert built.read_text() == once
    assert (tags(world), tags(world, "first"), tags(world, "second")) == (["v0.1.0"],) * 3


# Other captains


def test_no_candidate_is_begun_while_a_final_is_in_flight(world: World, captain: Path) -> None:
    hook = world.refuse("upstream", NO_TAGS, "update")
    world.invoke(captain, "release", "--yes").expect(1, "no tags today")
    hook.unlink()
    before = world.every_ref()
    for clone in (captain, world.clone("other")):
        world.invoke(clone, "release", "--candidate", "--yes").expect(
            3, "unfinished", r"finish it: invoke release --version v0\.1\.0"
        )
    assert world.every_ref() == before
    world.invoke(captain, "release", "--yes").expect(0)
    assert tags(world) == ["v0.1.0"]


def test_a_run_whose_release_was_given_up_meanwhile_names_no_command_that_goes_on_with_it(tmp_path: Path) -> None:
    waiting = f"touch {tmp_path}/began; until test -f {tmp_path}/go; do sleep 0.05; done; printf '%s %s'"
    world = made(tmp_path / "world", CONFIG.replace("printf '%s %s'", waiting))
    captain, other = world.clone("captain"), world.clone("other")
    with world.start(captain, "release", "--yes") as running:
        try:
            while not (tmp_path / "began").exists():
                assert running.poll() is None, running.communicate()
                try_again(running)
            world.invoke(other, "release.abandon", "--reason", "not this one", "--yes").expect(0)
            (tmp_path / "go").touch()
            out, err = running.communicate(timeout=30)
        finally:
            running.kill()
    assert running.returncode == 1, (out, err)
    assert "given up by Other: not this one" in out + err
    assert "to go on" not in out + err
    assert tags(world) == []


def try_again(process: subprocess.Popen[str]) -> None:
    """A moment's patience, no longer than the process lives."""
    try:
        process.wait(0.02)
    except subprocess.TimeoutExpired:
        return


def test_a_rerun_brings_the_clone_along_wherever_the_release_was_finished(world: World, captain: Path) -> None:
    behind, dirty = world.clone("behind"), world.clone("dirty")
    old = world.git(captain, "rev-parse", "HEAD")
    world.invoke(captain, "release", "--yes").expect(0)
    new = world.refs()[MAIN]
    assert world.git(captain, "rev-parse", "HEAD") == new != old
    # As a run leaves it that is killed once the remote has accepted.
    world.git(captain, "reset", "--quiet", "--hard", old)
    world.git(captain, "tag", "--delete", "v0.1.0")
    (dirty / "app.txt").write_text("mine\n")
    before = world.every_ref()
    for clone in (captain, behind):
        world.invoke(clone, "release", "--yes").expect(0, "nothing to do")
        assert world.git(clone, "rev-parse", "HEAD", "v0.1.0^{commit}").split() == [new, new]
        assert world.git(clone, "status", "--porcelain") == ""
    world.invoke(dirty, "release", "--yes").expect(0, "nothing to do", "left where it is")
    assert world.git(dirty, "rev-parse", "HEAD", "v0.1.0^{commit}").split() == [old, new]
    assert (dirty / "app.txt").read_text() == "mine\n"
    assert world.every_ref() == before
