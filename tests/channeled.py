"""Channels as their captains have them: an upstream with releases, a file that users follow, and commands typed in clones."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from release.core.channel_record import ChannelState, ref_of_channel
from release.sandbox.forge import Sandbox
from release.sandbox.forge.past import published
from tests.forge import serving
from tests.forged import CAPTAIN, empty, identity
from tests.world import TASKS, Answer, World

HOUR, DAY = 3600.0, 86400.0
LONG_AGO = "2026-01-06T10:00:00Z"
"""A Tuesday, on which everything came out that nothing else is said of."""
HEAD = """\
[project]
name = "app"
{project}
[version]
scheme = "semver+revision"
revision = "rke2r"

[commit]
mode = "none"

[release]
deadline = "20s"
"""
ON_FORGE = 'repository = "acme/app"\nforge = "github"\n'
FILE = """
[[channel.point]]
kind = "file"
path = "channels.yaml"
key = "channels[name={channel}].latest"
"""
TESTING = '\n[[channel]]\nname = "testing"\naccepts = "candidate"\n' + FILE
LATEST = '\n[[channel]]\nname = "latest"\n' + FILE
STABLE = '\n[[channel]]\nname = "stable"\nfollows = "latest"\nsoak = "24h"\n' + FILE
THREE = TESTING + LATEST + STABLE


@dataclass(frozen=True)
class Channeled:
    """`world` is the captains' machines; `forge` has the upstream, where there is one; `settings` is what every machine knows."""

    world: World
    forge: Sandbox | None = None
    settings: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def git(self) -> Path:
        """The upstream's bare repository."""
        return self.world.remote() if self.forge is None else self.forge.git("acme/app").path

    def clone(self, name: str = "ada") -> Path:
        """A captain's clone, on a machine of its own."""
        if self.forge is None:
            return self.world.clone(name)
        path = self.world.folder / name
        self.world.git(self.world.folder, "clone", "--quiet", f"{self.forge.url}/acme/app.git", str(path))
        self.world.git(path, "config", "user.name", name.title())
        self.world.git(path, "config", "user.email", f"{name}@example.org")
        return path

    def invoke(self, clone: Path, *words: str, env: Mapping[str, str] | None = None) -> Answer:
        """Type a command."""
        return self.world.invoke(clone, *words, env={**self.settings, **(env or {})})

    def typed(self, clone: Path, line: str, *more: str) -> Answer:
        """Type a line as it was printed."""
        words = shlex.split(line)
        assert words[0] == "invoke", line
        return self.invoke(clone, *words[1:], *more)

    def promote(self, clone: Path, to: str, *words: str) -> Answer:
        """Move a channel, "" for all that is ripe."""
        return self.invoke(clone, "channel.promote", *(("--to", to) if to else ("--auto",)), "--yes", *words)

    def json(self, clone: Path, *words: str) -> Any:
        """What a command answers."""
        return self.invoke(clone, *words, "--format", "json").value

    def hand(self, files: Mapping[str, str], message: str = "docs: by hand", at: str = "", who: str = "guest") -> str:
        """Somebody's commit on main; files are told whole."""
        place = self.world.folder / "hands"
        if not place.exists():
            self.world.git(self.world.folder, "clone", "--quiet", str(self.git), str(place))
        self.world.git(place, "pull", "--quiet", "--ff-only")
        return World(place, {**self.world.environment, **identity(who), **dates(at)}).commit(place, files, message)

    def out(self, *tags: str, at: str = LONG_AGO) -> None:
        """Releases that came out by some other way, each of a commit of its own; those with -rc are prereleases."""
        for tag in tags:
            commit = self.hand({"app.txt": f"{tag}\n"}, f"feat: what {tag} has", at)
            self.world.git(self.git, "update-ref", f"refs/tags/{tag}", commit)
            if self.forge is not None:
                place = self.forge.find("acme/app")
                number = len(self.forge.releases("acme/app")) + 1
                published(self.forge, place, tag, at, {}, number, prerelease="-" in tag)

    def follow(self, at: str = "", **channels: str) -> None:
        """Somebody writes by hand what channels say; the others stay."""
        said = {**self.says(), **channels}
        text = "".join(f'- name: {name}\n  latest: "{tag}"\n' for name, tag in said.items())
        self.hand({"channels.yaml": f"# what users follow\nchannels:\n{text}"}, "docs: what to follow", at)

    def text(self, path: str = "channels.yaml") -> str:
        """A file of main, byte for byte but for empty lines at its end."""
        return self.world.git(self.git, "show", f"main:{path}") + "\n"

    def says(self, path: str = "channels.yaml") -> dict[str, str]:
        """What users get of each channel."""
        return dict(re.findall(r"""name: (\S+)\n +latest: ["']?([^\s"']*)""", self.text(path)))

    def writers(self, path: str = "channels.yaml") -> list[str]:
        """Who committed what promotions wrote into a file, newest first."""
        return self.world.git(self.git, "log", "--format=%an", "--grep=^Channel-Move: ", "main", "--", path).split()

    def state(self, channel: str) -> ChannelState:
        """A channel's record, as anybody sees it; an empty one where it has none."""
        shown = self.world.git(self.git, "show", f"{ref_of_channel(channel)}:channel.json", check=False)
        return msgspec.json.decode(shown or b"{}", type=ChannelState)

    def refs(self) -> dict[str, str]:
        """Every ref of the upstream."""
        lines = self.world.git(self.git, "for-each-ref", "--format=%(refname) %(objectname)").split("\n")
        return dict(line.split(" ") for line in lines)

    def later(self, seconds: float) -> None:
        """Time passes, by the forge's clock."""
        assert self.forge is not None, "nobody moves the clock of a machine"
        self.forge.later(seconds)


@contextmanager
def plain(folder: Path, channels: str = THREE, more: str = "") -> Iterator[Channeled]:
    """The upstream on a plain remote: `channels` and `more` are tables of its release.toml."""
    world = empty(folder)
    seed(world, HEAD.replace("{project}", "") + channels + more)
    yield Channeled(world)


@contextmanager
def forged(folder: Path, channels: str = THREE, more: str = "") -> Iterator[Channeled]:
    """The upstream on a forge."""
    world = empty(folder)
    with serving(folder / "forge") as forge:
        bare = seed(world, HEAD.replace("{project}", ON_FORGE) + channels + more)
        forge.repository("acme/app", "main", push=(CAPTAIN,), source=bare)
        told = {
            "GITHUB_API_URL": forge.api_url,
            "GITHUB_SERVER_URL": forge.url,
            "SLUICE_GITHUB_TOKEN": forge.token(CAPTAIN),
        }
        yield Channeled(world, forge, told)
        forge.idle(60)


def seed(world: World, config: str) -> Path:
    """The upstream's remote: each channel of the configuration has nothing yet."""
    seeding = World(world.folder, {**world.environment, **identity("seed"), **dates(LONG_AGO)})
    bare = seeding.bare("upstream")
    rows = "".join(f'- name: {name}\n  latest: ""\n' for name in re.findall(r'\[\[channel]]\nname = "(\S+)"', config))
    files = {"release.toml": config, "tasks.py": TASKS, "channels.yaml": f"# what users follow\nchannels:\n{rows}"}
    seeding.commit(world.folder / "seed-upstream", files, "feat: an app")
    return bare


def dates(at: str) -> dict[str, str]:
    """When git says that something was done."""
    return {f"GIT_{role}_DATE": at for role in ("AUTHOR", "COMMITTER") if at}
