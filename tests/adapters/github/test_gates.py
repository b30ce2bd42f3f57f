"""Checks and statuses are two APIs and one answer; environments and deployments say who may say yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from release.adapters.github import Repository
from release.core.forge import Check, Deployment, Environment
from release.errors import Refused, Unseen
from release.sandbox.forge import Sandbox
from tests.forge import Client, git
from tests.serving import Reply, Server

As = Callable[..., Repository]
Told = Callable[..., tuple[Repository, Server]]
SHA = "a" * 40


@pytest.fixture
def at(work: Path) -> str:
    return git(work, "rev-parse", "HEAD").stdout.strip()


@pytest.fixture
def captain(sandbox: Sandbox, token: str) -> Iterator[Client]:
    client = Client(sandbox, token)
    yield client
    client.close()


def check(**other: Any) -> dict[str, Any]:
    return {"id": 1, "name": "build", "status": "completed", "conclusion": "success", "details_url": None} | other


def checked(
    told: Told, *runs: dict[str, Any], statuses: tuple[dict[str, Any], ...] = (), **more: Any
) -> tuple[Check, ...]:
    app, _ = told({
        f"GET /commits/{SHA}/check-runs": Reply(200, {"total_count": len(runs), "check_runs": runs}),
        f"GET /commits/{SHA}/status": Reply(200, {"state": "pending", "statuses": statuses}),
        **more,
    })  # fmt: skip
    return app.checks(SHA)


@pytest.fixture
def workflow(sandbox: Sandbox, work: Path) -> Iterator[Client]:
    """Who makes check runs: only Apps may, and GitHub Actions is one."""
    client = Client(sandbox, sandbox.workflow_token("acme/app", None, 0))
    yield client
    client.close()


def test_check_runs_and_statuses_are_seen_together(app: Repository, captain: Client, workflow: Client, at: str) -> None:
    checks, statuses = "/repos/acme/app/check-runs", f"/repos/acme/app/statuses/{at}"
    assert app.checks(at) == ()
    workflow.post(checks, name="build", head_sha=at, status="completed", conclusion="success")
    workflow.post(checks, name="test", head_sha=at, status="in_progress")
    captain.post(statuses, state="pending", context="cla")
    captain.post(statuses, state="failure", context="lint", description="no")
    captain.post(statuses, state="success", context="cla", description="signed")
    assert {(one.name, one.state) for one in app.checks(at)} == {
        ("build", "green"), ("test", "pending"), ("cla", "green"), ("lint", "red"),
    }  # fmt: skip


def test_the_newest_check_run_of_a_name_counts_and_all_pages_are_read(
    app: Repository, workflow: Client, at: str
) -> None:
    checks = "/repos/acme/app/check-runs"
    workflow.post(checks, name="build", head_sha=at, status="completed", conclusion="failure")
    workflow.post(checks, name="build", head_sha=at, status="completed", conclusion="success")
    for n in range(101):
        workflow.post(checks, name=f"c{n}", head_sha=at, status="completed", conclusion="success")
    found = app.checks(at)
    assert len(found) == 102
    assert {one.state for one in found} == {"green"}


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        *(("completed", said, "green") for said in ("success", "neutral", "skipped")),
        *(("completed", said, "red") for said in ("failure", "cancelled", "timed_out", "action_required", "stale", "startup_failure", None, "new")),
        *((said, None, "pending") for said in ("queued", "in_progress", "waiting", "requested", "pending")),
    ],
)  # fmt: skip
def test_only_what_is_known_to_be_good_is_green(told: Told, status: str, conclusion: str | None, state: str) -> None:
    assert [one.state for one in checked(told, check(status=status, conclusion=conclusion))] == [state]


@pytest.mark.parametrize(
    ("said", "state"),
    [("success", "green"), ("pending", "pending"), ("failure", "red"), ("error", "red"), ("new", "red")],
)
def test_a_status_is_green_only_if_it_says_success(told: Told, said: str, state: str) -> None:
    status = {"id": 1, "context": "cla", "state": said, "description": None, "target_url": None}
    assert checked(told, statuses=(status,)) == (Check("cla", state, ""),)  # type: ignore[arg-type]


def test_a_check_belongs_to_a_run_of_this_repository_only(told: Told) -> None:
    def run_of(url: str) -> int:
        app, _ = told({
            f"GET /commits/{SHA}/check-runs": lambda seen: Reply(200, {"check_runs": [check(details_url=url.replace("HOST", f"http://{seen.headers['host']}"))]}),
            f"GET /commits/{SHA}/status": Reply(200, {"statuses": []}),
        })  # fmt: skip
        return app.checks(SHA)[0].run

    assert run_of("HOST/acme/app/actions/runs/123/job/4") == 123
    assert run_of("HOST/Acme/App/actions/runs/123") == 123
    assert run_of("HOST/other/app/actions/runs/123") == 0
    assert run_of("https://evil.example.org/acme/app/actions/runs/123") == 0
    assert run_of("HOST/acme/app/actions/runs/") == 0
    assert run_of("http://[") == 0
    assert run_of("/acme/app/actions/runs/123") == 0
    assert run_of("HOST.evil.example.org/acme/app/actions/runs/123") == 0


def test_jobs_of_two_workflows_with_one_name_both_count(told: Told) -> None:
    def run(workflow: str) -> Reply:
        return Reply(200, {"id": 1, "path": workflow, "event": "push", "head_sha": SHA, "display_title": "", "created_at": "2030-01-31T12:00:00Z", "html_url": ""})  # fmt: skip

    app, server = told({
        "GET /actions/runs/1": run("a.yml"), "GET /actions/runs/2": run("b.yml"), "GET /actions/runs/3": run("a.yml@refs/heads/main"),
        f"GET /commits/{SHA}/status": Reply(200, {"statuses": []}),
        f"GET /commits/{SHA}/check-runs": lambda seen: Reply(200, {"check_runs": [
            check(id=n, conclusion=said, app={"slug": "github-actions"}, details_url=f"http://{seen.headers['host']}/acme/app/actions/runs/{n}")
            for n, said in ((1, "failure"), (2, "failure"), (3, "success"))
        ]}),
    })  # fmt: skip
    assert [(one.run, one.state) for one in app.checks(SHA)] == [(2, "red"), (3, "green")]
    assert server.seen


def test_a_token_that_cannot_see_checks_is_told(told: Told) -> None:
    refusal = Reply(
        403, {"message": "Resource not accessible by integration"}, {"X-Accepted-GitHub-Permissions": "checks=read"}
    )
    app, _ = told({f"GET /commits/{SHA}/check-runs": refusal})
    with pytest.raises(
        Unseen, match=r"cannot reach acme/app \(Resource not accessible by integration\); give it checks: read there"
    ):
        app.checks(SHA)


def test_an_environment_says_who_may_approve(app: Repository, sandbox: Sandbox) -> None:
    sandbox.environment("acme/app", "qa", reviewers=("boss", "deputy"))
    sandbox.environment("acme/app", "eu/west 1")
    assert app.environment("qa") == Environment("qa", ("boss", "deputy"))
    assert app.environment("eu/west 1") == Environment("eu/west 1")
    assert app.environment("none") is None


def test_an_environments_teams_are_told_from_people(told: Told) -> None:
    rules = [
        {"type": "wait_timer", "wait_timer": 30},
        {"type": "required_reviewers", "reviewers": [
            {"type": "Team", "reviewer": {"slug": "qa", "name": "QA"}}, {"type": "User", "reviewer": {"login": "boss"}},
        ]},
    ]  # fmt: skip
    app, _ = told({"GET /environments/qa": Reply(200, {"name": "qa", "protection_rules": rules})})
    assert app.environment("qa") == Environment("qa", ("boss",), teams=True)


def test_a_deployment_is_asked_for_and_its_newest_status_seen(app: Repository, captain: Client, at: str) -> None:
    assert app.deployments(at, "qa", "release:v1") == ()
    app.request(at, "qa", "release:v1", "Release v1?")
    app.request(at, "qa", "release:v2", "another")
    app.request(at, "qa", "release:v1", "again")
    newest, first = app.deployments(at, "qa", "release:v1")
    assert newest.id > first.id
    assert newest == Deployment(newest.id, at, "qa", "release:v1")
    captain.post(f"/repos/acme/app/deployments/{newest.id}/statuses", state="in_progress")
    captain.post(f"/repos/acme/app/deployments/{newest.id}/statuses", state="success")
    decided = app.deployments(at, "qa", "release:v1")[0]
    assert (decided.state, decided.by) == ("success", "captain")
    assert app.deployments(at, "prod", "release:v1") == ()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(202, {"message": "Auto-merged master into topic on deployment."}),
        Reply(409, {"message": "Conflict merging"}),
    ],
)
def test_a_deployment_that_was_not_made_is_refused(told: Told, reply: Reply) -> None:
    app, server = told({"POST /deployments": reply})
    with pytest.raises(
        Refused,
        match=rf"cannot ask for a deployment of aaaaaaaaaa to qa in acme/app: the forge answered {reply.status}",
    ):
        app.request(SHA, "qa", "release:v1", "?")
    (asked,) = server.seen
    assert (asked.json["auto_merge"], asked.json["required_contexts"]) == (False, [])
