"""A component whose files name an upstream's version: on a plain git remote, or on a forge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release.adapters.git.ledger import GitLedger
from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.adapters.github import GitHub
from release.core.config import VersionRules
from release.core.finding import Finding
from release.core.model import DownstreamWish, Person, Release, UpdateWish
from release.core.record import Proof
from release.core.update_proposal import Origin
from release.core.version import render, scheme, template_values
from release.engine.step import Known
from release.sandbox.forge import Sandbox, merge
from release.steps.update import UpdateFirst, UpdateReferences
from tests.forge import Client, address, serving
from tests.forged import CAPTAIN, empty, identity, seed
from tests.world import World

RULES = scheme(VersionRules())
VALUES = "# what we are built on\nimage:\n  repository: acme/app\n  tag: v1.0.0   # kept\n"
FILES = {"values.yaml": VALUES, "version.txt": "app = 1.0.0\n"}
UPDATES = (
    UpdateWish("values.yaml", "yaml", "", key="image.tag", template="{tag}"),
    UpdateWish("version.txt", "regex", "", pattern="^app = (?P<value>.*)$", template="{version}"),
)
OURS = "sluice/update/app/chart/main"
ADA = Person("Ada", "ada@example.org")


@dataclass
class Component:
    """`chart`, built on `app`. Its files are FILES at first."""

    world: World
    git: Path
    forge: Sandbox | None = None
    opened: list[GitHub] = field(default_factory=list)

    def step(
        self,
        version: str = "1.2.0",
        kind: type[UpdateReferences] = UpdateFirst,
        updates: Sequence[UpdateWish] = UPDATES,
        captain: str = "ada",
        token: str = "",
    ) -> UpdateReferences:
        """The step of a release, on a captain's machine."""
        parsed = RULES.parse(version)
        assert parsed is not None
        told = template_values(parsed, RULES.tag(parsed), RULES)
        wishes = tuple(UpdateWish(one.path, one.kind, render(one.template, told), one.pattern, render(one.key, told), one.template, f"{one.path} {one.key}") for one in updates)  # fmt: skip
        trigger: Any = "none" if kind is UpdateReferences else "tag"
        wish = DownstreamWish("chart", "acme/chart", "main", f"v{version}", trigger=trigger, updates=wishes)
        when = f"2026-03-{parsed.minor + 1:02}T12:00:00+00:00"
        release = Release(version, f"v{version}", parsed.line, parsed.kind, "minor", None, "main", "0" * 40, when, ADA)
        origin = Origin("app", f"https://forge.example/acme/app/releases/tag/v{version}", RULES)
        remote = GitRemote(self._url(token), Runner(store(self.world.folder / f"store-{captain}.git")), shallow=True)
        ledger = GitLedger(remote, ADA, lambda: when)
        return kind(f"update {captain}", release, wish, (), (), origin, remote, self._door(token), ledger, True)

    def _url(self, token: str) -> str:
        if self.forge is None:
            return self.git.as_uri()
        return address(self.forge, token or self.forge.token(CAPTAIN), "acme/chart")

    def _door(self, token: str) -> Any:
        if self.forge is None:
            return None
        told = {"GITHUB_API_URL": self.forge.api_url, "GH_TOKEN": token or self.forge.token(CAPTAIN)}
        self.opened.append(GitHub.at(told))
        return self.opened[-1].forge("acme/chart")

    def refs(self) -> dict[str, str]:
        """Branches and tags."""
        lines = self.world.git(self.git, "for-each-ref", "--format=%(refname) %(objectname)").split("\n")
        return dict(line.split(" ") for line in lines)

    def head(self, branch: str = OURS) -> str:
        return self.refs().get(f"refs/heads/{branch}", "")

    def show(self, path: str, branch: str = OURS) -> str:
        """A file at the head of a branch, byte for byte."""
        return self.world.git(self.git, "cat-file", "blob", f"refs/heads/{branch}:{path}") + "\n"

    def commit(self, files: Mapping[str, str], message: str = "fix: something", branch: str = "main") -> str:
        """Somebody else's commit on a branch of the component."""
        place = self.world.folder / "guest"
        if not place.exists():
            self.world.git(self.world.folder, "clone", "--quiet", str(self.git), str(place))
        self.world.git(place, "fetch", "--quiet", "--prune")
        self.world.git(place, "checkout", "--quiet", "-B", "work", f"origin/{branch}")
        made = World(place.parent, {**self.world.environment, **identity("guest")}).commit(place, files, message, push=False)  # fmt: skip
        self.world.git(place, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return made

    def pulls(self) -> list[dict[str, Any]]:
        """Every pull request, oldest first."""
        assert self.forge is not None
        return sorted(self.forge.store.all("pull"), key=lambda one: one["number"])

    def pull(self) -> dict[str, Any]:
        """The only one."""
        (found,) = self.pulls()
        return found

    def merge(self, number: int = 1, method: Any = "merge") -> str:
        """Somebody merges the pull request; without a forge, the branch."""
        if self.forge is not None:
            return merge(self.forge, "acme/chart", number, CAPTAIN, method)
        return self._merged_by_hand()

    def _merged_by_hand(self) -> str:
        self.world.git(self.git, "update-ref", "refs/heads/main", f"refs/heads/{OURS}")
        return self.head("main")

    def state(self, number: int, state: str) -> None:
        """Somebody closes a pull request, or opens it again."""
        assert self.forge is not None
        client = Client(self.forge, self.forge.token(CAPTAIN))
        client.patch(f"/repos/acme/chart/pulls/{number}", state=state)
        client.close()

    def close(self) -> None:
        for one in self.opened:
            one.close()

    def everything(self) -> tuple[object, ...]:
        """All that a step could write."""
        return self.refs(), self.forge.store.all("pull") if self.forge is not None else ()


def inspected(step: UpdateReferences) -> Finding[Proof]:
    return step.inspect(Known(step, {}))


def applied(step: UpdateReferences) -> Finding[Proof]:
    """Act, and look again."""
    step.apply(Known(step, {}), lambda text: None)
    return inspected(step)


@contextmanager
def plain(folder: Path) -> Iterator[Component]:
    """On a bare remote."""
    world = empty(folder)
    seeding = World(folder, {**world.environment, **identity("seed")})
    git = seeding.bare("chart")
    seeding.commit(folder / "seed-chart", FILES, "feat: a chart")
    yield Component(world, git)


@contextmanager
def forged(folder: Path) -> Iterator[Component]:
    """On a forge."""
    world = empty(folder)
    with serving(folder / "forge") as forge:
        seed(world, forge, "chart", FILES)
        made = Component(world, forge.git("acme/chart").path, forge)
        try:
            yield made
        finally:
            made.close()
