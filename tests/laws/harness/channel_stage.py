"""Channels in one process: real remotes, a real registry, captains who may die at any write, and hands that interfere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import pytest
import requests

from release.adapters.git.remote import GitRemote
from release.adapters.registry import Registries
from release.app.channels import Channels
from release.engine.step import Step
from release.sandbox.registry import SandboxRegistry
from tests.forged import identity
from tests.laws.harness.inside import opened
from tests.registries import INDEX, Running
from tests.world import World, made

FIRST = ("1.0.0-rc1", "1.1.0-rc1", "1.2.0-rc1", "1.3.0-rc1")
"""What is out in the beginning: withdrawn, each in the record of its line."""
HAND = "hand@example.org"
CAPTAIN = "captain@example.org"
FILE = "channels.yaml"
NAMES = ("testing", "latest", "stable")
CONFIG = """\
[project]
name = "app"

[version]
candidates = ["rc"]

[commit]
mode = "push"
"""
CHANNEL = """
[[channel]]
name = "{name}"
{more}

[[channel.point]]
kind = "image"
name = "image"
image = "{host}/app:{name}"
source = "{{tag}}"

[[channel.point]]
kind = "file"
name = "file"
repository = "../site.git"
path = "channels.yaml"
key = "{name}"
"""
HEALTH = """
[[channel.health]]
name = "well"
kind = "command"
run = ["sh", "-c", "exit $(cat '{folder}/{{tag}}' 2>/dev/null || echo 0)"]
"""
SETTLE = 1.0
WELL, ILL, UNTOLD = 0, 1, 2
"""What the question about a release ends with."""


class Died(BaseException):
    """A machine went off at a write; nothing of it runs on."""


@dataclass(frozen=True)
class Setup:
    """How the channels of a world depend on each other, and what happens to latest where its release is unhealthy."""

    chained: bool
    unhealthy: str

    def text(self, host: str, folder: Path) -> str:
        """Its release.toml."""
        more = {
            "testing": 'accepts = "candidate"',
            "latest": f'unhealthy = "{self.unhealthy}"' + ('\nfollows = "testing"' if self.chained else ""),
            "stable": 'follows = "latest"\nsoak = "24h"\nnew_minor_from_patch = 1',
        }
        tables = (
            CHANNEL.format(name=name, more=more[name], host=host) + (HEALTH.format(folder=folder) if name != "testing" else "")
            for name in NAMES
        )  # fmt: skip
        return CONFIG + "".join(tables)


@dataclass
class Fuse:
    """Writes of the product are counted; at the n-th the machine dies, before or after it is done."""

    left: int = 0
    after: bool = False
    burnt: bool = False
    lock: Lock = field(default_factory=Lock)

    def set(self, n: int, after: bool) -> None:
        self.left, self.after, self.burnt = n, after, False

    @contextmanager
    def around(self) -> Iterator[None]:
        """A write. Once the machine has died, it writes nothing more."""
        with self.lock:
            self.left -= 1
            now = self.left == 0
            if self.burnt or (now and not self.after):
                self.burnt = True
                raise Died
        yield
        if now:
            self.burnt = True
            raise Died


class Stage:
    """The world that all machines share; it is founded once, and put back to its beginning for each story."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.fuse, self._patch, self._stories = folder, Fuse(), patch, 0
        patch.setattr(Step, "settle", SETTLE)
        self._wired()
        self._seed = folder / "seed"
        self._found()

    def _wired(self) -> None:
        """Every write of the product to a remote or a registry goes by the fuse."""
        push, tag = GitRemote.push, Registries.tag

        def pushed(this: GitRemote, *moves: tuple[str, str, str]) -> None:
            with self.fuse.around():
                push(this, *moves)

        def tagged(this: Registries, *args: Any) -> None:
            with self.fuse.around():
                tag(this, *args)

        self._patch.setattr(GitRemote, "push", pushed)
        self._patch.setattr(Registries, "tag", tagged)

    def _found(self) -> None:
        """An upstream with a record for each line: of a first candidate that was withdrawn."""
        place = self.folder / "world"
        world = made(place, CONFIG, ("site",))
        followed = "# what users follow\n" + "".join(f"{one}: none\n" for one in NAMES)
        World(place, {**world.environment, **identity("seed")}).commit(
            place / "seed-site", {FILE: followed}, "feat: channels"
        )
        clone = world.clone("captain")
        for version in FIRST:
            world.commit(clone, {"app.txt": version}, f"feat: what {version} is about")
            world.invoke(clone, "release", "--version", version, "--yes").expect(0)
            world.invoke(clone, "release.withdraw", "--version", version, "--reason", "a try", "--yes").expect(0)
        shutil.rmtree(clone)
        (place / "health").mkdir()
        shutil.copytree(place, self._seed, symlinks=True)
        self._world = world

    @contextmanager
    def story(self, setup: Setup) -> Iterator[Told]:
        """The world at its beginning, with its registry served."""
        self._stories += 1
        shutil.rmtree(self.folder / "world")
        shutil.copytree(self._seed, self.folder / "world", symlinks=True)
        with SandboxRegistry(self.folder / f"registry-{self._stories}") as registry:
            self.fuse.set(0, False)
            told = Told(self._world, self.fuse, registry, setup, self._patch)
            told.begin()
            yield told
        shutil.rmtree(self.folder / f"registry-{self._stories}")


@dataclass
class Told:
    """One story's world. `now` is everybody's clock."""

    world: World
    fuse: Fuse
    registry: SandboxRegistry
    setup: Setup
    patch: pytest.MonkeyPatch
    now: datetime = datetime(2100, 1, 1, tzinfo=UTC)
    machines: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
        self.machine = self._machine()

    # Captains

    def _machine(self) -> Path:
        """A clone; its captain is always the same person."""
        self.machines += 1
        clone = self.world.clone(f"machine-{self.machines}")
        self.world.git(clone, "config", "user.name", "Captain")
        self.world.git(clone, "config", "user.email", CAPTAIN)
        (clone / "release.toml").write_text(self.setup.text(self.host, self.world.folder / "health"))
        return clone

    def elsewhere(self) -> None:
        """From now on commands are typed on another machine."""
        shutil.rmtree(self.machine)
        self.machine = self._machine()

    def channels(self) -> Channels:
        """What a command works with."""
        return Channels(opened(self.world, self.machine, self.patch, self.now.isoformat(timespec="seconds")))

    @property
    def host(self) -> str:
        return self.registry.host

    # What happens besides

    def passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    def released(self, tag: str, image: bool = True) -> None:
        """A release is out: a tag, and mostly its image."""
        upstream = self.world.remote()
        tree = self.world.git(upstream, "rev-parse", "main^{tree}")
        commit = self._as("commit-tree", tree, "-p", "main", "-m", f"chore: release {tag}", place=upstream)
        self.world.git(upstream, "update-ref", f"refs/tags/{tag}", commit)
        if image:
            self.pushed(tag)

    def pushed(self, tag: str) -> None:
        """The image of a release comes out."""
        self.digests[tag] = Running(self.host).push("app", tag, INDEX)

    def does(self, tag: str, how: int) -> None:
        """How a release does from now on."""
        (self.world.folder / "health" / tag).write_text(str(how))

    def writes(self, channel: str, value: str) -> None:
        """Somebody writes into the file that users follow."""
        site = self.world.remote("site")
        before = self.file("main")
        text = "\n".join(
            f"{channel}: {value}" if line.startswith(f"{channel}:") else line for line in before.split("\n")
        )
        if text == before:
            return
        blob = self.world.git(site, "hash-object", "-w", "--stdin", stdin=text)
        kept = self.world.git(site, "ls-tree", "main").split("\n")
        tree = self.world.git(site, "mktree", stdin="".join(
            f"100644 blob {blob}\t{FILE}\n" if line.endswith(f"\t{FILE}") else f"{line}\n" for line in kept
        ))  # fmt: skip
        commit = self._as("commit-tree", tree, "-p", "main", "-m", "fix: by hand", place=site)
        self.world.git(site, "update-ref", "refs/heads/main", commit)

    def tags(self, channel: str, tag: str) -> None:
        """Somebody moves the image's tag that users follow."""
        base = f"http://{self.host}/v2/app/manifests"
        got = requests.get(f"{base}/{tag}", headers={"Accept": INDEX}, timeout=10)
        got.raise_for_status()
        put = requests.put(f"{base}/{channel}", data=got.content, headers={"Content-Type": INDEX}, timeout=10)
        put.raise_for_status()

    def _as(self, *args: str, place: Path) -> str:
        """Git as somebody by hand."""
        when = self.now.isoformat(timespec="seconds")
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", "Hand"), ("EMAIL", HAND), ("DATE", when))
        }
        return World(self.world.folder, {**self.world.environment, **who}).git(place, *args)

    # What can be seen of it

    def file(self, commit: str) -> str:
        return self.world.git(self.world.remote("site"), "show", f"{commit}:{FILE}") + "\n"

    def images(self) -> dict[str, str]:
        """The tag of the release that each channel's image is, "" for none."""
        names = {digest: tag for tag, digest in self.digests.items()}
        there = self.registry.tags("app")
        return {one: names[there[one]] if one in there else "" for one in NAMES}

    def tip(self, remote: str, ref: str) -> str:
        """A ref of a remote, "" for none."""
        return self.world.git(self.world.remote(remote), "rev-parse", "--verify", "--quiet", ref, check=False)

    def commits(self, remote: str, old: str, new: str) -> list[tuple[str, str, datetime]]:
        """Commits from one to the other by the first parent, oldest first: their ids, who made them, and when."""
        spans = [new, f"^{old}"] if old else [new]
        form = "--format=%H %ae %cI"
        lines = self.world.git(self.world.remote(remote), "log", "--first-parent", "--reverse", form, *spans)
        found = (line.split(" ") for line in lines.split("\n") if line)
        return [(commit, who, datetime.fromisoformat(when)) for commit, who, when in found]

    def record(self, commit: str) -> dict[str, Any]:
        """A state of a channel's record."""
        text = self.world.git(self.world.remote(), "show", f"{commit}:channel.json")
        return msgspec.json.decode(text, type=dict[str, Any])
