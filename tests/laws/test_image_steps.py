"""The step law for images: built, brought to a registry, told about there, and tagged; and what only looks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from release.app import Session, clock
from release.commands.plan import prepared
from release.core.aim import Wishes
from release.core.finding import Blocked, Done, Failed, Finding, Pending, Underway
from release.engine.step import Known, Step
from release.errors import Refused
from release.steps import release_path
from release.steps.given import Given, Whole
from tests.cli.test_images_verify import LOOKING
from tests.imaged import APPS, ARCHIVE, FILES, HEAD, IMAGE, ONE, STAGING, TAG, Yard, picture, yard
from tests.laws.harness.inside import opened, walked
from tests.registries import Running
from tests.world import World

NOON, NEXT_DAY = "2026-03-04T12:00:00+00:00", "2026-03-05T12:34:56+00:00"
STEPS = {
    f"image {IMAGE}:{TAG}": "BuildImage",
    f"push {ONE}/{IMAGE}:{TAG}": "PushImage",
    f"attach demo.cdx.json to {ONE}/{IMAGE}:{TAG}": "Attach",
    f"tag {ONE}/{IMAGE}:{TAG}": "TagImage",
}
LAW = {*STEPS.values(), *LOOKING, "ImagesGate", "Given", "Whole"}
BUILT, PUSHED, TOLD, TAGGED = STEPS
CONFIG = HEAD + APPS + ARCHIVE + picture(ONE) + '\n[attest]\nsbom = "{project}.cdx.json"\n'
GATE = '\n[[gate]]\nname = "bases"\nkind = "images"\nlist = "images.txt"\n'
SMALL = {**FILES, "payload": "payload\n"}


@dataclasses.dataclass(frozen=True)
class Stage:
    """A world as the sessions of one captain see it, one after the other."""

    at: Yard
    clone: Path
    monkeypatch: pytest.MonkeyPatch

    def session(self, now: str = NOON) -> Session:
        places = self.at.clients.environment["SLUICE_PLACES"]
        world = World(self.at.world.folder, {**self.at.world.environment, "SLUICE_PLACES": places})
        return opened(world, self.clone, self.monkeypatch, now)

    def path(self, now: str = NOON) -> tuple[Session, Sequence[Step[Any]]]:
        """A new session's steps, as they are for whoever makes everything."""
        session = self.session(now)
        ready = prepared(session, Wishes(version="0.1.0"))
        assert ready.release is not None, ready.plan
        ours = dataclasses.replace(session, started_for=ready.release.tag)
        return session, release_path(ours.doors(), ready.release, ready.before)

    def before(self, name: str) -> tuple[Step[Any], Known]:
        """A step when all that it needs is done."""
        session, steps = self.path()
        upto = [step.name for step in steps].index(name)
        found: dict[Step[Any], Finding[Any]] = dict.fromkeys(steps, Pending("not reached"))
        for _, reached in walked(session, steps[:upto]):
            found.update(reached)
        return steps[upto], Known(steps[upto], found)

    def everything(self) -> tuple[object, ...]:
        """Every ref, what the registry holds under which tags, and what the layout holds under which names."""
        held = self.at.registry
        there = (held.tags(IMAGE), held.manifests(IMAGE), held.blobs(IMAGE)) if held.repositories() else ()
        layout = self.clone / ".release" / "oci"
        named = (layout / "index.json").read_bytes() if layout.exists() else b""
        kept = {str(one): one.stat().st_mtime_ns for one in layout.glob("blobs/sha256/*")}
        return self.at.world.every_ref(), there, named, kept


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    monkeypatch.setattr(clock, "now", clock.now)
    worlds = []

    def made(config: str = CONFIG, **files: str) -> Stage:
        worlds.append(yard(tmp_path, config, {**SMALL, **files}))
        at = worlds[-1].__enter__()
        return Stage(at, at.clone("captain"), monkeypatch)

    yield made
    for one in worlds:
        one.__exit__(None, None, None)


@pytest.mark.parametrize("name", STEPS)
def test_a_pending_step_that_was_applied_is_done_and_a_second_pass_changes_nothing(
    stage: Callable[..., Stage], name: str
) -> None:
    here = stage()
    step, known = here.before(name)
    assert type(step).__name__ == STEPS[name]
    untouched = here.everything()
    assert isinstance(step.inspect(known), Pending)
    assert step.preflight() == ()
    assert here.everything() == untouched or name == PUSHED, "looking wrote something"  # a push is tried and taken back

    step.apply(known, lambda text: None)
    first = step.inspect(known)
    assert isinstance(first, Done), first
    written = here.everything()
    assert written != untouched, "nothing was done"

    session, steps = here.path(NEXT_DAY)
    prefix = steps[: [one.name for one in steps].index(name) + 1]
    with session.engine() as engine:
        second = engine.reach(prefix, dict.fromkeys(prefix, Pending("not looked at")))
    assert second[prefix[-1]] == first
    assert all(isinstance(second[one], Done) for one in prefix)
    assert here.everything() == written, "a second pass changed something"


def test_what_a_preflight_tries_in_a_registry_it_takes_back(stage: Callable[..., Stage]) -> None:
    here = stage()
    step, _ = here.before(PUSHED)
    assert step.preflight() == ()
    assert here.at.registry.uploads(IMAGE) == 0
    assert (here.at.registry.tags(IMAGE), here.at.registry.blobs(IMAGE)) == ({}, frozenset())


@pytest.mark.parametrize("name", [PUSHED, TAGGED])
def test_another_image_under_the_version_blocks_and_is_not_touched(stage: Callable[..., Stage], name: str) -> None:
    here = stage()
    step, known = here.before(name)
    theirs = Running(here.at.registry.host).push(IMAGE, TAG)
    found = step.inspect(known)
    assert isinstance(found, Blocked)
    assert found.conflict.rule == "image-differs"
    assert here.at.registry.tags(IMAGE)[TAG] == theirs


def test_another_image_under_the_staging_tag_is_replaced(stage: Callable[..., Stage]) -> None:
    here = stage()
    step, known = here.before(PUSHED)
    theirs = Running(here.at.registry.host).push(IMAGE, STAGING)
    assert isinstance(step.inspect(known), Pending)
    step.apply(known, lambda text: None)
    found = step.inspect(known)
    assert isinstance(found, Done)
    assert here.at.registry.tags(IMAGE) == {STAGING: found.value} != {STAGING: theirs}


def test_what_a_registry_lost_is_brought_again(stage: Callable[..., Stage]) -> None:
    here = stage()
    step, known = here.before(PUSHED)
    step.apply(known, lambda text: None)
    whole = here.at.registry.blobs(IMAGE)
    here.at.registry.drop_blob(IMAGE, min(whole))
    assert isinstance(step.inspect(known), Pending)
    step.apply(known, lambda text: None)
    assert here.at.registry.blobs(IMAGE) == whole


def test_a_laptop_waits_for_the_run_of_the_tag_and_never_does_its_work(stage: Callable[..., Stage]) -> None:
    here = stage(CONFIG.replace("[release]", '[release]\nstart = "tag"'))
    session = here.session()
    steps = prepared(session, Wishes()).steps
    upto = steps[: [step.name for step in steps].index("tag") + 1]
    for _, _ in walked(session, upto):
        pass
    with session.engine() as engine:
        found = engine.look(steps)
    by_name = {step.name: found[step] for step in steps}
    assert isinstance(by_name["tag"], Done)
    assert {name for name in STEPS if isinstance(by_name[name], Underway)} == set(STEPS)
    assert here.at.registry.repositories() == []


def test_a_gate_of_images_looks_alone(stage: Callable[..., Stage]) -> None:
    here = stage(CONFIG + GATE, **{"images.txt": f"{ONE}/acme/base:v1\n"})
    gate = next(step for step in here.path()[1] if step.name == "gate bases")
    assert type(gate).__name__ == "ImagesGate"
    known = Known(gate, {})
    before = here.everything()
    missing = gate.inspect(known)
    assert isinstance(missing, Failed)
    with pytest.raises(Refused, match="acme/base:v1"):
        gate.apply(known, lambda text: None)
    assert here.everything() == before
    Running(here.at.registry.host).push("acme/base", "v1")
    assert isinstance(gate.inspect(known), Done)
    gate.apply(known, lambda text: None)
    assert here.at.registry.tags("acme/base").keys() == {"v1"}


def test_what_is_given_is_never_made() -> None:
    value = Given("begin", json.dumps({}))
    end = Whole("whole", (value,))
    assert value.inspect(Known(value, {})) == Done("{}")
    assert isinstance(end.inspect(Known(end, {})), Pending)
    assert end.inspect(Known(end, {value: Done("{}")})) == Done(None)
    for step in (value, end):
        with pytest.raises(Refused, match="invoke release"):
            step.apply(Known(step, {}), lambda text: None)
