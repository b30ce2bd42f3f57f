"""What a record may do: carry a release from captain to captain, and nothing else."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.world import CONFIG, World, made

NO_TAGS = "#!/bin/sh\ncase $1 in refs/tags/*) echo no tags today >&2; exit 1;; esac\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path / "world")


def begun(world: World, clone: Path) -> dict[str, Any]:
    """A release that has begun and could not land: the frozen release of its record."""
    hook = world.refuse("upstream", NO_TAGS, "update")
    world.invoke(clone, "release", "--yes").expect(1, "no tags today")
    hook.unlink()
    release: dict[str, Any] = json.loads(world.git(world.remote(), "show", "refs/sluice/0.1:release.json"))
    return release


def planted(world: World, clone: Path, release: dict[str, Any]) -> None:
    """Put another release.json into the record, as whoever may push there can."""
    world.git(clone, "fetch", "--quiet", "origin", "refs/sluice/0.1")
    (clone / "planted.json").write_text(json.dumps(release))
    blob = world.git(clone, "hash-object", "-w", "planted.json")
    (clone / "planted.json").unlink()
    listed = world.git(clone, "ls-tree", "FETCH_HEAD")
    tree = "".join(
        line.replace(line.split()[2], blob) + "\n" if line.endswith("\trelease.json") else line + "\n"
        for line in listed.split("\n")
    )
    name = world.git(clone, "mktree", stdin=tree)
    commit = world.git(clone, "commit-tree", name, "-p", "FETCH_HEAD", "-m", "planted")
    world.git(clone, "push", "--quiet", "origin", f"{commit}:refs/sluice/0.1")


@pytest.mark.parametrize("place", ["gates", "artifacts"])
def test_a_command_that_only_the_record_knows_is_never_run(world: World, place: str) -> None:
    captain, thief = world.clone("captain"), world.clone("thief")
    release = begun(world, captain)
    trace = world.folder / "pwned"
    release[place][0]["run"] = ["sh", "-c", f"touch {trace}"]
    planted(world, thief, release)
    world.invoke(world.clone("night"), "release", "--yes").expect(0)
    assert not trace.exists()
    assert "refs/tags/v0.1.0" in world.refs("second")


def test_a_record_at_a_commit_that_the_branch_lost_is_not_gone_on_with(world: World) -> None:
    captain = world.clone("captain")
    config = (captain / "release.toml").read_text()
    config = config.replace('mode = "push"', 'mode = "none"').replace('file = "CHANGELOG.md"', 'file = ""')
    world.commit(captain, {"release.toml": config}, "build: tags only")
    lost = world.commit(captain, {"x": "1"}, "feat: a mistake")
    begun(world, captain)
    world.git(captain, "reset", "--quiet", "--hard", "HEAD~1")
    world.git(captain, "push", "--quiet", "--force", "origin", "main")
    assert lost not in world.refs().values()
    before = world.every_ref()
    world.invoke(captain, "release", "--yes").expect(3, "base-gone", "release.abandon")
    assert world.every_ref() == before
    world.invoke(captain, "release.abandon", "--reason", "the commit is gone", "--yes").expect(0)
    world.invoke(captain, "release", "--yes").expect(0)
    assert "refs/tags/v0.1.1" in world.refs()


def test_a_release_that_is_given_up_while_it_runs_does_not_become_public(tmp_path: Path) -> None:
    text = CONFIG.replace(
        """"printf '%s %s'""",
        f""""touch {tmp_path}/began; until test -f {tmp_path}/go; do sleep 0.05; done; printf '%s %s'""",
    )
    world = made(tmp_path / "world", text)
    captain, other = world.clone("captain"), world.clone("other")
    answers: list[Any] = []
    running = threading.Thread(target=lambda: answers.append(world.invoke(captain, "release", "--yes")))
    running.start()
    while not (tmp_path / "began").exists():
        assert running.is_alive(), answers
        running.join(0.02)
    world.invoke(other, "release.abandon", "--reason", "not this one", "--yes").expect(0)
    (tmp_path / "go").touch()
    running.join()
    answers[0].expect(1, "given up by Other", "not this one")
    assert not [ref for ref in world.refs() if ref.startswith("refs/tags/")]
    assert not [ref for name in ("first", "second") for ref in world.refs(name) if ref.startswith("refs/tags/")]
    world.invoke(captain, "release", "--yes").expect(0)
    assert "refs/tags/v0.1.1" in world.refs()
    assert "refs/tags/v0.1.0" not in world.refs()


def test_the_record_can_be_read_with_plain_git(world: World) -> None:
    captain = world.clone("captain")
    world.invoke(captain, "release", "--yes").expect(0)
    state = json.loads(world.git(world.remote(), "show", "refs/sluice/0.1:state.json"))
    assert state["outcome"] == "finished"
    assert state["commit"] == world.refs()["refs/tags/v0.1.0"]
    assert state["by"]["name"] == "Captain"
    subjects = world.git(world.remote(), "log", "--format=%s", "--first-parent", "refs/sluice/0.1").split("\n")
    assert subjects[0] == "finished v0.1.0"
    assert "begun v0.1.0" in subjects
    assert "evidence v0.1.0: tag" in subjects


def test_no_record_holds_the_password_of_an_address(world: World) -> None:
    captain = world.clone("captain")
    world.invoke(captain, "release", "--yes").expect(0)
    for name in ("release.json", "state.json", "evidence.json"):
        assert str(world.folder / "remotes") not in world.git(world.remote(), "show", f"refs/sluice/0.1:{name}")


def test_status_tells_of_a_release_that_a_moved_branch_left_behind_and_of_one_given_up(world: World) -> None:
    captain, dev = world.clone("captain"), world.clone("dev")
    begun(world, captain)
    world.commit(dev, {"more": "1\n"}, "fix: more")
    (line,) = world.json(captain, "release.status")["lines"]
    assert (line["outcome"], line["waits_for"], line["next"]) == ("begun", [], "git checkout main && invoke release")
    assert "main has moved on" in line["why"]
    world.invoke(captain, "release.abandon", "--reason", "not this one", "--yes").expect(0)
    (line,) = world.json(captain, "release.status")["lines"]
    assert (line["outcome"], line["waits_for"], line["next"]) == ("abandoned", [], "")
    assert line["why"] == "not this one"
