"""`invoke sandbox.up`: a forge that answers until it is ended."""

from __future__ import annotations

import shlex
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from tests.world import Answer, World, made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made(tmp_path)


def typed(world: World, *words: str) -> subprocess.Popen[str]:
    return world.start(world.folder / "seed-upstream", "sandbox.up", *words)


def exported(process: subprocess.Popen[str]) -> dict[str, str]:
    """What it says that one should put into the environment."""
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    assert lines[0].startswith("# a forge, a registry and a package index on loopback"), lines
    said = [shlex.split(line) for line in lines[1:]]
    assert all(words[0] == "export" and len(words) == 2 for words in said), lines
    return dict(words[1].split("=", 1) for words in said)


def test_what_it_prints_opens_it_and_it_ends_when_it_is_told_to(world: World, tmp_path: Path) -> None:
    source = f"acme/app={world.remote()}"
    process = typed(world, "--folder", str(tmp_path / "forge"), "--repository", source, "--repository", "acme/empty")
    try:
        said = exported(process)
        headers = {"Authorization": f"Bearer {said['SLUICE_GITHUB_TOKEN']}"}
        about = requests.get(f"{said['GITHUB_API_URL']}/repos/acme/app", headers=headers, timeout=30)
        assert about.json()["permissions"]["push"] is True
        places = dict(one.rsplit("=", 1) for one in said["SLUICE_PLACES"].split(" "))
        assert requests.get(f"{places['docker.io']}/v2/", timeout=30).json() == {}
        assert requests.get(f"{places['https://pypi.org/simple']}/", timeout=30).status_code == 200
        world.git(tmp_path, "clone", "--quiet", f"{said['GITHUB_SERVER_URL']}/acme/app.git", "copy")
        assert world.git(tmp_path / "copy", "rev-parse", "HEAD") == world.refs()["refs/heads/main"]
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    again = typed(world, "--folder", str(tmp_path / "forge"))
    try:
        url = exported(again)["GITHUB_API_URL"]
        assert requests.get(f"{url}/repos/acme/empty", timeout=30).status_code == 200
    finally:
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=30)
    assert again.returncode == 0


@pytest.mark.parametrize("repository", ["nonsense", "a/b/c", "../x", "acme/app=/nowhere/at/all"])
def test_a_repository_that_cannot_be_is_told(world: World, tmp_path: Path, repository: str) -> None:
    answer: Answer = world.invoke(
        world.folder / "seed-upstream",
        *("sandbox.up", "--folder", str(tmp_path / "forge"), "--repository", repository),
    )
    answer.expect(2, "error: ")


def test_without_what_it_needs_it_says_what_to_install(world: World, tmp_path: Path) -> None:
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda n, *a: None if n == 'aiohttp' else find(n, *a)\n"
    )
    env = {"PYTHONPATH": f"{without}:{world.environment['PYTHONPATH']}"}
    answer = world.invoke(world.folder / "seed-upstream", "sandbox.demo", env=env)
    answer.expect(2, "needs aiohttp", r"pip install 'sluice-release\[sandbox\]'")
