"""The step law for components that release themselves: by their own command, or by their own schedule."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from release.app import Session
from release.commands.plan import prepared
from release.core.aim import Wishes
from release.core.finding import Done, Finding, Pending, Underway
from release.engine.step import Known, Step
from tests.laws.harness.inside import opened, walked
from tests.world import TASKS, World, made

NOON, NEXT_DAY = "2026-03-04T12:00:00+00:00", "2026-03-05T12:34:56+00:00"
LAW = {"RunDownstream", "AwaitDownstream"}
CONFIG = """\
[project]
name = "demo"

[[downstream]]
name = "first"
repository = "../first.git"
trigger = "{trigger}"
"""
OWN = '[project]\nname = "first"\n\n[release]\ndeadline = "10s"\n'


def path(world: World, clone: Path, monkeypatch: pytest.MonkeyPatch, now: str) -> tuple[Session, Sequence[Step[Any]]]:
    """A new session's steps."""
    session = opened(world, clone, monkeypatch, now)
    ready = prepared(session, Wishes(version="0.1.0"))
    assert ready.release is not None, ready.plan
    return session, ready.steps


def world_of(folder: Path, trigger: str) -> tuple[World, Path]:
    """An upstream with one component, and a captain's clone."""
    world = made(folder, CONFIG.replace("{trigger}", trigger), ["first"])
    identity = {f"GIT_{role}_{part}": "seed" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    seeding = World(world.folder, {**world.environment, **identity})
    seeding.commit(world.folder / "seed-first", {"release.toml": OWN, "tasks.py": TASKS}, "feat: release itself")
    return world, world.clone("captain")


def the_downstream(session: Session, steps: Sequence[Step[Any]]) -> tuple[Step[Any], Known]:
    """The component's step, after all that comes before it."""
    step = next(one for one in steps if one.name == "downstream first")
    found: dict[Step[Any], Finding[Any]] = dict.fromkeys(steps, Pending("not reached"))
    for _, reached in walked(session, steps[: steps.index(step)]):
        found.update(reached)
    return step, Known(step, found)


def test_a_component_that_is_pending_and_was_run_is_done_and_a_second_pass_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, clone = world_of(tmp_path, "local")
    session, steps = path(world, clone, monkeypatch, NOON)
    step, known = the_downstream(session, steps)
    assert type(step).__name__ == "RunDownstream"
    untouched = world.every_ref()
    assert isinstance(step.inspect(known), Pending)
    assert step.preflight() == ()
    assert world.every_ref() == untouched, "looking wrote something"
    step.apply(known, lambda text: None)
    first = step.inspect(known)
    assert isinstance(first, Done), first
    assert first.value.commit == world.refs("first")["refs/heads/main"]
    written = world.every_ref()
    assert step.inspect(known) == first
    again, same = path(world, clone, monkeypatch, NEXT_DAY)
    prefix = same[: [one.name for one in same].index("downstream first") + 1]
    with again.engine() as engine:
        second = engine.reach(prefix, dict.fromkeys(prefix, Pending("not looked at")))
    assert second[prefix[-1]] == first
    assert world.every_ref() == written, "a second pass changed something"


def test_what_cannot_release_itself_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = made(tmp_path, CONFIG.replace("{trigger}", "local") + 'run = ["no-such-program"]\n', ["first"])
    before = world.every_ref()
    session = opened(world, world.clone("captain"), monkeypatch, NOON)
    ready = prepared(session, Wishes(version="0.1.0"))
    assert {one.rule for one in ready.plan.conflicts} == {"no-configuration", "tool-missing"}
    assert world.every_ref() == before


def test_a_component_with_a_schedule_is_waited_for_and_never_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, clone = world_of(tmp_path, "sync")
    session, steps = path(world, clone, monkeypatch, NOON)
    step, known = the_downstream(session, steps)
    assert type(step).__name__ == "AwaitDownstream"
    untouched = world.every_ref()
    found = step.inspect(known)
    assert isinstance(found, Underway)
    assert "waits for the fleet.sync of first" in found.detail
    step.apply(known, lambda text: None)
    assert step.preflight() == ()
    assert world.every_ref() == untouched
    seed = world.folder / "seed-first"
    world.git(seed, "tag", "v0.1.0")
    world.git(seed, "push", "--quiet", "origin", "v0.1.0")
    first = step.inspect(known)
    assert isinstance(first, Done)
    assert step.inspect(known) == first
