"""The engine and limits: who may not ask yet goes away and comes back, and no thread waits for it."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from release.core.finding import Conflict, Done, Failed, Finding, Pending, Underway
from release.engine.step import Known, Say, Step
from release.engine.turns import HELD, Turns
from release.engine.walk import LIMIT, Engine, Event
from release.errors import Refused, Uncertain, Unseen
from tests.serving import Time

AFTER = 0.05  # seconds that a limit lasts here


@dataclass
class Forge:
    """Something with a limit: the calls whose numbers are in `busy` meet it."""

    busy: set[int] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    there: set[str] = field(default_factory=set)
    after: float = AFTER
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, what: str, error: type[Unseen] | type[Refused]) -> None:
        with self.lock:
            self.calls.append(what)
            number = len(self.calls)
        if number in self.busy:
            raise error(f"cannot {what}: no more requests for a while", "come again", after=self.after)


@dataclass(frozen=True, eq=False)
class Put(Step[str]):
    """Puts its name there."""

    forge: Forge
    patience: float = 0.5

    settle = 0.2

    @property
    def deadline(self) -> float:
        return self.patience

    def preflight(self) -> tuple[Conflict, ...]:
        self.forge.call("ask", Unseen)
        return ()

    def inspect(self, known: Known) -> Finding[str]:
        self.forge.call("look", Unseen)
        return Done(self.name) if self.name in self.forge.there else Pending(f"put {self.name}")

    def apply(self, known: Known, say: Say) -> None:
        self.forge.call("put", Refused)
        self.forge.there.add(self.name)


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def engine(heard: list[Event]) -> Iterator[Engine]:
    with ThreadPoolExecutor(4) as pool:
        yield Engine(pool, time.monotonic, heard.append)


def waits(heard: list[Event]) -> list[str]:
    return [event.detail for event in heard if event.state == LIMIT]


def test_a_look_that_meets_a_limit_is_made_after_it(engine: Engine, heard: list[Event]) -> None:
    step = Put("a", Forge(busy={1, 2}))
    assert engine.look([step]) == {step: Pending("put a")}
    assert step.forge.calls == ["look"] * 3
    assert waits(heard) == ["cannot look: no more requests for a while"] * 2
    assert {event.kind for event in heard if event.state == LIMIT} == {"waits"}


def test_a_step_that_is_refused_because_of_a_limit_is_looked_at_anew_and_applied_after_it(
    engine: Engine, heard: list[Event]
) -> None:
    step = Put("a", Forge(busy={2, 4, 5}))
    assert engine.reach([step], {step: Pending("")}) == {step: Done("a")}
    assert step.forge.calls == ["look", "put", "look", "put", "look", "look", "put", "look"]
    assert len(waits(heard)) == 3


def test_what_somebody_else_did_while_we_waited_for_a_limit_is_not_done_twice(engine: Engine) -> None:
    @dataclass(frozen=True, eq=False)
    class Raced(Put):
        def apply(self, known: Known, say: Say) -> None:
            self.forge.there.add(self.name)
            super().apply(known, say)

    step = Raced("a", Forge(busy={2}))
    assert engine.reach([step], {step: Pending("")}) == {step: Done("a")}
    assert step.forge.calls == ["look", "put", "look"]


def test_a_preflight_that_meets_a_limit_is_asked_after_it(engine: Engine, heard: list[Event]) -> None:
    steps = [Put(name, Forge(busy={1})) for name in "abc"]
    assert engine.preflight(steps, dict.fromkeys(steps, Pending(""))) == ()
    assert [step.forge.calls for step in steps] == [["ask"] * 2] * 3
    assert sorted(event.step for event in heard) == ["a", "b", "c"]


def test_what_is_asked_of_many_is_asked_again_after_a_limit_and_comes_in_order(
    engine: Engine, heard: list[Event]
) -> None:
    forge = Forge(busy={1, 3, 4, 9})

    def ask(number: int) -> int:
        forge.call(str(number), Unseen)
        return -number

    assert engine.each(ask, range(10), "list") == [-number for number in range(10)]
    assert len(forge.calls) == 14
    assert {(event.step, event.kind, event.state) for event in heard} == {("list", "waits", LIMIT)}


def test_what_is_asked_of_many_and_is_no_limit_is_raised(engine: Engine) -> None:
    def ask(number: int) -> int:
        if number in (3, 5):
            raise Unseen(f"nothing to be seen of {number}")
        return number

    with pytest.raises(Unseen, match="of 3"):
        engine.each(ask, range(10))


def lived(step: Put) -> tuple[Finding[str], float]:
    """A step's life by a clock that only its own pauses move; what is found in the end, and how long it took."""
    times = Time()
    with ThreadPoolExecutor(1) as pool:
        life = Engine(pool, times.clock, lambda event: None)._live(step, {step: Pending("")})
        try:
            while True:
                times.pause(next(life))
        except StopIteration as end:
            return end.value, times.at - 1000.0


def test_the_time_that_a_limit_takes_counts_against_no_deadline() -> None:
    @dataclass(frozen=True, eq=False)
    class Watched(Put):
        def inspect(self, known: Known) -> Finding[str]:
            self.forge.call("look", Unseen)
            return Underway("runs")

    step = Watched("a", Forge(busy={2, 3}, after=600.0), 100.0)
    found, took = lived(step)
    assert found == Underway("runs")
    assert 1300 <= took < 1300 + 30, "a hundred seconds of its own, and twice ten minutes of the limit's"


def test_a_step_that_was_made_is_seen_after_a_limit_even_if_that_lasts_longer_than_it_may_lag() -> None:
    found, took = lived(Put("a", Forge(busy={3}, after=60.0)))
    assert found == Done("a")
    assert took == 60


@pytest.mark.parametrize(("busy", "seen"), [(set(range(1, 999)), False), (set(range(2, 999, 2)), True)])
def test_limits_are_not_waited_for_for_ever(busy: set[int], seen: bool) -> None:
    step = Put("a", Forge(busy=busy, after=1000.0))
    found, took = lived(step)
    assert isinstance(found, Failed)
    assert "no more requests for a while" in found.why
    assert found.seen is seen
    assert took == HELD // 1000 * 1000
    assert step.forge.there == set()


def test_a_lost_answer_is_no_limit(engine: Engine) -> None:
    @dataclass(frozen=True, eq=False)
    class Lost(Put):
        def apply(self, known: Known, say: Say) -> None:
            self.forge.call("put", Refused)
            raise Uncertain("the line went dead")

    step = Lost("a", Forge())
    (found,) = engine.reach([step], {step: Pending("")}).values()
    assert isinstance(found, Failed)
    assert step.forge.calls.count("put") == 1


def test_a_thousand_that_wait_for_a_limit_hold_no_thread() -> None:
    forge = Forge(busy=set(range(1, 1001)), after=0.5)
    most: list[int] = []

    def tell(event: Event) -> None:
        most.append(threading.active_count())

    before = threading.active_count()
    steps = [Put(str(number), forge) for number in range(1000)]
    with ThreadPoolExecutor(4) as pool:
        found = Engine(pool, time.monotonic, tell).look(steps)
    assert len(forge.calls) == 2000
    assert {type(one) for one in found.values()} == {Pending}
    assert max(most) <= before + 4


def waited_for(number: int) -> tuple[int, int]:
    """So many that all meet a limit once: how often they were looked at, and how many bytes that took at its worst."""
    forge = Forge(busy=set(range(1, number + 1)), after=0.3)
    steps = [Put(str(one), forge) for one in range(number)]
    with ThreadPoolExecutor(4) as pool:
        tracemalloc.start()
        try:
            Engine(pool, time.monotonic, lambda event: None).look(steps)
            return len(forge.calls), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_to_wait_costs_the_same_for_each_of_few_and_of_many() -> None:
    (few, small), (many, large) = waited_for(250), waited_for(1000)
    assert (few, many) == (500, 2000)
    assert large < 4 * small * 1.25


def test_who_slept_long_enough_goes_on_though_there_is_much_to_hear_of_others() -> None:
    heard = list[int]()
    woken = threading.Event()

    def sleeper() -> Iterator[float]:
        yield 0.0
        woken.set()

    def brief() -> Iterator[float]:
        yield from ()

    with ThreadPoolExecutor(4) as pool:
        turns: Turns[int, None] = Turns(pool, time.monotonic)
        turns.begin(0, sleeper())  # type: ignore[arg-type]
        for number in range(1, 40):
            turns.begin(number, brief())  # type: ignore[arg-type]
        for number, _ in turns.ends():
            heard.append(number)
            if len(heard) == 5:  # the ends of the others lie there already
                assert woken.wait(5), heard
    assert sorted(heard) == list(range(40))
