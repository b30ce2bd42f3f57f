"""Tags are peeled, branches are heads, and history is the forge's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.adapters.github import Repository
from release.errors import Unseen
from release.sandbox.forge import Sandbox
from tests.forge import commit, git
from tests.serving import Reply, Server

Told = Callable[..., tuple[Repository, Server]]


def head(work: Path) -> str:
    return git(work, "rev-parse", "HEAD").stdout.strip()


def test_a_tag_is_peeled_however_deep_it_is(app: Repository, work: Path) -> None:
    git(work, "tag", "light")
    git(work, "tag", "-a", "once", "-m", "x")
    git(work, "tag", "-a", "twice", "-m", "x", "once")
    git(work, "push", "--quiet", "origin", "--tags")
    assert [app.tagged(tag) for tag in ("light", "once", "twice")] == [head(work)] * 3
    assert app.tagged("none") == ""
    assert app.tagged("onc") == "", "the beginning of a name is not the name"


def test_a_tag_on_something_else_than_a_commit_is_no_answer(app: Repository, work: Path) -> None:
    git(work, "tag", "tree", "HEAD^{tree}")
    git(work, "push", "--quiet", "origin", "tree")
    with pytest.raises(Unseen, match=r"tag tree of acme/app points at a tree, not at a commit"):
        app.tagged("tree")


def test_a_branch_is_its_head(app: Repository, work: Path) -> None:
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/release/v1+x")
    assert app.head("master") == app.head("release/v1+x") == head(work)
    assert app.head("mast") == ""


def test_a_branch_holds_its_history_and_nothing_else(app: Repository, work: Path) -> None:
    first = head(work)
    second = commit(work, "second")
    git(work, "push", "--quiet", "origin", "HEAD")
    git(work, "checkout", "--quiet", "-b", "side", first)
    aside = commit(work, "aside")
    git(work, "push", "--quiet", "origin", "side")
    git(work, "checkout", "--quiet", "--orphan", "alone")
    alone = commit(work, "alone")
    git(work, "push", "--quiet", "origin", "alone")
    assert [app.holds("master", one) for one in (first, second, aside, alone)] == [True, True, False, False]
    assert [app.holds("side", one) for one in (first, second, aside)] == [True, False, True]
    assert not app.holds("master", "1" * 40)
    assert not app.holds("none", first)


def test_a_tag_of_the_same_name_is_not_the_branch(app: Repository, work: Path) -> None:
    first = head(work)
    second = commit(work, "second")
    git(work, "push", "--quiet", "origin", f"{second}:refs/tags/line", f"{first}:refs/heads/line")
    assert not app.holds("line", second)
    assert app.tagged("line") == second


def test_tags_of_tags_end(told: Told) -> None:
    again = {"object": {"sha": "a" * 40, "type": "tag"}}
    app, server = told({"GET /git/ref/tags/v1": Reply(200, again), f"GET /git/tags/{'a' * 40}": Reply(200, again)})
    with pytest.raises(Unseen, match=r"points at a tag, not at a commit"):
        app.tagged("v1")
    assert len(server.seen) == 11


@pytest.mark.parametrize(
    "answer", [[{"object": {"sha": "a", "type": "commit"}}], {}, {"object": {"sha": 1, "type": "commit"}}]
)
def test_another_shape_is_no_answer(told: Told, answer: Any) -> None:
    app, _ = told({"GET /git/ref/heads/main": Reply(200, answer)})
    with pytest.raises(Unseen, match=r"its answer is not what it should be"):
        app.head("main")


def test_what_cannot_be_seen_is_not_absent(app: Repository, sandbox: Sandbox, told: Told) -> None:
    hidden, _ = told({}, about=Reply(404, {"message": "Not Found"}))
    for look in (lambda: hidden.head("main"), lambda: hidden.tagged("v1"), lambda: hidden.holds("main", "a" * 40)):
        with pytest.raises(Unseen, match=r"cannot look at acme/app: the token of GH_TOKEN cannot reach acme/app"):
            look()
    assert app.head("none") == ""
