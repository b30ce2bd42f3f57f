"""How much longer `invoke --list` takes with this project's tasks than with one empty task.

Run it as `python benchmarks/startup.py [rounds]`. Both are whole processes, in turn, so that a machine's moods hit both;
it prints the medians and their difference in milliseconds, and ends with 1 above the promised 60.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PROMISED = 60.0  # milliseconds
BARE = "from invoke import task\n\n\n@task\ndef nothing(c):\n    pass\n"
OURS = "from release.tasks import namespace as ns\n"


def main(rounds: int = 20) -> int:
    """Measures, prints, judges."""
    with tempfile.TemporaryDirectory() as folder:
        places = {name: Path(folder) / name for name in ("bare", "ours")}
        for name, text in (("bare", BARE), ("ours", OURS)):
            places[name].mkdir()
            (places[name] / "tasks.py").write_text(text)
            seconds(places[name])  # warm-up
        taken: dict[str, list[float]] = {name: [] for name in places}
        for _ in range(rounds):
            for name, place in places.items():
                taken[name].append(seconds(place) * 1000)
    bare, ours = median(taken["bare"]), median(taken["ours"])
    print(f"bare {bare:.0f} ms, ours {ours:.0f} ms: {ours - bare:+.0f} ms, ratio {ours / bare:.2f} ({rounds} rounds)")
    return int(ours - bare > PROMISED)


def seconds(place: Path) -> float:
    """One process, from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "invoke", "--list"], cwd=place, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
