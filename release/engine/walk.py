"""Walk the steps until the world matches."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from itertools import chain, count
from operator import attrgetter
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from release.core.finding import Blocked, Conflict, Done, Failed, Finding, Pending, Skipped, Underway
from release.engine.step import Known, Step
from release.errors import ReleaseError, Uncertain

A = TypeVar("A")
B = TypeVar("B")
AnyStep: TypeAlias = "Step[Any]"
Findings: TypeAlias = Mapping[AnyStep, Finding[Any]]
Life: TypeAlias = Generator[float, None, Finding[Any]]

FIRST_PAUSES = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5)
PAUSE = 1.0
SLOWER = 0.2  # of what was waited so far: nobody learns of an end later than by a fifth
MOMENT = 0.2  # the system may hand Ctrl-C to a thread that sleeps; the one that acts on it wakes up this often


@dataclass(frozen=True)
class Event:
    """Something that listeners may want to hear of: `kind` is intent, progress, uncertain, waits or found."""

    step: str
    kind: str
    detail: str = ""
    state: str = ""


@dataclass(frozen=True)
class Engine:
    """`clock` is monotonic, in seconds; `tell` hears every event, in order, before anything follows from it.

    `label` is what a step is called there: where several releases go on at once, its name alone does not tell it from others.
    """

    pool: Executor
    clock: Callable[[], float]
    tell: Callable[[Event], None]
    label: Callable[[AnyStep], str] = attrgetter("name")

    def look(self, steps: Sequence[AnyStep]) -> Findings:
        """A finding for every step; nothing is written."""
        return unneeded(steps, self._walk(steps, self._glance, {}))

    def preflight(self, steps: Sequence[AnyStep], seen: Findings) -> tuple[Conflict, ...]:
        """Everything that can say no before the first write: what is foreign, and what would refuse us."""
        blocked = [found.conflict for step in steps if isinstance(found := seen[step], Blocked)]
        pending = [step for step in steps if isinstance(seen[step], Pending)]
        asked = self.each(asked_of, pending)
        return tuple(dict.fromkeys(chain(blocked, chain.from_iterable(asked))))

    def each(self, ask: Callable[[A], B], of: Sequence[A]) -> list[B]:
        """Ask one thing of many at the same time; the answers in their order."""
        answers = [self.pool.submit(ask, one) for one in of]
        while not all(answer.done() for answer in answers):
            wait(answers, timeout=MOMENT)
        return [answer.result() for answer in answers]

    def reach(self, steps: Sequence[AnyStep], seen: Findings) -> Findings:
        """Apply what is Pending, wait for what is Underway; ends with a finding for every step."""
        return self._walk(steps, self._live, seen)

    def _glance(self, step: AnyStep, found: Findings, renewed: bool) -> Life:
        yield from ()
        return seen(step, Known(step, found))

    def _live(self, step: AnyStep, found: Findings, renewed: bool = False) -> Life:
        """One step's life; yields the seconds until it wants to be looked at again.

        What is Done stays so, unless it is `renewed`: something that it needs was made since it was looked at.
        """
        if isinstance(found[step], Skipped) or (isinstance(found[step], Done) and not renewed):
            return found[step]
        missing = [need.name for need in step.needs if not isinstance(found[need], Done)]
        if missing:
            return Pending(f"waits for {', '.join(missing)}")
        known = Known(step, found)
        before, ours = yield from self._turn(step, known)
        if not ours or not isinstance(before, (Pending, Failed)):
            return before
        outcome = self._act(step, known, before)
        began, under_way = self.clock(), False
        for pause in self._pauses(step, began):
            now = seen(step, known)
            if isinstance(outcome, Failed) and isinstance(now, (Pending, Failed)):
                return outcome
            under_way = under_way or isinstance(now, Underway)
            lags = isinstance(now, Pending) or (isinstance(now, Failed) and now == before)
            waits = isinstance(now, Underway) or (under_way and blind(now))
            patience = step.settle if lags else step.deadline if waits else 0.0
            if self.clock() - began >= patience:
                if not isinstance(now, Pending):
                    return now
                if isinstance(outcome, Uncertain):
                    return Failed(
                        f"{outcome.message}; nothing of it can be seen", outcome.remedy or "run the same command again"
                    )
                what = "was begun, and nothing came of it" if under_way else "was done, but cannot be seen"
                return Failed(f"{step.name} {what}: {now.detail}", "run the same command again")
            self.tell(Event(self.label(step), "waits", now.detail, state(now)))
            yield pause
        raise AssertionError("the pauses never end")

    def _turn(self, step: AnyStep, known: Known) -> Generator[float, None, tuple[Finding[Any], bool]]:
        """Wait while it is somebody else's turn; what is found then, and whether it may be for us to act on.

        What failed before we came is begun anew; what fails while we watch is told, for whoever types the command again.
        """
        began = self.clock()
        for number, pause in enumerate(self._pauses(step, began)):
            now = seen(step, known)  # the plan may be minutes old
            waits = isinstance(now, Underway) or (number > 0 and blind(now))
            if not waits or self.clock() - began >= step.deadline:
                return now, not blind(now) and (number == 0 or not isinstance(now, Failed))
            self.tell(Event(self.label(step), "waits", now.detail, state(now)))
            yield pause
        raise AssertionError("the pauses never end")

    def _pauses(self, step: AnyStep, began: float) -> Iterator[float]:
        """Seconds between looks: short ones first, then longer ones, up to the step's pace."""
        yield from FIRST_PAUSES
        while True:
            yield min(max(PAUSE, SLOWER * (self.clock() - began)), step.pace)

    def _act(self, step: AnyStep, known: Known, before: Pending | Failed) -> Failed | Uncertain | None:
        """Apply once. A refusal is final for this run; a lost answer is not: the world is looked at either way."""
        self.tell(Event(self.label(step), "intent", before.detail, state(before)))
        try:
            step.apply(known, lambda text: self.tell(Event(self.label(step), "progress", text)))
        except Uncertain as lost:
            self.tell(Event(self.label(step), "uncertain", str(lost)))
            return lost
        except ReleaseError as refused:
            return Failed(refused.message, refused.remedy)
        return None

    def _walk(
        self, steps: Sequence[AnyStep], life: Callable[[AnyStep, Findings, bool], Life], seen: Findings
    ) -> Findings:
        """A finding for every step, needs first. Threads look and act; what waits lies in a heap, not in a thread."""
        found: dict[AnyStep, Finding[Any]] = dict(seen)
        asleep: list[tuple[float, int, AnyStep, Life]] = []
        turns: SimpleQueue[tuple[AnyStep, Life, float | Finding[Any] | BaseException]] = SimpleQueue()
        tick = count()

        def turn(step: AnyStep, lived: Life) -> None:
            try:
                turns.put((step, lived, next(lived)))
            except StopIteration as end:
                turns.put((step, lived, end.value))
            except BaseException as bug:
                turns.put((step, lived, bug))

        order: TopologicalSorter[AnyStep] = TopologicalSorter({step: step.needs for step in steps})
        order.prepare()
        while order.is_active():
            for step in order.get_ready():
                renewed = any(isinstance(found[need], Done) and found[need] != seen.get(need) for need in step.needs)
                self.pool.submit(turn, step, life(step, found, renewed))
            due = asleep[0][0] - self.clock() if asleep else MOMENT
            try:
                step, lived, result = turns.get(timeout=min(MOMENT, max(0.0, due)))
            except Empty:
                if asleep and asleep[0][0] <= self.clock():
                    _, _, step, lived = heappop(asleep)
                    self.pool.submit(turn, step, lived)
                continue
            if isinstance(result, BaseException):
                raise result
            if isinstance(result, (int, float)):
                heappush(asleep, (self.clock() + result, next(tick), step, lived))
            else:
                found[step] = result
                self.tell(Event(self.label(step), "found", result.detail, state(result)))
                order.done(step)
        return found


def seen(step: AnyStep, known: Known) -> Finding[Any]:
    """What is found of a step, which may be that nothing can be seen of it."""
    try:
        return step.inspect(known)
    except ReleaseError as unseen:
        return Failed(unseen.message, unseen.remedy, seen=False)


def blind(found: Finding[Any]) -> bool:
    """Whether the world could not be looked at; who waits, waits on."""
    return isinstance(found, Failed) and not found.seen


def asked_of(step: AnyStep) -> tuple[Conflict, ...]:
    """What would refuse a step; that it could not be found out is a reason as well, and hides nobody else's."""
    try:
        return step.preflight()
    except ReleaseError as unseen:
        return (Conflict("unseen", f"{step.name}: {unseen.message}", unseen.remedy),)


def state(finding: Finding[Any]) -> str:
    """The word for a finding in reports and journals."""
    return type(finding).__name__.lower()


def unneeded(steps: Sequence[AnyStep], found: Findings) -> Findings:
    """The findings, with every means whose ends are all reached as Skipped."""
    wanted: set[AnyStep] = set()
    for step in reversed(list(TopologicalSorter({step: step.needs for step in steps}).static_order())):
        if not isinstance(found[step], Done) and (not step.means or step in wanted):
            wanted.update((step, *step.needs))
    spare = {step for step in steps if step.means and step not in wanted and not isinstance(found[step], Done)}
    return {step: Skipped("nothing that needs it is left to do") if step in spare else found[step] for step in found}
