"""How long an image of 200 MB for two platforms takes to build and push, beside buildah: for the first time, and unchanged.

Run it as `python -m benchmarks.images [--megabytes N] [--rounds N] [--write]`: whole processes, in turn, and a real
registry (`docker-registry`) on this machine. It prints Markdown; `--write` puts it into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.history import ENVIRONMENT, README, machine, shown, together
from release.adapters.disk import Disk

BEGIN, END = "<!-- images -->", "<!-- end of images -->"
FILES = ("words", "noise")
PLATFORMS = ("linux/amd64", "linux/arm64")
DOCKERFILE = 'FROM scratch\nCOPY words noise /opt/\nENTRYPOINT ["/opt/words"]\n'
EPOCH = 1_700_000_000
FIRST, UNCHANGED = "first time", "nothing changed"
OURS, BUILDAH = "Sluice, embedded", "buildah"


@dataclass
class Measure:
    """What one of them took: seconds of each round, and the most memory (bytes) of a round of its own.

    `alone` are the seconds without the interpreter's start and imports: what a release that runs anyway waits for.
    """

    seconds: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    memory: int = 0


@dataclass(frozen=True)
class Scene:
    """A payload, a repository with the Dockerfile, and a registry that runs."""

    folder: Path
    host: str

    def commands(self, who: str) -> list[list[str]]:
        """What has to run for an image to be in the registry, one after the other."""
        if who == OURS:
            return [[sys.executable, "-m", "benchmarks.images", "--one", str(self.folder), self.host]]
        storage = [
            "buildah", "--storage-driver", "vfs",
            "--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run"),
        ]  # fmt: skip
        build = ["--isolation", "chroot", "--format", "oci", "--layers", "--timestamp", str(EPOCH), "--quiet"]
        platforms = ["--platform", ",".join(PLATFORMS), "--manifest", "image"]
        return [
            [*storage, "bud", *build, *platforms, str(self.folder / "context")],
            [
                *storage,
                "manifest",
                "push",
                "--all",
                "--quiet",
                "--tls-verify=false",
                "image",
                f"docker://{self.host}/a/b:1",
            ],
        ]

    def clear(self, who: str) -> None:
        """As if no image had ever been built by it; ours has the files in its store, as its builds of files leave them."""
        if who == OURS:
            shutil.rmtree(self.folder / "cache", ignore_errors=True)
            for name in FILES:
                sha256, _ = Disk(self.folder / "cache").keep(self.folder / "context" / name)
                (self.folder / f"{name}.sha256").write_text(sha256)
        else:
            shutil.rmtree(self.folder / "storage", ignore_errors=True)

    def forget(self, who: str) -> None:
        """Nothing has changed, and the same is to be built: buildah's list of manifests has to be made anew."""
        if who == BUILDAH:
            storage = self.commands(who)[0][:7]
            subprocess.run([*storage, "manifest", "rm", "image"], check=True, capture_output=True)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(Path(asked.one[0]), asked.one[1])
        return
    text = "\n".join(report(asked.megabytes, asked.rounds))
    print(text)
    if asked.write:
        before, _, rest = README.read_text().partition(BEGIN)
        README.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


def one(folder: Path, host: str) -> None:
    """What a release does: build an image from a commit and files of builds, and push it."""
    from release.adapters.builders.embedded import Embedded
    from release.adapters.builders.images import ImageRoom
    from release.adapters.http import Http
    from release.adapters.registry import Registries
    from release.core.model import ImagePart, ImageWish
    from release.core.reference import Reference
    from release.redact import HIDE

    cache = folder / "cache"
    room = ImageRoom(folder / "tree" / ".git", cache, {}, [Embedded(cache)])
    wish = ImageWish("a/b", "1", "Dockerfile", ".", tuple(ImagePart(name, {}, FILES) for name in PLATFORMS))
    inputs = {name: cache / "files" / "sha256" / (folder / f"{name}.sha256").read_text() for name in FILES}
    commit = git(folder / "tree", "rev-parse", "HEAD")
    registries = Registries.at({}, HIDE, Http({}, HIDE))
    start = time.perf_counter()
    image = room.build(wish, commit, EPOCH, {}, inputs, lambda line: None)
    registries.push(room.layout, image.digest, Reference(host, "a/b", "1"), lambda line: None)
    print(time.perf_counter() - start)


def report(megabytes: int, rounds: int) -> Iterator[str]:
    """The whole measurement as Markdown."""
    found = {(who, when): Measure() for who in (OURS, BUILDAH) for when in (FIRST, UNCHANGED)}
    with tempfile.TemporaryDirectory(prefix="images-") as folder:
        payload(Path(folder), megabytes)
        for number in range(rounds + 1):
            for who in (OURS, BUILDAH):
                with served(Path(folder)) as scene:
                    scene.clear(who)
                    watched = number == rounds  # memory is looked at in a round of its own
                    took(scene, who, found[who, FIRST], watched)
                    scene.forget(who)
                    took(scene, who, found[who, UNCHANGED], watched)
                    scene.clear(who)
    yield f"\n{machine()} {versions()}\n"
    yield f"{megabytes} MB, half of it words and half of it noise; {' and '.join(PLATFORMS)}; {rounds} rounds.\n"
    yield f"| | {FIRST} | {UNCHANGED} |\n|---|---|---|"
    for who in (OURS, BUILDAH):
        cells = [cell(found[who, when], found[OURS, when]) for when in (FIRST, UNCHANGED)]
        yield f"| {who} | {' | '.join(cells)} |"
        if who == OURS:
            alone = [shown(median(found[who, when].alone)) for when in (FIRST, UNCHANGED)]
            yield f"| the same in a release that runs | {' | '.join(alone)} |"


def took(scene: Scene, who: str, measure: Measure, watched: bool) -> None:
    """Run what it takes, and note how long, or how much memory."""
    start, said = time.perf_counter(), ""
    for words in scene.commands(who):
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
            while watched and process.poll() is None:
                measure.memory = max(measure.memory, together(process.pid))
                time.sleep(0.004)
            out, errors = process.communicate()
            said = out.decode()
        if process.returncode != 0:
            raise SystemExit(f"{who}: {' '.join(words)} failed: {errors.decode(errors='replace')[-500:]}")
    if not watched:
        measure.seconds.append(time.perf_counter() - start)
        measure.alone += [float(said)] if who == OURS else []


@contextmanager
def served(folder: Path) -> Iterator[Scene]:
    """With a registry that holds nothing."""
    from tests.registries import registry

    with tempfile.TemporaryDirectory(dir=folder, prefix="registry-") as data, registry(Path(data)) as running:
        yield Scene(folder, running.host)


def payload(folder: Path, megabytes: int) -> None:
    """The files, the same each time, beside a Dockerfile; and a repository with that alone, as files are built."""
    chance = random.Random(1)
    words = [chance.randbytes(chance.randint(2, 6)).hex().encode() for _ in range(4000)]
    context, tree, half = folder / "context", folder / "tree", megabytes << 19
    context.mkdir()
    tree.mkdir()
    with (context / "words").open("wb") as file:
        while file.tell() < half:
            file.write(b" ".join(chance.choices(words, k=20_000)) + b"\n")
        file.truncate(half)
    with (context / "noise").open("wb") as file:
        for _ in range(half >> 19):
            file.write(chance.randbytes(1 << 19))
    for place in (context, tree):
        (place / "Dockerfile").write_text(DOCKERFILE)
    git(tree, "init", "--quiet")
    git(tree, "add", "Dockerfile")
    git(tree, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "all")


def git(place: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=place, check=True, capture_output=True, text=True).stdout.strip()


def versions() -> str:
    """What was measured beside us."""
    said = subprocess.run(["buildah", "--version"], check=True, capture_output=True, text=True).stdout.split()[2]
    kept = subprocess.run(["docker-registry", "--version"], check=False, capture_output=True, text=True).stdout.split()
    load = f"load {os.getloadavg()[1]:.1f} when it was done"
    return f"buildah {said} (vfs, chroot), docker-registry {kept[-1] if kept else '?'}; {load}."


def cell(measure: Measure, ours: Measure) -> str:
    took, best = median(measure.seconds), median(ours.seconds)
    ratio = "" if measure is ours else f", {took / best:.1f} times ours"
    return f"{shown(took)}{ratio}; {measure.memory / 2**20:.0f} MB"


if __name__ == "__main__":
    main()
