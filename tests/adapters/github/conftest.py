"""The client of a forge: against the sandbox, and against a server that answers as it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from release.adapters.github import GitHub, Repository
from release.redact import Redactor
from release.sandbox.forge import Sandbox
from tests.forge import clone, serving
from tests.serving import Reply, Script, Server, routes

NAME = "acme/app"
ABOUT = {"id": 1, "full_name": NAME, "private": False, "permissions": {"push": True}}
Table = Mapping[str, "Reply | Sequence[Reply] | Script"]


@pytest.fixture
def opened() -> Iterator[Callable[..., GitHub]]:
    """Opens forges, and closes them in the end."""
    made: list[GitHub] = []

    def at(environment: Mapping[str, str], **how: Any) -> GitHub:
        made.append(GitHub.at(environment, **how))
        made[-1]._http._backoff = 0.001
        return made[-1]

    yield at
    for one in made:
        one.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A forge; in the end every exchange has to agree with GitHub's own description."""
    with serving(tmp_path / "forge") as served:
        served.repository(NAME, push=("captain",))
        yield served


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    return sandbox.token("captain")


@pytest.fixture
def work(sandbox: Sandbox, token: str, tmp_path: Path) -> Path:
    """A clone whose first commit is on the forge's master."""
    return clone(sandbox, token, NAME, tmp_path / "work")


@pytest.fixture
def as_(sandbox: Sandbox, opened: Callable[..., GitHub]) -> Callable[..., Repository]:
    """The repository as somebody sees it."""

    def seen(token: str, name: str = NAME) -> Repository:
        return opened({"GITHUB_API_URL": sandbox.api_url, "GH_TOKEN": token}).forge(name)

    return seen


@pytest.fixture
def app(as_: Callable[..., Repository], token: str, work: Path) -> Repository:
    """The repository as its captain sees it, with one commit on master."""
    return as_(token)


@pytest.fixture
def told(opened: Callable[..., GitHub]) -> Iterator[Callable[..., tuple[Repository, Server]]]:
    """A repository on a server that answers by a table of `METHOD /path`, below the repository's own path."""
    running: list[Server] = []

    def start(table: Table, hide: Redactor | None = None, about: Any = ABOUT) -> tuple[Repository, Server]:
        base = f"/api/v3/repos/{NAME}"
        whole: dict[str, Any] = {f"GET {base}": Reply(200, about) if isinstance(about, dict) else about}
        for route, reply in table.items():
            method, _, path = route.partition(" ")
            whole[f"{method} {path if path.startswith('/api/') else base + path}"] = reply
        server = Server(routes(whole))
        running.append(server.__enter__())
        environment = {"GITHUB_API_URL": f"{server.url}/api/v3", "GH_TOKEN": "hunter2hunter2"}
        return opened(environment, hide=hide).forge(NAME), server

    yield start
    for server in running:
        server.__exit__()
