"""Open issues with a label: pull requests are none, a label that is not there is told, and no list is taken for shorter than it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.adapters.github import Repository
from release.errors import Unseen
from release.sandbox.forge import Sandbox
from tests.forge import Client, commit, git
from tests.serving import Reply, Server

NAME = "acme/app"
ISSUES = f"/repos/{NAME}/issues"
Told = Callable[..., tuple[Repository, Server]]


@pytest.fixture
def client(sandbox: Sandbox, token: str) -> Any:
    made = Client(sandbox, token)
    yield made
    made.close()


def test_open_issues_with_the_label_are_told_newest_first(app: Repository, client: Client) -> None:
    for title, labels in (("a", ["regression"]), ("b", ["Regression", "ui"]), ("c", ["ui"]), ("d", ["regression"])):
        client.post(ISSUES, title=title, labels=labels)
    assert app.issues("regression", 10) == (4, 2, 1)
    assert app.issues("regression", 2) == (4, 2)
    client.patch(f"{ISSUES}/4", state="closed")
    assert app.issues("regression", 10) == (2, 1)


def test_a_pull_request_with_the_label_is_no_issue(app: Repository, client: Client, work: Path) -> None:
    git(work, "switch", "--quiet", "-c", "mend")
    commit(work, "mend")
    git(work, "push", "--quiet", "origin", "mend")
    client.post(ISSUES, title="a", labels=["regression"])
    pull = client.post(f"/repos/{NAME}/pulls", title="mend", head="mend", base="master")
    client.post(f"{ISSUES}/{pull['number']}/labels", labels=["regression"])
    assert app.issues("regression", 10) == (1,)


def test_a_label_without_open_issues_is_told_from_one_that_is_not_there(app: Repository, client: Client) -> None:
    client.post(ISSUES, title="a", labels=["regression"])
    client.patch(f"{ISSUES}/1", state="closed")
    assert app.issues("regression", 10) == ()
    assert app.issues("REGRESSION", 10) == ()
    assert app.issues("regresion", 10) is None


@pytest.mark.parametrize("label", ["a,b", "", "  "])
def test_what_would_ask_for_something_else_is_not_asked(told: Told, label: str) -> None:
    repository, server = told({})
    with pytest.raises(Unseen, match="label"):
        repository.issues(label, 10)
    assert server.seen == []


def test_what_is_enough_ends_the_search(told: Told) -> None:
    link = {"Link": f'</api/v3/repos/{NAME}/issues>; rel="next"'}
    repository, server = told({"GET /issues": Reply(200, [{"number": n} for n in range(100, 0, -1)], link)})
    assert repository.issues("regression", 3) == (100, 99, 98)
    assert len(server.seen) == 1
    assert "state=open" in server.seen[0].path
    assert "labels=regression" in server.seen[0].path


def test_a_list_of_pull_requests_without_end_is_unseen(told: Told) -> None:
    link = {"Link": f'</api/v3/repos/{NAME}/issues>; rel="next"'}
    pulls = [{"number": n, "pull_request": {"url": "u"}} for n in range(100, 0, -1)]
    repository, server = told({"GET /issues": Reply(200, pulls, link)})
    with pytest.raises(Unseen, match="pull requests"):
        repository.issues("regression", 1)
    assert len(server.seen) == 20


@pytest.mark.parametrize("status", [403, 404, 410, 500])
def test_a_list_that_is_not_given_is_not_an_empty_one(told: Told, status: int) -> None:
    repository, _ = told({"GET /issues": Reply(status, {"message": "Issues has been disabled in this repository."})})
    with pytest.raises(Unseen, match="issues"):
        repository.issues("regression", 10)


def test_labels_that_cannot_be_listed_are_not_taken_for_none(told: Told) -> None:
    repository, _ = told({"GET /issues": Reply(200, []), "GET /labels": Reply(403, {"message": "no"})})
    with pytest.raises(Unseen, match="labels"):
        repository.issues("regression", 10)
