"""The token that opens a forge for git stays with that forge, wherever it sends git."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from release.adapters.git.remote import GitRemote, store
from release.adapters.git.run import Runner
from release.adapters.github import GitHub
from release.errors import Unseen
from tests.world import World

SECRET = "ghp_thisopenseverything0123456789"


@contextmanager
def listening(status: int, location: str = "") -> Iterator[tuple[int, list[str]]]:
    """A server that sends everybody away, or nowhere; its port, and the authorizations that it saw ("" for none)."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            if location:
                self.send_header("Location", location + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, seen
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_git_does_not_follow_a_forge_to_another_host_with_the_token(world: World, status: int) -> None:
    with listening(404) as (elsewhere, stolen), listening(status, f"http://localhost:{elsewhere}") as (port, seen):
        settings = {"GITHUB_API_URL": f"http://127.0.0.1:{port}/api/v3", "SLUICE_GITHUB_TOKEN": SECRET}
        github = GitHub.at(settings)
        address = github.address("acme/app")
        run = Runner(store(world.folder / "s.git"), credentials=lambda: github.git_settings(address))
        with pytest.raises(Unseen) as told:
            GitRemote(address, run).refs()
        github.close()
    assert any(one.lower().startswith("basic ") for one in seen), "the token was for this server"
    assert stolen == []
    assert SECRET not in str(told.value)
