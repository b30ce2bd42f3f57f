"""The engine: what it applies, what it waits for, what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest

from release.core.finding import Blocked, Conflict, Done, Failed, Finding, Pending, Skipped, Underway
from release.engine.step import Known, Say, Step
from release.engine.walk import Engine, Event
from release.errors import Refused, Uncertain, Unseen


@dataclass(eq=False)
class Place:
    """A little world: what is there, and what happens when somebody acts."""

    there: set[str] = field(default_factory=set)
    acts: list[str] = field(default_factory=list)
    trouble: dict[str, Exception] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    others: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Put(Step[str]):
    """Puts its name into the world."""

    place: Place
    after: tuple[Step[Any], ...] = ()
    wait: float = 0.3

    settle: ClassVar[float] = 0.2

    @property
    def deadline(self) -> float:
        return self.wait

    def inspect(self, known: Known) -> Finding[str]:
        if (ready := self.place.others.get(self.name)) is not None and self.name not in self.place.there:
            return Done(self.name) if time.monotonic() > ready else Underway("somebody else is at it")
        if "foreign " + self.name in self.place.there:
            return Blocked(Conflict("foreign", f"{self.name} is somebody else's", "ask them"))
        return Done(self.name) if self.name in self.place.there else Pending(f"put {self.name}")

    def apply(self, known: Known, say: Say) -> None:
        self.place.acts.append(self.name)
        if isinstance(error := self.place.trouble.get(self.name), Refused):
            raise error
        if self.name not in self.place.lost:
            self.place.there.add(self.name)
        if error is not None:
            raise error


@dataclass(frozen=True, eq=False)
class Prepare(Put):
    """A means."""

    means: ClassVar[bool] = True


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def engine(heard: list[Event]) -> Iterator[Engine]:
    with ThreadPoolExecutor(4) as pool:
        yield Engine(pool, time.monotonic, heard.append)


def walked(engine: Engine, *steps: Step[Any]) -> list[Finding[Any]]:
    found = engine.reach(steps, engine.look(steps))
    return [found[step] for step in steps]


def test_a_pending_step_is_applied_once_and_seen_again(engine: Engine) -> None:
    place = Place()
    assert walked(engine, Put("a", place)) == [Done("a")]
    assert place.acts == ["a"]


def test_what_is_done_is_left_alone(engine: Engine) -> None:
    place = Place({"a"})
    assert walked(engine, Put("a", place)) == [Done("a")]
    assert place.acts == []


@dataclass(frozen=True, eq=False)
class Copy(Put):
    """Is Done only as long as it is of the newest of what it is made of."""

    def inspect(self, known: Known) -> Finding[str]:
        made = all(f"{self.name} of {one.name}" in self.place.there for one in self.after if known.get(one))
        return Done(self.name) if made else Pending(f"copy {self.name}")

    def apply(self, known: Known, say: Say) -> None:
        self.place.acts.append(self.name)
        self.place.there.update(f"{self.name} of {one.name}" for one in self.after)


def test_what_is_done_is_looked_at_again_where_something_that_it_needs_was_made_since(engine: Engine) -> None:
    place = Place()
    part, copy = (first := Put("part", place)), Copy("copy", place, (first,))
    seen = engine.look([part, copy])
    assert (seen[part], seen[copy]) == (Pending("put part"), Done("copy"))
    assert engine.reach([part, copy], seen) == {part: Done("part"), copy: Done("copy")}
    assert place.acts == ["part", "copy"]


def test_what_somebody_else_does_is_awaited_and_never_applied(engine: Engine) -> None:
    place = Place(others={"a": time.monotonic() + 0.1})
    assert walked(engine, Put("a", place, wait=5)) == [Done("a")]
    assert place.acts == []


def test_at_its_deadline_an_underway_step_is_said_to_be_underway(engine: Engine) -> None:
    place = Place(others={"a": time.monotonic() + 60})
    assert walked(engine, Put("a", place)) == [Underway("somebody else is at it")]
    assert place.acts == []


def test_a_refusal_ends_the_step_and_what_needs_it_waits(engine: Engine) -> None:
    place = Place(trouble={"a": Refused("not today", "come tomorrow")})
    a = Put("a", place)
    b = Put("b", place, (a,))
    assert walked(engine, a, b) == [Failed("not today", "come tomorrow"), Pending("waits for a")]
    assert place.acts == ["a"]


def test_a_refused_step_that_somebody_else_did_meanwhile_is_done(engine: Engine) -> None:
    @dataclass(frozen=True, eq=False)
    class Raced(Put):
        def apply(self, known: Known, say: Say) -> None:
            self.place.there.add(self.name)
            raise Refused("somebody was faster")

    assert walked(engine, Raced("a", Place())) == [Done("a")]


def test_a_lost_answer_is_looked_at_and_not_repeated(engine: Engine, heard: list[Event]) -> None:
    place = Place(trouble={"a": Uncertain("the line went dead")})
    assert walked(engine, Put("a", place)) == [Done("a")]
    assert place.acts == ["a"]
    assert [event.kind for event in heard if event.kind == "uncertain"] == ["uncertain"]


def test_a_lost_answer_to_what_never_happened_fails_after_a_while_without_a_second_try(engine: Engine) -> None:
    place = Place(trouble={"a": Uncertain("the line went dead")}, lost={"a"})
    (found,) = walked(engine, Put("a", place))
    assert isinstance(found, Failed)
    assert "run the same command again" in found.detail
    assert place.acts == ["a"]


def test_a_green_exit_code_is_no_proof(engine: Engine) -> None:
    place = Place(lost={"a"})
    (found,) = walked(engine, Put("a", place))
    assert isinstance(found, Failed)
    assert "cannot be seen" in found.why


def test_what_cannot_be_seen_is_not_taken_for_absent(engine: Engine) -> None:
    @dataclass(frozen=True, eq=False)
    class Dark(Put):
        def inspect(self, known: Known) -> Finding[str]:
            raise Unseen("the remote does not answer", "check the network")

    place = Place()
    steps = (Dark("a", place),)
    assert engine.look(steps)[steps[0]] == Failed("the remote does not answer", "check the network", seen=False)
    assert walked(engine, *steps) == [Failed("the remote does not answer", "check the network", seen=False)]
    assert place.acts == []


def test_a_means_is_skipped_once_its_ends_are_reached(engine: Engine) -> None:
    place = Place({"end"})
    means = Prepare("means", place)
    end = Put("end", place, (means,))
    assert isinstance(walked(engine, means, end)[0], Skipped)
    assert place.acts == []


def test_a_means_is_made_while_one_of_its_ends_is_not_reached(engine: Engine) -> None:
    place = Place({"reached"})
    means = Prepare("means", place)
    assert walked(engine, means, Put("reached", place, (means,)), Put("open", place, (means,)))[0] == Done("means")
    assert place.acts == ["means", "open"]


def test_one_bad_step_does_not_hold_those_that_do_not_need_it(engine: Engine) -> None:
    place = Place({"foreign b"})
    a, b, c = (Put(name, place) for name in "abc")
    found = walked(engine, a, b, c, Put("d", place, (b,)))
    assert [type(one) for one in found] == [Done, Blocked, Done, Pending]


def test_preflight_is_asked_of_pending_steps_only_and_tells_all_at_once(engine: Engine) -> None:
    @dataclass(frozen=True, eq=False)
    class Careful(Put):
        def preflight(self) -> tuple[Conflict, ...]:
            return (Conflict("tool-missing", f"no tool for {self.name}", "install it"),)

    place = Place({"done", "foreign c"})
    steps = (Careful("done", place), Careful("a", place), Careful("b", place), Put("c", place))
    conflicts = engine.preflight(steps, engine.look(steps))
    assert sorted(conflict.why for conflict in conflicts) == ["c is somebody else's", "no tool for a", "no tool for b"]


def test_a_thousand_waits_hold_no_thread() -> None:
    until = time.monotonic() + 0.5
    place = Place(others={str(number): until for number in range(1000)})
    steps = [Put(str(number), place, wait=60) for number in range(1000)]
    with ThreadPoolExecutor(4) as pool:
        engine = Engine(pool, time.monotonic, lambda event: None)
        found = engine.reach(steps, engine.look(steps))
        assert threading.active_count() < 20
    assert {type(finding) for finding in found.values()} == {Done}


def test_a_bug_in_a_step_is_not_swallowed(engine: Engine) -> None:
    @dataclass(frozen=True, eq=False)
    class Broken(Put):
        def inspect(self, known: Known) -> Finding[str]:
            raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        walked(engine, Broken("a", Place()))


def test_a_step_needs_what_it_holds_and_may_read_only_that() -> None:
    place = Place()
    a, b = Put("a", place), Put("b", place)
    c = Put("c", place, (a,))
    assert c.needs == (a,)
    known = Known(c, {a: Done("value"), b: Done("other")})
    assert known[a] == "value"
    with pytest.raises(KeyError):
        known.get(b)


def test_ctrl_c_is_noticed_in_a_moment_even_if_the_system_wakes_another_thread() -> None:
    """The main thread blocks nothing and looks up often: a signal that another thread took is acted on."""
    program = f"""
import signal, sys, threading, time
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.engine.test_walk import Place, Put
from release.engine.walk import Engine
from concurrent.futures import ThreadPoolExecutor

def struck():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # this thread takes it; Python tells the main one

threading.Thread(target=struck, daemon=True).start()
pool = ThreadPoolExecutor(2)
steps = [Put("a", Place(others={{"a": time.monotonic() + 60}}), wait=60)]
engine = Engine(pool, time.monotonic, lambda event: None)
began = time.monotonic()
try:
    engine._walk(steps, lambda step, found, renewed: iter([50.0]), {{}})
except KeyboardInterrupt:
    print("interrupted", time.monotonic() - began < 20, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "interrupted True", done.stderr


@dataclass(frozen=True, eq=False)
class Watch(Step[str]):
    """Is found, look by look, as its story tells; the last for ever. What it does goes into `acts`."""

    story: list[Finding[str]]
    acts: list[str]
    after: list[Finding[str]] = field(default_factory=list)

    settle: ClassVar[float] = 0.2

    @property
    def deadline(self) -> float:
        return 5.0

    def inspect(self, known: Known) -> Finding[str]:
        story = self.after if self.acts and self.after else self.story
        return story.pop(0) if len(story) > 1 else story[0]

    def apply(self, known: Known, say: Say) -> None:
        self.acts.append(self.name)


def lived(engine: Engine, step: Watch) -> Finding[Any]:
    return engine.reach([step], {step: Pending("not looked at")})[step]


def test_what_failed_before_we_came_is_begun_anew(engine: Engine) -> None:
    step = Watch("run", [Failed("red")], [], after=[Underway("again"), Done("green")])
    assert lived(engine, step) == Done("green")
    assert step.acts == ["run"]


def test_what_fails_while_we_watch_is_told_and_not_begun_anew(engine: Engine) -> None:
    step = Watch("run", [Underway("runs"), Failed("red")], [])
    assert lived(engine, step) == Failed("red")
    assert step.acts == []


def test_what_was_under_way_and_came_to_nothing_is_begun_once(engine: Engine) -> None:
    step = Watch("run", [Underway("sent"), Pending("nothing has started")], [], after=[Underway("runs"), Done("green")])
    assert lived(engine, step) == Done("green")
    assert step.acts == ["run"]


def test_what_fails_once_more_is_not_begun_a_third_time(engine: Engine) -> None:
    step = Watch("run", [Failed("red")], [], after=[Underway("again"), Failed("red again")])
    assert lived(engine, step) == Failed("red again")
    assert step.acts == ["run"]


@dataclass(frozen=True, eq=False)
class Late(Watch):
    """Is refused, for somebody else was quicker."""

    def apply(self, known: Known, say: Say) -> None:
        super().apply(known, say)
        raise Refused("it is there already")


def test_who_was_too_late_waits_for_what_the_other_began(engine: Engine) -> None:
    step = Late("run", [Pending("start it")], [], after=[Underway("the other's runs"), Done("green")])
    assert lived(engine, step) == Done("green")


@dataclass(frozen=True, eq=False)
class Barred(Put):
    """Cannot even be asked what would refuse it."""

    def preflight(self) -> tuple[Conflict, ...]:
        raise Unseen("no answer", "look at the network")


def test_a_preflight_that_gets_no_answer_is_a_conflict_and_hides_no_other(engine: Engine) -> None:
    steps = [Barred("barred", Place()), Put("foreign", Place({"foreign foreign"}))]
    found = engine.look(steps)
    told = engine.preflight(steps, found)
    assert {conflict.rule for conflict in told} == {"unseen", "foreign"}
    assert any("no answer" in conflict.why and conflict.remedy == "look at the network" for conflict in told)


@dataclass(frozen=True, eq=False)
class Asked(Watch):
    """Asks a forge, which counts."""

    pace: ClassVar[float] = 30.0

    @property
    def deadline(self) -> float:
        return 3600.0


def test_what_is_waited_for_long_is_asked_seldom_and_its_end_is_heard_within_a_fifth() -> None:
    now, looks = [0.0], list[float]()

    def tell(event: Event) -> None:
        if event.kind == "waits":
            looks.append(now[0])

    with ThreadPoolExecutor(1) as pool:
        life = Engine(pool, lambda: now[0], tell)._live(
            step := Asked("run", [Underway("runs")], []), {step: Pending("")}
        )
        for pause in life:
            now[0] += pause
    assert now[0] >= 3600
    assert len(looks) < 200, "an hour of waiting for one thing leaves a budget of 5,000 requests nearly whole"
    gaps = [(late - early, early) for early, late in pairwise(looks)]
    assert all(gap <= min(max(1.0, early / 5), 30) + 1e-6 for gap, early in gaps)


@dataclass(frozen=True, eq=False)
class Dim(Watch):
    """Cannot be seen for a while, in the middle of its story."""

    outages: list[int] = field(default_factory=list)

    def inspect(self, known: Known) -> Finding[str]:
        if self.outages and self.outages[0] == len(self.story):
            self.outages.pop(0)
            raise Unseen("503 from the forge")
        return super().inspect(known)


def test_who_waits_waits_through_an_outage(engine: Engine) -> None:
    step = Dim("run", [Underway("runs"), Underway("runs"), Done("green")], [], outages=[2, 2, 2, 1])
    assert lived(engine, step) == Done("green")
    assert step.acts == []


def test_what_was_begun_is_waited_for_through_an_outage(engine: Engine) -> None:
    after: list[Finding[str]] = [Underway("runs"), Underway("runs"), Done("green")]
    step = Dimmed("run", [Pending("start it")], [], after=after, outages=[2, 2])
    assert lived(engine, step) == Done("green")
    assert step.acts == ["run"]


@dataclass(frozen=True, eq=False)
class Dimmed(Dim):
    """Cannot be seen for a while once it was begun."""

    def inspect(self, known: Known) -> Finding[str]:
        if self.acts and self.outages and self.outages[0] == len(self.after):
            self.outages.pop(0)
            raise Unseen("503 from the forge")
        return Watch.inspect(self, known)


def test_what_cannot_be_seen_at_the_first_look_is_never_acted_on(engine: Engine) -> None:
    step = Dim("run", [Pending("start it")], [], outages=[1, 1, 1])
    found = lived(engine, step)
    assert isinstance(found, Failed)
    assert not found.seen
    assert step.acts == []
