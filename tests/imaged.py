"""A world whose upstream builds files and images: a remote, registries under names of their own, and clients that can be killed.

The commit is the same in every such world, so that digests can be compared between them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release.sandbox.registry import SandboxRegistry
from tests.forged import empty, identity
from tests.laws.harness.clients import Clients
from tests.world import TASKS, Answer, World

VERSION, TAG, TAG_REF, STAGING = "0.1.0", "v0.1.0", "refs/tags/v0.1.0", "sluice-staging-0.1"
IMAGE, ONE, TWO = "acme/app", "one.example", "two.example"
PLATFORMS = ("linux/amd64", "linux/arm64")
HEAD = """\
[project]
name = "demo"

[version]
scheme = "semver"
candidates = ["rc"]

[release]
deadline = "20s"
"""
APPS = """
[[artifact]]
name = "app-{arch}.txt"
run = ["sh", "-c", "printf '%s %s' \\"$SLUICE_VERSION\\" \\"$SLUICE_PLATFORM\\" > \\"$SLUICE_OUTPUT/app-${SLUICE_PLATFORM#*/}.txt\\""]
platforms = ["linux/amd64", "linux/arm64"]
"""
# Other bytes each time, and too many of them for what lies between a client and a registry.
CHANCE = """
[[artifact]]
name = "app-{arch}.txt"
run = ["sh", "-c", "echo built >> '{counts}'; head -c 3000000 /dev/urandom > \\"$SLUICE_OUTPUT/app-${SLUICE_PLATFORM#*/}.txt\\""]
platforms = ["linux/amd64", "linux/arm64"]
"""
ARCHIVE = """
[[artifact]]
kind = "archive"
name = "app-{version}.tar.gz"
artifacts = ["app-amd64.txt", "app-arm64.txt"]
include = ["README"]
folder = "app"
"""
PICTURE = """
[[image]]
name = "acme/app"
registries = [{registries}]
file = "Dockerfile"
platforms = ["linux/amd64", "linux/arm64"]
artifacts = ["app-{arch}.txt"]
"""
DOCKERFILE = """\
FROM scratch
ARG TARGETARCH
COPY payload /payload
COPY app-$TARGETARCH.txt /app.txt
ENV GREETING=hello
ENTRYPOINT ["/app.txt"]
"""
FILES = {"Dockerfile": DOCKERFILE, "payload": random.Random(1).randbytes(1_500_000).hex()}
MOMENT = "2026-03-04T12:00:00+00:00"  # of the commit


def picture(*registries: str) -> str:
    """The table of the image, for these registries."""
    return PICTURE.replace("{registries}", ", ".join(f'"{one}"' for one in registries))


@dataclass
class Yard:
    """`registries` are the sandbox's, by name; `places` is where each name is really asked."""

    world: World
    registries: Mapping[str, SandboxRegistry]
    places: Mapping[str, str]
    clients: Clients = field(init=False)

    def __post_init__(self) -> None:
        (self.world.folder / "said").mkdir()
        told = {"SLUICE_PLACES": " ".join(f"{name}={url}" for name, url in self.places.items())}
        self.clients = Clients(self.world.folder / "said", {**self.world.environment, **told})

    @property
    def registry(self) -> SandboxRegistry:
        """The first of them."""
        return self.registries[ONE]

    def clone(self, name: str) -> Path:
        """A captain's clone."""
        return self.world.clone(name)

    def invoke(self, clone: Path, *words: str, env: Mapping[str, str] | None = None) -> Answer:
        """Type a command in a clone."""
        return self.clients.invoke(clone, *words, env=env)

    def release(self, clone: Path, *words: str) -> Answer:
        return self.invoke(clone, "release", "--yes", *words)

    def tags(self) -> dict[str, dict[str, str]]:
        """The tags of the image in each registry."""
        return {name: one.tags(IMAGE) for name, one in self.registries.items()}

    def evidence(self) -> dict[str, Any]:
        """What the record of the line says was made and seen."""
        shown: dict[str, Any] = json.loads(self.world.git(self.world.remote(), "show", "refs/sluice/0.1:evidence.json"))
        return shown

    def outcome(self) -> dict[str, Any]:
        """All that others see of it: refs, the record, and what is in the registries."""
        refs = self.world.refs()
        state = json.loads(self.world.git(self.world.remote(), "show", "refs/sluice/0.1:state.json"))
        held = {name: (one.manifests(IMAGE), one.blobs(IMAGE)) for name, one in self.registries.items()}
        return {
            "refs": {name: at for name, at in refs.items() if not name.startswith("refs/sluice/")},
            "record": (state["outcome"], state["commit"], self.evidence()),
            "tags": self.tags(),
            "held": held,
        }

    def untouched(self) -> None:
        """Nothing is public: no tag in git, and no tag of an image but those that nobody follows."""
        assert not [name for name in self.world.refs() if name.startswith("refs/tags/")]
        assert {tag for tags in self.tags().values() for tag in tags} <= {STAGING}


@contextmanager
def yard(
    folder: Path,
    config: str,
    files: Mapping[str, str] = FILES,
    names: tuple[str, ...] = (ONE,),
    places: Mapping[str, str] | None = None,
    **how: Any,
) -> Iterator[Yard]:
    """A world with a commit on main, and the sandbox's registries of these names, made as `how` says."""
    with ExitStack() as stack:
        made = {name: stack.enter_context(SandboxRegistry(folder / f"registry-{name}", **how)) for name in names}
        world = empty(folder / "world")
        seed(world, {"release.toml": config.replace("{counts}", str(world.folder / "counts")), **files})
        yield Yard(world, made, {**{name: one.url for name, one in made.items()}, **(places or {})})


def seed(world: World, files: Mapping[str, str]) -> None:
    """The upstream: one commit of a feature, the same wherever the files are the same."""
    dates = {f"GIT_{role}_DATE": MOMENT for role in ("AUTHOR", "COMMITTER")}
    seeding = World(world.folder, {**world.environment, **identity("seed"), **dates})
    seeding.bare("upstream")
    seeding.commit(world.folder / "seed-upstream", {"tasks.py": TASKS, **files}, "feat: an app")
