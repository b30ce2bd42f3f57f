"""The step law for what is published beside the forge, and what stands in its way: on a real index, step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from release.app import Session, clock
from release.commands.plan import prepared
from release.core.aim import Wishes
from release.core.finding import Blocked, Done, Finding, Pending, Underway
from release.engine.step import Known, Step
from release.errors import Refused, Unseen
from release.sandbox.index import PackageIndex
from release.steps import release_path
from tests.cli.test_packages import CONFIG, EXISTS_SH, PUBLISH, PUBLISH_SH, SDIST, WHEEL, Scene, scene
from tests.indexes import PASSWORD, USER, digest, wheel
from tests.laws.harness.inside import opened, walked
from tests.world import World

NOON, NEXT_DAY = "2026-03-04T12:00:00+00:00", "2026-03-05T12:34:56+00:00"
STEPS = {
    "check package flat-earth on pypi.org": "CheckPackage",
    "package flat-earth on pypi.org": "PublishPackage",
    "publish shelf": "RunPublisher",
}
LAW = set(STEPS.values())
PACKAGE = "package flat-earth on pypi.org"


@dataclasses.dataclass(frozen=True)
class Stage:
    """A scene as one captain's session sees it, and where its own command publishes."""

    at: Scene
    shelf: Path
    monkeypatch: pytest.MonkeyPatch

    def path(self, now: str = NOON) -> tuple[Session, Sequence[Step[Any]]]:
        """A new session's steps, as they are for whoever makes everything."""
        places = {**self.at.world.environment, "SLUICE_PLACES": self.at.places()}
        session = opened(World(self.at.world.folder, places), self.at.clone, self.monkeypatch, now)
        ready = prepared(session, Wishes(version="0.1.0"))
        assert ready.release is not None
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
        shelf = {str(one): one.stat().st_mtime_ns for one in self.shelf.rglob("*")}
        return self.at.world.every_ref(), self.at.index.files("flat-earth"), shelf


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    monkeypatch.setattr(clock, "now", clock.now)
    (tmp_path / "shelf").mkdir()
    given = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD, "SHELF_TOKEN": "open-the-shelf"}
    for name, value in {**given, "SHELF": str(tmp_path / "shelf")}.items():
        monkeypatch.setenv(name, value)
    with PackageIndex(tmp_path / "index", users={USER: PASSWORD}) as index:

        def made(config: str = CONFIG + PUBLISH) -> Stage:
            files = {"publish.sh": PUBLISH_SH, "exists.sh": EXISTS_SH}
            return Stage(scene(tmp_path / "world", index, config, files=files), tmp_path / "shelf", monkeypatch)

        yield made


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
    assert here.everything() == untouched, "looking wrote something"
    step.apply(known, lambda text: None)
    first = step.inspect(known)
    assert isinstance(first, Done), first
    written = here.everything()
    assert step.means or written != untouched, "nothing was done"
    session, steps = here.path(NEXT_DAY)
    prefix = steps[: [one.name for one in steps].index(name) + 1]
    with session.engine() as engine:
        second = engine.reach(prefix, dict.fromkeys(prefix, Pending("not looked at")))
    assert second[prefix[-1]] == first
    assert all(isinstance(second[one], Done) for one in prefix)
    assert here.everything() == written, "a second pass changed something"


def test_other_bytes_under_a_name_block_and_are_not_touched(stage: Callable[..., Stage], tmp_path: Path) -> None:
    here = stage()
    step, known = here.before(PACKAGE)
    other = wheel(tmp_path / "other", "flat_earth", "0.1.0", "other = 1\n")
    send(step, {other.name: other})
    found = step.inspect(known)
    assert isinstance(found, Blocked)
    assert found.conflict.rule == "package-differs"
    assert digest(other)[:12] in found.conflict.why
    with pytest.raises(Refused):  # an index refuses it as well
        send(step, {WHEEL: wheel(tmp_path / "third", "flat_earth", "0.1.0")})
    assert here.at.index.files("flat-earth") == {WHEEL: digest(other)}


def test_only_what_is_missing_is_uploaded(stage: Callable[..., Stage]) -> None:
    here = stage()
    step, known = here.before(PACKAGE)
    step.apply(known, lambda text: None)
    here.at.index.drop(SDIST)
    found = step.inspect(known)
    assert isinstance(found, Pending)
    assert SDIST in found.detail
    assert WHEEL not in found.detail


def test_the_bytes_count_where_an_index_tells_no_digests(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stage()
    step, known = here.before(PACKAGE)
    step.apply(known, lambda text: None)
    index: Any = step.index  # type: ignore[attr-defined]
    told = index.files

    def silent(*asked: str) -> dict[str, str]:
        return dict.fromkeys(told(*asked), "")

    monkeypatch.setattr(index, "files", silent)
    assert isinstance(step.inspect(known), Done)
    here.at.index.corrupt(WHEEL)
    assert isinstance(step.inspect(known), Blocked)


def test_what_cannot_be_seen_is_unseen(stage: Callable[..., Stage]) -> None:
    here = stage()
    step, known = here.before("publish shelf")
    (here.shelf / "locked").touch()
    with pytest.raises(Unseen, match="the shelf is locked"):
        step.inspect(known)


def test_a_laptop_waits_for_the_run_of_the_tag_and_never_does_its_work(stage: Callable[..., Stage]) -> None:
    here = stage(CONFIG.replace("[commit]", '[release]\nstart = "tag"\n\n[commit]') + PUBLISH)
    here.monkeypatch.delenv("TWINE_PASSWORD")
    places = {**here.at.world.environment, "SLUICE_PLACES": here.at.places()}
    session = opened(World(here.at.world.folder, places), here.at.clone, here.monkeypatch, NOON)
    steps = prepared(session, Wishes()).steps
    upto = steps[: [step.name for step in steps].index("tag") + 1]
    for _, _ in walked(session, upto):
        pass
    with session.engine() as engine:
        found = engine.look(steps)
    by_name = {step.name: (found[step], step.preflight()) for step in steps if step.public}
    assert isinstance(by_name["tag"][0], Done)
    for name in (PACKAGE, "publish shelf"):
        assert isinstance(by_name[name][0], Underway)
        assert by_name[name][1] == ()


def send(step: Step[Any], files: dict[str, Path]) -> None:
    """Upload something by the step's own door."""
    step.uploads.upload(step.wish, files, lambda text: None)  # type: ignore[attr-defined]
