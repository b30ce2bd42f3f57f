"""The step law where a channel moves: Pending, apply, Done; as if answers were lost; and a second pass changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.adapters.github import GitHub
from release.core.channel_record import Approval, ChannelState
from release.core.finding import Done, Failed, Finding, Pending, Underway
from release.core.model import GateWish
from release.engine.step import Known, Step
from release.steps.approved import ChannelApproval
from tests.forge import Client, serving
from tests.forged import CAPTAIN, empty, seed
from tests.moving import ADA, NOON, Captain, Stage, instance, promotion, release, staged

NEXT_DAY = "2026-03-05T12:34:56+00:00"
WISH = promotion(instances=(instance(),))
FORWARD = {
    "begin": "BeginMove",
    "point file mirror.json": "MovePointer",
    "point file channels.yaml": "MovePointer",
    "finish": "FinishMove",
}
BACK = {
    "begin to return": "BeginReturn",
    "return file channels.yaml": "ReturnPointer",
    "return file mirror.json": "ReturnPointer",
    "returned": "ReturnMove",
}
LAW = {*FORWARD.values(), *BACK.values(), "ApprovedInRecord", "ChannelApproval"}
Route = Callable[[Captain], Sequence[Step[Any]]]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as found:
        yield found


@pytest.mark.parametrize("name", FORWARD)
def test_each_step_of_a_move_is_pending_then_done_and_done_it_stays(stage: Stage, name: str) -> None:
    lawful(stage, lambda captain: captain.path(WISH), name, FORWARD[name])


@pytest.mark.parametrize("name", BACK)
def test_each_step_of_the_way_back_is_pending_then_done_and_done_it_stays(stage: Stage, name: str) -> None:
    captain = stage.captain()
    captain.reach(captain.path(WISH), upto="point file channels.yaml")
    lawful(stage, lambda captain: captain.back(WISH), name, BACK[name])


def lawful(stage: Stage, path: Route, name: str, kind: str) -> None:
    """The law, for one step, after those before it."""
    captain = stage.captain()
    steps = list(path(captain))
    step = next(step for step in steps if step.name == name)
    assert type(step).__name__ == kind
    earlier = steps[: steps.index(step)]
    found: dict[Step[Any], Finding[Any]] = dict.fromkeys(steps, Pending("not reached"))
    found.update(captain.reach(earlier, seen=dict.fromkeys(earlier, Pending("not looked at"))))
    known, untouched = Known(step, found), stage.everything()
    assert isinstance(step.inspect(known), Pending)
    assert isinstance(step.inspect(known), Pending)
    assert step.preflight() == ()
    assert stage.everything() == untouched, "looking wrote something"

    step.apply(known, lambda text: None)
    first = step.inspect(known)
    assert isinstance(first, Done), first
    written = stage.everything()
    assert written != untouched, "nothing was done"
    stage.now = NEXT_DAY
    step.apply(known, lambda text: None)
    assert stage.everything() == written, "what is done was done again"

    other = stage.captain("other")
    same = list(path(other))[: len(earlier) + 1]
    second = other.reach(same, seen=dict.fromkeys(same, Pending("not looked at")))
    assert second[same[-1]] == first
    assert stage.everything() == written, "a second pass changed something"


def test_approvals_in_the_record_are_looked_at_and_never_written(stage: Stage) -> None:
    captain = stage.captain()
    step = next(one for one in captain.path(promotion(approvals=1)) if type(one).__name__ == "ApprovedInRecord")
    known, untouched = Known(step, {}), stage.everything()
    assert isinstance(step.inspect(known), Underway)
    assert step.preflight() == ()
    with pytest.raises(Exception, match="waits for people"):
        step.apply(known, lambda text: None)
    assert stage.everything() == untouched

    def approved(state: ChannelState) -> tuple[ChannelState, str]:
        return msgspec.structs.replace(state, approvals=(Approval("1.1.0", ADA, NOON),)), "approved"

    captain.ledger.change("stable", approved)
    written = stage.everything()
    assert step.inspect(known) == Done("approved by Ada", "approved by Ada") == step.inspect(known)
    assert stage.everything() == written


def test_an_approval_by_the_forge_is_asked_for_once_and_is_for_one_channel_and_version(tmp_path: Path) -> None:
    world = empty(tmp_path)
    with serving(tmp_path / "forge") as forge:
        seed(world, forge, "app", {"app.txt": "app\n"})
        forge.environment("acme/app", "qa", reviewers=("boss",))
        forge.repository("acme/app", "main", push=(CAPTAIN, "boss"))
        commit = world.git(forge.git("acme/app").path, "rev-parse", "main")
        door = GitHub.at({"GITHUB_API_URL": forge.api_url, "GH_TOKEN": forge.token(CAPTAIN)})

        def step(channel: str = "stable", version: str = "1.1.0") -> ChannelApproval:
            wish = msgspec.structs.replace(promotion(version), channel=channel, commit=commit, environment="qa")
            gate = GateWish("approval", kind="approval", environment="qa", deadline=1)
            return ChannelApproval("approval", release(version), gate, door.forge("acme/app"), wish, ())

        def looked(one: Step[str]) -> Finding[str]:
            return one.inspect(Known(one, {}))

        def asked() -> list[str]:
            return [one["task"] for one in forge.store.all("deployment", forge.find("acme/app")["id"])]

        first = step()
        assert isinstance(looked(first), Pending)
        assert first.preflight() == ()
        assert asked() == [], "looking wrote something"
        first.apply(Known(first, {}), lambda text: None)
        waits = looked(first)
        assert isinstance(waits, Underway)
        assert asked() == ["channel:stable:v1.1.0"]
        for other in (step("latest"), step(version="1.2.0"), step("x" * 120), step("x" * 121)):
            assert isinstance(looked(other), Pending)
        (number,) = (one["id"] for one in forge.store.all("deployment", forge.find("acme/app")["id"]))
        boss = Client(forge, forge.token("boss"))
        boss.post(f"/repos/acme/app/deployments/{number}/statuses", state="failure")
        no = looked(step())
        assert isinstance(no, Failed)
        assert "boss said no to v1.1.0" in no.why
        boss.post(f"/repos/acme/app/deployments/{number}/statuses", state="success")
        boss.close()
        told = "approved by boss in qa"
        assert looked(step()) == Done(told, told) == looked(first)
        assert asked() == ["channel:stable:v1.1.0"]
        long = step("x" * 120)
        long.apply(Known(long, {}), lambda text: None)
        assert isinstance(looked(long), Underway)
        assert isinstance(looked(step("x" * 121)), Pending), "what is cut short is still told apart"
        door.close()
