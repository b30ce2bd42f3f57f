"""A release that is refused leaves the captain's clone as it was, and the remotes but for the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import CONFIG, REFUSING, World, made

REFUSE = """\
#!/bin/sh
case $1 in {refs}) echo 'not today' >&2; exit 1 ;; esac
"""


def clone_of(world: World) -> Path:
    """A clone with work in progress: a branch, a tag and a stash of its own, something staged and something untracked."""
    clone = world.clone("captain")
    world.git(clone, "branch", "mine")
    world.git(clone, "tag", "-m", "mine", "my-tag")
    (clone / "app.txt").write_text("stashed\n")
    world.git(clone, "stash", "--quiet")
    (clone / "staged.txt").write_text("staged\n")
    world.git(clone, "add", "staged.txt")
    (clone / "app.txt").write_text("half done\n")
    (clone / "untracked.txt").write_text("a note\n")
    return clone


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file under a folder with its bytes, `.release/` excepted."""
    files = (path for path in folder.rglob("*") if path.relative_to(folder).parts[0] != ".release")
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in files
        if path.is_symlink() or not path.is_dir()
    }


def others(world: World) -> dict[str, dict[str, str]]:
    """Every ref of every remote but the records."""
    return {
        remote: {name: commit for name, commit in refs.items() if not name.startswith("refs/sluice/")}
        for remote, refs in world.every_ref().items()
    }


def a_hook(refs: str) -> str:
    return REFUSE.replace("{refs}", refs)


def tag_refused(world: World) -> None:
    world.refuse("upstream", a_hook("refs/tags/*"), hook="update")


def branch_refused(world: World) -> None:
    world.refuse("upstream", a_hook("refs/heads/*"), hook="update")


def record_refused(world: World) -> None:
    world.refuse("upstream", a_hook("refs/sluice/*"), hook="update")


def everything_refused(world: World) -> None:
    world.refuse("upstream", REFUSING)


def gate_fails(world: World) -> None:
    seed = world.folder / "seed-upstream"
    world.git(seed, *IDENTITY, "mv", "app.txt", "moved.txt")
    world.git(seed, *IDENTITY, "commit", "--quiet", "-m", "fix: break the gate")
    world.git(seed, "push", "--quiet", "origin", "main")


def downstream_missing(world: World) -> None:
    world.remote("second").rename(world.folder / "gone.git")


def downstream_branch_missing(world: World) -> None:
    world.git(world.remote("second"), "update-ref", "-d", "refs/heads/main")


def branch_moves_under_way(world: World) -> None:
    """Somebody pushes while this release builds."""
    clone = world.clone("rival")
    world.commit(clone, {"new.txt": "new\n"}, "feat: meanwhile", push=False)
    world.git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/waiting")
    script = "#!/bin/sh\ncase $1 in refs/sluice/*) git update-ref refs/heads/main refs/heads/waiting ;; esac\n"
    world.refuse("upstream", script, hook="update")


IDENTITY = ("-c", "user.name=Seed", "-c", "user.email=seed@example.org")
BAD_BUILD = CONFIG.replace("printf '%s %s'", "exit 3; printf '%s %s'")

REFUSALS = {
    "the tag is refused": (tag_refused, CONFIG, 1),
    "the branch is refused": (branch_refused, CONFIG, 1),
    "the record is refused": (record_refused, CONFIG, 1),
    "everything is refused": (everything_refused, CONFIG, 1),
    "the gate fails": (gate_fails, CONFIG, 1),
    "a build fails": (lambda world: None, BAD_BUILD, 1),
    "a downstream is missing": (downstream_missing, CONFIG, 1),
    "a downstream has no branch": (downstream_branch_missing, CONFIG, 3),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_refused_release_touches_neither_the_clone_nor_what_others_see(tmp_path: Path, why: str) -> None:
    refuse, config, code = REFUSALS[why]
    world = made(tmp_path, config)
    refuse(world)
    clone = clone_of(world)
    here, there = contents(clone), others(world)
    world.invoke(clone, "release", "--yes").expect(code)
    assert contents(clone) == here
    assert others(world) == there
    assert not world.output.exists()


@pytest.mark.parametrize("why", ["the gate fails", "a downstream is missing", "a downstream has no branch"])
def test_what_is_refused_before_it_has_begun_leaves_no_record(tmp_path: Path, why: str) -> None:
    refuse, config, code = REFUSALS[why]
    world = made(tmp_path, config)
    refuse(world)
    world.invoke(world.clone("captain"), "release", "--yes").expect(code)
    assert not [name for name in world.refs() if name.startswith("refs/sluice/")]


def test_a_branch_that_moves_under_way_stops_the_release_and_nothing_is_touched(tmp_path: Path) -> None:
    world = made(tmp_path)
    branch_moves_under_way(world)
    clone = clone_of(world)
    here, there = contents(clone), others(world)
    world.invoke(clone, "release", "--yes").expect(3, "moved")
    there["upstream.git"]["refs/heads/main"] = there["upstream.git"]["refs/heads/waiting"]
    assert contents(clone) == here
    assert others(world) == there
    assert not world.output.exists()


@pytest.mark.parametrize("command", ["release.plan", "release.status", "release.verify"])
def test_what_only_looks_touches_nothing_at_all(tmp_path: Path, command: str) -> None:
    world = made(tmp_path)
    clone = clone_of(world)
    here, there = contents(clone), world.every_ref()
    world.invoke(clone, command)
    assert contents(clone) == here
    assert world.every_ref() == there
    assert not world.output.exists()
