"""What was answered survives a killed server, and the server comes and goes as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from release.sandbox.forge import Sandbox
from tests import openapi
from tests.forge import git


@contextmanager
def process(folder: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", "release.sandbox.forge", str(folder), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            yield served, json.loads(served.stdout.readline())
        finally:
            served.kill()


def test_everything_is_there_after_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "forge"
    world = Sandbox(folder)
    world.repository("acme/app", push=("captain",))
    token = world.token("captain")
    world.stop()
    headers = {"Authorization": f"Bearer {token}"}

    with process(folder) as (served, where):
        releases = f"{where['api_url']}/repos/acme/app/releases"
        draft = requests.post(releases, json={"tag_name": "v1", "draft": True}, headers=headers, timeout=30).json()
        upload = draft["upload_url"].partition("{")[0]
        sent = headers | {"Content-Type": "text/plain"}
        assert requests.post(upload, params={"name": "a"}, data=b"x", headers=sent, timeout=30).status_code == 201
        url = f"{where['url'].replace('://', f'://x:{token}@')}/acme/app.git"
        git(tmp_path, "init", "--quiet", "work")
        git(tmp_path / "work", "commit", "--quiet", "--allow-empty", "-m", "one")
        git(tmp_path / "work", "push", "--quiet", url, "HEAD:refs/heads/master", "HEAD:refs/sluice/1")
        served.kill()
        served.wait(30)

    with process(folder, where["port"]) as (served, again):
        assert again == where
        found = requests.get(releases, headers=headers, timeout=30).json()
        assert [(one["id"], one["assets"][0]["name"]) for one in found] == [(draft["id"], "a")]
        assert "refs/sluice/1" in git(tmp_path, "ls-remote", url).stdout
        later = requests.post(releases, json={"tag_name": "v2", "draft": True}, headers=headers, timeout=30).json()
        assert later["id"] > draft["id"]
        served.send_signal(signal.SIGTERM)
        assert served.wait(30) == 0

    world = Sandbox(folder)
    assert [one["tag_name"] for one in world.releases("acme/app")] == ["v1", "v2"]
    assert openapi.check(world.exchanges()) == 4
    world.stop()


def test_the_server_is_up_in_half_a_second(tmp_path: Path) -> None:
    """Of three: the machine may be busy with something else."""

    def took(number: int) -> float:
        begun = time.monotonic()
        with Sandbox(tmp_path / str(number)) as forge:
            assert requests.get(f"{forge.api_url}/rate_limit", timeout=30).status_code == 200
            return time.monotonic() - begun

    assert min(took(number) for number in range(3)) < 0.5


def test_the_state_can_be_set_up_and_looked_at_while_nothing_is_served(tmp_path: Path) -> None:
    world = Sandbox(tmp_path / "forge")
    world.repository("acme/app", default_branch="main")
    world.secret("acme/app", "token", "s")
    world.variable("acme/app", "name", "v")
    assert world.find("ACME/App")["default_branch"] == "main"
    assert world.releases("acme/app") == []
    assert list(world.exchanges()) == []
    world.stop()
