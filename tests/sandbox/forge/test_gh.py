"""GitHub's own command line works against the forge: it is a real client's word that the forge is no invention."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from release.sandbox.forge import Sandbox
from tests import openapi
from tests.sandbox.forge.workshop import TIMEOUT, Workshop

HOST = "github.localhost"  # the one host that gh speaks plain HTTP to
WORK = """
name: Build
on:
  workflow_dispatch: {inputs: {tag: {default: none}}}
  push: {branches: [master]}
jobs: {work: {runs-on: ubuntu-latest, steps: [{name: Say, run: "echo tag=${{ inputs.tag }}"}]}}
"""

pytestmark = pytest.mark.skipif(not shutil.which("gh"), reason="gh is not here (scripts/ci-packages installs it)")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with Sandbox(tmp_path / "forge") as forge:
        yield Workshop(forge, tmp_path)
        exchanges = list(forge.exchanges())
    # gh sends an empty label with a file that has none: GitHub takes it, its description does not.
    openapi.check(replace(one, query=one.query.replace("label=&", "")) for one in exchanges)


def gh(shop: Workshop, *arguments: str, code: int = 0) -> str:
    """What gh prints."""
    done = subprocess.run(
        ["gh", *arguments], env=environment(shop), cwd=shop.folder, capture_output=True, text=True, timeout=TIMEOUT,
        check=False,
    )  # fmt: skip
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + (done.stderr if code else "")


def environment(shop: Workshop) -> dict[str, str]:
    """With the forge as its proxy gh finds GitHub's host names there."""
    home = shop.folder / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GH_HOST": HOST,
        "GH_REPO": f"{HOST}/{shop.name}",
        "GH_TOKEN": shop.token,
        "GH_NO_UPDATE_NOTIFIER": "1",
        "GH_PROMPT_DISABLED": "1",
        "HTTP_PROXY": shop.forge.url,
        "NO_COLOR": "1",
    }


def table(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def test_gh_knows_who_it_is_and_where(shop: Workshop) -> None:
    shop.write(WORK)
    assert gh(shop, "api", "user", "--jq", ".login").strip() == "captain"
    shown = json.loads(gh(shop, "repo", "view", shop.name, "--json", "nameWithOwner,viewerPermission,defaultBranchRef"))
    assert shown == {
        "nameWithOwner": shop.name, "viewerPermission": "WRITE", "defaultBranchRef": {"name": "master"},
    }  # fmt: skip
    assert "Could not resolve to a Repository" in gh(shop, "repo", "view", "rancher/none", code=1)


def test_gh_makes_a_release_with_files_and_it_is_there(shop: Workshop) -> None:
    commit = shop.write(WORK)
    shop.forge.idle(TIMEOUT)
    (shop.folder / "one.txt").write_text("one\n")
    (shop.folder / "two.bin").write_bytes(bytes(range(256)) * 4096)
    made = gh(
        shop, "release", "create", "v1.0.0", "one.txt", "two.bin#The second", "--title", "First", "--notes", "Some notes",
        "--target", "master",
    )  # fmt: skip
    assert made.strip().endswith(f"/{shop.name}/releases/tag/v1.0.0")
    (release,) = shop.forge.releases(shop.name)
    assert (release["tag_name"], release["name"], release["body"], release["draft"]) == (
        "v1.0.0",
        "First",
        "Some notes",
        False,
    )
    assert {asset["name"]: asset["size"] for asset in release["assets"]} == {"one.txt": 4, "two.bin": 1 << 20}
    assert shop.git("ls-remote", "origin", "refs/tags/v1.0.0").split()[0] == commit


def test_gh_lists_and_views_releases_as_they_are(shop: Workshop) -> None:
    shop.write(WORK)
    for body in (
        {"tag_name": "v1.0.0", "name": "First", "body": "Notes of the first"},
        {"tag_name": "v1.1.0-rc1", "name": "Candidate", "prerelease": True},
        {"tag_name": "v1.1.0", "name": "Draft", "draft": True},
    ):
        assert shop.api("POST", "releases", body).status_code == 201
    listed = table(gh(shop, "release", "list"))
    assert {(row[0], row[1], row[2]) for row in listed} == {
        ("First", "Latest", "v1.0.0"), ("Candidate", "Pre-release", "v1.1.0-rc1"), ("Draft", "Draft", "v1.1.0"),
    }  # fmt: skip
    viewed = gh(shop, "release", "view", "v1.0.0")
    assert "title:\tFirst" in viewed
    assert "draft:\tfalse" in viewed
    assert "author:\tcaptain" in viewed
    assert "Notes of the first" in viewed
    draft = json.loads(gh(shop, "release", "view", "v1.1.0", "--json", "isDraft,name,tagName"))
    assert draft == {"isDraft": True, "name": "Draft", "tagName": "v1.1.0"}
    assert json.loads(gh(shop, "release", "view", "--json", "tagName")) == {"tagName": "v1.0.0"}
    assert "release not found" in gh(shop, "release", "view", "v9", code=1)


def test_gh_downloads_the_very_bytes(shop: Workshop) -> None:
    shop.write(WORK)
    content = os.urandom(1 << 20)
    (shop.folder / "rke2.linux-amd64.tar.gz").write_bytes(content)
    gh(shop, "release", "create", "v1.0.0", "rke2.linux-amd64.tar.gz", "--title", "x", "--notes", "x")
    gh(shop, "release", "download", "v1.0.0", "--dir", "out", "--pattern", "*.tar.gz")
    assert (shop.folder / "out" / "rke2.linux-amd64.tar.gz").read_bytes() == content


def test_gh_starts_a_workflow_and_tells_how_it_went(shop: Workshop) -> None:
    shop.write(WORK)
    shop.forge.idle(TIMEOUT)
    assert [row[:2] for row in table(gh(shop, "workflow", "list"))] == [["Build", "active"]]
    shop.write(WORK.replace("echo tag=${{ inputs.tag }}", "echo tag=${{ inputs.tag }}; exit 7"), push=False)
    shop.git("push", "--quiet", "origin", "HEAD:refs/heads/trial")
    gh(shop, "workflow", "run", "work.yml", "--ref", "trial", "-f", "tag=v1.2.3")
    shop.forge.idle(TIMEOUT)
    run = shop.run()
    assert "tag=v1.2.3" in shop.log()
    viewed = gh(shop, "run", "view", str(run["id"]), "--exit-status", code=1)
    assert "X trial Build" in viewed
    assert "X work in" in viewed
    assert "X Say" in viewed
    assert [row[:7] for row in table(gh(shop, "run", "list"))] == [
        ["completed", "failure", "Build", "Build", "trial", "workflow_dispatch", str(run["id"])],
        ["completed", "success", "Work", "Build", "master", "push", str(shop.runs()[0]["id"])],
    ]


@pytest.mark.parametrize(("exit_code", "conclusion"), [(0, "success"), (1, "failure")])
def test_gh_watches_a_run_to_its_end(shop: Workshop, exit_code: int, conclusion: str) -> None:
    gate = shop.folder / "gate"
    os.mkfifo(gate)
    shop.write(WORK.replace("echo tag=${{ inputs.tag }}", f"echo begun > {gate}; cat {gate}; exit {exit_code}"))
    assert gate.read_text() == "begun\n"
    run = str(shop.run()["id"])
    assert [row[:2] for row in table(gh(shop, "run", "list"))] == [["in_progress", ""]]
    command = ["gh", "run", "watch", run, "--interval", "1", "--exit-status"]
    with subprocess.Popen(command, env=environment(shop), cwd=shop.folder, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        seen = next(line for line in watch.stdout if "work (ID" in line)
        assert seen.startswith("* ")
        gate.write_text("go\n")
        told = watch.stdout.read()
        assert watch.wait(TIMEOUT) == exit_code
    mark = "X" if exit_code else "✓"
    assert f"{mark} master Build · {run}" in told
    assert f"{mark} work in " in told
    assert f"{mark} Say" in told
    assert f"has already completed with '{conclusion}'" in gh(shop, "run", "watch", run)
