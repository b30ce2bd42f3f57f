"""Workflows are started, followed to their run, asked why they failed, and run again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.adapters.github import Repository
from release.adapters.github.actions import lines
from release.errors import Refused, Uncertain, Unseen
from release.redact import Redactor
from release.sandbox.forge import Fault, Sandbox
from tests.forge import commit, git
from tests.serving import Reply, Seen, Server

As = Callable[..., Repository]
Told = Callable[..., tuple[Repository, Server]]
WORKFLOW = """\
on:
  workflow_dispatch:
    inputs:
      version: {required: true}
  repository_dispatch:
    types: [released]
run-name: release ${{ inputs.version || github.event.client_payload.version }}
jobs:
  good:
    runs-on: ubuntu-latest
    steps:
      - run: echo fine
  build:
    runs-on: ubuntu-latest
    steps:
      - run: |
          printf '\\033[31mred\\033[0m one\\n'
          for n in 1 2 3; do echo "line $n"; done
          test -f fixed
"""


@pytest.fixture
def flow(app: Repository, work: Path) -> Repository:
    path = work / ".github" / "workflows" / "release.yml"
    path.parent.mkdir(parents=True)
    path.write_text(WORKFLOW)
    commit(work, "a workflow")
    git(work, "push", "--quiet", "origin", "master")
    return app


def a_run(**other: Any) -> dict[str, Any]:
    return {
        "id": 5, "path": ".github/workflows/release.yml", "event": "push", "head_sha": "a" * 40, "display_title": "t",
        "created_at": "2030-01-31T12:00:00Z", "updated_at": "2030-01-31T13:00:00Z", "html_url": "https://h/5", "status": "completed", "conclusion": "success",
        "head_branch": "master", "run_attempt": 1,
    } | other  # fmt: skip


def test_a_dispatch_tells_its_run_which_can_be_followed(flow: Repository, sandbox: Sandbox, work: Path) -> None:
    number = flow.start("release.yml", "master", {"version": "1.0.0"})
    assert number > 0
    sandbox.idle(60)
    run = flow.run(number)
    assert run is not None
    assert (run.workflow, run.event, run.branch, run.commit) == (
        ".github/workflows/release.yml", "workflow_dispatch", "master", git(work, "rev-parse", "HEAD").stdout.strip(),
    )  # fmt: skip
    assert (run.title, run.status, run.conclusion, run.attempt, run.green) == ("release 1.0.0", "completed", "failure", 1, False)  # fmt: skip
    assert run.created.endswith("+00:00")
    assert flow.run(number + 4711) is None


def test_a_failed_run_says_which_job_and_its_last_words(flow: Repository, sandbox: Sandbox) -> None:
    number = flow.start("release.yml", "master", {"version": "1.0.0"})
    sandbox.idle(60)
    said = flow.complaint(number).split("\n")
    assert said[0] == "build"
    assert "red one" in said
    assert "line 3" in said
    assert all(line.isprintable() for line in said)
    assert len(said) <= 11


def test_the_failed_jobs_run_once_more(flow: Repository, sandbox: Sandbox) -> None:
    number = flow.start("release.yml", "master", {"version": "1.0.0"})
    sandbox.idle(60)
    flow.rerun(number)
    sandbox.idle(60)
    run = flow.run(number)
    assert run is not None
    assert (run.attempt, run.conclusion) == (2, "failure")
    sandbox.runner("acme/app", hold=True)
    waiting = flow.start("release.yml", "master", {"version": "2.0.0"})
    with pytest.raises(Refused, match=f"cannot run the failed jobs of run {waiting} of acme/app again: "):
        flow.rerun(waiting)
    held = flow.run(waiting)
    assert held is not None
    assert (held.ended, held.conclusion) == (False, "")


def test_a_signal_starts_what_listens_for_it(flow: Repository, sandbox: Sandbox) -> None:
    flow.signal("released", {"version": "1.2.3"})
    sandbox.idle(60)
    (run,) = flow.runs("release.yml", event="repository_dispatch")
    assert run.title == "release 1.2.3"
    flow.signal("nobody-listens", {})
    sandbox.idle(60)
    assert len(flow.runs("release.yml")) == 1


def test_runs_are_listed_newest_first_by_event_branch_and_time(flow: Repository, sandbox: Sandbox) -> None:
    sandbox.runner("acme/app", hold=True)
    numbers = [flow.start("release.yml", "master", {"version": str(n)}) for n in range(3)]
    assert [run.id for run in flow.runs("release.yml")] == numbers[::-1]
    assert [run.id for run in flow.runs("release.yml", "workflow_dispatch", "master")] == numbers[::-1]
    assert flow.runs("release.yml", "push") == ()
    assert flow.runs("release.yml", branch="other") == ()
    assert len(flow.runs("release.yml", since="2020-01-31T12:00:00+01:00")) == 3
    assert flow.runs("release.yml", since="2099-01-31T12:00:00Z") == ()


def test_a_workflow_that_is_not_there_is_unseen_and_cannot_be_started(flow: Repository) -> None:
    with pytest.raises(
        Unseen, match=r"cannot list the runs of none.yml of acme/app: the forge answered 404 \(Not Found\)"
    ):
        flow.runs("none.yml")
    with pytest.raises(Refused, match=r"cannot start none.yml of acme/app: the forge answered 404"):
        flow.start("none.yml", "master", {})


@pytest.mark.parametrize(
    ("ref", "inputs", "words"),
    [
        ("master", {}, "version"),
        ("master", {"version": "1", "other": "2"}, "other"),
        ("none", {"version": "1"}, "none"),
        ("master", {f"i{n}": "" for n in range(26)}, "25"),
    ],
)
def test_a_start_that_does_not_fit_is_refused_in_the_forges_words(
    flow: Repository, ref: str, inputs: dict[str, str], words: str
) -> None:
    with pytest.raises(Refused, match=f"cannot start release.yml of acme/app: the forge answered 4.*{words}"):
        flow.start("release.yml", ref, inputs)


def test_who_cannot_dispatch_is_told_what_is_missing(flow: Repository, as_: As, sandbox: Sandbox) -> None:
    reader = as_(
        sandbox.token("captain", repositories=("acme/app",), permissions={"actions": "read", "contents": "read"})
    )
    with pytest.raises(Refused, match=r"the token of GH_TOKEN cannot reach acme/app .*; give it actions: write there"):
        reader.start("release.yml", "master", {"version": "1"})
    with pytest.raises(Refused, match=r"; give it contents: write there"):
        reader.signal("released", {})
    assert flow.runs("release.yml") == ()


def test_a_dispatch_whose_answer_is_lost_is_uncertain_and_sent_once(flow: Repository, sandbox: Sandbox) -> None:
    sandbox.runner("acme/app", hold=True)
    sandbox.faults(Fault(method="POST", path="*/dispatches", when="after", reset=True))
    with pytest.raises(Uncertain, match=r"start release.yml of acme/app"):
        flow.start("release.yml", "master", {"version": "1"})
    assert len(flow.runs("release.yml")) == 1


# What only a server that is told to can show.


def test_a_forge_that_does_not_tell_the_run_is_understood(told: Told) -> None:
    app, _ = told({"POST /actions/workflows/release.yml/dispatches": Reply(204)})
    assert app.start("release.yml", "master", {}) == 0


def test_an_old_forge_that_refuses_the_question_is_asked_without_it(told: Told) -> None:
    def script(seen: Seen) -> Reply:
        asked = "return_run_details" in seen.json
        words = {"message": 'Invalid request.\n\n"return_run_details" is not a permitted key.'}
        return Reply(422, words) if asked else Reply(204)

    app, server = told({"POST /actions/workflows/release.yml/dispatches": script})
    assert app.start("release.yml", "master", {"a": "b"}) == 0
    assert server.seen[-1].json == {"ref": "master", "inputs": {"a": "b"}}


def test_a_run_of_a_called_workflow_has_its_file(told: Told) -> None:
    app, _ = told({"GET /actions/runs/5": Reply(200, a_run(path=".github/workflows/release.yml@refs/heads/main", status="in_progress", conclusion="stale", head_branch=None))})  # fmt: skip
    run = app.run(5)
    assert run is not None
    assert (run.workflow, run.conclusion, run.branch, run.created) == (".github/workflows/release.yml", "", "", "2030-01-31T12:00:00+00:00")  # fmt: skip
    assert run.updated == "2030-01-31T13:00:00+00:00"


def test_the_search_for_runs_ends_with_the_first_that_is_too_old_and_with_the_newest_thousand(told: Told) -> None:
    def page(seen: Seen) -> Reply:
        n = int(seen.path.rpartition("page=")[2]) if "&page=" in seen.path else 1
        runs = [a_run(id=n * 1000 - i, created_at=f"2030-01-{31 - n:02d}T12:00:00Z") for i in range(100)]
        link = f'<{server.url}{seen.path.partition("&page=")[0]}&page={n + 1}>; rel="next"'
        return Reply(200, {"total_count": 9999, "workflow_runs": runs}, {"Link": link})

    app, server = told({"GET /actions/workflows/release.yml/runs": page})
    assert len(app.runs("release.yml", since="2030-01-29T00:00:00Z")) == 200
    assert len(server.seen) == 3
    assert len(app.runs("release.yml")) == 1000
    with pytest.raises(Unseen, match=r"'yesterday' is no time"):
        app.runs("release.yml", since="yesterday")


def job(**other: Any) -> dict[str, Any]:
    return {"id": 9, "name": "build", "status": "completed", "conclusion": "failure"} | other


def logged(told: Told, log: bytes | Reply, hide: Redactor | None = None, *jobs: dict[str, Any]) -> str:
    app, _ = told(
        {
            "GET /actions/runs/5/jobs": Reply(200, {"total_count": 1, "jobs": jobs or [job()]}),
            "GET /actions/jobs/9/logs": Reply(302, headers={"Location": "/api/v3/blob"}),
            "GET /api/v3/blob": log if isinstance(log, Reply) else Reply(200, log, {"Content-Type": "text/plain"}),
        },
        hide=hide,
    )
    return app.complaint(5)


def test_a_log_is_shown_up_to_its_error_without_time_stamps_and_commands(told: Told) -> None:
    stamp = "2030-01-31T12:00:00.1234567Z "
    log = "".join(f"{stamp}{text}\r\n" for text in (
        "##[group]Run make", "make: *** [all] Error 2", "::error::inner", "", "##[error]Process completed with exit code 2.",
        "Post job cleanup.", "Cleaning up orphan processes",
    ))  # fmt: skip
    assert logged(told, log.encode()).split("\n") == [
        "build", "Run make", "make: *** [all] Error 2", "inner", "Process completed with exit code 2.",
    ]  # fmt: skip


def test_a_hostile_log_can_do_nothing(told: Told) -> None:
    hide = Redactor()
    hide.learn("hunter2hunter2")
    log = b"\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m\n\xff\xfe\xe2\x80\xae bidi\n::error file=x::boom\n##[error]token hunter2hunter2\n\x00\x9b31m"
    said = logged(told, log, hide).split("\n")
    assert said == ["build", "red", "\ufffd\ufffd bidi", "boom", "token ***"]


def test_a_secret_that_colours_cut_in_two_is_hidden(told: Told) -> None:
    hide = Redactor()
    hide.learn("hunter2hunter2")
    assert "hunter2" not in logged(told, b"a hunter2\x1b[31mhunter2 b hun\x00ter2hunter2\n", hide)


def test_a_huge_log_is_shown_by_its_end_and_not_held(told: Told) -> None:
    log = b"x" * (8 << 20) + b"\n" + b"".join(b"line %d\n" % n for n in range(100_000))
    began = time.monotonic()
    said = logged(told, log)
    assert said.split("\n") == ["build", *(f"line {n}" for n in range(99_990, 100_000))]
    assert time.monotonic() - began < 10
    assert max(map(len, lines(iter([b"y" * 10_000] * 5)))) <= 4096
    assert len(logged(told, (b"z" * 3000 + b"\n") * 20)) <= 2000


def test_a_job_whose_log_is_gone_is_named_all_the_same(told: Told) -> None:
    assert logged(told, Reply(410, {"message": "Gone"})) == "build"


def test_the_worst_job_is_named(told: Told) -> None:
    jobs = (job(id=1, name="a", conclusion="cancelled"), job(id=9, name="b"), job(id=3, name="c", conclusion="success"))
    assert logged(told, b"boom\n", None, *jobs) == "b\nboom"
    assert logged(told, b"", None, job(conclusion="success"), job(conclusion=None, status="queued")) == ""


def test_runs_are_found_by_the_commit_that_they_ran_for(flow: Repository, sandbox: Sandbox, work: Path) -> None:
    first = git(work, "rev-parse", "HEAD").stdout.strip()
    number = flow.start("release.yml", "master", {"version": "1.0.0"})
    commit(work, "another")
    git(work, "push", "--quiet", "origin", "master")
    flow.start("release.yml", "master", {"version": "1.0.0"})
    sandbox.idle(60)
    assert [run.id for run in flow.runs("release.yml", commit=first)] == [number]
    assert flow.runs("release.yml", commit="f" * 40) == ()
