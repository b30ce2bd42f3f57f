"""A forge with a large fleet, served by a process of its own: what the measurements of a fleet ask.

`python -m benchmarks.fleet_world FOLDER COMPONENTS RELEASES` serves until its input ends. Each line of input is answered with
the requests of the API since the last one, as JSON: "GET /repos/{owner}/{repo}/releases 200" -> how many.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

CAPTAIN, OWNER, PREFIX, UPSTREAM = "captain", "acme", "component", "upstream"
GIT = ("-c", "user.name=Captain", "-c", "user.email=captain@example.org")


@dataclass(frozen=True)
class World:
    """A fleet on a forge that runs: how it is reached, and a captain's clone of the upstream. `other` is somebody else's token."""

    url: str
    api_url: str
    token: str
    other: str
    clone: Path
    names: tuple[str, ...]
    process: subprocess.Popen[str]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """What a captain's machine has."""
        return {
            **base,
            "GITHUB_API_URL": self.api_url,
            "GITHUB_SERVER_URL": self.url,
            "SLUICE_GITHUB_TOKEN": self.token,
        }

    def counted(self) -> dict[str, int]:
        """The requests of the API since this was asked last, by endpoint and status."""
        feed, said = cast("IO[str]", self.process.stdin), cast("IO[str]", self.process.stdout)
        feed.write("\n")
        feed.flush()
        return cast("dict[str, int]", json.loads(said.readline()))


@contextmanager
def world(folder: Path, components: int, releases: int) -> Iterator[World]:
    """A forge of so many components with so many releases each, the upstream among them, under GitHub's limits."""
    words = [sys.executable, "-m", "benchmarks.fleet_world", str(folder / "forge"), str(components), str(releases)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = json.loads(cast("IO[str]", process.stdout).readline())
            clone, names = cloned(folder, told), tuple(told["names"])
            yield World(told["url"], told["api"], told["token"], told["other"], clone, names, process)
        finally:
            cast("IO[str]", process.stdin).close()
            process.wait(60)


def cloned(folder: Path, told: Mapping[str, Any]) -> Path:
    """A captain's clone of the upstream, with the fleet in its release.toml."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", f"{told['url']}/{OWNER}/{UPSTREAM}-0001.git", str(clone)], check=True)
    (clone / "release.toml").write_text(configuration(told["names"]))
    (clone / "tasks.py").write_text("from release.tasks import namespace as ns\n")
    return clone


def configuration(names: Sequence[str]) -> str:
    """release.toml: every component is to have a release for each of the upstream's, two files, and a green run."""
    head = f'[project]\nname = "app"\nrepository = "{OWNER}/{UPSTREAM}-0001"\nforge = "github"\n'
    table = (
        '\n[[downstream]]\nname = "{name}"\nrepository = "{owner}/{name}"\nbranch = "master"\ntrigger = "release"\n'
        'workflow = "release.yml"\nassets = ["{name}-{{arch}}.txt"]\nplatforms = ["linux/amd64", "linux/arm64"]\n'
    )
    return head + "".join(table.format(name=name, owner=OWNER) for name in names)


def serve(folder: Path, components: int, releases: int) -> None:
    """The forge, until nobody wants it any more."""
    from release.sandbox.forge import GITHUB, Sandbox
    from release.sandbox.forge.many import many
    from release.sandbox.forge.record import Exchange

    sandbox = Sandbox(folder, limits=GITHUB)
    counts: Counter[str] = Counter()

    def count(one: Exchange) -> None:
        counts[f"{one.method} {one.template} {one.status}"] += 1

    sandbox.record.add = count  # type: ignore[method-assign,assignment]
    sandbox.user(CAPTAIN)
    many(sandbox, 1, releases, owner=OWNER, prefix=UPSTREAM, push=(CAPTAIN,))
    names = many(sandbox, components, releases, owner=OWNER, prefix=PREFIX, push=(CAPTAIN,))
    with sandbox:
        tokens = {"token": sandbox.token(CAPTAIN), "other": sandbox.token("other")}
        short = [name.partition("/")[2] for name in names]
        print(json.dumps({"url": sandbox.url, "api": sandbox.api_url, "names": short, **tokens}), flush=True)
        for _ in sys.stdin:
            print(json.dumps(counts), flush=True)
            counts.clear()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), *map(int, sys.argv[2:4]))
