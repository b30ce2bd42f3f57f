"""Workflows, runs, jobs and dispatches over the API, each exchange as GitHub describes it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from release.sandbox.forge import Sandbox
from tests.forge import serving
from tests.sandbox.forge.workshop import TIMEOUT, Json, Workshop

DISPATCHED = """
name: Dispatched
run-name: Deploy ${{ inputs.tag }} (dry ${{ inputs.dry }})
on:
  workflow_dispatch:
    inputs:
      tag: {required: true}
      dry: {type: boolean, default: true}
      level: {type: choice, options: [low, high], default: low}
      many: {type: number, default: 3}
jobs:
  work: {runs-on: ubuntu-latest, steps: [{run: "echo ${{ inputs.tag }} ${{ inputs.dry && 'dry' || 'wet' }} ${{ github.event.inputs.level }} ${{ inputs.many }}"}]}
"""
HALF = """
on: push
jobs:
  good: {runs-on: x, steps: [{run: echo good >> FILE}]}
  bad: {runs-on: x, strategy: {fail-fast: false, matrix: {n: [1, 2]}}, steps: [{run: "echo bad-${{ matrix.n }}; [ ${{ matrix.n }} = 1 ] || [ $GITHUB_RUN_ATTEMPT = 2 ]"}]}
  after: {runs-on: x, needs: [good, bad], steps: [{run: echo after}]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    with serving(tmp_path / "forge") as forge:
        yield Workshop(forge, tmp_path)


def test_workflows_are_those_of_the_default_branch(shop: Workshop) -> None:
    shop.write(DISPATCHED, "deploy.yml", push=False)
    shop.write("on: [", "broken.yaml")
    shop.forge.idle(TIMEOUT)
    listed = shop.api("GET", "actions/workflows").json()
    assert listed["total_count"] == 2
    assert {(one["name"], one["path"], one["state"]) for one in listed["workflows"]} == {
        (".github/workflows/broken.yaml", ".github/workflows/broken.yaml", "active"),
        ("Dispatched", ".github/workflows/deploy.yml", "active"),
    }
    ident = next(one["id"] for one in listed["workflows"] if one["name"] == "Dispatched")
    for name in ("deploy.yml", str(ident)):
        assert shop.api("GET", f"actions/workflows/{name}").json()["id"] == ident
    assert shop.api("GET", "actions/workflows/none.yml").status_code == 404


def test_a_dispatch_is_answered_without_or_with_its_run(shop: Workshop) -> None:
    shop.write(DISPATCHED)
    path, body = "actions/workflows/work.yml/dispatches", {"ref": "master", "inputs": {"tag": "v1"}}
    plain = shop.api("POST", path, body)
    assert (plain.status_code, plain.text) == (204, "")
    asked = shop.api("POST", path, {**body, "return_run_details": True})
    newer = shop.api("POST", path, body, headers={"X-GitHub-Api-Version": "2026-03-10"})
    shop.forge.idle(TIMEOUT)
    ids = [run["id"] for run in shop.runs()]
    assert [asked.json()["workflow_run_id"], newer.json()["workflow_run_id"]] == ids[1:]
    run = shop.api("GET", f"actions/runs/{ids[1]}").json()
    assert (run["display_title"], run["name"], run["head_branch"]) == ("Deploy v1 (dry true)", "Dispatched", "master")
    assert (run["event"], run["path"], run["actor"]["login"]) == (
        "workflow_dispatch",
        ".github/workflows/work.yml",
        "captain",
    )
    assert asked.json()["html_url"] == run["html_url"]
    assert "v1 dry low 3" in shop.log()


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"ref": "nowhere", "inputs": {"tag": "v1"}}, 422, "No ref found for: nowhere"),
        ({"ref": "master"}, 422, "Required input 'tag' not provided"),
        ({"ref": "master", "inputs": {"tag": "x", "oops": "1"}}, 422, 'Unexpected inputs provided: ["oops"]'),
        ({"ref": "master", "inputs": {"tag": "x", "level": "top"}}, 422, "not in the list of allowed values"),
        ({"ref": "master", "inputs": {"tag": "x", "dry": "perhaps"}}, 422, "not a boolean"),
        ({"ref": "master", "inputs": {"tag": "x", "many": "lots"}}, 422, "not a number"),
        ({"ref": "master", "inputs": {"tag": "x", "many": "nan"}}, 422, "not a number"),
        ({"ref": "--upload-pack=x", "inputs": {"tag": "x"}}, 422, "No ref found"),
        ({"ref": "master", "inputs": {f"i{n}": "x" for n in range(26)}}, 422, "up to 25"),
        ({"inputs": {"tag": "x"}}, 422, '"ref" wasn\'t supplied'),
    ],
)
def test_a_wrong_dispatch_is_refused(shop: Workshop, body: dict[str, object], status: int, word: str) -> None:
    shop.write(DISPATCHED)
    answer = shop.api("POST", "actions/workflows/work.yml/dispatches", body)
    assert (answer.status_code, word in answer.json()["message"]) == (status, True), answer.text
    assert shop.runs() == []


def test_a_dispatch_needs_a_workflow_that_takes_it(shop: Workshop) -> None:
    shop.write("on: push\njobs: {a: {runs-on: x, steps: [{run: echo}]}}")
    answer = shop.api("POST", "actions/workflows/work.yml/dispatches", {"ref": "master"})
    assert (answer.status_code, answer.json()["message"]) == (422, "Workflow does not have 'workflow_dispatch' trigger")
    assert shop.api("POST", "actions/workflows/other.yml/dispatches", {"ref": "master"}).status_code == 404
    shop.token = shop.forge.token("stranger")
    assert shop.api("POST", "actions/workflows/work.yml/dispatches", {"ref": "master"}).status_code == 404
    shop.token = shop.forge.token("captain", repositories=(shop.name,), permissions={"contents": "write"})
    assert shop.api("POST", "actions/workflows/work.yml/dispatches", {"ref": "master"}).status_code == 403
    shop.forge.idle(TIMEOUT)


def test_a_repository_dispatch_tells_no_run_and_has_its_limits(shop: Workshop) -> None:
    shop.write("""
        on: {repository_dispatch: {types: [upstream]}}
        jobs: {work: {runs-on: x, steps: [{run: "echo '${{ toJSON(github.event.client_payload) }}' ${{ github.event.action }}"}]}}
        """)
    payload = {"tag": "v1.2.3"}
    assert shop.api("POST", "dispatches", {"event_type": "upstream", "client_payload": payload}).status_code == 204
    assert shop.api("POST", "dispatches", {"event_type": "other"}).status_code == 204
    wrongs: tuple[Json, ...] = (
        {"event_type": "x" * 101},
        {"event_type": ""},
        {"client_payload": {}},
        {"event_type": "x", "client_payload": {str(n): n for n in range(11)}},
        {"event_type": "x", "client_payload": {"a": "x" * (64 << 10)}},
    )
    for wrong in wrongs:
        assert shop.api("POST", "dispatches", wrong).status_code == 422
    shop.forge.idle(TIMEOUT)
    (run,) = shop.api("GET", "actions/runs").json()["workflow_runs"]
    assert (run["event"], run["display_title"], run["head_branch"]) == ("repository_dispatch", "upstream", "master")
    assert '"tag": "v1.2.3"' in shop.log()


def test_a_payload_of_strange_characters_and_numbers_is_data(shop: Workshop) -> None:
    shop.write("""
        on: repository_dispatch
        jobs:
          work:
            runs-on: x
            steps:
              - env: {TEXT: "${{ github.event.client_payload.text }}"}
                run: |
                  printf '%s' "$TEXT" | od -An -c | head -1
                  echo '${{ github.event.client_payload.text }}'
              - {if: always(), working-directory: "${{ github.event.client_payload.text }}", run: echo never}
        """)
    strange = {"text": "a\ud800b\0c\x1b[31m"}
    assert shop.api("POST", "dispatches", {"event_type": "x", "client_payload": strange}).status_code == 204
    text = b'{"event_type": "x", "client_payload": {"n": 1e999}}'
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
    url = f"{shop.forge.api_url}/repos/{shop.name}/dispatches"
    assert requests.post(url, text, headers=headers, timeout=TIMEOUT).status_code == 400
    shop.forge.idle(TIMEOUT)
    steps = shop.jobs()["work"]["steps"]
    assert [step["conclusion"] for step in steps] == ["success", "success", "failure", "success"]
    assert "a   ?   b   c 033" in shop.log()


def test_dispatches_may_start_nothing_at_all(shop: Workshop) -> None:
    shop.write(DISPATCHED)
    shop.forge.runner(shop.name, skip=1)
    body = {"ref": "master", "inputs": {"tag": "v1"}, "return_run_details": True}
    first = shop.api("POST", "actions/workflows/work.yml/dispatches", body).json()["workflow_run_id"]
    second = shop.api("POST", "actions/workflows/work.yml/dispatches", body).json()["workflow_run_id"]
    shop.forge.idle(TIMEOUT)
    assert [run["id"] for run in shop.runs()] == [second]
    assert shop.api("GET", f"actions/runs/{first}").status_code == 404
    shop.forge.runner(shop.name, starts=False)
    assert shop.api("POST", "dispatches", {"event_type": "x"}).status_code == 204
    shop.forge.idle(TIMEOUT)
    assert len(shop.runs()) == 1


def test_runs_are_listed_newest_first_and_filtered(shop: Workshop) -> None:
    first = shop.write(DISPATCHED, "deploy.yml", push=False)
    second = shop.write("on: push\njobs: {work: {runs-on: x, steps: [{run: exit 1}]}}")
    shop.git("tag", "v1")
    shop.git("push", "--quiet", "origin", "v1")
    body = {"ref": "v1", "inputs": {"tag": "v1"}}
    assert shop.api("POST", "actions/workflows/deploy.yml/dispatches", body).status_code == 204
    shop.forge.idle(TIMEOUT)
    ids = [run["id"] for run in shop.runs()]
    assert len(ids) == 3

    def found(path: str = "actions/runs", **query: str) -> list[int]:
        return [ids.index(run["id"]) for run in shop.api("GET", path, None, None, **query).json()["workflow_runs"]]

    assert found() == [2, 1, 0]
    assert found("actions/workflows/work.yml/runs") == [1, 0]
    assert found(event="workflow_dispatch") == [2]
    assert found(branch="v1") == [2, 1]
    assert found(branch="master", event="push") == [0]
    assert found(status="failure") == [1, 0]
    assert found(status="completed") == [2, 1, 0]
    assert found(head_sha=second) == [2, 1, 0]
    assert found(head_sha=first) == []
    assert found(actor="captain") == [2, 1, 0]
    assert found(actor="nobody") == []
    assert found(per_page="2", page="2") == [0]
    assert 'rel="next"' in shop.api("GET", "actions/runs", per_page="2").headers["Link"]
    assert shop.api("GET", "actions/workflows/none.yml/runs").status_code == 404


@pytest.mark.parametrize(
    ("said", "there"),
    [
        (">=2020-01-01T00:00:00Z", True),
        (">=2020-01-01", True),
        ("<2020-01-01", False),
        ("2020-01-01..*", True),
        ("2020-01-01..2020-12-31", False),
        (">2199-01-01T00:00:00Z", False),
        (">=2020-01-01T00:00:00.000+00:00", True),
    ],
)
def test_runs_are_found_by_when_they_were_created(tmp_path: Path, said: str, there: bool) -> None:
    with Sandbox(tmp_path / "forge") as forge:  # GitHub's description knows `created` only as a plain moment
        shop = Workshop(forge, tmp_path)
        shop.write("on: push\njobs: {work: {runs-on: x, steps: [{run: echo}]}}")
        forge.idle(TIMEOUT)
        assert shop.api("GET", "actions/runs", created=said).json()["total_count"] == int(there)


def test_a_run_its_jobs_checks_and_logs_are_told(shop: Workshop) -> None:
    commit = shop.write(HALF.replace(" >> FILE", ""))
    shop.forge.idle(TIMEOUT)
    run = shop.api("GET", f"actions/runs/{shop.run()['id']}").json()
    assert (run["status"], run["conclusion"], run["run_attempt"], run["head_commit"]["id"]) == (
        "completed",
        "failure",
        1,
        commit,
    )
    jobs = shop.api("GET", f"actions/runs/{run['id']}/jobs").json()
    assert {job["name"]: job["conclusion"] for job in jobs["jobs"]} == {
        "good": "success", "bad (1)": "success", "bad (2)": "failure", "after": "skipped",
    }  # fmt: skip
    bad = next(job for job in jobs["jobs"] if job["name"] == "bad (2)")
    assert bad["steps"][1]["conclusion"] == "failure"
    sent = shop.api("GET", f"actions/jobs/{bad['id']}/logs")
    assert sent.status_code == 302
    assert not sent.headers["Location"].startswith(shop.forge.url)
    log = requests.get(sent.headers["Location"], timeout=TIMEOUT)
    assert "bad-2" in log.text
    assert requests.get(sent.headers["Location"].replace("expires=", "expires=9"), timeout=TIMEOUT).status_code == 403
    checks = shop.api("GET", f"commits/{commit}/check-runs").json()
    assert {one["name"]: (one["status"], one["conclusion"]) for one in checks["check_runs"]} == {
        "good": ("completed", "success"), "bad (1)": ("completed", "success"),
        "bad (2)": ("completed", "failure"), "after": ("completed", "skipped"),
    }  # fmt: skip
    page = next(one["details_url"] for one in checks["check_runs"] if one["name"] == "bad (2)")
    assert page == f"{shop.forge.url}/{shop.name}/actions/runs/{run['id']}/job/{bad['id']}"


def test_what_is_not_there_is_not_found(shop: Workshop) -> None:
    shop.write("name: Broken\non: push\njobs: 3")
    shop.forge.idle(TIMEOUT)
    run = shop.run()["id"]
    for path in (f"actions/runs/{run + 99}", "actions/runs/x", f"actions/jobs/{run}", "actions/jobs/1/logs"):
        assert shop.api("GET", path).status_code == 404
    told = shop.api("GET", f"actions/runs/{run}").json()
    assert (told["conclusion"], told["name"], told["status"]) == ("startup_failure", "Broken", "completed")
    for again in ("rerun", "rerun-failed-jobs"):
        assert "invalid" in shop.api("POST", f"actions/runs/{run}/{again}").json()["message"]
    body = {"ref": "master"}
    assert "jobs is scalar" in shop.api("POST", "actions/workflows/work.yml/dispatches", body).json()["message"]


def test_failed_jobs_run_again_and_green_ones_are_kept(shop: Workshop) -> None:
    counted = shop.folder / "counted"
    shop.write(HALF.replace("FILE", str(counted)))
    shop.forge.idle(TIMEOUT)
    run = shop.run()["id"]
    first = {job["name"]: job for job in shop.api("GET", f"actions/runs/{run}/jobs").json()["jobs"]}
    assert shop.api("POST", f"actions/runs/{run}/rerun-failed-jobs").status_code == 201
    shop.forge.idle(TIMEOUT)
    told = shop.api("GET", f"actions/runs/{run}").json()
    assert (told["run_attempt"], told["conclusion"]) == (2, "success")
    second = {job["name"]: job for job in shop.api("GET", f"actions/runs/{run}/jobs").json()["jobs"]}
    assert {name: (job["conclusion"], job["run_attempt"]) for name, job in second.items()} == {
        "good": ("success", 2), "bad (1)": ("success", 2), "bad (2)": ("success", 2), "after": ("success", 2),
    }  # fmt: skip
    assert counted.read_text() == "good\n"
    assert not {job["id"] for job in first.values()} & {job["id"] for job in second.values()}
    every = shop.api("GET", f"actions/runs/{run}/jobs", filter="all").json()
    assert every["total_count"] == 8
    before = shop.api("GET", f"actions/runs/{run}/attempts/1").json()
    assert (before["run_attempt"], before["conclusion"]) == (1, "failure")
    assert shop.api("GET", f"actions/runs/{run}/attempts/1/jobs").json()["total_count"] == 4
    assert shop.api("GET", f"actions/runs/{run}/attempts/3").status_code == 404
    nothing = shop.api("POST", f"actions/runs/{run}/rerun-failed-jobs")
    assert nothing.status_code == 403
    assert shop.api("POST", f"actions/runs/{run}/rerun").status_code == 201
    shop.forge.idle(TIMEOUT)
    assert shop.run()["attempt"] == 3
    assert counted.read_text() == "good\ngood\n"


def test_a_run_is_cancelled_once(shop: Workshop) -> None:
    ready = shop.folder / "ready"
    os.mkfifo(ready)
    shop.write(f"on: push\njobs: {{work: {{runs-on: x, steps: [{{run: 'echo > {ready}; sleep 600'}}]}}}}")
    ready.read_text()
    run = shop.run()["id"]
    assert shop.api("POST", f"actions/runs/{run}/rerun").status_code == 403
    assert shop.api("POST", f"actions/runs/{run}/cancel").status_code == 202
    shop.forge.idle(TIMEOUT)
    assert (shop.run()["conclusion"], shop.jobs()["work"]["conclusion"]) == ("cancelled", "cancelled")
    assert shop.api("POST", f"actions/runs/{run}/cancel").status_code == 409


def test_a_reviewer_lets_a_waiting_job_through(shop: Workshop) -> None:
    shop.forge.environment(shop.name, "prod", reviewers=("boss",))
    shop.forge.repository(shop.name, push=("captain", "boss"))
    shop.write("on: push\njobs: {work: {runs-on: x, environment: prod, steps: [{run: echo}]}}")
    shop.forge.idle(TIMEOUT)
    path = f"actions/runs/{shop.run()['id']}/pending_deployments"
    (waits,) = shop.api("GET", path).json()
    assert (waits["environment"]["name"], waits["current_user_can_approve"]) == ("prod", False)
    body = {"environment_ids": [waits["environment"]["id"]], "state": "approved", "comment": "go"}
    assert shop.api("POST", path, body).status_code == 422
    shop.token = shop.forge.token("boss")
    assert shop.api("POST", path, body).status_code == 200
    shop.forge.idle(TIMEOUT)
    assert shop.run()["conclusion"] == "success"
    assert shop.api("POST", path, body).status_code == 422


def test_a_deployment_status_of_a_reviewer_lets_it_through_too(shop: Workshop) -> None:
    shop.forge.environment(shop.name, "prod", reviewers=("boss",))
    shop.forge.repository(shop.name, push=("captain", "boss"))
    shop.write("on: push\njobs: {work: {runs-on: x, environment: prod, steps: [{run: echo}]}}")
    shop.forge.idle(TIMEOUT)
    (deployment,) = shop.api("GET", "deployments", environment="prod").json()
    path = f"deployments/{deployment['id']}/statuses"
    assert [one["state"] for one in shop.api("GET", path).json()] == ["pending"]
    shop.token = shop.forge.token("boss")
    assert shop.api("POST", path, {"state": "in_progress"}).status_code == 201
    shop.forge.idle(TIMEOUT)
    assert shop.run()["conclusion"] == "success"
    assert shop.api("GET", path).json()[0]["state"] == "success"


def test_a_killed_server_leaves_no_process_and_goes_on_at_the_next_start(tmp_path: Path) -> None:
    pids, folder = tmp_path / "pids", tmp_path / "forge"
    os.mkfifo(pids)
    command = [sys.executable, "-m", "release.sandbox.forge", str(folder)]
    setup = Sandbox(folder)
    setup.close()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        urls = json.loads(server.stdout.readline())
        world = Sandbox(folder)
        world.urls = type(world.urls)(urls["url"].removeprefix("http://"), urls["port"])
        shop = Workshop(world, tmp_path)
        world.runner(shop.name, hold=False)
        shop.write(f"on: push\njobs: {{work: {{runs-on: x, steps: [{{run: 'echo $$ > {pids}; sleep 600'}}]}}}}")
        pid = int(pids.read_text())
        number = os.pidfd_open(pid)
        server.send_signal(signal.SIGKILL)
        assert server.wait(TIMEOUT) == -signal.SIGKILL
    world.close()
    try:
        assert select.select([number], [], [], 10)[0]
    finally:
        os.close(number)
    with Sandbox(folder) as forge:
        shop.forge = forge
        forge.idle(TIMEOUT)
        assert (shop.run()["conclusion"], shop.jobs()["work"]["conclusion"]) == ("failure", "failure")
        assert "lost communication" in shop.log()
        assert [token["kind"] for token in forge.store.all("token")] == ["classic"]
        shop.git("remote", "set-url", "origin", f"{forge.url}/{shop.name}.git")
        shop.write("on: push\njobs: {work: {runs-on: x, steps: [{run: echo on}]}}")
        forge.idle(TIMEOUT)
        assert shop.run()["conclusion"] == "success"
