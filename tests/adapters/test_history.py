"""Which commits are not in the history of a remote's branch: one fetch for all, and what was judged once is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.errors import Unseen
from tests.world import World

NONE = "0123456789" * 4


@pytest.fixture
def remote(world: World) -> GitRemote:
    return opened(world)


def opened(world: World, name: str = "one") -> GitRemote:
    run = Runner(store(world.folder / f"{name}.git"))
    return GitRemote(world.remote().as_uri(), run, shallow=True)


def grown(world: World, branch: str, count: int, base: str = "") -> list[str]:
    """Commits on a branch of the remote, the oldest first."""
    bare, made = world.remote(), []
    parent = base or world.git(bare, "rev-parse", "main")
    for number in range(count):
        parent = world.git(bare, "commit-tree", "-p", parent, "-m", f"{branch} {number}", f"{parent}^{{tree}}")
        made.append(parent)
    world.git(bare, "update-ref", f"refs/heads/{branch}", parent)
    return made


def store_of(world: World, name: str = "one") -> Path:
    return world.folder / f"{name}.history.git"


def away(world: World) -> None:
    """From now on nobody can ask the remote."""
    world.remote().rename(world.folder / "away.git")


def test_all_commits_are_judged_in_one_go(world: World, remote: GitRemote) -> None:
    line = grown(world, "line", 30)
    aside = grown(world, "aside", 3, line[10])
    asked = [*line[::3], *aside, NONE]
    assert remote.outside("line", line[-1], asked) == {*aside, NONE}


def test_what_a_dead_git_has_locked_is_free_again(world: World, remote: GitRemote) -> None:
    line = grown(world, "line", 2)
    assert remote.outside("line", line[-1], line) == frozenset()
    (ref,) = (store_of(world) / "refs" / "history").iterdir()
    ref.with_name(f"{ref.name}.lock").touch()
    more = grown(world, "line", 2, line[-1])
    assert remote.outside("line", more[-1], [*line, *more, NONE]) == {NONE}


def test_the_head_needs_no_look(world: World, remote: GitRemote) -> None:
    (tip,) = grown(world, "line", 1)
    away(world)
    assert remote.outside("line", tip, [tip]) == frozenset()
    assert remote.outside("line", tip, []) == frozenset()


def test_what_was_judged_is_remembered_and_costs_no_look(world: World, remote: GitRemote) -> None:
    line = grown(world, "line", 5)
    assert remote.outside("line", line[-1], [line[0], NONE]) == {NONE}
    away(world)
    again = opened(world)
    assert again.outside("line", line[-1], [line[0], NONE]) == {NONE}
    assert again.outside("line", line[-1], [line[0]]) == frozenset()
    with pytest.raises(Unseen):
        again.outside("line", line[-1], [line[1]])
    with pytest.raises(Unseen):
        again.outside("line", NONE, ["f" * 40])


def test_a_commit_that_came_to_the_branch_is_a_stranger_no_more(world: World, remote: GitRemote) -> None:
    line = grown(world, "line", 3)
    aside = grown(world, "aside", 2, line[1])
    assert remote.outside("line", line[-1], aside) == set(aside)
    bare = world.remote()
    merge = world.git(bare, "commit-tree", "-p", line[-1], "-p", aside[-1], "-m", "merge", f"{line[-1]}^{{tree}}")
    world.git(bare, "update-ref", "refs/heads/line", merge)
    assert remote.outside("line", merge, [*aside, NONE]) == {NONE}


def test_a_branch_that_was_written_anew_is_seen_with_the_next_new_commit(world: World, remote: GitRemote) -> None:
    line = grown(world, "line", 3)
    assert remote.outside("line", line[-1], [line[0]]) == frozenset()
    other = grown(world, "line", 1, world.git(world.remote(), "commit-tree", "-m", "x", "main^{tree}"))
    assert remote.outside("line", other[-1], [line[0], NONE]) == {line[0], NONE}


def test_branches_are_told_apart_and_any_name_is_one(world: World, remote: GitRemote) -> None:
    line, other = grown(world, "line", 3), grown(world, "../line;$(x)".replace("..", "a"), 3)
    assert remote.outside("line", line[-1], [line[0], other[0]]) == {other[0]}
    assert remote.outside("a/line;$(x)", other[-1], [line[0], other[0]]) == {line[0]}
    with pytest.raises(Unseen, match="nowhere"):
        remote.outside("nowhere", NONE, [line[0]])


def test_only_commits_are_fetched_where_the_server_can_filter_and_no_address_is_written_down(
    world: World, remote: GitRemote
) -> None:
    world.git(world.remote(), "config", "uploadpack.allowFilter", "true")
    line = grown(world, "line", 3)
    assert remote.outside("line", line[-1], [line[0]]) == frozenset()
    kinds = world.git(store_of(world), "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
    assert set(kinds) == {"commit"}
    assert "url" not in (store_of(world) / "config").read_text()
    more = grown(world, "line", 2, line[-1])  # and it goes on from there
    assert remote.outside("line", more[-1], [more[0], line[1], NONE]) == {NONE}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", json.dumps({"tip": 1}).encode(), b"[" * 100_000])
def test_a_memory_that_is_broken_is_made_anew(world: World, remote: GitRemote, content: bytes) -> None:
    line = grown(world, "line", 3)
    assert remote.outside("line", line[-1], [line[0], NONE]) == {NONE}
    (memo,) = store_of(world).glob("judged-*")
    memo.write_bytes(content)
    assert remote.outside("line", line[-1], [line[0], NONE]) == {NONE}
    away(world)
    assert remote.outside("line", line[-1], [line[0], NONE]) == {NONE}
