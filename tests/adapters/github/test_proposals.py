"""Pull requests that propose a release: opened once, reworded, and told apart from a fork's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from release.adapters.github import Repository
from release.errors import Refused, Unseen
from release.sandbox.forge import Fault, Sandbox, merge
from tests.forge import commit, git
from tests.serving import Reply, Server

Told = Callable[..., tuple[Repository, Server]]
NEXT = "sluice/next/master"


def pushed(work: Path, branch: str = NEXT) -> str:
    """A commit on a branch of the forge."""
    made = commit(work, "chore(release): v1.0.0")
    git(work, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    return made


def found(app: Repository, state: Literal["open", "closed"] = "open", head: str = NEXT) -> list[int]:
    return [one.number for one in app.proposals(head, "master", state)]


def test_one_is_opened_found_and_reworded(app: Repository, work: Path) -> None:
    head = pushed(work)
    app.propose(NEXT, "master", "chore(release): v1.0.0", "notes\n")
    (one,) = app.proposals(NEXT, "master", "open")
    assert (one.title, one.body, one.head, one.merge, one.open) == ("chore(release): v1.0.0", "notes\n", head, "", True)
    assert one.url.endswith(f"/acme/app/pull/{one.number}")
    app.reword(one.number, "chore(release): v1.1.0", "others\n")
    (again,) = app.proposals(NEXT, "master", "open")
    assert (again.title, again.body) == ("chore(release): v1.1.0", "others\n")


def test_a_second_one_is_refused_in_the_forges_words(app: Repository, work: Path) -> None:
    pushed(work)
    app.propose(NEXT, "master", "one", "")
    with pytest.raises(Refused, match="A pull request already exists for acme:sluice/next/master"):
        app.propose(NEXT, "master", "two", "")
    assert len(found(app)) == 1


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_merged_one_tells_what_it_brought_last(app: Repository, sandbox: Sandbox, work: Path, method: Any) -> None:
    pushed(work)
    app.propose(NEXT, "master", "one", "")
    (number,) = found(app)
    merged = merge(sandbox, "acme/app", number, "captain", method)
    assert found(app) == []
    (one,) = app.proposals(NEXT, "master", "closed")
    assert (one.merge, one.open) == (merged, False)
    assert app.head("master") == merged


def test_of_several_the_newest_comes_first_and_others_branches_are_none(app: Repository, work: Path) -> None:
    for branch in (NEXT, "topic"):
        pushed(work, branch)
    app.propose("topic", "master", "topic", "")
    for _ in range(2):
        app.propose(NEXT, "master", "one", "")
        app._door.write("close it", "PATCH", f"pulls/{found(app)[0]}", {"state": "closed"}, "pull_requests: write")
    assert found(app, "closed") == [3, 2]
    assert found(app, head="topic") == [1]


def shape(number: int, **other: Any) -> dict[str, Any]:
    """A pull request as GitHub tells it."""
    end = {"sha": "b" * 40, "repo": {"full_name": "acme/app"}}
    return {
        "number": number, "title": "t", "body": None, "state": "closed", "html_url": "https://h/1", "merged_at": None,
        "merge_commit_sha": "c" * 40, "head": {"ref": NEXT, **end}, "base": {"ref": "master", **end},
    } | other  # fmt: skip


def test_what_a_filter_let_through_is_looked_at_once_more(told: Told) -> None:
    def end(**other: Any) -> dict[str, Any]:
        return {"ref": NEXT, "sha": "b" * 40, "repo": {"full_name": "Acme/App"}} | other

    merged = {"merged_at": "2030-01-31T12:00:00Z"}
    listed = [
        shape(1, head=end(repo={"full_name": "mallory/app"}), **merged),
        shape(2, head=end(repo=None), **merged),
        shape(3, head=end(ref="other"), **merged),
        shape(4, base=end(ref="main"), **merged),
        shape(5, state="open"),
        shape(6, **merged),
        shape(7),
    ]
    app, server = told({"GET /pulls": Reply(200, listed)})
    assert [(one.number, one.merge) for one in app.proposals(NEXT, "master", "closed")] == [(6, "c" * 40), (7, "")]
    (asked,) = [one for one in server.seen if one.path.partition("?")[0].endswith("/pulls")]
    assert "head=acme%3Asluice%2Fnext%2Fmaster" in asked.path


def test_what_cannot_be_seen_is_not_taken_for_absent(app: Repository, sandbox: Sandbox) -> None:
    sandbox.faults(Fault("GET", "/repos/acme/app/pulls", nth=0, status=403, body={"message": "Not by this token"}))
    with pytest.raises(Unseen, match="pull_requests: read"):
        found(app)


def test_the_right_to_propose_is_looked_at(as_: Callable[..., Repository], sandbox: Sandbox, work: Path) -> None:
    able = sandbox.token("captain", permissions={"contents": "write", "pull_requests": "write"})
    assert as_(able).lacks("push", "propose") == ""
    assert "pull_requests: write" in as_(sandbox.token("stranger")).lacks("propose")
