"""The step law where a branch takes no push: Pending, apply, then somebody else's turn, and Done by the merge alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release.app import clock
from release.commands.plan import prepared
from release.core.aim import Wishes
from release.core.finding import Done, Pending, Underway
from release.engine.step import Known, Step
from release.errors import Refused
from release.sandbox.forge import merge
from tests.cli.test_pull_request_mode import CONFIG
from tests.forge import serving
from tests.forged import CAPTAIN, Fleet, empty, seed
from tests.laws.harness.inside import opened
from tests.world import TASKS, World

NOON, NEXT_DAY = "2026-03-04T12:00:00+00:00", "2026-03-05T12:34:56+00:00"
LAW = {"Propose"}
FILES = {"release.toml": CONFIG, "tasks.py": TASKS, "version.txt": "version = 0.0.0\n"}


def test_a_proposal_is_made_once_and_waits_for_its_merge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", clock.now)
    world = empty(tmp_path)
    with serving(tmp_path / "forge") as forge:
        seed(world, forge, "app", FILES)
        forge.protect("acme/app", branches=["main"])
        some = Fleet(world, forge, forge.token(CAPTAIN))
        clone = some.clone("captain")

        def step(now: str) -> Step[Any]:
            ours = World(tmp_path, {**world.environment, **some.settings})
            (one,) = prepared(opened(ours, clone, monkeypatch, now), Wishes()).steps
            assert {type(one).__name__} == LAW
            return one

        def everything() -> tuple[object, ...]:
            return some.refs("app"), forge.store.all("pull"), world.git(clone, "for-each-ref")

        first, untouched = step(NOON), everything()
        known = Known(first, {})
        assert isinstance(first.inspect(known), Pending)
        assert first.preflight() == ()
        assert everything() == untouched
        first.apply(known, lambda text: None)
        waits, written = first.inspect(known), everything()
        assert isinstance(waits, Underway)
        first.apply(known, lambda text: None)  # as if the answer had been lost
        assert step(NEXT_DAY).inspect(Known(first, {})) == waits
        assert everything() == written
        merged = merge(forge, "acme/app", 1, CAPTAIN)
        found = first.inspect(known)
        assert isinstance(found, Done)
        assert found.value == merged


def test_two_that_push_at_the_same_time_push_one_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slower one finds the other's, and that is as good; the forge refuses its pull request, and has one."""
    monkeypatch.setattr(clock, "now", clock.now)
    world = empty(tmp_path)
    with serving(tmp_path / "forge") as forge:
        seed(world, forge, "app", FILES)
        some = Fleet(world, forge, forge.token(CAPTAIN))
        ours = World(tmp_path, {**world.environment, **some.settings})
        clones = [some.clone(name) for name in ("one", "two")]
        steps = [prepared(opened(ours, clone, monkeypatch, NOON), Wishes()).steps[0] for clone in clones]
        slow, fast = steps
        push = slow.remote.push  # type: ignore[attr-defined]

        def overtaken(*moves: tuple[str, str, str]) -> None:
            fast.apply(Known(fast, {}), lambda text: None)
            push(*moves)

        monkeypatch.setattr(slow.remote, "push", overtaken)  # type: ignore[attr-defined]
        slow.apply(Known(slow, {}), lambda text: None)
        assert len(forge.store.all("pull")) == 1
        assert isinstance(slow.inspect(Known(slow, {})), Underway)
        assert slow.inspect(Known(slow, {})) == fast.inspect(Known(fast, {}))
        with pytest.raises(Refused, match="already exists"):
            forge_of(slow).propose("sluice/next/main", "main", "again", "")


def forge_of(step: Any) -> Any:
    """The door of a step to its forge."""
    return step.forge
