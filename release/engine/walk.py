"""Walk the steps until the world matches."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, TypeAlias, TypeVar

from release.core.finding import Blocked, Conflict, Done, Failed, Finding, Pending, Skipped, Underway
from release.engine.step import Known, Step
from release.engine.turns import Patience, Turns
from release.errors import Missing, ReleaseError, Uncertain

A = TypeVar("A")
B = TypeVar("B")
AnyStep: TypeAlias = "Step[Any]"
Findings: TypeAlias = Mapping[AnyStep, Finding[Any]]
Life: TypeAlias = Generator[float, None, Finding[Any]]

FIRST_PAUSES = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5)
PAUSE = 1.0
SLOWER = 0.2  # of what was waited so far: nobody learns of an end later than by a fifth
LIMIT = "limit"  # the state of an event that tells of a wait for one


@dataclass(frozen=True)
class Event:
    """Something that listeners may want to hear of: `kind` is intent, progress, uncertain, waits or found.

    `state` is that of what was found, or LIMIT where it waits because somebody takes no more requests for a while.
    """

    step: str
    kind: str
    detail: str = ""
    state: str = ""

    @property
    def limited(self) -> bool:
        return self.kind == "waits" and self.state == LIMIT


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
        asked = self._all(map(self._refusals, pending))
        return tuple(dict.fromkeys(chain(blocked, chain.from_iterable(asked))))

    def each(self, ask: Callable[[A], B], of: Sequence[A], name: str = "look") -> list[B]:
        """Ask one thing of many at the same time; the answers in their order. What meets a limit is asked again after it.

        `name` is what this is called where listeners hear of it.
        """
        return self._all(self._asked(ask, one, name) for one in of)

    def _all(self, lives: Iterable[Generator[float, None, B]]) -> list[B]:
        """What becomes of lives that need nothing of each other, in their order."""
        turns: Turns[int, B] = Turns(self.pool, self.clock)
        for number, life in enumerate(lives):
            turns.begin(number, life)
        found: list[B] = []
        for _, end in sorted(turns.ends(), key=itemgetter(0)):
            if isinstance(end, BaseException):
                raise end
            found.append(end)
        return found

    def _refusals(self, step: AnyStep) -> Generator[float, None, tuple[Conflict, ...]]:
        """What would refuse a step; that it could not be found out is a reason as well, and hides nobody else's."""
        try:
            return (yield from self._asked(lambda one: one.preflight(), step, self.label(step)))
        except Missing as absent:
            return (absent.conflict,)
        except ReleaseError as unseen:
            return (Conflict("unseen", f"{step.name}: {unseen.message}", unseen.remedy),)

    def _asked(self, ask: Callable[[A], B], one: A, name: str) -> Generator[float, None, B]:
        patience = self._patience(name)
        while True:
            try:
                return ask(one)
            except ReleaseError as error:
                if not patience.takes(error):
                    raise
                held = error
            yield from patience.wait(held)

    def _patience(self, name: str) -> Patience:
        return Patience(self.clock, lambda why: self.tell(Event(name, "waits", why, LIMIT)))

    def reach(self, steps: Sequence[AnyStep], seen: Findings) -> Findings:
        """Apply what is Pending, wait for what is Underway; ends with a finding for every step."""
        return self._walk(steps, self._live, seen)

    def _glance(self, step: AnyStep, found: Findings, renewed: bool) -> Life:
        return (yield from self._seen(step, Known(step, found), self._patience(self.label(step))))

    def _live(self, step: AnyStep, found: Findings, renewed: bool = False) -> Life:
        """One step's life; yields the seconds until it wants to be looked at again.

        What is Done stays so, unless it is `renewed`: something that it needs was made since it was looked at.
        What is refused because of a limit is certainly not done: after it the world is looked at anew, and then it may be
        applied once more. The time that limits take counts against no deadline.
        """
        if isinstance(found[step], Skipped) or (isinstance(found[step], Done) and not renewed):
            return found[step]
        missing = [need.name for need in step.needs if not isinstance(found[need], Done)]
        if missing:
            return Pending(f"waits for {', '.join(missing)}")
        known, patience = Known(step, found), self._patience(self.label(step))
        while True:
            before, ours = yield from self._turn(step, known, patience)
            if not ours or not isinstance(before, (Pending, Failed)):
                return before
            refused = self._act(step, known, before)
            if refused is None or not patience.takes(refused):
                break
            yield from patience.wait(refused)
        outcome = (
            refused if refused is None or isinstance(refused, Uncertain) else Failed(refused.message, refused.remedy)
        )
        began, under_way = self.clock() - patience.waited, False
        for pause in self._pauses(step, self.clock()):
            now = yield from self._seen(step, known, patience)
            if isinstance(outcome, Failed) and isinstance(now, (Pending, Failed)):
                return outcome
            under_way = under_way or isinstance(now, Underway)
            lags = isinstance(now, Pending) or (isinstance(now, Failed) and now == before)
            waits = isinstance(now, Underway) or (under_way and blind(now))
            most = step.settle if lags else step.deadline if waits else 0.0
            if self.clock() - began - patience.waited >= most:
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

    def _turn(
        self, step: AnyStep, known: Known, patience: Patience
    ) -> Generator[float, None, tuple[Finding[Any], bool]]:
        """Wait while it is somebody else's turn; what is found then, and whether it may be for us to act on.

        What failed before we came is begun anew; what fails while we watch is told, for whoever types the command again.
        """
        began = self.clock() - patience.waited
        for number, pause in enumerate(self._pauses(step, self.clock())):
            now = yield from self._seen(step, known, patience)  # the plan may be minutes old
            waits = isinstance(now, Underway) or (number > 0 and blind(now))
            if not waits or self.clock() - began - patience.waited >= step.deadline:
                return now, not blind(now) and (number == 0 or not isinstance(now, Failed))
            self.tell(Event(self.label(step), "waits", now.detail, state(now)))
            yield pause
        raise AssertionError("the pauses never end")

    def _pauses(self, step: AnyStep, began: float) -> Iterator[float]:
        """Seconds between looks: short ones first, then longer ones, up to the step's pace."""
        yield from FIRST_PAUSES
        while True:
            yield min(max(PAUSE, SLOWER * (self.clock() - began)), step.pace)

    def _seen(self, step: AnyStep, known: Known, patience: Patience) -> Life:
        """What is found of a step, which may be that nothing can be seen of it; what meets a limit is looked at after it."""
        while True:
            try:
                return step.inspect(known)
            except Missing as absent:
                return Blocked(absent.conflict)
            except ReleaseError as unseen:
                if not patience.takes(unseen):
                    return Failed(unseen.message, unseen.remedy, seen=False)
                held = unseen
            yield from patience.wait(held)

    def _act(self, step: AnyStep, known: Known, before: Pending | Failed) -> ReleaseError | None:
        """Apply once; what was raised. A refusal is final for this run, a lost answer is not: the world is looked at either way."""
        self.tell(Event(self.label(step), "intent", before.detail, state(before)))
        try:
            step.apply(known, lambda text: self.tell(Event(self.label(step), "progress", text)))
        except Uncertain as lost:
            self.tell(Event(self.label(step), "uncertain", str(lost)))
            return lost
        except ReleaseError as refused:
            return refused
        return None

    def _walk(
        self, steps: Sequence[AnyStep], life: Callable[[AnyStep, Findings, bool], Life], seen: Findings
    ) -> Findings:
        """A finding for every step, needs first. Threads look and act; what waits lies in a heap, not in a thread."""
        found: dict[AnyStep, Finding[Any]] = dict(seen)
        turns: Turns[AnyStep, Finding[Any]] = Turns(self.pool, self.clock)
        order: TopologicalSorter[AnyStep] = TopologicalSorter({step: step.needs for step in steps})

        def begin() -> None:
            for step in order.get_ready():
                renewed = any(isinstance(found[need], Done) and found[need] != seen.get(need) for need in step.needs)
                turns.begin(step, life(step, found, renewed))

        order.prepare()
        begin()
        for step, end in turns.ends():
            if isinstance(end, BaseException):
                raise end
            found[step] = end
            self.tell(Event(self.label(step), "found", end.detail, state(end)))
            order.done(step)
            begin()
        return found


def blind(found: Finding[Any]) -> bool:
    """Whether the world could not be looked at; who waits, waits on."""
    return isinstance(found, Failed) and not found.seen


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
