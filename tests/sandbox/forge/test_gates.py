"""Check runs, statuses, deployments, environments and rules of the sandbox behave as GitHub's do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release.sandbox.forge import Sandbox
from tests.forge import Client, commit, git

REPO = "/repos/acme/app"


@pytest.fixture
def robot(forge: Sandbox) -> Iterator[Client]:
    """A workflow with its own token."""
    client = Client(forge, forge.workflow_token("acme/app", None, 7))
    yield client
    client.close()


@pytest.fixture
def head(work: Path) -> str:
    return git(work, "rev-parse", "HEAD").stdout.strip()


def test_a_commit_without_statuses_is_pending(captain: Client, head: str) -> None:
    assert captain.get(f"{REPO}/commits/{head}/status")["state"] == "pending"
    assert captain.get(f"{REPO}/commits/{head}/check-runs")["total_count"] == 0


def test_the_newest_status_of_a_context_counts(captain: Client, head: str) -> None:
    captain.post(f"{REPO}/statuses/{head}", state="failure", context="ci")
    captain.post(f"{REPO}/statuses/{head}", state="success", context="docs")
    assert captain.get(f"{REPO}/commits/master/status")["state"] == "failure"
    captain.post(f"{REPO}/statuses/{head}", state="success", context="ci", description="fine", target_url="http://ci/1")
    combined = captain.get(f"{REPO}/commits/{head}/status")
    assert (combined["state"], combined["total_count"]) == ("success", 2)
    assert [one["state"] for one in captain.get(f"{REPO}/commits/{head}/statuses")] == ["success", "success", "failure"]


def test_a_status_with_a_long_description_or_of_no_commit_is_refused(captain: Client, head: str) -> None:
    long = captain("POST", f"{REPO}/statuses/{head}", {"state": "success", "description": "x" * 141})
    assert long.json()["errors"][0]["field"] == "description"
    assert captain("POST", f"{REPO}/statuses/{'1' * 40}", {"state": "success"}).status_code == 422
    assert captain("POST", f"{REPO}/statuses/{head}", {"state": "good"}).status_code == 422


def test_only_apps_make_check_runs(captain: Client, robot: Client, head: str) -> None:
    assert captain("POST", f"{REPO}/check-runs", {"name": "ci", "head_sha": head}).status_code == 403
    run = robot.post(f"{REPO}/check-runs", name="ci", head_sha=head, status="in_progress")
    assert run["conclusion"] is None
    done = robot.patch(f"{REPO}/check-runs/{run['id']}", conclusion="success", output={"title": "t", "summary": "s"})
    assert (done["status"], done["conclusion"]) == ("completed", "success")
    again = robot.post(f"{REPO}/check-runs", name="ci", head_sha=head, conclusion="failure")
    assert [one["id"] for one in captain.get(f"{REPO}/commits/{head}/check-runs")["check_runs"]] == [again["id"]]
    assert captain.get(f"{REPO}/commits/{head}/check-runs?filter=all")["total_count"] == 2
    assert captain.get(f"{REPO}/commits/{head}/check-runs?check_name=other")["total_count"] == 0


def test_a_deployment_and_its_statuses(forge: Sandbox, captain: Client, head: str) -> None:
    heard: list[str] = []
    forge.events.subscribe(lambda event: heard.append(event.name))
    made = captain.post(f"{REPO}/deployments", ref=head, environment="qa", auto_merge=False, task="soak")
    assert made["sha"] == head
    assert captain.get(f"{REPO}/deployments?environment=qa&task=soak&sha={head}")[0]["id"] == made["id"]
    assert captain.get(f"{REPO}/deployments?environment=other") == []
    captain.post(f"{REPO}/deployments/{made['id']}/statuses", state="in_progress")
    captain.post(f"{REPO}/deployments/{made['id']}/statuses", state="success", log_url="http://log/1")
    said = captain.get(f"{REPO}/deployments/{made['id']}/statuses")
    assert [one["state"] for one in said] == ["success", "in_progress"]
    assert captain.get(f"{REPO}/deployments/{made['id']}")["environment"] == "qa"
    assert captain.get(f"{REPO}/environments")["environments"][0]["name"] == "qa"
    assert heard == ["deployment", "deployment_status", "deployment_status"]


def test_a_success_retires_what_was_there_before(captain: Client, head: str) -> None:
    first, second = (captain.post(f"{REPO}/deployments", ref=head, auto_merge=False) for _ in range(2))
    for one in (first, second):
        captain.post(f"{REPO}/deployments/{one['id']}/statuses", state="success")
    assert captain.get(f"{REPO}/deployments/{first['id']}/statuses")[0]["state"] == "inactive"


def test_a_branch_that_is_behind_is_merged_and_not_deployed(captain: Client, work: Path) -> None:
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/topic")
    (work / "more.txt").write_text("more\n", encoding="utf-8")
    ahead = commit(work, "ahead")
    git(work, "push", "--quiet", "origin", "master")
    merged = captain("POST", f"{REPO}/deployments", {"ref": "topic"})
    assert merged.status_code == 202
    assert "Auto-merged" in merged.json()["message"]
    assert captain.get(f"{REPO}/deployments") == []
    assert captain.get(f"{REPO}/compare/{ahead}...topic")["status"] == "ahead"
    assert captain("POST", f"{REPO}/deployments", {"ref": "topic"}).status_code == 201


def test_a_conflict_or_a_red_check_is_409(captain: Client, work: Path) -> None:
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/other")
    (work / "app.txt").write_text("mine\n", encoding="utf-8")
    head = commit(work, "mine")
    git(work, "push", "--quiet", "origin", "master")
    git(work, "checkout", "--quiet", "-b", "other", "HEAD~1")
    (work / "app.txt").write_text("yours\n", encoding="utf-8")
    commit(work, "yours")
    git(work, "push", "--quiet", "origin", "other")
    assert captain("POST", f"{REPO}/deployments", {"ref": "other"}).status_code == 409
    captain.post(f"{REPO}/statuses/{head}", state="failure", context="ci")
    red = captain("POST", f"{REPO}/deployments", {"ref": head, "auto_merge": False})
    assert red.status_code == 409
    assert red.json()["errors"][0]["contexts"] == [{"context": "ci", "state": "failure"}]
    assert captain("POST", f"{REPO}/deployments", {"ref": head, "required_contexts": []}).status_code == 201
    assert captain("POST", f"{REPO}/deployments", {"ref": "nowhere"}).status_code == 422


def test_an_environment_names_its_reviewers(forge: Sandbox, captain: Client) -> None:
    forge.environment("acme/app", "qa", reviewers=("boss",))
    (rule,) = captain.get(f"{REPO}/environments/qa")["protection_rules"]
    assert rule["reviewers"][0]["reviewer"]["login"] == "boss"
    assert captain("GET", f"{REPO}/environments/prod").status_code == 404


def test_protection_shows_as_rules_and_rulesets(forge: Sandbox, captain: Client, work: Path) -> None:
    forge.protect("acme/app", branches=("release-*",), tags=("v*",), allow=("captain",))
    kinds = [rule["type"] for rule in captain.get(f"{REPO}/rules/branches/release-1.30")]
    assert kinds == ["update", "deletion", "non_fast_forward"]
    assert captain.get(f"{REPO}/rules/branches/master") == []
    sets = captain.get(f"{REPO}/rulesets")
    assert [(one["target"], one["current_user_can_bypass"]) for one in sets] == [
        ("branch", "always"),
        ("tag", "always"),
    ]
    assert captain.get(f"{REPO}/branches/master")["protected"] is False


def test_attestations_are_found_by_their_subjects(captain: Client) -> None:
    statement = "eyJzdWJqZWN0IjpbeyJuYW1lIjoiYSIsImRpZ2VzdCI6eyJzaGEyNTYiOiJhYmMifX1dfQ=="
    bundle = {"mediaType": "x", "dsseEnvelope": {"payload": statement}}
    captain.post(f"{REPO}/attestations", bundle=bundle)
    assert captain.get(f"{REPO}/attestations/sha256:abc")["attestations"][0]["bundle"] == bundle
    assert captain("GET", f"{REPO}/attestations/sha256:def").status_code == 404
