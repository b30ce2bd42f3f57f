"""A channel whose users follow two files of a repository, and the machines of captains who move it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, cast

import msgspec
import pytest

from release.adapters.git.channel_claims import ChannelClaims
from release.adapters.git.channels import GitChannelLedger
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.core.channel_record import ChannelState, Move
from release.core.finding import Blocked, Conflict, Done, Finding
from release.core.model import DownstreamWish, Person, Release, Waiver
from release.core.promotion import PointWish, Promotion
from release.engine.step import Known, Say, Step
from release.engine.walk import Engine, Event, Findings
from release.ports import Forge
from release.steps.begin_move import BeginMove
from release.steps.channel_doors import ChannelDoors
from release.steps.components import Downstream
from release.steps.doors import Doors
from release.steps.downstream import ReleaseDownstream
from release.steps.pointing import pointer_of
from release.steps.pointing.doors import PointDoors
from release.steps.promotion import promotion_path, return_path
from tests.forged import identity
from tests.world import World

ADA = Person("Ada", "ada@example.org")
NOON = "2026-03-04T12:00:00+00:00"
SITE = "# what users follow\nchannels:\n- name: stable   # for everybody\n  latest: v1.0.0\n"
MIRROR = '{"stable": "v1.0.0"}\n'
FILES = {"mirror.json": ("stable", MIRROR), "channels.yaml": ("channels[name=stable].latest", SITE)}
REF = "refs/sluice/channels/stable"


@dataclass(frozen=True, eq=False)
class Proved(Step[str]):
    """Something that has to be so before a move begins: it is, as long as that file is there."""

    file: Path

    means = True

    def inspect(self, known: Known) -> Finding[str]:
        if self.file.exists():
            return Done("all is there")
        return Blocked(Conflict("unproved", "something is missing", "bring it"))

    def apply(self, known: Known, say: Say) -> None:
        raise AssertionError("it only looks")


@dataclass
class Captain:
    """Somebody at a machine: a store of objects, and what has been seen so far."""

    stage: Stage
    name: str
    person: Person = ADA
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = GitChannelLedger(self.remote("upstream"), self.person, lambda: self.stage.now)

    def remote(self, name: str) -> GitRemote:
        folder = self.stage.world.folder / f"store-{self.name}-{name}.git"
        url = self.stage.urls.get(name) or self.stage.world.remote(name).as_uri()
        return GitRemote(url, Runner(store(folder)), shallow=name != "upstream")

    def doors(self, wished: Release) -> ChannelDoors:
        places = PointDoors(
            registry=closed, remote_at=self.remote, forge_at=lambda repository: self.stage.forge, commands=closed,
            person=self.person, now=lambda: self.stage.now, project="app",
        )  # fmt: skip
        return ChannelDoors(
            doors=cast("Doors", None),
            channels=self.ledger,
            pointer=lambda wish: pointer_of(wish, wished, "c" * 40, places),
            healths=cast("Any", None),
            person=self.person,
            now=lambda: self.stage.now,
        )

    def path(self, promotion: Promotion) -> list[Step[Any]]:
        """The steps of a move."""
        proof, wished = Proved("proof", self.stage.proof), release(promotion.version)
        released = partial(self._released, promotion)
        return promotion_path(self.doors(wished), wished, promotion, (proof,), released)

    def back(self, promotion: Promotion) -> list[Step[Any]]:
        """The steps that take the unfinished move back."""
        wished = release(promotion.version)
        return return_path(self.doors(wished), wished, promotion, self.move())

    def _released(self, promotion: Promotion, begin: BeginMove) -> Sequence[Downstream]:
        claims = ChannelClaims(self.ledger, promotion.channel, promotion.line)
        wished = release(promotion.version)
        return [
            ReleaseDownstream(f"downstream {wish.name}", wished, wish, (begin,), (), self.remote(wish.name), claims)
            for wish in promotion.instances
        ]

    def move(self) -> Move:
        return self.ledger.read("stable").state.moves[""]

    def look(self, steps: Sequence[Step[Any]]) -> tuple[Findings, tuple[Conflict, ...]]:
        """A plan: findings, and what would refuse it."""
        with ThreadPoolExecutor(4) as pool:
            engine = Engine(pool, monotonic, self.events.append)
            found = engine.look(steps)
            return found, engine.preflight(steps, found)

    def reach(self, steps: Sequence[Step[Any]], upto: str = "", seen: Findings | None = None) -> Findings:
        """Look, and carry it out, as a command does; it dies right after the step `upto`. What was `seen` may be old."""
        found = seen or self.look(steps)[0]
        names = [step.name for step in steps]
        some = steps[: names.index(upto) + 1] if upto else steps
        with ThreadPoolExecutor(4) as pool:
            return Engine(pool, monotonic, self.events.append).reach(some, {step: found[step] for step in some})


@dataclass
class Stage:
    """The world that captains share. `now` is everybody's clock; `forge` is the upstream's, None without one.

    `urls` are the addresses of repositories that are no remotes of the world.
    """

    world: World
    now: str = NOON
    forge: Forge | None = None
    urls: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world.bare("site")
        self.world.bare("rpm")
        self.proof.touch()
        self.write({path: text for path, (_, text) in FILES.items()})

    @property
    def proof(self) -> Path:
        return self.world.folder / "proof"

    def captain(self, name: str = "ada", person: Person = ADA) -> Captain:
        return Captain(self, name, person)

    def write(self, files: dict[str, str], message: str = "docs: by hand") -> None:
        """Somebody's commit in the repository of the files."""
        clone = self.world.folder / "seed-site"
        self.world.git(clone, "pull", "--quiet", "--rebase")
        self.world.commit(clone, files, message)

    def show(self, path: str) -> str:
        """A file that users follow, byte for byte."""
        return self.world.git(self.world.remote("site"), "show", f"main:{path}") + "\n"

    def says(self) -> tuple[str, str]:
        """The version in each of the files, in the order in which they are moved."""
        mirror = msgspec.json.decode(self.show("mirror.json"), type=dict[str, str])
        return mirror["stable"], self.show("channels.yaml").rpartition("latest: ")[2].strip()

    def state(self) -> ChannelState:
        """The record, as anybody sees it."""
        text = self.world.git(self.world.remote(), "show", f"{REF}:channel.json")
        return msgspec.json.decode(text, type=ChannelState)

    def everything(self) -> dict[str, Any]:
        """Every ref of every remote."""
        return self.world.every_ref()


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """The world before anything was promoted, and a process whose git knows nothing of anybody's settings."""
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        patch.setenv("HOME", str(folder))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        world = World(folder, {**os.environ, **identity("seed")})
        world.bare("upstream")
        yield Stage(world)


def release(version: str = "1.1.0") -> Release:
    return Release(version, f"v{version}", version[:3], "final", "minor", None, "main", "b" * 40, NOON, ADA)


def promotion(version: str = "1.1.0", before: str = "", **more: Any) -> Promotion:
    """A move of stable to a version."""
    points = tuple(
        PointWish(f"file {path}", "file", repository="site", branch="main", path=path, key=key, value=f"v{version}")
        for path, (key, _) in FILES.items()
    )
    told = {"kind": "promotion", "points": points, "releases": 3, "deadline": 1, **more}
    return Promotion(
        "stable", line="", version=version, tag=f"v{version}", commit=version[0] * 40, before=before, **told
    )


def instance(tag: str = "v1.1.0.stable.0", branch: str = "main", required: bool = True) -> DownstreamWish:
    """A component that is released by the move."""
    return DownstreamWish("rpm", "../rpm.git", branch, tag, required=required)


def waiving(wish: Promotion, rule: str = "pointer-moved") -> Promotion:
    return msgspec.structs.replace(wish, waivers=(Waiver(rule, "we know", "Ada"),))


def words(found: Findings) -> dict[str, str]:
    """The kind of each finding, by step."""
    return {step.name: type(finding).__name__ for step, finding in found.items()}


def closed() -> Any:
    raise AssertionError("nobody opens one here")
