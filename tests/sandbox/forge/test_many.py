"""A forge with many repositories: cheap to make, and every one of them as real as any."""

from __future__ import annotations

import hashlib
from pathlib import Path

from release.sandbox.forge import Sandbox
from release.sandbox.forge.many import many
from tests.forge import Client, address, git


def test_many_repositories_are_as_real_as_one(forge: Sandbox, tmp_path: Path) -> None:
    names = many(forge, 3, 2, push=["captain"])
    assert names == ("acme/component-0001", "acme/component-0002", "acme/component-0003")
    token = forge.token("captain")
    client = Client(forge, token)
    second = client.get("/repos/acme/component-0002/releases")
    assert [one["tag_name"] for one in second] == ["v1.2.0", "v1.1.0"]
    asset = second[0]["assets"][1]
    assert asset["name"] == "component-0002-arm64.txt"
    content = client("GET", asset["url"], headers={"Accept": "application/octet-stream"}).headers["Location"]
    assert f"sha256:{hashlib.sha256(Client(forge)('GET', content).content).hexdigest()}" == asset["digest"]
    (run,) = client.get("/repos/acme/component-0002/actions/workflows/release.yml/runs", params={"branch": "v1.2.0"})[
        "workflow_runs"
    ]
    assert (run["conclusion"], run["event"]) == ("success", "release")
    tag = client.get("/repos/acme/component-0002/git/ref/tags/v1.2.0")
    assert tag["object"]["sha"] == run["head_sha"]
    client.close()

    git(tmp_path, "clone", "--quiet", address(forge, token, names[0]), "clone")
    clone = tmp_path / "clone"
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "more")
    git(clone, "push", "--quiet", "origin", "HEAD:master", "HEAD:refs/tags/v1.3.0")
    heads = {
        name: git(tmp_path, "ls-remote", address(forge, token, name), "refs/heads/master").stdout for name in names
    }
    assert heads[names[0]] != heads[names[1]] == heads[names[2]], "one that goes on takes none of the others along"
    for name in names:
        git(forge.git(name).path, "fsck", "--strict")


def test_a_release_in_one_of_many_is_a_release(forge: Sandbox) -> None:
    (name,) = many(forge, 1, 1, push=["captain"], workflow="")
    client = Client(forge, forge.token("captain"))
    client.post(f"/repos/{name}/releases", tag_name="v2.0.0")
    assert [one["tag_name"] for one in forge.releases(name)] == ["v1.1.0", "v2.0.0"]
    assert client.get(f"/repos/{name}/releases/latest")["tag_name"] == "v2.0.0"
    assert client("GET", f"/repos/{name}/actions/workflows/release.yml/runs").status_code == 404
    client.close()
