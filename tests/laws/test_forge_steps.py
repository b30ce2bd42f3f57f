"""The step law on a forge: Pending, apply, Done; a second pass, on another day, changes nothing; and looking writes nothing."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from release.app import Session, clock
from release.commands import withdraw
from release.commands.plan import prepared
from release.commands.verify import released
from release.core.aim import Wishes
from release.core.finding import Done, Failed, Finding, Pending, Underway
from release.core.forge import Entry
from release.engine.step import Known, Step
from release.errors import Refused
from release.steps import file_path, listing_path, release_path
from tests.laws.harness.inside import opened, walked
from tests.laws.harness.stories import TAG, Stage, Story, seeded
from tests.world import World

NOON, NEXT_DAY = "2026-03-04T12:00:00+00:00", "2026-03-05T12:34:56+00:00"
WHOLE = {
    "draft": "Draft",
    "asset app.txt": "UploadArtifact",
    "asset sha256sum.txt": "UploadDocument",
    "asset release.json": "UploadDocument",
    "release": "PublishRelease",
    "downstream first": "FollowDownstream",
    "downstream second": "FollowDownstream",
    "downstream third": "FollowDownstream",
    "downstream fourth": "FollowDownstream",
}
APPROVAL = {"gate qa": "ApprovalGate"}
# The classes of steps that this file puts under the law; those above and these, each in a test of its own.
LAW = {*WHOLE.values(), *APPROVAL.values(), "ChecksGate", "FollowRun", "Listing", "VerifyAsset", "NoteWithdrawal", "MarkWithdrawn"}  # fmt: skip
PATIENCE = 20.0


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Story]:
    """Each world is made once, and copied for each test."""
    return cache(lambda name: seeded(name, tmp_path_factory.mktemp(name)))


@dataclasses.dataclass
class Captain:
    """Somebody in a clone whose sessions are opened one after the other."""

    stage: Stage
    clone: Path
    monkeypatch: pytest.MonkeyPatch
    sessions: list[Session] = dataclasses.field(default_factory=list)

    def session(self, now: str) -> Session:
        environment = {**self.stage.fleet.world.environment, **self.stage.fleet.settings}
        session = opened(World(self.stage.folder, environment), self.clone, self.monkeypatch, now)
        self.sessions.append(session)
        return session

    def path(self, now: str) -> tuple[Session, Sequence[Step[Any]]]:
        """A new session's steps of the whole release."""
        session = self.session(now)
        ready = prepared(session, Wishes(version="0.1.0"))
        assert ready.release is not None, ready.plan
        return session, release_path(session.doors(), ready.release, ready.before)

    def close(self) -> None:
        for session in self.sessions:
            assert session.github is not None
            session.github.close()


@contextmanager
def captain(story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[Captain]:
    """A captain in a fresh copy of a world."""
    monkeypatch.setattr(clock, "now", clock.now)
    with story.staged("law") as stage:
        one = Captain(stage, stage.captain("captain"), monkeypatch)
        try:
            yield one
        finally:
            one.close()


@pytest.mark.parametrize(("plot", "name"), [*(("whole", name) for name in WHOLE), *(("approval", name) for name in APPROVAL)])  # fmt: skip
def test_a_pending_step_that_was_applied_is_done_and_a_second_pass_changes_nothing(
    stories: Callable[[str], Story], monkeypatch: pytest.MonkeyPatch, plot: str, name: str
) -> None:
    with captain(stories(plot), monkeypatch) as ours:
        session, steps = ours.path(NOON)
        names = [step.name for step in steps]
        before, step = steps[: names.index(name)], steps[names.index(name)]
        if name.startswith("downstream"):
            before = [one for one in before if not one.name.startswith("downstream")]
        assert type(step).__name__ == {**WHOLE, **APPROVAL}[name]
        found: dict[Step[Any], Finding[Any]] = dict.fromkeys(steps, Pending("not reached"))
        for _, reached in walked(session, before):
            found.update(reached)
        known = Known(step, found)
        untouched = everything(ours)

        assert isinstance(step.inspect(known), Pending)
        assert isinstance(step.inspect(known), Pending)
        assert step.preflight() == ()
        assert everything(ours) == untouched, "looking wrote something"

        step.apply(known, lambda text: None)
        first = done(ours, step, known)
        written = everything(ours)
        assert written != untouched, "nothing was done"

        assert step.inspect(known) == first
        again, same = ours.path(NEXT_DAY if plot == "whole" else NOON)
        prefix = [one for one in same if one.name in {one.name for one in (*before, step)}]
        with again.engine() as engine:
            second = engine.reach(prefix, dict.fromkeys(prefix, Pending("not looked at")))
        assert second[prefix[-1]] == first
        assert all(isinstance(second[one], Done) for one in prefix), second
        assert everything(ours) == written, "a second pass changed something"


def test_a_draft_that_became_another_release_while_it_was_filled_is_not_published(
    stories: Callable[[str], Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    with captain(stories("whole"), monkeypatch) as ours:
        session, steps = ours.path(NOON)
        step = next(one for one in steps if type(one).__name__ == "PublishRelease")
        found: dict[Step[Any], Finding[Any]] = dict.fromkeys(steps, Pending("not reached"))
        for _, reached in walked(session, steps[: steps.index(step)]):
            found.update(reached)
        forge = session.forge
        assert forge is not None
        draft = next(one for one in forge.releases() if one.draft)
        forge.publish(draft.id, Entry("v9.9.9", draft.target, "by hand", draft.body, False))
        before = list(forge.releases())
        with pytest.raises(Refused, match=r"is published as v9\.9\.9 by now"):
            step.apply(Known(step, found), lambda text: None)
        assert list(forge.releases()) == before


def test_checks_are_looked_at_and_never_written(
    stories: Callable[[str], Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    with captain(stories("home"), monkeypatch) as ours:
        _, steps = ours.path(NOON)
        gate = next(step for step in steps if type(step).__name__ == "ChecksGate")
        known, untouched = Known(gate, {}), everything(ours)
        assert isinstance(gate.inspect(known), Done)
        assert gate.inspect(known) == gate.inspect(known)
        gate.apply(known, lambda text: None)
        assert gate.preflight() == ()
        assert everything(ours) == untouched
        repo = ours.stage.forge.find("acme/app")["id"]
        for status in ours.stage.forge.store.all("status", repo):
            ours.stage.forge.store.change(status["id"], state="pending")
        untouched = everything(ours)
        assert isinstance(gate.inspect(known), Underway)
        gate.apply(known, lambda text: None)
        assert everything(ours) == untouched


def test_the_run_of_a_tag_is_only_started_again_where_it_failed(
    stories: Callable[[str], Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    with captain(stories("tagged"), monkeypatch) as ours:
        session, steps = ours.path(NOON)
        names = [step.name for step in steps]
        run = steps[names.index(f"run of {TAG}")]
        assert type(run).__name__ == "FollowRun"
        untouched = everything(ours)
        assert isinstance(run.inspect(Known(run, {})), Underway)
        assert everything(ours) == untouched
        found: dict[Step[Any], Finding[Any]] = {}
        for _, reached in walked(session, steps[: names.index("tag") + 1]):
            found.update(reached)
        known = Known(run, found)
        failed = until(run, known, Failed)
        ours.stage.forge.idle(PATIENCE)
        untouched = everything(ours)
        assert run.inspect(known) == failed
        assert everything(ours) == untouched
        run.apply(known, lambda text: None)
        first = done(ours, run, known)
        written = everything(ours)
        with pytest.raises(Exception, match="no failed run"):
            run.apply(known, lambda text: None)
        assert run.inspect(known) == first
        assert everything(ours) == written
        assert [one["attempt"] for one in ours.stage.forge.runs("acme/app")] == [2]


def test_a_verification_and_a_withdrawal(stories: Callable[[str], Story], monkeypatch: pytest.MonkeyPatch) -> None:
    with captain(stories("whole"), monkeypatch) as ours:
        session, steps = ours.path(NOON)
        *_, (_, found) = walked(session, steps)
        assert all(isinstance(finding, Done) for finding in found.values()), found
        looked_at(ours)
        withdrawn(ours)
        looked_at(ours)


def looked_at(ours: Captain) -> None:
    """Every listing and every file is Done, and nothing was written."""
    ours.stage.forge.idle(PATIENCE)
    session, untouched = ours.session(NEXT_DAY), everything(ours)
    release = released(session, session.observed(), "")
    kinds = set()
    for listing in listing_path(session.doors(), release):
        listed = listing.inspect(Known(listing, {}))
        assert isinstance(listed, Done)
        for step in (listing, *file_path(listing, listed.value)):
            known = Known(step, {})
            assert isinstance(step.inspect(known), Done)
            assert step.preflight() == ()
            with pytest.raises(Exception, match="only looks"):
                step.apply(known, lambda text: None)
            kinds.add(type(step).__name__)
    assert kinds == {"Listing", "VerifyAsset"}
    assert everything(ours) == untouched


def withdrawn(ours: Captain) -> None:
    """Each of its steps: Pending, apply, Done; and a second withdrawal, the next day, changes nothing."""
    todo = withdraw.prepared(ours.session(NOON), "0.1.0", "it eats data")
    found: dict[Step[Any], Finding[Any]] = {}
    for step in todo.steps:
        known, untouched = Known(step, found), everything(ours)
        assert isinstance(step.inspect(known), Pending)
        assert step.preflight() == ()
        assert everything(ours) == untouched
        step.apply(known, lambda text: None)
        found[step] = done(ours, step, known)
        assert everything(ours) != untouched
    assert {type(step).__name__ for step in found} == {"NoteWithdrawal", "MarkWithdrawn"}
    written = everything(ours)
    later = ours.session(NEXT_DAY)
    withdraw.withdraw(later, withdraw.prepared(later, "0.1.0", "it eats data"), lambda event: None)
    assert everything(ours) == written


def done(ours: Captain, step: Step[Any], known: Known) -> Done[Any]:
    """Done, once those whose turn it is have done their part."""
    finding = step.inspect(known)
    if isinstance(finding, Underway):
        ours.stage.approved()
        finding = until(step, known, Done)
    assert isinstance(finding, Done), finding
    ours.stage.forge.idle(PATIENCE)
    return finding


def until(step: Step[Any], known: Known, kind: type[Any]) -> Any:
    """The first finding of that kind."""
    deadline = time.monotonic() + PATIENCE
    while not isinstance(finding := step.inspect(known), kind):
        assert isinstance(finding, Underway), finding
        assert time.monotonic() < deadline, finding
        time.sleep(0.05)
    return finding


def everything(ours: Captain) -> dict[str, Any]:
    """All that the forge knows, every ref of every repository with its tag objects, and the clone's own files.

    How often a file was downloaded, and whose tokens there are, is nothing that a step writes.
    """
    stage, clone = ours.stage, ours.clone
    with sqlite3.connect(f"file:{stage.folder}/forge/forge.sqlite3?mode=ro", uri=True) as base:
        rows = base.execute("SELECT id, kind, repo, key, json_remove(body, '$.download_count') FROM documents WHERE kind != 'token'")  # fmt: skip
        known = sorted(rows.fetchall())
    base.close()
    form = "--format=%(refname) %(objectname)"
    places = [*(stage.fleet.git_of(name) for name in ("app", *stage.plot.downstreams)), clone]
    files = (path for path in clone.rglob("*") if path.relative_to(clone).parts[0] != ".release" and path.is_file())
    return {
        "known": known,
        "refs": {str(place): stage.fleet.world.git(place, "for-each-ref", form) for place in places},
        "files": {str(path): path.read_bytes() for path in files},
    }
