"""A whole fleet on a forge: an upstream, downstreams with workflows that really make something, and captains with tokens."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release.sandbox.forge import Sandbox
from tests.forge import serving
from tests.world import TASKS, Answer, World

CAPTAIN = "captain"
PROJECT = """\
[project]
name = "app"
repository = "acme/app"
forge = "github"

[version]
scheme = "semver"
candidates = ["rc"]

[commit]
mode = "push"

[changelog]
file = "CHANGELOG.md"

[release]
deadline = "40s"
{start}

{gates}

[[artifact]]
name = "app-{arch}.txt"
run = ["sh", "-c", "printf '%s %s' \\"$SLUICE_VERSION\\" \\"$SLUICE_PLATFORM\\" > \\"$SLUICE_OUTPUT/app-${SLUICE_PLATFORM#*/}.txt\\""]
platforms = ["linux/amd64", "linux/arm64"]
"""
DOWNSTREAM = """
[[downstream]]
name = "{name}"
repository = "acme/{name}"
trigger = "{trigger}"
workflow = "release.yml"
after_assets = ["app-{arch}.txt", "sha256sum-{arch}.txt"]
assets = ["{name}-{arch}.txt"]
platforms = ["linux/amd64", "linux/arm64"]
starts_within = "4s"
{more}
"""
ON = {
    "release": "  release:\n    types: [published]\n",
    "tag": "  push:\n    tags: ['v*']\n",
    "workflow_dispatch": "  workflow_dispatch:\n    inputs:\n      tag:\n        required: true\n",
    "repository_dispatch": "  repository_dispatch:\n    types: [release]\n",
}
TAG_OF = "${{ github.event.release.tag_name || inputs.tag || github.event.client_payload.tag || github.ref_name }}"
WORKFLOW = """\
name: release
run-name: release {tag}
on:
{on}
permissions:
  contents: write
jobs:
  publish:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: python make.py
        env:
          TAG: {tag}
          TOKEN: ${{{{ github.token }}}}
"""
MAKE = '''\
"""Fetches what the upstream made, checks it, and makes of it what this component is."""

import hashlib
import json
import os
import urllib.error
import urllib.parse
import urllib.request

API, SERVER, HERE = (os.environ[f"GITHUB_{name}"] for name in ("API_URL", "SERVER_URL", "REPOSITORY"))
TAG = os.environ["TAG"]


def ask(url, data=None, kind="application/json", method=None):
    headers = {"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": kind}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
        return json.loads(answer.read() or b"{}")


def fetched(name):
    with urllib.request.urlopen(f"{SERVER}/acme/app/releases/download/{urllib.parse.quote(TAG)}/{name}", timeout=30) as answer:
        return answer.read()


def released():
    try:
        return ask(f"{API}/repos/{HERE}/releases/tags/{urllib.parse.quote(TAG)}")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
    return ask(f"{API}/repos/{HERE}/releases", json.dumps({"tag_name": TAG, "make_latest": "false"}).encode())


release = released()
for asset in release["assets"]:
    if asset["state"] != "uploaded":  # what an upload that broke off left behind
        ask(asset["url"], method="DELETE")
there = {asset["name"] for asset in release["assets"] if asset["state"] == "uploaded"}
for arch in ("amd64", "arm64"):
    wanted = dict(line.split()[::-1] for line in fetched(f"sha256sum-{arch}.txt").decode().splitlines())
    content = fetched(f"app-{arch}.txt")
    assert hashlib.sha256(content).hexdigest() == wanted[f"app-{arch}.txt"], "what was fetched is not what was released"
    name = HERE.split("/")[1] + f"-{arch}.txt"
    print("made", name)
    if name not in there and not os.path.exists("forgetful"):
        ask(release["upload_url"].split("{")[0] + "?name=" + name, b"made of: " + content, "application/octet-stream")
'''
UPSTREAM = """\
name: release
on:
  push:
    tags: ['v*']
permissions:
  contents: write
  actions: read
jobs:
  release:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - run: python -m invoke release --yes
        env:
          SLUICE_GITHUB_TOKEN: ${{ secrets.RELEASE_TOKEN }}
          GIT_COMMITTER_NAME: robot
          GIT_COMMITTER_EMAIL: robot@example.org
          GIT_AUTHOR_NAME: robot
          GIT_AUTHOR_EMAIL: robot@example.org
"""


@dataclass(frozen=True)
class Fleet:
    """`world` is the captains' machines, `forge` everything else. Repositories are named without their owner, `acme`."""

    world: World
    forge: Sandbox
    token: str = field(repr=False)

    def clone(self, name: str, of: str = "app") -> Path:
        """A captain's clone over HTTP."""
        path = self.world.folder / name
        self.world.git(self.world.folder, "clone", "--quiet", f"{self.forge.url}/acme/{of}.git", str(path))
        self.world.git(path, "config", "user.name", name.title())
        self.world.git(path, "config", "user.email", f"{name}@example.org")
        return path

    @property
    def settings(self) -> dict[str, str]:
        """What a captain's machine has in its environment."""
        return {
            "GITHUB_API_URL": self.forge.api_url,
            "GITHUB_SERVER_URL": self.forge.url,
            "SLUICE_GITHUB_TOKEN": self.token,
        }

    def invoke(self, clone: Path, *args: str, env: Mapping[str, str] | None = None) -> Answer:
        """Type a command as a captain."""
        return self.world.invoke(clone, *args, env={**self.settings, **(env or {})})

    def refs(self, name: str) -> dict[str, str]:
        """Every ref of a repository, tags peeled."""
        form = "--format=%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
        lines = self.world.git(self.git_of(name), "for-each-ref", form).split("\n")
        return dict(line.split(" ") for line in lines if line)

    def git_of(self, name: str) -> Path:
        """A repository's bare one."""
        return self.forge.git(f"acme/{name}").path

    def releases(self, name: str) -> list[dict[str, Any]]:
        return self.forge.releases(f"acme/{name}")

    def commit(self, name: str, files: Mapping[str, str | None], message: str) -> str:
        """A commit on a repository's main, by somebody else; None deletes a file."""
        path = self.world.folder / "others" / name
        if not path.exists():
            self.world.git(self.world.folder, "clone", "--quiet", str(self.git_of(name)), str(path))
        self.world.git(path, "pull", "--quiet")
        for file in (file for file, content in files.items() if content is None):
            (path / file).unlink()
        other = World(self.world.folder, {**self.world.environment, **identity("other")})
        return other.commit(path, {file: content for file, content in files.items() if content is not None}, message)


def downstream(name: str, trigger: str = "release", more: str = "") -> str:
    """A table of release.toml."""
    return DOWNSTREAM.replace("{name}", name).replace("{trigger}", trigger).replace("{more}", more)


def workflow(trigger: str) -> str:
    """A downstream's release.yml."""
    return WORKFLOW.format(on=ON[trigger], tag=TAG_OF)


@contextmanager
def fleet(
    folder: Path,
    downstreams: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
    start: str = "",
    gates: str = "",
    immutable: bool = False,
) -> Iterator[Fleet]:
    """A fleet: `downstreams` are name -> trigger, `more` further keys of their tables."""
    chosen = {"first": "release", "second": "workflow_dispatch"} if downstreams is None else downstreams
    world = empty(folder)
    tables = [downstream(name, trigger, (more or {}).get(name, "")) for name, trigger in chosen.items()]
    config = PROJECT.replace("{start}", start).replace("{gates}", gates) + "".join(tables)
    upstream = {"release.toml": config, "tasks.py": TASKS, "app.txt": "app\n", ".gitignore": "dist/\n"}
    if "tag" in start:
        upstream[".github/workflows/release.yml"] = UPSTREAM
    with serving(folder / "forge") as forge:
        seed(world, forge, "app", upstream, immutable)
        for name, trigger in chosen.items():
            seed(world, forge, name, {".github/workflows/release.yml": workflow(trigger), "make.py": MAKE})
        token = forge.token(CAPTAIN)
        forge.secret("acme/app", "RELEASE_TOKEN", token)
        yield Fleet(world, forge, token)
        forge.idle(60)


def empty(folder: Path) -> World:
    """Machines without anything of this one's settings."""
    home = folder / "home"
    home.mkdir(parents=True)
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "GITHUB_", "SLUICE_", "GH_"))
    }
    root = str(Path(__file__).parent.parent)
    base = {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}
    return World(folder, base)


def seed(world: World, forge: Sandbox, name: str, files: Mapping[str, str], immutable: bool = False) -> None:
    """A repository on the forge with one commit of a feature."""
    seeding = World(world.folder, {**world.environment, **identity("seed")})
    bare = seeding.bare(name)
    house = {path: content for path, content in files.items() if path.startswith(".github/")}
    rest = {path: content for path, content in files.items() if path not in house}
    if house:  # a commit that changes workflows is none that a workflow may release
        seeding.commit(world.folder / f"seed-{name}", house, "ci: release by a workflow")
    seeding.commit(world.folder / f"seed-{name}", rest, "feat: an app")
    forge.repository(f"acme/{name}", "main", immutable_releases=immutable, push=(CAPTAIN,), source=bare)


def identity(name: str) -> dict[str, str]:
    """Who git says that somebody is."""
    values = {"NAME": name, "EMAIL": f"{name}@example.org"}
    return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in values.items()}


def names(assets: Sequence[Mapping[str, Any]]) -> set[str]:
    """Names of stored assets."""
    return {asset["name"] for asset in assets}
