"""How long the status of a large fleet takes, for the first time and once more, beside shell loops over GitHub's `gh`.

Run it as `python -m benchmarks.fleet [components ...] [--releases N] [--slice N] [--write]`: whole processes, in turn, against
the embedded forge under the limits that GitHub documents. It prints Markdown; `--write` puts it into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fleet_world import OWNER, World, world
from benchmarks.history import ENVIRONMENT, README, machine

BEGIN, END = "<!-- fleet -->", "<!-- end of fleet -->"
HOST = "github.localhost"  # the one host that gh speaks plain HTTP to
HOUR, PRIMARY, MINUTE = 3600.0, 5000, 60.0  # seconds, requests an hour, seconds
FIRST, SECOND = "first status", "second status"
LISTING, VIEWING = "a loop by component", "a loop by cell"
# What was refused is asked again after a minute, as a loop has to.
AGAIN = 'again() { until "$@" > answer; do sleep 60; done; }\n'
LOOPS = {
    LISTING: AGAIN
    + """for name in $NAMES; do
  again gh api --paginate "repos/$OWNER/$name/releases?per_page=100"
  again gh api --paginate "repos/$OWNER/$name/tags?per_page=100"
  again gh run list --repo "$GH_HOST/$OWNER/$name" --workflow release.yml --limit 100 --json headBranch,status,conclusion
done""",
    VIEWING: AGAIN
    + """for name in $NAMES; do for tag in $TAGS; do
  again gh release view "$tag" --repo "$GH_HOST/$OWNER/$name" --json tagName,assets,publishedAt
done; done""",
}


@dataclass(frozen=True)
class Measure:
    """One process: `seconds` by the clock, the requests of the API by endpoint and status, the most memory in bytes."""

    seconds: float
    requests: Mapping[str, int]
    memory: int = 0

    @property
    def asked(self) -> int:
        return sum(self.requests.values())

    @property
    def counted(self) -> int:
        """What of it the hour's limit counts: neither what was not modified, nor what was refused, nor GraphQL, which has its own."""
        free = ("304", "403")
        told = {name: n for name, n in self.requests.items() if "/graphql " not in name}
        return sum(number for name, number in told.items() if name.rpartition(" ")[2] not in free)

    @property
    def refused(self) -> int:
        return sum(number for name, number in self.requests.items() if name.endswith(" 403"))

    def scaled(self, factor: float) -> Measure:
        """The same for more components."""
        return Measure(
            self.seconds * factor, {name: round(n * factor) for name, n in self.requests.items()}, self.memory
        )

    @property
    def limited(self) -> float:
        """Seconds where the hour's limit is kept to: what does not fit into an hour begins in the next one."""
        whole = (self.counted - 1) // PRIMARY
        rest = self.seconds * (self.counted - whole * PRIMARY) / max(1, self.counted)
        return max(self.seconds, whole * HOUR + rest)


@dataclass
class Results:
    """What was measured for one size: ours whole, and each loop on `part` of the components."""

    components: int
    part: int
    ours: dict[str, Measure] = field(default_factory=dict)
    loops: dict[str, Measure] = field(default_factory=dict)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("components", nargs="*", type=int, default=[250, 1000])
    parser.add_argument("--releases", type=int, default=50)
    parser.add_argument("--slice", type=int, default=20, help="of how many components a loop is measured")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    text = "\n".join(report(asked.components, asked.releases, asked.slice))
    print(text)
    if asked.write:
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


def report(sizes: Sequence[int], releases: int, part: int) -> Iterator[str]:
    """The whole measurement as Markdown."""
    results: list[Results] = []
    for size in sizes:  # what a loop takes for a component is measured once
        results.append(measured(size, releases, min(part, *sizes), results[0].loops if results else {}))
    load = f"load {os.getloadavg()[1]:.1f} when it was done"
    yield f"\n{machine()} {version()}; {load}.\n"
    yield f"{releases} releases with two files and one run each; the loops were measured on {results[0].part} components.\n"
    yield f"| | {' | '.join(f'{one.components:,} components' for one in results)} |"
    yield f"|---|{'---|' * len(results)}"
    for name in (FIRST, SECOND):
        yield f"| {name} | {' | '.join(own(one.ours[name]) for one in results)} |"
    for name in LOOPS if shutil.which("gh") else ():
        yield f"| {name} | {' | '.join(other(one, name) for one in results)} |"
        yield f"| the same within 5,000 requests an hour | {' | '.join(within(one, name) for one in results)} |"
    yield (
        "\n| requests of the API | "
        + " | ".join(f"{one.components:,}: {name}" for one in results for name in one.ours)
        + " |"
    )
    yield f"|---|{'---|' * 2 * len(results)}"
    measures = [measure for one in results for measure in one.ours.values()]
    for kind in sorted({kind for measure in measures for kind in measure.requests}):
        yield f"| `{kind}` | {' | '.join(f'{measure.requests.get(kind, 0):,}' for measure in measures)} |"


def measured(components: int, releases: int, part: int, loops: Mapping[str, Measure]) -> Results:
    """Everything on one forge; the loops, unless they have been measured."""
    results = Results(components, part, loops=dict(loops))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet-")))
        made = stack.enter_context(world(folder, components, releases))
        results.ours[FIRST] = status(made)
        time.sleep(MINUTE)  # else the second would wait for what the first asked
        results.ours[SECOND] = status(made)
        for name in LOOPS if shutil.which("gh") and not loops else ():
            results.loops[name] = loop(made, folder, name, made.names[:part], releases)
    return results


def status(made: World) -> Measure:
    """`invoke fleet.status` as a captain types it."""
    made.counted()
    words = [sys.executable, "-m", "invoke", "fleet.status"]
    base = {**ENVIRONMENT, "PYTHONPATH": str(README.parent.parent)}
    start = time.perf_counter()
    with subprocess.Popen(words, cwd=made.clone, env=made.environment(base), stdout=subprocess.DEVNULL) as process:
        _, code, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
    taken = time.perf_counter() - start
    if process.returncode != 0:
        raise SystemExit(f"fleet.status ended with {process.returncode}")
    return told(Measure(taken, made.counted(), used.ru_maxrss << 10))


def loop(made: World, folder: Path, name: str, names: Sequence[str], releases: int) -> Measure:
    """A shell loop over some components, by somebody of his own, so that it has limits of its own."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "GH_HOST": HOST, "GH_TOKEN": made.other, "HTTP_PROXY": made.url,
        "GH_NO_UPDATE_NOTIFIER": "1", "GH_PROMPT_DISABLED": "1", "OWNER": OWNER, "NAMES": " ".join(names),
        "TAGS": " ".join(f"v1.{number}.0" for number in range(1, releases + 1)),
    }  # fmt: skip
    made.counted()
    start = time.perf_counter()
    subprocess.run(["bash", "-c", LOOPS[name]], cwd=home, env=environment, check=True)
    return told(Measure(time.perf_counter() - start, made.counted()))


def told(measure: Measure) -> Measure:
    """So that somebody who waits sees something."""
    print(measure, file=sys.stderr)
    return measure


def own(measure: Measure) -> str:
    refused = f", {measure.refused} refused" if measure.refused else ""
    return (
        f"{measure.seconds:.1f} s; {measure.asked:,} requests{refused}, {measure.counted:,} of the hour's 5,000; "
        f"{measure.memory / 2**20:.0f} MB"
    )


def other(one: Results, name: str) -> str:
    whole = one.loops[name].scaled(one.components / one.part)
    return f"{whole.seconds:,.0f} s, {whole.seconds / one.ours[FIRST].seconds:.1f} times ours; {whole.asked:,} requests"


def within(one: Results, name: str) -> str:
    whole = one.loops[name].scaled(one.components / one.part)
    return f"{whole.limited:,.0f} s, {whole.limited / one.ours[FIRST].seconds:.1f} times ours"


def version() -> str:
    """What was measured beside us."""
    if not shutil.which("gh"):
        return "gh is not here"
    return subprocess.run(["gh", "--version"], check=True, capture_output=True, text=True).stdout.partition("\n")[0]


if __name__ == "__main__":
    main()
