"""How a thousand components are released at once, on a forge with limits where one request in twenty goes wrong.

Run it as `python -m benchmarks.fleet_release [components ...] [--scale SECONDS]`. Everything is real but the length of a
minute: the limits are those that GitHub documents, by an hour of `--scale` seconds, and an hour has still sixty minutes.
It prints Markdown.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from release.adapters import haste
from release.adapters.git.ledger import GitLedger
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.adapters.github import GitHub
from release.adapters.http import Rates
from release.core.finding import Done
from release.core.model import DownstreamWish, Person, Release
from release.engine.step import Step
from release.engine.walk import LIMIT, Engine, Event
from release.sandbox.forge import Fault, Limits, Sandbox
from release.sandbox.forge.many import many
from release.sandbox.forge.record import Exchange
from release.steps.follow import FollowDownstream
from release.steps.trigger import ByRelease

CAPTAIN = Person("Captain", "captain@example.org")
TAG = "v2.0.0"
WORKERS = 16
OF_THE_FORGE = ("forge", "runner", "asyncio")  # what its threads are named by: those that serve, work and run jobs
EVERY = 140  # calls from one fault of a kind to the next
RUNS = 20  # how often the same command is typed, at most


@dataclass(frozen=True)
class Scale:
    """GitHub's limits with another clock: `minute` and `hour` are in seconds. `most` are contents in an hour."""

    minute: float
    hour: float
    points: int = 900
    made: int = 80
    most: int = 500

    @property
    def rates(self) -> Rates:
        return Rates(100, self.points, self.made, self.most, self.minute, self.hour, gap=0.0)

    @property
    def limits(self) -> Limits:
        return Limits(
            user=0,
            concurrent=100,
            points=self.points,
            minute=self.made,
            hour=self.most,
            a_minute=self.minute,
            an_hour=self.hour,
        )


@dataclass
class Result:
    """What came of it. `doubled` and `lost` are components with more than one release, and with none."""

    components: int
    lost: int = 0
    doubled: int = 0
    requests: int = 0
    faults: int = 0
    refused: int = 0
    waits: int = 0
    threads: int = 0
    runs: int = 0
    seconds: float = 0.0
    blocks: int = 0
    failed: list[str] = field(default_factory=list)


class Quick(FollowDownstream):
    """The same, for a forge that never lags: what is not to be seen at once did not happen."""

    settle: ClassVar[float] = 0.1


def kinds() -> Iterator[Fault]:
    """One request in twenty goes wrong, each time in another way; with `after` it was done, and only its answer is lost."""
    ways: list[dict[str, Any]] = [
        {"status": 500}, {"status": 502, "when": "after"}, {"status": 503}, {"reset": True}, {"reset": True, "when": "after"},
        {"cut": 7}, {"status": 500, "when": "after"},
    ]  # fmt: skip
    for number, way in enumerate(ways):
        yield Fault(path="/repos/*", nth=EVERY // len(ways) * number + 7, every=EVERY, **way)


@contextmanager
def forge(folder: Path, components: int, scale: Scale) -> Iterator[tuple[Sandbox, tuple[str, ...]]]:
    """A forge with so many components, none of them released."""
    with Sandbox(folder, limits=scale.limits) as sandbox:
        names = many(sandbox, components, 1, push=("captain",), workflow="")
        sandbox.faults(*kinds())
        yield sandbox, names


def released(folder: Path, components: int, scale: Scale, patience: float, workers: int = WORKERS) -> Result:
    """Release them all at once, until all are out; `patience` is for how long a thread may wait for a limit."""
    result = Result(components)
    with forge(folder / "forge", components, scale) as (sandbox, names):
        count = counting(sandbox)
        began = time.monotonic()
        with hasty(patience), opened(sandbox, scale) as github:
            for result.runs in range(1, RUNS + 1):
                if run(folder, github, names, result, workers):
                    break
        result.seconds = time.monotonic() - began
        made = [sum(one["tag_name"] == TAG for one in sandbox.releases(name)) for name in names]
        result.lost, result.doubled = made.count(0), sum(number > 1 for number in made)
        result.requests, result.refused = count.total(), sandbox.meter.refused
        result.faults = sum(fault["seen"] // EVERY for fault in sandbox.store.all("fault"))
    return result


def counting(sandbox: Sandbox) -> Counter[str]:
    """The requests from now on, by endpoint; they are not kept."""
    counts: Counter[str] = Counter()

    def count(one: Exchange) -> None:
        counts[f"{one.method} {one.template}"] += 1

    sandbox.record.add = count  # type: ignore[method-assign,assignment]
    return counts


@contextmanager
def hasty(patience: float) -> Iterator[None]:
    """Threads in a hurry wait for so many seconds, by the clock of this world."""
    usual, haste.HASTE = haste.HASTE, patience
    try:
        yield
    finally:
        haste.HASTE = usual


@contextmanager
def opened(sandbox: Sandbox, scale: Scale) -> Iterator[GitHub]:
    """The forge for one process, which knows of its own requests only: so all runs are of one."""
    environment = {"GITHUB_API_URL": sandbox.api_url, "GH_TOKEN": sandbox.token("captain")}
    github = GitHub.at(environment, rates=scale.rates)
    github._http._backoff = 0.001
    try:
        yield github
    finally:
        github.close()


def run(folder: Path, github: GitHub, names: Sequence[str], result: Result, workers: int) -> bool:
    """What one command does: look, ask what would refuse, act; whether all of it is out."""

    def tell(event: Event) -> None:
        result.waits += event.state == LIMIT
        result.threads = max(result.threads, ours())

    before = blocks()
    with ThreadPoolExecutor(workers, initializer=haste.hurry) as pool:
        engine = Engine(pool, time.monotonic, tell)
        steps = path(folder, github, names)
        seen = engine.look(steps)
        engine.preflight(steps, seen)
        found = engine.reach(steps, seen)
        result.blocks = max(result.blocks, blocks() - before)
    result.failed = [f"{step.name}: {one.detail}" for step, one in found.items() if not isinstance(one, Done)]
    return not result.failed


def ours() -> int:
    """How many threads there are but for the forge's, which answers from this process."""
    return sum(not thread.name.startswith(OF_THE_FORGE) for thread in threading.enumerate())


def blocks() -> int:
    """How many objects there are."""
    gc.collect()
    return len(gc.get_objects())


def path(folder: Path, github: GitHub, names: Sequence[str]) -> list[Step[Any]]:
    """A step for each component, all at once."""
    remote = GitRemote(str(folder / "upstream.git"), Runner(store(folder / "store.git")))
    ledger = GitLedger(remote, CAPTAIN, lambda: "2026-01-01T00:00:00+00:00")
    date = "2026-01-01T00:00:00+00:00"
    release = Release("2.0.0", TAG, "2.0", "final", "minor", None, "master", "0" * 40, date, CAPTAIN)
    return [follow(github, ledger, release, name) for name in names]


def follow(github: GitHub, ledger: GitLedger, release: Release, repository: str) -> Step[Any]:
    name = repository.partition("/")[2]
    there = github.forge(repository)
    wish = DownstreamWish(name, repository, "master", TAG, trigger="release")
    return Quick(
        name=f"downstream {name}", release=release, wish=wish, upstream=(), after=(),
        trigger=ByRelease(release, wish, "app", there), home=there, origin=release.tag, forge=there, registry=None,
        ledger=ledger, mine=True,
    )  # fmt: skip


def table(results: Sequence[Result]) -> Iterator[str]:
    """Markdown."""
    columns = ("components", "lost", "doubled", "requests", "faults", "refused", "waits", "threads", "runs", "seconds")
    yield "| " + " | ".join(columns) + " | requests a component | objects a component |"
    yield "|" + " --- |" * (len(columns) + 2)
    for one in results:
        values = [f"{getattr(one, name):.0f}" for name in columns]
        values += [f"{one.requests / one.components:.1f}", f"{one.blocks / one.components:.0f}"]
        yield "| " + " | ".join(values) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("components", nargs="*", type=int, default=[250, 1000])
    parser.add_argument("--scale", type=float, default=60.0, help="seconds that an hour has")
    given = parser.parse_args()
    scale = Scale(given.scale / 60, given.scale)
    results = []
    for components in given.components:
        with tempfile.TemporaryDirectory() as folder:
            results.append(released(Path(folder), components, scale, given.scale / 1800))
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
