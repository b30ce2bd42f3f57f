"""git itself, against the sandbox's smart HTTP."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from release.sandbox.forge import Sandbox
from release.sandbox.forge.events import Event
from tests.forge import Client, address, commit, git


def test_a_public_repository_is_read_by_anybody(forge: Sandbox, work: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", f"{forge.url}/acme/app.git", "copy")
    assert (tmp_path / "copy" / "app.txt").read_text("utf-8") == "one\n"
    git(tmp_path, "clone", "--quiet", f"{forge.url}/acme/app", "without-suffix")


def test_every_exit_code_of_git_is_taken_once(
    forge: Sandbox, work: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(12):
        git(tmp_path, "clone", "--quiet", f"{forge.url}/acme/app.git", str(number))
    assert [one.getMessage() for one in caplog.records if one.name == "asyncio"] == []


def test_shallow_partial_and_old_protocol_clones_work(forge: Sandbox, work: Path, tmp_path: Path) -> None:
    for number in range(3):
        (work / f"{number}.txt").write_text(str(number), encoding="utf-8")
        commit(work, str(number))
    git(work, "push", "--quiet", "origin", "master")
    url = f"{forge.url}/acme/app.git"
    for name, options in {
        "shallow": ("--depth=1",),
        "partial": ("--filter=blob:none",),
        "v0": ("-c", "protocol.version=0"),
        "v2": ("-c", "protocol.version=2"),
    }.items():
        git(tmp_path, "clone", "--quiet", *options, url, name)
        assert (tmp_path / name / "2.txt").read_text("utf-8") == "2"
    assert git(tmp_path / "shallow", "rev-list", "--count", "HEAD").stdout.strip() == "1"


def test_protocol_v2_is_really_spoken(forge: Sandbox, anybody: Client, work: Path) -> None:
    there = f"{forge.url}/acme/app.git/info/refs?service=git-upload-pack"
    assert b"version 2" in anybody("GET", there, headers={"Git-Protocol": "version=2"}).content
    assert b"version 2" not in anybody("GET", there).content


def test_a_packed_request_body_is_unpacked(forge: Sandbox, anybody: Client, work: Path) -> None:
    body = gzip.compress(b"0014command=ls-refs\n00010009peel\n0000")
    headers = {
        "Git-Protocol": "version=2",
        "Content-Encoding": "gzip",
        "Content-Type": "application/x-git-upload-pack-request",
    }
    answer = anybody("POST", f"{forge.url}/acme/app.git/git-upload-pack", data=body, headers=headers)
    assert b"refs/heads/master" in answer.content


def test_who_may_not_is_told_as_github_tells(forge: Sandbox, stranger: Client, work: Path) -> None:
    forge.repository("acme/secret", private=True)
    pushed = git(work, "push", address(forge, stranger.token, "acme/app"), "HEAD:refs/heads/x", check=False)
    assert "Permission to acme/app.git denied to stranger" in pushed.stderr
    assert "403" in pushed.stderr
    nobody = git(work, "push", f"{forge.url}/acme/app.git", "HEAD:refs/heads/x", check=False)
    assert "could not read Username" in nobody.stderr
    for name in ("acme/secret", "acme/missing"):
        seen = git(work, "ls-remote", address(forge, stranger.token, name), check=False)
        assert "Repository not found" in seen.stderr
    bad = git(work, "push", address(forge, "ghp_wrong", "acme/app"), "HEAD:refs/heads/x", check=False)
    assert "Authentication failed" in bad.stderr


def test_a_token_works_as_bearer_too(forge: Sandbox, captain: Client, work: Path) -> None:
    header = f"http.{forge.url}/.extraheader=Authorization: Bearer {captain.token}"
    git(work, "-c", header, "push", "--quiet", f"{forge.url}/acme/app.git", "HEAD:refs/heads/bearer")


def test_a_read_only_token_cannot_push(forge: Sandbox, work: Path) -> None:
    token = forge.token("captain", repositories=("acme/app",), permissions={"contents": "read"})
    pushed = git(work, "push", address(forge, token, "acme/app"), "HEAD:refs/heads/x", check=False)
    assert "Write access to repository not granted" in pushed.stderr


def test_a_protected_branch_takes_only_what_goes_forwards_by_whom_it_allows(
    forge: Sandbox, captain: Client, work: Path
) -> None:
    forge.repository("acme/app", push=("captain", "mate"))
    forge.protect("acme/app", branches=("master",), allow=("captain",))
    commit(work, "second")
    mate = address(forge, forge.token("mate"), "acme/app")
    refused = git(work, "push", mate, "HEAD:master", check=False).stderr
    assert "GH006: Protected branch update failed for refs/heads/master" in refused
    git(work, "push", "--quiet", "origin", "HEAD:master")
    back = git(work, "push", "--force", "origin", "HEAD~1:master", check=False)
    assert "Cannot force-push" in back.stderr
    assert "Cannot delete" in git(work, "push", "origin", ":master", check=False).stderr


def test_what_is_refused_does_not_hold_the_rest_unless_atomic(forge: Sandbox, captain: Client, work: Path) -> None:
    forge.protect("acme/app", tags=("v*",), allow=("boss",))
    refs = ("HEAD:refs/heads/side", "HEAD:refs/tags/v1")
    assert "GH013" in git(work, "push", "--atomic", "origin", *refs, check=False).stderr
    assert captain.get("/repos/acme/app/git/matching-refs/heads/side") == []
    assert git(work, "push", "origin", *refs, check=False).returncode != 0
    assert len(captain.get("/repos/acme/app/git/matching-refs/heads/side")) == 1
    assert captain.get("/repos/acme/app/git/matching-refs/tags/v") == []


def test_a_lease_that_does_not_hold_refuses_the_push(forge: Sandbox, captain: Client, work: Path) -> None:
    commit(work, "second")
    lease = f"--force-with-lease=master:{'1' * 40}"
    assert git(work, "push", lease, "origin", "HEAD:master", check=False).returncode != 0
    git(work, "push", "--quiet", "--force-with-lease=refs/sluice/1:", "origin", "HEAD:refs/sluice/1")
    second = git(work, "push", "--force-with-lease=refs/sluice/1:", "origin", "HEAD~1:refs/sluice/1", check=False)
    assert "stale info" in second.stderr or "rejected" in second.stderr


def test_workflows_are_pushed_only_with_the_scope(forge: Sandbox, captain: Client, work: Path) -> None:
    (work / ".github" / "workflows").mkdir(parents=True)
    (work / ".github" / "workflows" / "ci.yml").write_text("on: push\n", encoding="utf-8")
    commit(work, "ci")
    plain = address(forge, forge.token("captain", scopes=("repo",)), "acme/app")
    refused = git(work, "push", plain, "HEAD:master", check=False)
    assert "without `workflow` scope" in refused.stderr
    git(work, "push", "--quiet", "origin", "HEAD:master")
    git(work, "push", "--quiet", plain, "HEAD:refs/heads/known")


def test_a_push_is_told_with_its_actor_and_three_tags_at_most(forge: Sandbox, captain: Client, work: Path) -> None:
    heard: list[Event] = []
    forge.events.subscribe(heard.append)
    head = commit(work, "second")
    git(work, "push", "--quiet", "origin", "HEAD:master", *(f"HEAD:refs/tags/v{number}" for number in range(3)))
    assert sorted(event.ref for event in heard) == ["refs/heads/master", "refs/tags/v0", "refs/tags/v1", "refs/tags/v2"]
    assert {(event.actor, event.sha, event.starts_workflows) for event in heard} == {("captain", head, True)}
    heard.clear()
    git(work, "push", "--quiet", "origin", *(f"HEAD:refs/tags/w{number}" for number in range(4)))
    git(work, "push", "--quiet", "origin", "HEAD:refs/sluice/x")
    assert heard == []


def test_what_a_workflow_pushes_starts_no_workflow(forge: Sandbox, captain: Client, work: Path) -> None:
    heard: list[Event] = []
    forge.events.subscribe(heard.append)
    token = forge.workflow_token("acme/app", None, 3)
    git(work, "push", "--quiet", address(forge, token, "acme/app"), "HEAD:refs/heads/bot")
    assert [(event.actor, event.starts_workflows) for event in heard] == [("github-actions[bot]", False)]
    forge.revoke(token)
    assert git(work, "push", address(forge, token, "acme/app"), "HEAD:refs/heads/b", check=False).returncode != 0


def test_a_repository_starts_from_another(forge: Sandbox, captain: Client, work: Path, tmp_path: Path) -> None:
    git(work, "tag", "v0")
    git(tmp_path, "clone", "--quiet", "--mirror", str(work), "source.git")
    forge.repository("acme/copy", source=tmp_path / "source.git", push=("captain",))
    assert [one["name"] for one in captain.get("/repos/acme/copy/tags")] == ["v0"]
    assert captain.get("/repos/acme/copy/branches/master")["name"] == "master"


def test_nothing_of_the_machine_reaches_git(forge: Sandbox, work: Path, tmp_path: Path) -> None:
    assert "GIT_DIR" not in os.environ
    deadline = time.monotonic() + 30
    while list((forge.folder / "pushes").glob("*")):  # it is removed after the answer
        assert time.monotonic() < deadline
        time.sleep(0.01)
