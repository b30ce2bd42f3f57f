"""A repository with a file that says which version a channel has: on a plain git remote, or on a forge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.adapters.github import GitHub
from release.core.model import Person
from release.core.pointer_proposal import branch_for
from release.core.promotion import PointWish
from release.ports import Remote
from release.sandbox.forge import Sandbox
from release.steps.pointing.file import FilePointer
from release.steps.pointing.proposed_file import ProposedFile
from tests.forge import Client, address, serving
from tests.forged import CAPTAIN, empty, identity, seed
from tests.world import World

NAME = "acme/channels"
PATH, KEY = "channels.yaml", "channels[name=stable].latest"
OLD, NEW, NEXT = "v1.30.1+rke2r1", "v1.30.2+rke2r1", "v1.30.3+rke2r1"
FILE = f"""\
# what users follow
channels:
- name: latest
  latest: v1.31.0+rke2r1
- name: stable   # the one that most take
  latest: {OLD}   # moved by promotion
"""
WISH = PointWish("file", "file", branch="main", path=PATH, key=KEY, value=NEW, channel="stable")
OURS = branch_for("app", WISH)
ADA = Person("Ada", "ada@example.org")
WHEN = "2026-03-04T12:00:00+00:00"


@dataclass
class Shop:
    """The repository, and captains with machines of their own."""

    world: World
    git: Path
    forge: Sandbox | None = None
    said: list[str] = field(default_factory=list)
    opened: list[GitHub] = field(default_factory=list)

    def remote(self, captain: str = "ada") -> GitRemote:
        url = self.git.as_uri() if self.forge is None else address(self.forge, self.forge.token(CAPTAIN), NAME)
        return GitRemote(url, Runner(store(self.world.folder / f"store-{captain}.git")), shallow=True)

    def committed(self, captain: str = "ada", remote: Remote | None = None, wish: PointWish = WISH) -> FilePointer:
        """A pointer that is moved by commits."""
        return FilePointer(wish, remote or self.remote(captain), ADA, lambda: WHEN)

    def proposed(self, captain: str = "ada", token: str = "", wish: PointWish = WISH) -> ProposedFile:
        """One that is moved by pull requests."""
        assert self.forge is not None
        told = {"GITHUB_API_URL": self.forge.api_url, "GH_TOKEN": token or self.forge.token(CAPTAIN)}
        self.opened.append(GitHub.at(told))
        return ProposedFile(wish, "app", self.remote(captain), self.opened[-1].forge(NAME), ADA, lambda: WHEN)

    def refs(self) -> dict[str, str]:
        lines = self.world.git(self.git, "for-each-ref", "--format=%(refname) %(objectname)").split("\n")
        return dict(line.split(" ") for line in lines)

    def head(self, branch: str = "main") -> str:
        return self.refs().get(f"refs/heads/{branch}", "")

    def show(self, branch: str = "main", path: str = PATH) -> str:
        """A file at the head of a branch, byte for byte."""
        return self.world.git(self.git, "cat-file", "blob", f"refs/heads/{branch}:{path}") + "\n"

    def message(self, branch: str = "main") -> str:
        return self.world.git(self.git, "log", "-1", "--format=%an <%ae> %aI%n%B", f"refs/heads/{branch}", "--")

    def commit(self, files: Mapping[str, str], branch: str = "main") -> str:
        """Somebody else's commit."""
        place = self.world.folder / "guest"
        if not place.exists():
            self.world.git(self.world.folder, "clone", "--quiet", str(self.git), str(place))
        self.world.git(place, "fetch", "--quiet", "--prune")
        self.world.git(place, "checkout", "--quiet", "-B", "work", f"origin/{branch}")
        guest = World(place.parent, {**self.world.environment, **identity("guest")})
        made = guest.commit(place, files, "fix: something", push=False)
        self.world.git(place, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return made

    def pulls(self) -> list[dict[str, Any]]:
        """Every pull request, oldest first."""
        assert self.forge is not None
        return sorted(self.forge.store.all("pull"), key=lambda one: one["number"])

    def state(self, number: int, **changes: str) -> None:
        """Somebody changes a pull request."""
        assert self.forge is not None
        client = Client(self.forge, self.forge.token(CAPTAIN))
        client.patch(f"/repos/{NAME}/pulls/{number}", **changes)
        client.close()

    def everything(self) -> tuple[object, ...]:
        """All that a pointer could write."""
        return self.refs(), self.forge.store.all("pull") if self.forge is not None else ()

    def close(self) -> None:
        for one in self.opened:
            one.close()


@contextmanager
def plain(folder: Path, text: str = FILE) -> Iterator[Shop]:
    """On a bare remote."""
    world = empty(folder)
    seeding = World(folder, {**world.environment, **identity("seed")})
    git = seeding.bare("channels")
    seeding.commit(folder / "seed-channels", {PATH: text}, "feat: channels")
    yield Shop(world, git)


@contextmanager
def forged(folder: Path) -> Iterator[Shop]:
    """On a forge."""
    world = empty(folder)
    with serving(folder / "forge") as forge:
        seed(world, forge, "channels", {PATH: FILE})
        made = Shop(world, forge.git(NAME).path, forge)
        try:
            yield made
        finally:
            made.close()
