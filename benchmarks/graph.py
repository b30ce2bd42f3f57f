"""A fleet file with a thousand components in a graph of depth five: how long `invoke fleet.plan` takes as a whole process.

python benchmarks/graph.py [COMPONENTS] [DEPTH]

Beside it `invoke --list` (what any command costs), and in this process the parts: reading the file, resolving, looking for
contradictions, planning. Each is the best of five.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from release import config as configuration
from release.app.included import whole
from release.core.config import Config
from release.core.contradictions import contradictions
from release.core.fleet import resolved
from release.core.fleet_plan import fleet_plan
from release.core.version import scheme

TIMES = 5
TASKS = "from release.tasks import namespace as ns\n__all__ = ['ns']\n"
PROJECT = """\
[project]
name = "up"
repository = "acme/up"
forge = "github"
fleet = "fleet.toml"
requires = { lib = ">=1.2" }

[version]
scheme = "semver"

[[component]]
name = "lib"
repository = "acme/lib"
"""
COMPONENT = """\
[[downstream]]
name = "n{number}"
repository = "acme/n{number}"
trigger = "release"
workflow = "release.yml"
tag = "{{tag}}"
platforms = ["linux/amd64", "linux/arm64"]
assets = ["n{number}-{{arch}}.tgz"]
images = ["acme/n{number}:{{image_tag}}"]
requires = {{ lib = ">=1.{minor}, <3" }}
{more}

"""


def fleet(count: int, depth: int) -> str:
    """Components in layers; each is of one of the layer before, and after another one of it."""
    width = max(1, count // depth)
    tables = []
    for number in range(count):
        layer = min(number // width, depth - 1)
        before = (layer - 1) * width
        of = f'of = "n{before + number % width}"\nafter = ["n{before + (number * 7 + 1) % width}"]' if layer else ""
        lines = f'lines = ["1.{30 + number % 4}", "1.{31 + number % 4}"]' if number % 10 == 0 else ""
        tables.append(
            COMPONENT.format(number=number, minor=number % 20, more="\n".join((of, lines if not layer else "")))
        )
    return "".join(tables)


def best(what: Callable[[], object]) -> float:
    """Seconds, the least of several."""
    return min(timed(what) for _ in range(TIMES))


def timed(what: Callable[[], object]) -> float:
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def invoke(folder: Path, *words: str) -> Callable[[], object]:
    program = Path(sys.executable).with_name("invoke")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "GH_TOKEN": "none"}
    return lambda: subprocess.run([str(program), *words], cwd=folder, env=environment, capture_output=True, check=True)


def main(count: int, depth: int) -> None:
    with tempfile.TemporaryDirectory(prefix="sluice-graph-") as name:
        folder = Path(name)
        subprocess.run(["git", "init", "--quiet", name], check=True)
        (folder / "tasks.py").write_text(TASKS)
        (folder / "release.toml").write_text(PROJECT)
        (folder / "fleet.toml").write_text(fleet(count, depth))
        text = (folder / "fleet.toml").read_text()

        def read() -> Config:
            return whole(configuration.load(folder / "release.toml"), folder, lambda include, one: ("", "")).config

        written = read()
        config = resolved(written)
        assert not contradictions(config), contradictions(config)[:3]
        version = scheme(config.version, config.project.name).parse("1.33.0")
        rows = (
            ("invoke --list", invoke(folder, "--list")),
            ("invoke fleet.plan --version v1.33.0", invoke(folder, "fleet.plan", "--version", "v1.33.0")),
            ("TOML alone (tomllib)", lambda: tomllib.loads(text)),
            ("reading both files", read),
            ("resolving", lambda: resolved(written)),
            ("contradictions", lambda: contradictions(config)),
            ("planning", lambda: fleet_plan(config, version, "")),
        )
        print(f"{count} components, depth {depth}, {len(text) // 1024} KiB, Python {sys.version.split()[0]}")
        for what, run in rows:
            print(f"  {what:38} {best(run) * 1000:8.0f} ms")


if __name__ == "__main__":
    count, depth = (int(word) for word in (sys.argv[1:] + ["1000", "5"][len(sys.argv) - 1 :]))
    main(count, depth)
