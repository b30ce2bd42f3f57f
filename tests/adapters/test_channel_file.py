"""A channels.yaml as people kept it, in real git: its past is told move by move, with the rules that hands broke."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.core.channel_config import Channel
from release.core.channel_hindsight import hindsight
from release.core.channel_history import PointerPast, history
from release.core.channel_plan import HistoricMove
from release.core.channel_record import ChannelState, Entry, Move, Moved
from release.core.config import VersionRules
from release.core.model import Person
from release.core.spoken import spoken
from release.core.version import scheme
from tests.world import World

FILE, KEY = "channels.yaml", "channels[name=stable].latest"
POINTER = f"file {FILE} {KEY}"
RULES = scheme(VersionRules(scheme="semver+revision", revision="rke2r", candidates=("rc",)), "rke2")
STABLE = Channel("stable", new_minor_from_patch=4)


@pytest.fixture
def clone(world: World) -> Path:
    return world.clone("captain")


def serving(version: str, *before: str) -> str:
    return "\n".join((*before, f"channels: [{{name: stable, latest: {version}}}]", ""))


def told(world: World, *entries: Entry, path: str = FILE) -> tuple[HistoricMove, ...]:
    remote = GitRemote(world.remote().as_uri(), Runner(store(world.folder / "one.git")), shallow=True)
    past = PointerPast(POINTER, "{tag}", spoken(path, KEY, remote.file_history("main", path)))
    return history(RULES, STABLE, entries, (past,), hindsight(STABLE, None, {}, {}))


def brief(moves: tuple[HistoricMove, ...]) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    return [(move.frm, move.to, move.violations) for move in moves]


def test_what_really_happened_to_stable_is_told_with_the_rules_that_it_broke(world: World, clone: Path) -> None:
    """From 1.28 to 1.30, which skipped a minor; back from there, live; and the file was broken meanwhile."""
    world.commit(clone, {FILE: serving("v1.28.11+rke2r1")}, "channels: stable")
    world.commit(clone, {FILE: serving("v1.28.11+rke2r1", "# what users follow")}, "docs: say what it is")
    world.git(clone, "checkout", "--quiet", "-b", "promote")
    world.commit(clone, {FILE: serving("v1.29.6+rke2r1")}, "no, not this one", push=False)
    world.commit(clone, {FILE: serving("v1.30.1+rke2r1")}, "but this one", push=False)
    world.git(clone, "checkout", "--quiet", "main")
    world.git(clone, "merge", "--quiet", "--no-ff", "-m", "Merge pull request", "promote")
    world.git(clone, "push", "--quiet", "origin", "main")
    merge = world.git(clone, "rev-parse", "HEAD")
    world.git(clone, "revert", "--no-edit", "-m", "1", "HEAD")
    world.git(clone, "push", "--quiet", "origin", "main")
    world.commit(clone, {FILE: "<<<<<<< HEAD\n" + serving("v1.28.11+rke2r1")}, "oops")
    world.commit(clone, {FILE: serving("v1.28.12+rke2r1")}, "mend it")
    moves = told(world)
    assert brief(moves) == [
        (None, "1.28.12+rke2r1", ()),
        ("1.28.11+rke2r1", None, ()),
        ("1.30.1+rke2r1", "1.28.11+rke2r1", ("backward-move", "lower-line")),
        ("1.28.11+rke2r1", "1.30.1+rke2r1", ("minor-skip", "new-minor")),
        (None, "1.28.11+rke2r1", ()),
    ]
    assert moves[3].evidence == {"commit": merge}
    assert all(move.hand == POINTER for move in moves)
    assert {move.who for move in moves} == {"seed@name <seed@email>"}


def test_a_promotion_explains_its_commit_and_the_hand_that_came_after_it_is_seen(world: World, clone: Path) -> None:
    world.commit(clone, {FILE: serving("v1.30.4+rke2r1")}, "channels: stable")
    promoted = world.commit(clone, {FILE: serving("v1.30.5+rke2r1")}, "chore(channels): stable to v1.30.5+rke2r1")
    world.commit(clone, {FILE: serving("v1.30.3+rke2r1")}, "oh no")
    when = world.git(clone, "log", "-1", "--format=%cI", promoted)
    ada, pointer = Person("Ada", "ada@example.org"), Moved(POINTER, "v1.30.4+rke2r1", "v1.30.5+rke2r1")
    move = Move(1, "promotion", "", "1.30.5+rke2r1", "v1.30.5+rke2r1", "c" * 40, "1.30.4+rke2r1", ada, when, (pointer,),
                seen={"assets": "40 of 40"}, outcome="finished", ended=when)  # fmt: skip
    moves = told(world, Entry(ChannelState(moves={"": move}, number=1), ada, when, "finished"))
    assert sorted((move.to or "", bool(move.hand), move.violations) for move in moves) == [
        ("1.30.3+rke2r1", True, ("backward-move",)),
        ("1.30.4+rke2r1", True, ()),
        ("1.30.5+rke2r1", False, ()),
    ]


def test_a_file_that_got_another_name_begins_there(world: World, clone: Path) -> None:
    world.commit(clone, {"old.yaml": serving("v1.28.11+rke2r1")}, "channels: stable")
    world.git(clone, "mv", "old.yaml", FILE)
    world.commit(clone, {}, "refactor: another name")
    assert brief(told(world)) == [(None, "1.28.11+rke2r1", ())]
    assert brief(told(world, path="old.yaml")) == [("1.28.11+rke2r1", None, ()), (None, "1.28.11+rke2r1", ())]


def test_two_thousand_commits_take_a_time_that_grows_with_their_number(world: World) -> None:
    few = timed(world, 250)
    many = timed(world, 2000)
    assert many < few * 8 * 3  # of which 3 is for a machine that does other things as well


def timed(world: World, count: int) -> float:
    """A branch that went up by a patch with each commit."""
    file, text = ["feature done\nreset refs/heads/main\n"], ""
    for number in range(count):
        text = serving(f"v1.30.{number}+rke2r1")
        when = f"{1_700_000_000 + 60 * number} +0000"
        file.append(f"commit refs/heads/main\ncommitter C <c@example.org> {when}\ndata 1\nx\n")
        file.append(f"M 100644 inline {FILE}\ndata {len(text)}\n{text}\n")
    world.git(world.remote(), "fast-import", "--quiet", "--force", stdin="".join((*file, "done\n")))
    begun = perf_counter()
    moves = told(world)
    spent = perf_counter() - begun
    assert [move.to for move in moves] == [f"1.30.{number}+rke2r1" for number in reversed(range(count))]
    return spent
