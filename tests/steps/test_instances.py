"""The components that a promotion releases: adopted where they are, made where they are not, and never doubled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.adapters.git.channel_claims import ChannelClaims
from release.adapters.git.channels import GitChannelLedger
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.adapters.github import GitHub
from release.core.channel_record import Move
from release.core.finding import Blocked, Done, Pending, Underway
from release.core.model import DownstreamWish
from release.core.promotion import Promotion
from release.engine.step import Step
from release.errors import Unseen
from release.ports import Forge, Remote
from release.steps.doors import Doors
from release.steps.follow import FollowDownstream
from release.steps.given import Given
from release.steps.instances import instance_steps, numbered
from release.steps.promotion import promotion_path
from tests.forge import serving
from tests.forged import CAPTAIN, seed, workflow
from tests.moving import ADA, NOON, Captain, Stage, promotion, release, staged, words

TAG = "v1.1.0.stable.{n}"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as found:
        found.world.commit(found.world.folder / "seed-rpm", {"spec": "1\n"}, "feat: a package")
        yield found


def component(name: str = "rpm", **more: Any) -> DownstreamWish:
    return DownstreamWish(name, f"../{name}.git", "main", more.pop("tag", TAG), **more)


@dataclass
class Machine:
    """A captain's machine, whose doors open the components' repositories."""

    captain: Captain
    asked: list[str] = field(default_factory=list)

    def elsewhere(self, wish: DownstreamWish) -> Remote:
        self.asked.append(wish.name)
        return self.captain.remote(wish.name)

    def doors(self) -> Doors:
        nothing: Any = None
        return Doors(nothing, nothing, nothing, nothing, self.elsewhere, self.captain.stage.world.folder, ours=False)

    def path(self, wish: Promotion) -> list[Step[Any]]:
        """The whole path, as the command builds it."""
        moves = self.captain.ledger.read("stable").state.moves
        whole = numbered(self.doors(), wish, moves.get(wish.line))
        claims = ChannelClaims(self.captain.ledger, "stable", wish.line)
        return promotion_path(
            self.captain.doors(release()),
            release(),
            whole,
            (),
            lambda begin: instance_steps(self.doors(), release(), whole, begin, claims),
        )


def tagged(stage: Stage, name: str = "rpm") -> set[str]:
    return {ref.removeprefix("refs/tags/") for ref in stage.world.refs(name) if ref.startswith("refs/tags/")}


def tag(stage: Stage, *tags: str) -> None:
    """Somebody tags the component by hand."""
    seeded = stage.world.folder / "seed-rpm"
    for one in tags:
        stage.world.git(seeded, "tag", one)
        stage.world.git(seeded, "push", "--quiet", "origin", one)


def test_the_first_is_made_once_and_every_later_run_adopts_it(stage: Stage) -> None:
    wish = promotion(instances=(component(),))
    for name in ("ada", "bob"):
        captain = stage.captain(name)
        found = captain.reach(Machine(captain).path(wish))
        assert set(words(found).values()) == {"Done"}, found
        assert tagged(stage) == {"v1.1.0.stable.0"}
    assert stage.state().moves[""].instances == {"rpm": "v1.1.0.stable.0"}
    assert stage.state().moves[""].proofs["downstream rpm"].tag == "v1.1.0.stable.0"


def test_the_highest_that_somebody_made_is_adopted(stage: Stage) -> None:
    tag(stage, "v1.1.0.stable.0", "v1.1.0.stable.2", "v1.1.0.testing.7", "v1.1.1.stable.9", "v1.1.0.lastest.4")
    before = tagged(stage)
    captain = stage.captain()
    found = captain.reach(Machine(captain).path(promotion(instances=(component(),))))
    assert set(words(found).values()) == {"Done"}, found
    assert tagged(stage) == before
    assert stage.state().moves[""].instances == {"rpm": "v1.1.0.stable.2"}


def test_a_number_stays_what_it_was_when_the_move_began(stage: Stage) -> None:
    captain = stage.captain()
    wish = promotion(instances=(component(),))
    captain.reach(Machine(captain).path(wish), upto="begin")
    tag(stage, "v1.1.0.stable.5")
    machine = Machine(stage.captain("bob"))
    path = machine.path(wish)
    assert isinstance(machine.captain.look(path)[0][path[0]], Done)
    found = machine.captain.reach(path)
    assert set(words(found).values()) == {"Done"}, found
    assert tagged(stage) == {"v1.1.0.stable.0", "v1.1.0.stable.5"}


def test_a_move_to_another_version_has_no_numbers_for_this_one(stage: Stage) -> None:
    tag(stage, "v1.1.0.stable.3")
    other = Move(1, "promotion", "", "1.0.0", "v1.0.0", "c" * 40, "", ADA, NOON, instances={"rpm": "v1.0.0.stable.8"})
    (wish,) = numbered(Machine(stage.captain()).doors(), promotion(instances=(component(),)), other).instances
    assert wish.tag == "v1.1.0.stable.3"


def test_nothing_is_made_before_the_move_has_begun_and_each_comes_after_those_it_names(stage: Stage) -> None:
    stage.world.bare("index")
    wish = promotion(instances=(component("index", after=("rpm",)), component()))
    captain = stage.captain()
    path = Machine(captain).path(wish)
    begin = next(step for step in path if step.name == "begin")
    named = {step.name: step for step in path}
    assert [step.name for step in path][:3] == ["begin", "downstream index", "downstream rpm"]
    assert begin in named["downstream rpm"].needs
    assert {begin, named["downstream rpm"]} <= set(named["downstream index"].needs)
    found, conflicts = captain.look(path)
    assert conflicts == ()
    assert {type(found[step]) for step in path} == {Pending}
    assert tagged(stage) == tagged(stage, "index") == set()


def test_what_is_built_on_another_one_gets_that_ones_number_and_only_that_one_is_asked(stage: Stage) -> None:
    tag(stage, "v1.1.0.stable.4")
    machine = Machine(stage.captain())
    index = component("index", of="rpm", after=("rpm",), assets=("index-{n}.txt",))
    found = numbered(machine.doors(), promotion(instances=(index, component())), None).instances
    assert [wish.tag for wish in found] == ["v1.1.0.stable.4"] * 2
    assert found[0].assets == ("index-4.txt",)
    assert machine.asked == ["rpm"]


def test_one_that_fails_stops_no_other_and_pointers_wait_for_those_that_are_required(stage: Stage) -> None:
    stage.world.bare("index")
    stage.world.bare("spare")
    stage.world.refuse("spare")
    stage.world.refuse("index")
    spare = component("spare", required=False)
    captain = stage.captain()
    found = captain.reach(Machine(captain).path(promotion(instances=(component("index"), spare, component()))))
    kinds = words(found)
    assert kinds["downstream index"] == kinds["downstream spare"] == "Failed"
    assert kinds["downstream rpm"] == "Done"
    assert kinds["point file mirror.json"] == kinds["finish"] == "Pending"
    assert stage.says() == ("v1.0.0", "v1.0.0")

    hook = stage.world.remote("index") / "hooks" / "pre-receive"
    hook.unlink()
    again = stage.captain("bob")
    kinds = words(again.reach(Machine(again).path(promotion(instances=(component("index"), spare, component())))))
    assert kinds.pop("downstream spare") == "Failed", "nothing waits for it"
    assert set(kinds.values()) == {"Done"}
    assert stage.says() == ("v1.1.0", "v1.1.0")


def test_a_repository_that_cannot_be_looked_at_is_not_taken_for_one_without_tags(stage: Stage) -> None:
    wish = promotion(instances=(component("nowhere"),))
    with pytest.raises(Unseen):
        numbered(Machine(stage.captain()).doors(), wish, None)


def test_a_tag_that_sits_elsewhere_than_on_its_branch_is_not_adopted(stage: Stage) -> None:
    seeded = stage.world.folder / "seed-rpm"
    stage.world.git(seeded, "checkout", "--quiet", "--orphan", "stray")
    stage.world.git(seeded, "commit", "--quiet", "-m", "feat: a stray")
    tag(stage, "v1.1.0.stable.0")
    captain = stage.captain()
    path = Machine(captain).path(promotion(instances=(component(),)))
    found, conflicts = captain.look(path)
    step = next(step for step in path if step.name == "downstream rpm")
    assert isinstance(found[step], Blocked)
    assert [conflict.rule for conflict in conflicts] == ["tag-elsewhere"]


def test_a_dispatch_is_claimed_in_the_channels_record_and_of_two_captains_one_sends_it(
    tmp_path: Path, stage: Stage
) -> None:
    wish = component(
        "deb", trigger="workflow_dispatch", workflow="release.yml", inputs={"tag": TAG}, starts_within=300, assets=()
    )
    wish = msgspec.structs.replace(wish, repository="acme/deb")
    with serving(tmp_path / "forge") as forge:
        for name in ("app", "deb"):
            files = {".github/workflows/release.yml": workflow("workflow_dispatch")} if name == "deb" else {}
            seed(stage.world, forge, name, {"app.txt": name, **files})
        github = GitHub.at({"GITHUB_API_URL": forge.api_url, "GH_TOKEN": forge.token(CAPTAIN)})

        def step(name: str) -> FollowDownstream:
            captain = stage.captain(name)
            remote = GitRemote(forge.git("acme/deb").path.as_uri(), Runner(store(tmp_path / f"{name}.git")))
            begin: Step[Move] = Given("begin", Move(1, "promotion", "", "1.1.0", "v1.1.0", "1" * 40, "", ADA, NOON))
            doors = forged(github, remote, tmp_path)
            whole = numbered(doors, promotion(instances=(wish,)), None)
            (found,) = instance_steps(doors, release(), whole, begin, ChannelClaims(captain.ledger, "stable", ""))
            assert isinstance(found, FollowDownstream)
            return found

        forge.runner("acme/deb", hold=True)
        begun(stage.captain().ledger)
        ada, bob = step("ada"), step("bob")
        assert ada.mine, "it is asked for here, whoever makes the release"
        assert ada.wish.inputs == {"tag": "v1.1.0.stable.0"}
        nothing: Any = {}
        assert isinstance(ada.inspect(nothing), Pending)
        for one in (ada, bob):
            one.apply(nothing, lambda line: None)
        assert len(forge.runs("acme/deb")) == 1
        claim = stage.state().moves[""].proofs["dispatch deb"]
        assert (claim.tag, claim.attempt) == ("v1.1.0.stable.0", 1)
        followed = bob.inspect(nothing)
        assert isinstance(followed, Underway), "it follows what ada sent"
        assert followed.detail.startswith("release.yml queued")
        github.close()
        forge.runner("acme/deb", hold=False)
        forge.idle(60)


def test_what_is_built_on_a_component_of_the_release_waits_for_that_ones_files(tmp_path: Path) -> None:
    github = GitHub.at({"GITHUB_API_URL": "http://127.0.0.1:1", "GH_TOKEN": "none"})
    nothing: Any = None
    parent = DownstreamWish("upgrade", "acme/upgrade", "main", "upgrade-v1.1.0", trigger="release")
    child = component("rpm", trigger="release", of="upgrade", tag="v1.1.0.stable.0", after_assets=("a.tgz",))
    child = msgspec.structs.replace(child, repository="acme/rpm")
    whole = msgspec.structs.replace(release(), downstreams=(parent,))
    (step,) = instance_steps(
        forged(github, nothing, tmp_path), whole, promotion(instances=(child,)), Given("begin", nothing), nothing
    )
    github.close()
    assert isinstance(step, FollowDownstream)
    assert (step.home.name, step.origin) == ("acme/upgrade", "upgrade-v1.1.0")
    assert step.after == (), "it is out already"


def forged(github: GitHub, remote: Remote, folder: Path) -> Doors:
    nothing: Any = None

    def forge_of(wish: DownstreamWish) -> Forge:
        return github.forge(wish.repository)

    upstream = github.forge("acme/app")
    return Doors(
        nothing, nothing, nothing, nothing, lambda wish: remote, folder, ours=False, forge=upstream, forge_of=forge_of
    )


def begun(ledger: GitChannelLedger) -> None:
    """The move has begun, by its record."""
    move = Move(1, "promotion", "", "1.1.0", "v1.1.0", "1" * 40, "", ADA, NOON)
    ledger.change("stable", lambda state: (msgspec.structs.replace(state, moves={"": move}, number=1), "begun"))
