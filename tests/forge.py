"""A forge for tests: served from a folder, spoken to over HTTP, and every exchange checked against GitHub's description."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from release.sandbox.forge import Limits, Sandbox
from tests import openapi

PLAIN = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
WHO = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Dev") | dict.fromkeys(
    ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "dev@example.org"
)


@contextmanager
def serving(
    folder: Path, port: int = 0, limits: Limits | None = None, clock: Callable[[], float] | None = None
) -> Iterator[Sandbox]:
    """A forge while the test runs; afterwards everything that was said has to agree with GitHub's description."""
    with Sandbox(folder, port, limits, **({"clock": clock} if clock else {})) as forge:
        yield forge
        exchanges = list(forge.exchanges())
    openapi.check(exchanges)


@dataclass
class Client:
    """Somebody with a token ("" for nobody), as plainly as HTTP goes."""

    forge: Sandbox
    token: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def close(self) -> None:
        self.session.close()

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        url = path if path.startswith("http") else self.forge.api_url + path
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        more["headers"] = headers | more.get("headers", {})
        return self.session.request(method, url, json=body, timeout=30, allow_redirects=False, **more)

    def get(self, path: str, **more: Any) -> Any:
        """The JSON of a GET that has to work."""
        return self.good(self("GET", path, **more))

    def post(self, path: str, **body: Any) -> Any:
        return self.good(self("POST", path, body))

    def patch(self, path: str, **body: Any) -> Any:
        return self.good(self("PATCH", path, body))

    def upload(self, release: dict[str, Any], name: str, content: bytes, **headers: str) -> requests.Response:
        """A file for a release, where its `upload_url` says."""
        url = release["upload_url"].partition("{")[0]
        sent = {"Content-Type": "application/octet-stream"} | headers
        return self("POST", url, params={"name": name}, data=content, headers=sent)

    @staticmethod
    def good(answer: requests.Response) -> Any:
        assert answer.status_code < 300, f"{answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None


def git(folder: Path, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """git in a folder, without anything of the machine's configuration."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        env=os.environ | PLAIN | WHO | environment,
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def address(forge: Sandbox, token: str, full_name: str) -> str:
    """Where git pushes to with a token."""
    return f"{forge.url.replace('://', f'://x-access-token:{token}@')}/{full_name}.git"


def clone(forge: Sandbox, token: str, full_name: str, folder: Path) -> Path:
    """A work tree with one pushed commit on the default branch `master`."""
    git(folder.parent, "init", "--quiet", "--initial-branch=master", str(folder))
    git(folder, "remote", "add", "origin", address(forge, token, full_name))
    (folder / "app.txt").write_text("one\n", encoding="utf-8")
    commit(folder, "first")
    git(folder, "push", "--quiet", "origin", "master")
    return folder


def commit(folder: Path, message: str, date: str = "2024-01-01T00:00:00+0000") -> str:
    """Commit everything there is; the commit's id."""
    git(folder, "add", "--all")
    git(
        folder, "commit", "--quiet", "--allow-empty", "-m", message, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date
    )  # fmt: skip
    return git(folder, "rev-parse", "HEAD").stdout.strip()
