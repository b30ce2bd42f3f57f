"""A downstream of a downstream waits for what it needs of that one's release, at that one's forge and tag."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec

from release.adapters.github import GitHub
from release.core.finding import Pending, Underway
from release.core.model import DownstreamWish, Person, Release
from release.ports import Forge
from release.steps import downstream_path
from release.steps.doors import Doors
from tests.forge import Client, clone, serving

AUTHOR = Person("Captain", "captain@example.org")
PARENT = DownstreamWish("a", "acme/a", "master", "a-v1.0.0", trigger="release")
CHILD = DownstreamWish(
    "b", "acme/b", "master", "b-v1.0.0", of="a", after=("a",), trigger="release", after_assets=("a.tgz",)
)
RELEASE = Release(
    "1.0.0", "v1.0.0", "1.0", "final", "minor", None, "master", "a" * 40, "2026-01-01T00:00:00Z", AUTHOR,
    downstreams=(CHILD, PARENT), forge="github",
)  # fmt: skip


class NoLedger:
    """Nothing has a record."""

    def latest(self, release: Release) -> None:
        return None

    fresh = latest


def doors(github: GitHub, root: Path) -> Doors:
    nothing: Any = None

    def forge_of(wish: DownstreamWish) -> Forge:
        return github.forge(wish.repository)

    ledger: Any = NoLedger()
    upstream = github.forge("acme/app")
    return Doors(nothing, ledger, nothing, nothing, lambda wish: nothing, root, forge=upstream, forge_of=forge_of)


def test_what_comes_after_assets_of_another_component_waits_for_that_one(tmp_path: Path) -> None:
    with serving(tmp_path / "forge") as forge:
        names = ("acme/app", "acme/a", "acme/b")
        for name in names:
            forge.repository(name, push=("captain",))
            clone(forge, forge.token("captain"), name, tmp_path / name.partition("/")[2])
        captain = Client(forge, forge.token("captain"))
        github = GitHub.at({"GITHUB_API_URL": forge.api_url, "GH_TOKEN": captain.token})
        captain.post("/repos/acme/app/releases", tag_name="v1.0.0")
        parent = captain.post("/repos/acme/a/releases", tag_name="a-v1.0.0")
        child = downstream_path(doors(github, tmp_path), RELEASE, ())[0]

        def found() -> Any:
            return child.inspect(None)  # type: ignore[arg-type]

        assert found() == Underway("waits for a.tgz of a-v1.0.0")
        captain.upload(parent, "a.tgz", b"bytes")
        assert isinstance(found(), Pending)
        captain.close()
        github.close()


def test_a_chain_of_any_length_becomes_steps_without_recursion(tmp_path: Path) -> None:
    chain = [
        DownstreamWish(f"n{n}", f"../n{n}.git", "main", "v1.0.0", after=(f"n{n + 1}",) if n < 2999 else ())
        for n in range(3000)
    ]
    nothing: Any = None
    plain = Doors(nothing, nothing, nothing, nothing, lambda wish: nothing, tmp_path)
    path = downstream_path(plain, msgspec.structs.replace(RELEASE, downstreams=tuple(chain), forge="none"), ())
    assert [step.name for step in path] == [f"downstream n{n}" for n in range(3000)]
    assert all(step.needs == (after,) for step, after in itertools.pairwise(path))
