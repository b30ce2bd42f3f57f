"""The step law: Pending, apply, Done; and a second pass over what is Done changes nothing."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from release.app import Session
from release.commands.plan import prepared
from release.core.aim import Wishes
from release.core.finding import Done, Finding, Pending, Underway
from release.engine.step import Known, Step
from release.engine.walk import Findings
from release.steps import release_path
from tests.cli.test_attest import LOOKING as OF_CLAIMS
from tests.cli.test_packages import LOOKING as OF_PACKAGES
from tests.laws.harness.inside import opened, walked
from tests.laws.test_channel_steps import LAW as OF_CHANNELS
from tests.laws.test_forge_steps import LAW as ON_A_FORGE
from tests.laws.test_health_step import LAW as OF_HEALTH
from tests.laws.test_image_steps import LAW as OF_IMAGES
from tests.laws.test_own_step import LAW as OF_ITSELF
from tests.laws.test_package_steps import LAW as PUBLISHED
from tests.laws.test_proof_steps import LAW as OF_PROOFS
from tests.laws.test_proposal_step import LAW as PROPOSED
from tests.laws.test_update_step import LAW as UPDATED
from tests.world import CONFIG, World, made

NOON, NEXT_DAY = "2026-03-04T12:00:00+00:00", "2026-03-05T12:34:56+00:00"
BY_TAG = CONFIG.replace("[release]", '[release]\nstart = "tag"')
ATTEST = '[attest]\nsbom = "{{project}}.cdx.json"\nprovenance = "{{project}}.intoto.jsonl"\n\n[[gate]]'
STARTS = {"command": CONFIG.replace("[[gate]]", ATTEST, 1), "tag": BY_TAG.replace("[[gate]]", ATTEST, 1)}
STEPS = {
    "gate tests": "Gate",
    "commit": "MakeCommit",
    "begin": "Begin",
    "build app-amd64.txt": "Build",
    "build app-arm64.txt": "Build",
    "build demo.cdx.json": "MakeSbom",
    "build demo.intoto.jsonl": "MakeProvenance",
    "tag": "Land",
    "output": "Publish",
    "downstream first": "ReleaseDownstream",
    "downstream second": "ReleaseDownstream",
    "finish": "Finish",
}


def test_every_step_class_is_under_the_step_law() -> None:
    here = set(STEPS.values()) | OF_CHANNELS | OF_CLAIMS | OF_PACKAGES | OF_ITSELF | OF_HEALTH | OF_PROOFS
    assert {kind.__name__ for kind in kinds(Step)} == here | OF_IMAGES | ON_A_FORGE | PROPOSED | PUBLISHED | UPDATED


def kinds(kind: type[Any]) -> Iterator[type[Any]]:
    """The step classes of the product, however deep; what is only a base of others has abstract methods."""
    for below in kind.__subclasses__():
        if below.__module__.startswith("release.") and not getattr(below, "__abstractmethods__", None):
            yield below
        yield from kinds(below)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("start", STARTS)
def test_a_pending_step_that_was_applied_is_done_and_a_second_pass_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str, name: str
) -> None:
    world = made(tmp_path, STARTS[start])
    clone = world.clone("captain")
    session, steps = path(world, clone, monkeypatch, NOON)
    before = steps[: [*map(called, steps)].index(name)]
    step = steps[len(before)]
    assert type(step).__name__ == STEPS[name]
    found: dict[Step[Any], Finding[Any]] = dict.fromkeys(steps, Pending("not reached"))
    for _, reached in walked(session, before):
        found.update(reached)
    known = Known(step, found)
    untouched = everything(world, clone)

    assert isinstance(step.inspect(known), Pending)
    assert isinstance(step.inspect(known), Pending)
    assert step.preflight() == ()
    assert everything(world, clone) == untouched, "looking wrote something"

    step.apply(known, lambda text: None)
    first = step.inspect(known)
    assert isinstance(first, Done), first
    written = everything(world, clone)
    assert step.means or written != untouched, "nothing was done"

    assert step.inspect(known) == first
    again, same = path(world, clone, monkeypatch, NEXT_DAY if "begin" in {*map(called, before), name} else NOON)
    prefix = same[: len(before) + 1]
    second = pass_over(again, prefix)
    assert second[prefix[-1]] == first
    assert all(isinstance(second[one], Done) for one in prefix)
    assert everything(world, clone) == written, "a second pass changed something"


def test_a_laptop_waits_for_the_run_of_the_tag_and_never_does_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = made(tmp_path, BY_TAG)
    session = opened(world, world.clone("captain"), monkeypatch, NOON)
    ready = prepared(session, Wishes())
    laptop = [*ready.steps]
    to_tag = laptop[: [*map(called, laptop)].index("tag") + 1]
    for _, _ in walked(session, to_tag):
        pass
    with session.engine() as engine:
        found = engine.look(laptop)
    words = {step.name: type(found[step]) for step in laptop}
    assert words["tag"] is Done
    assert {words[name] for name in words if name.startswith(("build", "output"))} == {Underway}


def called(step: Step[Any]) -> str:
    return step.name


def path(world: World, clone: Path, monkeypatch: pytest.MonkeyPatch, now: str) -> tuple[Session, Sequence[Step[Any]]]:
    """A new session's steps, as in the tag's own run where a tag starts it: there nothing is left to others."""
    session = opened(world, clone, monkeypatch, now)
    ready = prepared(session, Wishes(version="0.1.0"))
    assert ready.release is not None
    release = ready.release
    ours = dataclasses.replace(session, started_for=release.tag)
    return session, release_path(ours.doors(), release, ready.before)


def pass_over(session: Session, steps: Sequence[Step[Any]]) -> Findings:
    """Look and reach, as a run does, but leave no means out."""
    with session.engine() as engine:
        return engine.reach(steps, dict.fromkeys(steps, Pending("not looked at")))


def everything(world: World, clone: Path) -> dict[str, Any]:
    """Every ref anywhere, tag objects included, the clone's own files, and the output with its times."""
    form = "--format=%(refname) %(objectname)"
    remotes = sorted((world.folder / "remotes").iterdir())
    refs = {path.name: world.git(path, "for-each-ref", form) for path in (*remotes, clone)}
    inside = (path for path in clone.rglob("*") if path.relative_to(clone).parts[0] != ".release")
    files = {str(path): path.read_bytes() for path in inside if path.is_file()}
    places = (path for path in world.output.rglob("*")) if world.output.exists() else ()
    output = {str(path): (os.stat(path).st_mtime_ns, os.stat(path).st_ino) for path in places}
    return {"refs": refs, "files": files, "output": output}
