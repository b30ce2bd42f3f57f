"""A channel is moved once, by whoever comes, and goes on from wherever somebody died; what others moved stays theirs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from release.adapters.github import GitHub
from release.core.channel_record import Approval, ChannelState, Hold, Mark, Moved, Standing
from release.core.finding import Blocked, Done, Pending, Skipped, Underway
from release.core.model import Person
from release.core.promotion import PointWish, Promotion
from release.core.record import Proof
from tests.forge import Client, address, serving
from tests.forged import CAPTAIN, empty, seed
from tests.moving import ADA, FILES, NOON, SITE, Captain, Stage, instance, promotion, staged, waiving, words

BOB = Person("Bob", "bob@example.org")
LATER = "2026-03-05T12:00:00+00:00"
STEPS = ["proof", "begin", "downstream rpm", "point file mirror.json", "point file channels.yaml", "finish"]
BACK = ["begin to return", "return file channels.yaml", "return file mirror.json", "returned"]
OLD, NEW = ("v1.0.0", "v1.0.0"), ("v1.1.0", "v1.1.0")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as found:
        yield found


def promoted(captain: Captain, wish: Promotion) -> None:
    found = captain.reach(captain.path(wish))
    assert {*words(found).values()} <= {"Done", "Skipped"}, found


def hold(captain: Captain, why: str = "it eats data") -> None:
    told = Hold(why, BOB, NOON)
    captain.ledger.change("stable", lambda state: (msgspec.structs.replace(state, hold=told), "held"))


def approve(captain: Captain, by: Person, version: str = "1.1.0") -> None:
    def changed(state: ChannelState) -> tuple[ChannelState, str]:
        return msgspec.structs.replace(state, approvals=(*state.approvals, Approval(version, by, NOON))), "approved"

    captain.ledger.change("stable", changed)


# Forward


def test_a_move_goes_from_what_is_proved_to_what_users_watch_and_the_record_tells_all_of_it(stage: Stage) -> None:
    captain = stage.captain()
    wish = promotion(instances=(instance(),), why="a fine release")
    path = captain.path(wish)
    assert [step.name for step in path] == STEPS
    promoted(captain, wish)
    assert stage.says() == NEW
    assert stage.show("channels.yaml") == SITE.replace("v1.0.0", "v1.1.0")
    state = stage.state()
    assert state.standing == {"": Standing("1.1.0", "v1.1.0", NOON)}
    assert state.arrivals == {"1.1.0": NOON}
    assert (state.releases, state.number) == (3, 1)
    move = state.moves[""]
    head = stage.world.refs("rpm")["refs/heads/main"]
    assert stage.world.refs("rpm")["refs/tags/v1.1.0.stable.0"] == head
    assert (move.outcome, move.ended, move.by, move.why, move.commit) == ("finished", NOON, ADA, wish.why, "1" * 40)
    assert move.pointers == tuple(Moved(f"file {path}", "v1.0.0", "v1.1.0") for path in FILES)
    assert move.instances == {"rpm": "v1.1.0.stable.0"}
    assert move.seen == {"proof": "all is there"}
    assert move.proofs == {"downstream rpm": Proof(tag="v1.1.0.stable.0", commit=head)}
    said = [entry.message for entry in captain.ledger.history("stable")]
    assert said == [
        "stable: finished promotion to v1.1.0",
        "stable: proofs of v1.1.0: downstream rpm",
        "stable: begun promotion to v1.1.0",
    ]


def test_a_plan_writes_nothing_and_tells_what_each_pointer_says_and_will_say(stage: Stage) -> None:
    captain, before = stage.captain(), stage.everything()
    path = captain.path(promotion(instances=(instance(),)))
    found, conflicts = captain.look(path)
    assert conflicts == ()
    assert words(found) == {**dict.fromkeys(STEPS, "Pending"), "proof": "Done"}
    told = {step.name: found[step].detail for step in path if isinstance(found[step], Pending)}
    assert told["point file mirror.json"] == "move file mirror.json from v1.0.0 to v1.1.0"
    assert stage.everything() == before


def test_the_next_move_knows_what_stood_before_and_keeps_the_first_arrival(stage: Stage) -> None:
    captain = stage.captain()
    promoted(captain, promotion())
    stage.now = LATER
    promoted(captain, promotion("1.2.0", "1.1.0", releases=2))
    state = stage.state()
    assert state.standing == {"": Standing("1.2.0", "v1.2.0", LATER, "1.1.0")}
    assert state.arrivals == {"1.1.0": NOON, "1.2.0": LATER}
    assert list(state.arrivals) == ["1.1.0", "1.2.0"]
    assert (state.releases, state.number, state.moves[""].number) == (3, 2, 2)


def test_a_second_pass_over_a_finished_move_writes_nothing_even_a_day_later(stage: Stage) -> None:
    promoted(stage.captain(), promotion(instances=(instance(),)))
    before, stage.now = stage.everything(), LATER
    other = stage.captain("bob", BOB)
    stage.proof.unlink()
    found = other.reach(other.path(promotion(instances=(instance(),))))
    assert words(found) == {**dict.fromkeys(STEPS, "Done"), "proof": "Skipped"}
    assert stage.everything() == before


@pytest.mark.parametrize("last", STEPS)
def test_whoever_dies_after_any_step_is_followed_by_somebody_in_another_clone(tmp_path: Path, last: str) -> None:
    wish = promotion(instances=(instance(),))
    with staged(tmp_path / "peace") as peace:
        promoted(peace.captain(), wish)
        undisturbed = plain(peace)
    with staged(tmp_path / "killed") as stage:
        first = stage.captain()
        first.reach(first.path(wish), upto=last)
        if last != "proof":
            stage.proof.unlink()  # what let it begin is not asked again
        promoted(stage.captain("bob"), wish)
        assert stage.says() == NEW
        assert plain(stage) == undisturbed
        assert stage.world.git(stage.world.remote("site"), "rev-list", "--count", "main") == "4"


def plain(stage: Stage) -> ChannelState:
    """The record without the ids of commits, which depend on when the world was made."""
    state = stage.state()
    move = state.moves[""]
    proofs = {name: msgspec.structs.replace(proof, commit="") for name, proof in move.proofs.items()}
    return msgspec.structs.replace(state, moves={"": msgspec.structs.replace(move, proofs=proofs)})


def test_two_captains_at_once_make_one_move(stage: Stage) -> None:
    wish = promotion(instances=(instance(),))
    captains = [stage.captain(f"captain{number}", Person(f"C{number}", f"c{number}@x")) for number in range(3)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda one: one.reach(one.path(wish)), captains))
    assert any(all(isinstance(one, Done) for one in each.values()) for each in found)
    state = stage.state()
    assert (state.number, state.moves[""].outcome, stage.says()) == (1, "finished", NEW)
    promoted(captains[0], wish)
    assert stage.world.git(stage.world.remote("site"), "rev-list", "--count", "main") == "4", (
        "each file was written once"
    )


def test_of_two_that_want_different_versions_one_begins_and_the_other_is_told(stage: Stage) -> None:
    ada, bob = stage.captain(), stage.captain("bob", BOB)
    plan, late = ada.path(promotion()), bob.path(promotion("1.2.0"))
    seen, _ = bob.look(late)
    ada.reach(plan, upto="begin")
    found, conflicts = bob.look(bob.path(promotion("1.2.0")))
    (conflict,) = conflicts
    assert conflict.rule == "channel-moving"
    assert "Ada began to move stable to v1.1.0" in conflict.why
    assert "invoke channel.promote --to stable --version v1.1.0" in conflict.remedy
    assert "invoke channel.rollback stable" in conflict.remedy
    assert isinstance(found[next(iter(found))], Done)
    before = stage.everything()
    reached = bob.reach(late)
    assert words(reached)["begin"] == "Blocked"
    assert stage.everything() == before
    assert seen


def test_a_channel_that_was_moved_since_the_decision_is_not_moved_by_it(stage: Stage) -> None:
    promoted(stage.captain(), promotion("1.2.0"))
    bob, before = stage.captain("bob", BOB), stage.everything()
    found, (conflict,) = bob.look(bob.path(promotion("1.1.1", before="1.1.0")))
    assert conflict.rule == "channel-changed"
    assert "has v1.2.0" in conflict.why
    bob.reach(bob.path(promotion("1.1.1", before="1.1.0")))
    assert stage.everything() == before
    assert found


def test_a_held_channel_takes_no_promotion_but_finishes_what_it_has_begun(stage: Stage) -> None:
    captain = stage.captain()
    hold(captain)
    before = stage.everything()
    _, (conflict,) = captain.look(captain.path(promotion()))
    assert (conflict.rule, conflict.why) == ("channel-held", "stable is held by Bob: it eats data")
    assert "invoke channel.resume stable" in conflict.remedy
    captain.reach(captain.path(promotion()))
    assert stage.everything() == before
    captain.ledger.change("stable", lambda state: (msgspec.structs.replace(state, hold=None), "resumed"))
    captain.reach(captain.path(promotion()), upto="point file mirror.json")
    hold(captain)
    promoted(captain, promotion())
    assert stage.says() == NEW


def test_nothing_begins_before_it_is_proved(stage: Stage) -> None:
    stage.proof.unlink()
    captain, before = stage.captain(), stage.everything()
    path = captain.path(promotion())
    found, conflicts = captain.look(path)
    assert [one.rule for one in conflicts] == ["unproved"]
    assert words(captain.reach(path))["begin"] == "Pending"
    assert stage.everything() == before
    assert isinstance(found[path[0]], Blocked)


# Hands


def test_a_pointer_that_somebody_moved_since_the_last_move_is_told_before_anything_is_written(stage: Stage) -> None:
    captain = stage.captain()
    promoted(captain, promotion())
    stage.write({"channels.yaml": SITE.replace("v1.0.0", "v0.9.9")})
    before, wish = stage.everything(), promotion("1.2.0", "1.1.0")
    _, (conflict,) = captain.look(captain.path(wish))
    assert conflict.rule == "pointer-moved"
    assert conflict.why == "file channels.yaml says v0.9.9, neither v1.1.0 nor v1.2.0: somebody else moved it"
    assert words(captain.reach(captain.path(wish)))["begin"] == "Failed"
    assert stage.everything() == before
    promoted(captain, waiving(wish))
    move = stage.state().moves[""]
    assert stage.says() == ("v1.2.0", "v1.2.0")
    assert move.pointers[1] == Moved("file channels.yaml", "v0.9.9", "v1.2.0")
    assert [waiver.rule for waiver in move.waivers] == ["pointer-moved"]


def test_a_pointer_that_was_put_to_the_version_already_is_no_conflict(stage: Stage) -> None:
    captain = stage.captain()
    promoted(captain, promotion())
    stage.write({"mirror.json": '{"stable": "v1.2.0"}\n'})
    _, conflicts = captain.look(captain.path(promotion("1.2.0", "1.1.0")))
    assert conflicts == ()
    promoted(captain, promotion("1.2.0", "1.1.0"))
    assert stage.says() == ("v1.2.0", "v1.2.0")


def test_a_hand_that_moves_a_pointer_in_the_middle_of_a_move_is_not_written_over(stage: Stage) -> None:
    captain = stage.captain()
    captain.reach(captain.path(promotion()), upto="point file mirror.json")
    stage.write({"channels.yaml": SITE.replace("v1.0.0", "v0.9.9")})
    before = stage.everything()
    path = captain.path(promotion())
    found, (conflict,) = captain.look(path)
    assert conflict.why == "file channels.yaml says v0.9.9, neither v1.0.0 nor v1.1.0: somebody else moved it"
    reached = captain.reach(path)
    assert (words(reached)["point file channels.yaml"], words(reached)["finish"]) == ("Blocked", "Pending")
    assert stage.everything() == before
    assert isinstance(found[path[1]], Done)
    promoted(captain, waiving(promotion()))
    assert stage.says() == NEW
    assert stage.state().moves[""].pointers[1] == Moved("file channels.yaml", "v0.9.9", "v1.1.0")


def test_a_pointer_that_came_into_the_configuration_meanwhile_is_taken_into_the_move(stage: Stage) -> None:
    captain, whole = stage.captain(), promotion()
    small = msgspec.structs.replace(whole, points=whole.points[:1])
    captain.reach(captain.path(small), upto="point file mirror.json")
    assert len(stage.state().moves[""].pointers) == 1
    begun = captain.path(whole)
    found, conflicts = captain.look(begun)
    assert conflicts == ()
    assert found[begun[1]] == Pending("take file channels.yaml into the move to v1.1.0")
    promoted(captain, whole)
    assert stage.says() == NEW
    assert [one.pointer for one in stage.state().moves[""].pointers] == ["file mirror.json", "file channels.yaml"]
    assert stage.state().number == 1


def test_a_finished_move_whose_pointer_went_back_is_mended(stage: Stage) -> None:
    captain = stage.captain()
    promoted(captain, promotion())
    stage.write({"mirror.json": FILES["mirror.json"][1]})
    assert stage.says() == ("v1.0.0", "v1.1.0")
    promoted(captain, promotion())
    assert stage.says() == NEW


def test_a_component_that_the_move_gave_another_number_is_not_released_twice(stage: Stage) -> None:
    captain = stage.captain()
    captain.reach(captain.path(promotion(instances=(instance(),))), upto="begin")
    other = stage.captain("bob", BOB)
    _, (conflict,) = other.look(other.path(promotion(instances=(instance("v1.1.0.stable.1"),))))
    assert conflict.rule == "channel-changed"
    assert "rpm v1.1.0.stable.0" in conflict.why


def test_the_pointers_wait_for_a_component_only_where_it_is_required(stage: Stage) -> None:
    captain = stage.captain()
    found = captain.reach(captain.path(promotion(instances=(instance(branch="gone"),))))
    assert words(found)["point file mirror.json"] == "Pending"
    assert stage.says() == OLD
    optional = promotion(instances=(instance(branch="gone", required=False),))
    assert words(captain.reach(captain.path(optional)))["finish"] == "Done"
    assert stage.says() == NEW


@contextmanager
def on_forge(stage: Stage, folder: Path) -> Iterator[Client]:
    """The upstream is on a forge, and has the file that users follow; somebody with a token for it."""
    with serving(folder / "forge") as forge:
        seed(empty(folder / "seeding"), forge, "app", {"channels.yaml": SITE})
        token = forge.token(CAPTAIN)
        door, hand = GitHub.at({"GITHUB_API_URL": forge.api_url, "GH_TOKEN": token}), Client(forge, token)
        stage.forge, stage.urls["app"] = door.forge("acme/app"), address(forge, token, "acme/app")
        try:
            yield hand
        finally:
            hand.close()
            door.close()


def test_a_mark_of_each_release_s_own_is_no_pointer_that_a_hand_moved(stage: Stage, tmp_path: Path) -> None:
    mark = (PointWish("prerelease mark", "prerelease", value="release"),)
    with on_forge(stage, tmp_path) as hand:
        for tag in ("v1.1.0", "v1.2.0"):
            hand.post("/repos/acme/app/releases", tag_name=tag, prerelease=True)
        captain = stage.captain()
        promoted(captain, promotion(points=mark))
        promoted(captain, promotion("1.2.0", "1.1.0", points=mark))
        assert stage.state().moves[""].pointers == (Moved("prerelease mark", "prerelease", "release"),)
        there = hand.get("/repos/acme/app/releases")
        assert [(one["tag_name"], one["prerelease"]) for one in there] == [("v1.2.0", False), ("v1.1.0", False)]


# Back


def test_a_half_moved_channel_is_taken_back_the_last_pointer_first(stage: Stage) -> None:
    captain = stage.captain()
    captain.reach(captain.path(promotion()), upto="point file mirror.json")
    assert stage.says() == ("v1.1.0", "v1.0.0")
    stage.now = LATER
    path = captain.back(promotion(why="it eats data"))
    assert [step.name for step in path] == BACK
    seen, conflicts = captain.look(path)
    assert conflicts == ()
    assert [*words(seen).values()] == ["Pending", "Done", "Pending", "Pending"], "only one of them was moved"
    assert {*words(captain.reach(path)).values()} == {"Done"}
    assert stage.says() == OLD
    state = stage.state()
    assert (state.standing, state.arrivals) == ({}, {})
    assert (state.moves[""].outcome, state.moves[""].ended, state.moves[""].why) == ("returned", LATER, "it eats data")
    before = stage.everything()
    assert {*words(captain.reach(captain.back(promotion()))).values()} == {"Done"}
    assert stage.everything() == before
    promoted(captain, promotion())
    assert (stage.says(), stage.state().number) == (NEW, 2)


@pytest.mark.parametrize("last", BACK)
def test_a_return_goes_on_from_wherever_it_was_killed_and_nobody_goes_forward_meanwhile(
    stage: Stage, last: str
) -> None:
    captain = stage.captain()
    captain.reach(captain.path(promotion()), upto="point file channels.yaml")
    captain.reach(captain.back(promotion()), upto=last)
    other = stage.captain("bob", BOB)
    if last != "returned":
        before = stage.everything()
        _, (conflict,) = other.look(other.path(promotion()))
        assert conflict.rule == "channel-moving"
        assert "is being taken back" in conflict.why
        other.reach(other.path(promotion()))
        assert stage.everything() == before
    assert {*words(other.reach(other.back(promotion()))).values()} == {"Done"}
    assert (stage.says(), stage.state().moves[""].outcome) == (OLD, "returned")


def test_who_was_about_to_move_a_pointer_sees_that_the_move_is_taken_back(stage: Stage) -> None:
    ada, bob = stage.captain(), stage.captain("bob", BOB)
    ada.reach(ada.path(promotion()), upto="begin")
    path = ada.path(promotion())
    found, _ = ada.look(path)
    bob.reach(bob.back(promotion()))
    before = stage.everything()
    reached = ada.reach(path, seen=found)
    assert words(reached)["point file mirror.json"] == "Failed"
    assert "is returned with v1.1.0" in reached[path[2]].detail
    assert stage.everything() == before


def test_a_pointer_that_a_hand_moved_is_not_taken_back_unless_somebody_says_so(stage: Stage) -> None:
    captain = stage.captain()
    captain.reach(captain.path(promotion()), upto="point file channels.yaml")
    stage.write({"mirror.json": '{"stable": "v0.9.9"}\n'})
    found = captain.reach(captain.back(promotion()))
    assert (words(found)["return file mirror.json"], words(found)["returned"]) == ("Blocked", "Pending")
    assert stage.says() == ("v0.9.9", "v1.0.0")
    assert {*words(captain.reach(captain.back(waiving(promotion())))).values()} == {"Done"}
    assert stage.says() == ("v0.9.9", "v1.0.0")


def test_a_pull_request_that_would_move_a_pointer_on_is_closed_before_the_move_is_returned(
    stage: Stage, tmp_path: Path
) -> None:
    key = FILES["channels.yaml"][0]
    point = PointWish("file channels.yaml", "file", repository="app", branch="main", path="channels.yaml", key=key, value="v1.1.0", by_pull_request=True)  # fmt: skip
    wish = promotion(points=(point,), deadline=0)
    with on_forge(stage, tmp_path) as hand:
        captain = stage.captain()
        asked = captain.reach(captain.path(wish))
        assert [*words(asked).values()] == ["Done", "Done", "Underway", "Pending"]
        back = captain.reach(captain.back(wish))
        assert [*words(back).values()] == ["Done", "Underway", "Pending"]
        assert any("would move file channels.yaml on: close that" in one.detail for one in back.values())
        assert stage.state().moves[""].outcome == "returning"
        (pull,) = hand.get("/repos/acme/app/pulls")
        hand.patch(f"/repos/acme/app/pulls/{pull['number']}", state="closed")
        assert {*words(captain.reach(captain.back(wish))).values()} == {"Done"}
        assert stage.state().moves[""].outcome == "returned"


def test_a_finished_move_is_not_taken_back_and_a_newer_one_neither(stage: Stage) -> None:
    captain = stage.captain()
    promoted(captain, promotion())
    before = stage.everything()
    found, conflicts = captain.look(captain.back(promotion()))
    assert {one.rule for one in conflicts} == {"channel-changed"}
    assert words(captain.reach(captain.back(promotion())))["returned"] != "Done"
    assert stage.everything() == before
    assert found


def test_a_rollback_goes_through_a_hold_and_marks_what_it_left(stage: Stage) -> None:
    captain = stage.captain()
    promoted(captain, promotion())
    promoted(captain, promotion("1.1.1", "1.1.0"))
    hold(captain)
    stage.now = LATER
    promoted(captain, promotion("1.1.0", "1.1.1", kind="rollback", why="it eats data"))
    state = stage.state()
    assert stage.says() == NEW
    assert state.standing == {"": Standing("1.1.0", "v1.1.0", LATER, "1.1.1")}
    assert state.arrivals == {"1.1.0": NOON, "1.1.1": NOON}
    assert state.bad == {"1.1.1": Mark("it eats data", ADA, LATER)}
    assert state.hold is not None
    before = stage.everything()
    promoted(captain, promotion("1.1.0", "1.1.1", kind="rollback", why="it eats data"))
    assert stage.everything() == before


# People


def test_a_move_waits_for_as_many_people_as_the_channel_asks_for(stage: Stage) -> None:
    captain, wish = stage.captain(), promotion(approvals=2, deadline=0)
    for by in (ADA, Person("Ada L.", " ADA@Example.org")):
        approve(captain, by)
    approve(captain, BOB, "1.2.0")
    path = captain.path(wish)
    waits = captain.reach(path)[path[1]]
    assert isinstance(waits, Underway)
    assert waits.detail.startswith("1 of 2 said yes to v1.1.0 (Ada L.)")
    assert waits.detail.endswith("invoke channel.approve stable --version v1.1.0")
    assert stage.says() == OLD
    approve(captain, BOB)
    promoted(captain, wish)
    assert stage.state().moves[""].seen["approvals"] == "approved by Ada L., Bob"
    assert stage.says() == NEW
    assert {one.version for one in stage.state().approvals} == {"1.1.0", "1.2.0"}


def test_nobody_is_waited_for_once_the_move_has_begun(stage: Stage) -> None:
    captain, wish = stage.captain(), promotion(approvals=1, deadline=0)
    approve(captain, ADA)
    captain.reach(captain.path(wish), upto="begin")
    captain.ledger.change("stable", lambda state: (msgspec.structs.replace(state, approvals=()), "taken back"))
    path = captain.path(wish)
    found, _ = captain.look(path)
    assert isinstance(found[path[1]], Skipped)
    promoted(captain, wish)
