"""A repository of GitHub is a forge, for as many threads as there are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from release.adapters.github import GitHub, Repository
from release.core.forge import Entry
from release.errors import ReleaseError, Unseen
from release.ports import Forge
from release.sandbox.forge import Fault, Sandbox
from tests.forge import git


def as_forge(repository: Repository) -> Forge:
    """The type checker proves it."""
    return repository


def test_a_repository_has_all_that_a_forge_has(app: Repository) -> None:
    wanted = {name for name in vars(Forge) if not name.startswith("_")}
    assert len(wanted) > 20
    assert wanted <= set(dir(as_forge(app)))
    assert app.name == "acme/app"


def test_sixteen_threads_work_at_once(app: Repository, sandbox: Sandbox, work: Path) -> None:
    head = git(work, "rev-parse", "HEAD").stdout.strip()

    def one(n: int) -> bytes:
        number = app.draft(Entry(f"v{n}", head, f"v{n}", "", False))
        app.upload(number, "app", f"content {n}".encode() * 1000)
        (asset,) = app.assets(number)
        return b"".join(app.download(asset.id))

    with ThreadPoolExecutor(16) as pool:
        contents = list(pool.map(one, range(32)))
    assert contents == [f"content {n}".encode() * 1000 for n in range(32)]
    assert len({one.tag for one in app.releases()}) == 32


def test_a_limit_of_a_real_forge_is_waited_for(app: Repository, sandbox: Sandbox) -> None:
    pauses: list[float] = []
    http = app._door.http
    http._pause = pauses.append
    http._clock = http._limits._clock = lambda: 1000.0 + sum(pauses)
    sandbox.faults(Fault(method="GET", path="*/releases/tags/*", limit="secondary"))
    assert app.published("v1") is None
    assert sum(pauses) > 0
    sandbox.faults(Fault(method="GET", path="*/releases/tags/*", nth=0, limit="primary"))
    with pytest.raises(
        Unseen,
        match=r"takes no more requests before \d{4}-\d\d-\d\d .* UTC: .*; nothing is lost: the same command goes on",
    ):
        app.published("v1")


def test_credentials_never_go_to_the_host_of_the_files(app: Repository, sandbox: Sandbox, work: Path) -> None:
    """The sandbox's storage is on another host name, and refuses whoever shows it a token."""
    head = git(work, "rev-parse", "HEAD").stdout.strip()
    number = app.draft(Entry("v1", head, "v1", "", False))
    app.upload(number, "app", b"content")
    (asset,) = app.assets(number)
    assert b"".join(app.download(asset.id)) == b"content"
    (moved,) = (one for one in sandbox.exchanges() if one.status == 302)
    assert moved.headers["location"].startswith("http://localhost:")


def test_who_is_told_to_stop_asks_nothing(app: Repository, opened: Callable[..., GitHub]) -> None:
    github = opened({"GITHUB_API_URL": app._door.places.api, "GH_TOKEN": "x" * 20})
    github.stop()
    with pytest.raises(ReleaseError, match="we were told to stop"):
        github.forge("acme/app").published("v1")
