"""How long the next version, the unreleased notes and the whole changelog take, beside the peers, on a long history.

Run it as `python -m benchmarks.history [commits ...] [--rounds N] [--cache FOLDER] [--write]`: whole processes, in turn,
so that a machine's moods hit all of them. It makes the repositories and installs the peers (from PyPI, each in an
environment of its own) where the cache lacks them, and prints Markdown; `--write` puts it into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from statistics import median

from benchmarks.peers import FLOOR, NEXT, NOTES, OURS, PEERS, QUESTIONS, Peer, Place
from benchmarks.planting import plant

LIMIT = 120.0  # seconds, after which nobody waits for an answer
ENOUGH = 25.0  # seconds that one command is measured for, all rounds together
NEW = 100
CURVE = (10, 100, 1000, 10_000)
BEGIN, END = "<!-- measured -->", "<!-- end -->"
IMPORTS = (
    "import invoke.main, release.tasks, release.app, release.adapters.git.checkout, release.adapters.git.ledger, "
    "release.adapters.process, release.commands.version, release.reports.console"
)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
README = Path(__file__).with_name("README.md")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000], help="how many commits")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sluice-bench")
    parser.add_argument("--only", nargs="*", default=[peer.name for peer in PEERS], help="names of those to measure")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    asked.cache.mkdir(parents=True, exist_ok=True)
    peers = [peer for peer in PEERS if peer.name in asked.only]
    text = "\n".join(report(asked.sizes, peers, asked.rounds, asked.cache))
    print(text)
    if asked.write:
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


def report(sizes: Sequence[int], peers: Sequence[Peer], rounds: int, cache: Path) -> Iterator[str]:
    """Everything, as Markdown."""
    yield from ("", machine(), "")
    yield "Versions: " + ", ".join(f"{peer.name} {found}" for peer in peers if (found := peer.version(cache))) + "."
    for size in sizes:
        place = Place(untagged(planted(cache, size), NEW))
        yield from ("", f"## {size:,} commits, 2,000 tags", "")
        results = measured(place, peers, cache, rounds, QUESTIONS)
        yield from table(results, peers, QUESTIONS)
        ours = [(asked, one.command) for (name, asked), one in results.items() if name == OURS and not one.failed]
        yield from ("", *breakdown(place, ours, rounds))
    yield from ("", f"## In proportion to what is new: {max(sizes):,} commits", "")
    yield from curve(planted(cache, max(sizes)), [count for count in CURVE if count < max(sizes)], peers, cache, rounds)


def machine() -> str:
    """What it was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    git = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.split()[2]
    return f"Measured on {model}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}, git {git}."


def planted(cache: Path, size: int) -> Path:
    """The clone with a long history, made once."""
    place = cache / f"history-{size}"
    if not place.exists():
        plant(place, size)
    return place


@dataclass
class Measure:
    """One command: seconds of each round, and the most memory that its processes had together, in bytes."""

    command: Sequence[str]
    seconds: list[float] = field(default_factory=list)
    memory: int = 0
    failed: str = ""

    @property
    def over(self) -> bool:
        return bool(self.failed) or sum(self.seconds) > ENOUGH

    @property
    def middle(self) -> float:
        return median(self.seconds)


Measures = Mapping[tuple[str, str], Measure]


def measured(place: Place, peers: Sequence[Peer], cache: Path, rounds: int, questions: Sequence[str]) -> Measures:
    """Each peer's answers to each question: once for memory and sanity, then round by round for time."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        found = {
            (peer.name, question): Measure(command(peer, question, place, cache))
            for question in questions
            for peer in peers
            if question in peer.commands
        }
        for (name, question), measure in found.items():
            first(place, name, question, measure, out)
        for _ in range(rounds):
            for measure in found.values():
                if not measure.over:
                    measure.seconds.append(timed(place, measure.command, out))
    return found


def command(peer: Peer, question: str, place: Place, cache: Path) -> list[str]:
    home = peer.installed(cache)
    words = {"bin": str(home / "bin"), "config": str(home / "config.toml"), "last": place.last}
    return [part.format(**words) for part in peer.commands[question].split(" ")]


def first(place: Place, name: str, question: str, measure: Measure, out: Path) -> None:
    """A first run: what it needs of memory, and whether its answer is sane. One that takes too long is not run again."""
    written = place.clone / "CHANGELOG.md"
    with out.open("wb") as output, (out.with_suffix(".err")).open("wb") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(measure.command, cwd=place.clone, stdout=output, stderr=errors, env=ENVIRONMENT)
        while process.poll() is None:
            measure.memory = max(measure.memory, together(process.pid))
            time.sleep(0.004)
            if time.perf_counter() - start > LIMIT:
                process.kill()
                process.wait()
                measure.failed = f"more than {LIMIT:.0f} s"
                return
        took = time.perf_counter() - start
    answer = out.read_text(errors="replace") + (written.read_text() if written.exists() else "")
    written.unlink(missing_ok=True)
    if process.returncode != 0:
        measure.failed = "failed"
    elif name != FLOOR and not place.sane(question, answer):
        measure.failed = "wrong answer"
    elif took > ENOUGH / 2:
        measure.seconds.append(took)
        measure.seconds.append(ENOUGH) if took > ENOUGH else None
    if measure.failed:
        print(name, question, measure.failed, out.with_suffix(".err").read_text(errors="replace")[-300:], file=sys.stderr)  # fmt: skip


def together(pid: int) -> int:
    """What a process and all that it started hold in memory now, shared pages divided among who shares them (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        own = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return own + sum(together(int(child)) for child in children)


def timed(place: Place, words: Sequence[str], out: Path) -> float:
    """One whole process, from start to end."""
    with out.open("wb") as output:
        start = time.perf_counter()
        subprocess.run(words, cwd=place.clone, check=True, stdout=output, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        took = time.perf_counter() - start
    (place.clone / "CHANGELOG.md").unlink(missing_ok=True)
    return took


def table(found: Measures, peers: Sequence[Peer], questions: Sequence[str]) -> Iterator[str]:
    """A row for each peer, a column for each question: the median, how many times ours that is, and memory."""
    yield "| | " + " | ".join(questions) + " |"
    yield "|---|" + "---|" * len(questions)
    for peer in peers:
        cells = [cell(found.get((peer.name, question)), found.get((OURS, question))) for question in questions]
        yield f"| {peer.name} | " + " | ".join(cells) + " |"


def cell(measure: Measure | None, ours: Measure | None) -> str:
    if measure is None:
        return ""
    if measure.failed:
        return measure.failed
    ratio = f", {measure.middle / ours.middle:.2f} times ours" if ours and ours.seconds and ours is not measure else ""
    return f"{shown(measure.middle)}{ratio}; {measure.memory / 2**20:.0f} MB"


def shown(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def breakdown(place: Place, asked: Sequence[tuple[str, Sequence[str]]], rounds: int) -> Iterator[str]:
    """Where our own time goes: an interpreter that imports the same, git's processes, and the rest."""
    yield f"| {OURS} | whole | interpreter | imports | git, end to end | the rest |"
    yield "|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        for question, words in asked:
            rows: list[tuple[float, float, float, float]] = []
            for _ in range(rounds):
                bare = timed(place, [words[0], "-c", "pass"], out)
                imports = timed(place, [words[0], "-c", IMPORTS], out) - bare
                rows.append((timed(place, words, out), bare, imports, of_git(place, words, Path(folder))))
            whole, bare, imports, git = (median(column) for column in zip(*rows, strict=True))
            rest = max(0.0, whole - bare - imports - git)
            yield f"| {question} | " + " | ".join(map(shown, (whole, bare, imports, git, rest))) + " |"


def of_git(place: Place, words: Sequence[str], home: Path) -> float:
    """How long the git processes that we start ran, one after the other; what git starts itself is in that."""
    trace = home / "trace"
    trace.unlink(missing_ok=True)
    (home / ".gitconfig").write_text(f"[trace2]\n\teventTarget = {trace}\n")  # the one place where git looks for it
    env = {**ENVIRONMENT, "HOME": str(home)}
    subprocess.run(words, cwd=place.clone, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    return sum(float(event["t_abs"]) for event in events if event["event"] == "atexit" and "/" not in event["sid"])


def curve(clone: Path, counts: Sequence[int], peers: Sequence[Peer], cache: Path, rounds: int) -> Iterator[str]:
    """The next version and the notes, with less and less of the history tagged."""
    asked = [peer for peer in peers if peer.name in (OURS, FLOOR) or (not peer.python and "newest" not in peer.name)]
    yield "| new commits | question | " + " | ".join(peer.name for peer in asked) + " |"
    yield "|---|---|" + "---|" * len(asked)
    for count in counts:
        place = Place(untagged(clone, count))
        new = int(place.git("rev-list", "--count", f"{place.last}.."))
        found = measured(place, asked, cache, rounds, (NEXT, NOTES))
        for question in (NEXT, NOTES):
            cells = [cell(found.get((peer.name, question)), None) for peer in asked]
            yield f"| {new:,} | {question} | " + " | ".join(cells) + " |"


def untagged(clone: Path, count: int) -> Path:
    """A clone of the same history in which the newest commits have no tags, and the last tag is a final."""
    place = clone.with_name(f"{clone.name}-{count}")
    if not place.exists():
        origin = clone.with_name(f"{place.name}-origin.git")
        shutil.rmtree(origin, ignore_errors=True)
        git(clone, "clone", "--quiet", "--shared", "--bare", f"{clone}-origin.git", str(origin))
        newest = git(origin, "rev-list", f"--skip={count}", "--max-count=1", "HEAD").strip()
        gone = git(origin, "tag", "--no-merged", newest).split()
        kept = git(origin, "tag", "--merged", newest, "--sort=-version:refname").split()
        gone += takewhile(lambda name: "-" in name, kept)
        git(origin, "update-ref", "--stdin", stdin="".join(f"delete refs/tags/{name}\n" for name in gone))
        git(clone, "clone", "--quiet", "--shared", str(origin), str(place))
        git(place, "config", "user.name", "Ada")
        git(place, "config", "user.email", "ada@example.org")
    return place


def git(place: Path, *args: str, stdin: str = "") -> str:
    return subprocess.run(
        ["git", "-C", str(place), "-c", "versionsort.suffix=-", *args],
        input=stdin,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


if __name__ == "__main__":
    main()
