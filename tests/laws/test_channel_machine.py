"""The law of channels: whatever captains, machines that die, and hands that interfere do, in whatever order, its rules hold.

A state machine of Hypothesis: commands of the product run in this process on real remotes and a real registry, and a
witness who shares no rule with the product looks at what came of each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, event, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from release.commands.channels.history import moves
from tests.laws.harness.channel_commands import (
    Command,
    Said,
    automatic,
    back,
    promotion,
    resumption,
    typed,
    withdrawal,
)
from tests.laws.harness.channel_reader import Reader
from tests.laws.harness.channel_stage import FIRST, ILL, NAMES, UNTOLD, WELL, Died, Setup, Stage
from tests.laws.harness.channel_witness import Act, Witness, key

pytestmark = pytest.mark.slow

STORIES = 10
STEPS = 25
SHARDS = 2
CHANNELS = st.sampled_from(NAMES)
MOMENTS = st.tuples(st.integers(1, 5), st.booleans())
DEATHS = st.one_of(st.none(), MOMENTS, MOMENTS)
NUMBERS = st.integers(0, 999)
Death = tuple[int, bool] | None
CAPTAINS = (
    ("promote",) * 4
    + ("promote_version",) * 3
    + ("auto",) * 3
    + ("roll_back",) * 3
    + ("resume", "the_same_again", "the_same_again")
)
WORLD = ("candidate",) * 2 + ("final",) * 4 + ("time_passes",) * 4 + ("does",) * 2 + ("withdraw", "images_come_out")
HANDS = ("file_is_written", "image_is_moved", "put_back", "put_back", "put_back")


class Machine(RuleBasedStateMachine):
    """Everybody who has to do with channels."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.again: tuple[Act, Command] | None = None

    @initialize(chained=st.booleans(), unhealthy=st.sampled_from(("hold", "rollback")), lived=st.booleans())
    def begins(self, chained: bool, unhealthy: str, lived: bool) -> None:
        self.told = self.opened.enter_context(self.stage.story(Setup(chained, unhealthy)))
        self.witness = Witness(self.told)
        for version in FIRST:
            self.witness.released[f"v{version}"] = self.witness.withdrawn[f"v{version}"] = self.told.now
        for tag in ("v1.0.0", "v1.0.1"):
            self.out(tag)
            for name in ("testing", "latest") if lived else ():
                self.run(Act("promote", name), promotion(name), None)
        if lived:
            self.told.passes(25)
            self.run(Act("promote", "stable"), promotion("stable"), None)
            self.out("v1.0.2")
            self.out("v1.1.0")

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.ends()
        finally:
            self.opened.close()

    # What happens

    @rule(what=st.sampled_from(CAPTAINS), name=CHANNELS, number=NUMBERS, death=DEATHS)
    def captain(self, what: str, name: str, number: int, death: Death) -> None:
        getattr(self, what)(name, number, death)

    @rule(what=st.sampled_from(WORLD), number=NUMBERS)
    def world(self, what: str, number: int) -> None:
        getattr(self, what)(number)

    @rule(what=st.sampled_from(HANDS), name=CHANNELS, number=NUMBERS)
    def hand(self, what: str, name: str, number: int) -> None:
        self.told.passes(0.25)
        getattr(self, what)(name, number)
        self.witness.sees(Act("hand"))

    @rule(name=CHANNELS)
    def history(self, name: str) -> None:
        Reader(self.witness).reads(name, moves(self.told.channels(), name).moves)

    # The world

    def out(self, tag: str, image: bool = True) -> None:
        if tag not in self.witness.released:
            self.told.released(tag, image)
            self.witness.released[tag] = self.told.now

    def candidate(self, number: int) -> None:
        """The next candidate of a line."""
        (minor, patch, final, last), lacking = self.top(number), number % 5 == 0
        self.out(f"v1.{minor}.{patch + final}-rc{last + 1}", not lacking)

    def final(self, number: int) -> None:
        """The next final of a line."""
        (minor, patch, final, _), lacking = self.top(number), number % 7 == 0
        self.out(f"v1.{minor}.{patch + final}", not lacking)

    def top(self, number: int) -> tuple[int, int, bool, int]:
        """The highest of a line, mostly of one that users are near to: minor, patch, whether it is a final, and the number of a
        candidate."""
        followed = (key(text) for text in self.witness.file.values())
        now = max((one[1] for one in followed if one is not None), default=0)
        minor = min((now, now, now + 1, number // 100)[number % 4], len(FIRST) - 1)
        there = (key(tag) for tag in self.witness.released)
        _, _, patch, final, last = max(one for one in there if one is not None and one[1] == minor)
        return minor, patch, final, last

    def images_come_out(self, number: int) -> None:
        for tag in self.lacking():
            self.told.pushed(tag)

    def withdraw(self, number: int) -> None:
        tag = self.some(number)
        if tag not in self.witness.withdrawn:
            self.run(Act("withdraw", version=tag), withdrawal(tag), None)
            self.witness.withdrawn[tag] = self.told.now

    def does(self, number: int) -> None:
        """How a release does, that some channel has or could have."""
        standing = [tag for name in NAMES if key(tag := self.witness.file[name]) is not None]
        tag = standing[number % len(standing)] if standing and number % 4 else self.some(number)
        how = (ILL, WELL, ILL, UNTOLD)[number // 4 % 4]
        self.told.does(tag, how)
        self.witness.health[tag] = how

    def time_passes(self, number: int) -> None:
        self.told.passes((0.5, 12, 25, 25)[number % 4])

    # Captains

    def promote(self, name: str, number: int, death: Death) -> None:
        self.run(Act("promote", name), promotion(name), death)

    def promote_version(self, name: str, number: int, death: Death) -> None:
        rules = ("pointer-moved",) if number // 2 % 2 else ()
        tag = self.some(-1 - number % 4 if number % 3 else number)
        self.run(Act("promote", name, tag, waived=rules), promotion(name, tag, rules), death)

    def auto(self, name: str, number: int, death: Death) -> None:
        ill = self.unwell()
        if self.run(Act("auto"), automatic, death) is None:
            return
        for name, version in ill:
            state = self.witness.states[name]
            assert state.get("hold"), f"{name} has {version}, which is unhealthy, and is not held"
            assert version in state["bad"], f"{version} is unhealthy in {name}, and is not marked"

    def roll_back(self, name: str, number: int, death: Death) -> None:
        tag, downgrade, half = self.some(number) if number % 3 == 0 else "", number % 5 > 1, self.witness.half(name)
        said = self.run(Act("rollback", name, tag, downgrade), back(name, tag, downgrade), death)
        if said is not None and said.code == 0 and half is None:
            assert self.witness.states[name].get("hold"), f"{name} was rolled back, and is not held"

    def resume(self, name: str, number: int, death: Death) -> None:
        """A channel that is held goes on, and what was bad there may be good again."""
        names = [one for one in NAMES if self.witness.states[one].get("hold")] or [name]
        name = names[number % len(names)]
        bad = list(self.witness.states[name].get("bad", {}))
        tag = f"v{bad[number % len(bad)]}" if bad and number % 2 else ""
        if self.run(Act("resume", name, tag), resumption(name, tag), death) is not None:
            assert not self.witness.states[name].get("hold")

    def the_same_again(self, name: str, number: int, death: Death) -> None:
        """What a machine died of, on another one, where nothing happens to it."""
        if self.again is not None:
            act, command = self.again
            self.told.elsewhere()
            self.run(act, command, None)

    # Hands

    def file_is_written(self, name: str, number: int) -> None:
        tag = self.some(number)
        self.told.writes(name, tag)

    def image_is_moved(self, name: str, number: int) -> None:
        tags = list(self.told.digests)
        self.told.tags(name, tags[number % len(tags)])

    def put_back(self, name: str, number: int) -> None:
        """What the last moves left there."""
        for one in NAMES:
            self.mend(one)

    # How it is done

    def lacking(self) -> list[str]:
        """Releases whose image is not out."""
        return [tag for tag in self.witness.released if tag not in self.told.digests and tag[1:] not in FIRST]

    def some(self, number: int) -> str:
        """A release that is out."""
        tags = sorted((tag for tag in self.witness.released if tag[1:] not in FIRST), key=lambda tag: key(tag) or ())
        return tags[number % len(tags)]

    def run(self, act: Act, command: Command, death: tuple[int, bool] | None) -> Said | None:
        """Type a command; None where its machine died. What can be seen afterwards is looked at."""
        self.told.passes(1 / 60)
        self.told.fuse.set(*(death or (0, False)))
        said: Said | None = None
        try:
            said = typed(command, self.told.channels())
        except Died:
            self.again = act, command
        else:
            self.again = None
        self.told.fuse.set(0, False)
        note(f"{act}: {said}")
        event(f"{act.what}: {'died' if said is None else said.code}")
        self.witness.sees(act)
        if said is not None:
            assert said.code == 0 or said.words, f"{act} ended with {said.code} and said nothing"
            if act.what == "promote" and said.code == 0 and not said.words:
                assert self.witness.half(act.channel) is None, f"{act} is done, and {act.channel} is half moved"
        return said

    def unwell(self) -> list[tuple[str, str]]:
        """Channels with the version that soaks there and is unhealthy."""
        witness = self.witness
        after = {"latest": ["stable"], "testing": ["latest"] if self.told.setup.chained else []}
        return [
            (name, standing["version"])
            for name, next_ones in after.items()
            if (standing := witness.states[name].get("standing", {}).get(""))
            and witness.health.get(standing["tag"]) == ILL
            and standing["version"] not in witness.states[name].get("bad", {})
            and key(standing["tag"])[3]  # type: ignore[index]
            and any(standing["version"] not in witness.arrived[one] for one in next_ones)
        ]

    def mend(self, name: str) -> None:
        """By hand, what nobody else should have touched is put back to where the last move left it."""
        move = self.witness.moves[name][max(self.witness.moves[name])] if self.witness.moves[name] else None
        if move is None:
            return
        self.told.passes(0.25)
        old = move.get("outcome") in ("returning", "returned")
        for one in move["pointers"]:
            value = one["old" if old else "new"]
            if one["pointer"] == "file" and self.witness.file[name] not in (one["old"], one["new"]):
                self.told.writes(name, value)
            if one["pointer"] == "image" and value:
                there = self.told.digests.get(self.witness.images[name], "")
                if there not in (one["old"], one["new"]):
                    self.told.tags(name, next(tag for tag, digest in self.told.digests.items() if digest == value))
        self.witness.sees(Act("hand"))

    def ends(self) -> None:
        """In the end all is well and nobody interferes: what is half done is finished, or taken back; and the history tells it all."""
        for tag in self.lacking():
            self.told.pushed(tag)
        for tag in self.witness.released:
            self.told.does(tag, WELL)
            self.witness.health[tag] = WELL
        self.told.passes(48)
        for name in NAMES:
            self.mend(name)
            if self.witness.half(name) is not None:
                self.finishes(name)
        for name in NAMES:
            Reader(self.witness).reads(name, moves(self.told.channels(), name).moves)

    def finishes(self, name: str) -> None:
        """What has begun is finished, else taken back. Neither may be where it was withdrawn, or marked, while it was on its
        way over a minor: then somebody has to put back by hand what users follow."""
        if self.witness.states[name].get("hold"):
            self.run(Act("resume", name), resumption(name), None)
        first = self.run(Act("promote", name), promotion(name), None)
        if (move := self.witness.half(name)) is None:
            return
        rollback = Act("rollback", name, downgrade=True), back(name, "", True)
        second = self.run(*rollback, None)
        if self.witness.half(name) is None:
            return
        assert first is not None
        assert second is not None
        assert first.rules & {"withdrawn-version", "rolled-back"}, f"{name} is stuck: {first}; {second}"
        assert second.rules == {"rollback-minor"}, f"{name} is stuck: {first}; {second}"
        self.told.writes(name, next(one["old"] for one in move["pointers"] if one["pointer"] == "file"))
        old = next(one["old"] for one in move["pointers"] if one["pointer"] == "image")
        self.told.tags(name, next(tag for tag, digest in self.told.digests.items() if digest == old))
        self.witness.sees(Act("hand"))
        third = self.run(*rollback, None)
        assert self.witness.half(name) is None, f"{name} is stuck: {first}; {second}; {third}"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        yield Stage(Path(tmp_path_factory.mktemp("channels")), patch)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_rules_of_channels_hold_in_every_sequence(stage: Stage, shard: int) -> None:
    # What everybody runs is the same every time; whoever hunts takes the seed out.
    machine = seed(shard)(type(f"Machine{shard}", (Machine,), {"stage": stage}))
    # A story that breaks a rule is read as it is: a shorter one is looked for through minutes of the same.
    settled = settings(
        max_examples=STORIES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=settled)
