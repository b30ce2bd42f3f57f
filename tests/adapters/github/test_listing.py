"""What a forge lists: refs by Git's protocol, releases and runs by pages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.adapters.github import GitHub
from release.adapters.github.listing import Listing
from release.errors import Unseen
from release.sandbox.forge import Sandbox
from tests.forge import Client, git
from tests.serving import Reply, Server, routes

NAME = "acme/app"
A = "a" * 40
REFS = "POST /acme/app.git/git-upload-pack"
RELEASES = f"GET /api/v3/repos/{NAME}/releases"
RUNS = f"GET /api/v3/repos/{NAME}/actions/workflows/release.yml/runs"
TOKEN = "hunter2hunter2"
Open = Callable[..., GitHub]
Serve = Callable[..., Server]


@pytest.fixture
def told(opened: Open, serve: Serve) -> Callable[..., tuple[Listing, Server]]:
    """The lists of a repository on a server that answers by a table."""

    def start(table: dict[str, Any]) -> tuple[Listing, Server]:
        about = {"id": 1, "full_name": NAME, "private": False}
        server = serve(routes({f"GET /api/v3/repos/{NAME}": Reply(200, about), **table}))
        environment = {"GITHUB_API_URL": f"{server.url}/api/v3", "GH_TOKEN": TOKEN}
        return opened(environment).lists(NAME), server

    return start


def lists(opened: Open, sandbox: Sandbox, token: str) -> Listing:
    return opened({"GITHUB_API_URL": sandbox.api_url, "GITHUB_SERVER_URL": sandbox.url, "GH_TOKEN": token}).lists(NAME)


def pkt(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()


def release(tag: str, at: str, **more: Any) -> dict[str, Any]:
    return {
        "id": abs(hash(tag)), "tag_name": tag, "target_commitish": "main", "draft": False, "prerelease": False,
        "html_url": "https://x", "published_at": at, "assets": [], **more,
    }  # fmt: skip


def ran(number: int, created: str, title: str = "release v1") -> dict[str, Any]:
    return {
        "id": number, "path": ".github/workflows/release.yml", "event": "push", "head_sha": A, "display_title": title,
        "created_at": created, "html_url": "https://x", "status": "completed", "conclusion": "success",
        "head_branch": "v1",
    }  # fmt: skip


def pages(route: str, *bodies: Any) -> dict[str, Any]:
    """Replies that link to one another, each under its own number."""
    path = route.partition(" ")[2]

    def of(number: int, body: Any) -> Callable[[Any], Reply]:
        def reply(seen: Any) -> Reply:
            link = f'<http://{seen.headers["host"]}{path}?page={number + 1}>; rel="next"'
            return Reply(200, body, {"Link": link} if number < len(bodies) else {})

        return reply

    return {route: of(1, bodies[0]), **{f"{route}?page={n}": of(n, body) for n, body in enumerate(bodies[1:], 2)}}


# On the sandbox.


def test_refs_are_those_that_git_tells_and_no_request_of_the_api(
    opened: Open, sandbox: Sandbox, token: str, work: Path
) -> None:
    git(work, "tag", "-m", "annotated", "v1.0.0")
    git(work, "tag", "odd\u2028")
    git(work, "push", "--quiet", "origin", "--tags")
    commit = git(work, "rev-parse", "HEAD").stdout.strip()
    before = len(list(sandbox.exchanges()))
    seen = lists(opened, sandbox, token).refs()
    assert (seen.heads, seen.tags) == ({"master": commit}, {"v1.0.0": commit, "odd\u2028": commit})
    assert len(list(sandbox.exchanges())) == before


def test_a_private_repository_opens_with_the_token_and_is_unseen_without(
    opened: Open, sandbox: Sandbox, token: str, work: Path
) -> None:
    sandbox.repository("acme/secret", private=True, push=("captain",))
    settings = {"GITHUB_API_URL": sandbox.api_url, "GITHUB_SERVER_URL": sandbox.url}
    assert opened({**settings, "GH_TOKEN": token}).lists("acme/secret").refs().heads == {}
    for stranger in ({}, {"GH_TOKEN": sandbox.token("nobody")}):
        with pytest.raises(Unseen, match="acme/secret"):
            opened({**settings, **stranger}).lists("acme/secret").refs()


def test_releases_come_with_assets_and_digests_and_drafts_are_none(
    opened: Open, sandbox: Sandbox, token: str, work: Path
) -> None:
    client = Client(sandbox, token)
    made = client.post(f"/repos/{NAME}/releases", tag_name="v1.0.0", body="long notes")
    client.upload(made, "app.txt", b"hello")
    client.post(f"/repos/{NAME}/releases", tag_name="v1.1.0", draft=True)
    found = lists(opened, sandbox, sandbox.token("reader")).releases("", ())
    client.close()
    assert list(found) == ["v1.0.0"]
    (asset,) = found["v1.0.0"].assets
    assert (asset.name, asset.size, asset.digest, asset.complete) == (
        "app.txt", 5, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", True,
    )  # fmt: skip
    assert list(lists(opened, sandbox, token).releases("", ())) == ["v1.0.0"]  # nor for who may see them


# On a server that answers as it is told to.


def test_pages_end_where_a_whole_one_is_older_and_all_that_is_wanted_was_met(told: Callable[..., Any]) -> None:
    table = pages(
        RELEASES,
        [release("v9", "2024-06-01T00:00:00Z"), release("v8", "2024-05-01T00:00:00Z")],
        [release("v7", "2024-04-01T00:00:00Z"), release("v6", "2024-01-01T00:00:00Z")],
        [release("v5", "2023-02-01T00:00:00Z"), release("v4", "2023-01-01T00:00:00Z")],
        [release("v3", "2022-02-01T00:00:00Z")],
        [release("late", "2024-06-01T00:00:00Z")],
    )
    for since, wanted, asked in (
        ("2024-03-01", (), 3),
        ("2024-03-01", ("v7",), 3),
        ("2024-03-01", ("late",), 5),  # on an old commit: it comes late, and is not taken for absent
        ("2024-03-01", ("none",), 5),
        ("", (), 5),
    ):
        listing, server = told(table)
        found = listing.releases(since, wanted)
        assert len(server.seen) == asked
        assert len(found) == min(2 * asked, 7 + (asked == 5))
    assert "per_page=100" in server.seen[0].path


def test_runs_are_no_more_than_three_pages_and_it_is_said_since_when_they_are_all(told: Callable[..., Any]) -> None:
    def page(first: int, day: str) -> dict[str, Any]:
        return {"total_count": 999, "workflow_runs": [ran(first + n, f"{day}T00:00:00Z") for n in range(100)]}

    table = pages(
        RUNS, page(100, "2024-05-05"), page(200, "2024-04-04"), page(300, "2024-03-03"), page(400, "2024-02-02")
    )
    listing, server = told(table)
    runs, since = listing.runs("release.yml", "")
    assert (len(runs), since[:10], len(server.seen)) == (300, "2024-03-03", 3)
    runs, since = listing.runs("release.yml", "2024-04-20")
    assert (len(runs), since, len(server.seen)) == (200, "", 5)


def test_a_list_that_breaks_in_the_middle_is_no_list(told: Callable[..., Any]) -> None:
    table = pages(RELEASES, [release("v9", "2024-06-01T00:00:00Z")], {"message": "not a list"})
    with pytest.raises(Unseen, match="list the releases"):
        told(table)[0].releases("", ())


def test_a_list_of_refs_is_asked_with_the_token_and_by_prefix(told: Callable[..., Any]) -> None:
    listing, server = told({REFS: Reply(200, pkt(f"{A} refs/tags/v1\n") + b"0000")})
    assert listing.refs().tags == {"v1": A}
    (asked,) = server.seen
    assert asked.headers["authorization"] == f"basic {b64encode(f'x-access-token:{TOKEN}'.encode()).decode()}"
    assert asked.headers["git-protocol"] == "version=2"
    assert b"ref-prefix refs/tags/\n" in asked.body


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
        Reply(200, pkt(f"{A} refs/tags/v1\n")),
        Reply(200, pkt(f"{A} refs/tags/v1\n") + b"0000", cut=20),
        Reply(200, b""),
        Reply(404, b"Repository not found."),
        Reply(401, b"", {"WWW-Authenticate": "Basic"}),
        Reply(403, b"no"),
        Reply(reset=True),
        Reply(500, b""),
    ],
)
def test_whatever_is_no_list_of_refs_is_unseen(told: Callable[..., Any], reply: Reply) -> None:
    listing, _ = told({REFS: reply})
    with pytest.raises(Unseen):
        listing.refs()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_repository_that_has_moved_is_unseen_and_the_token_does_not_follow(
    told: Callable[..., Any], serve: Serve, status: int
) -> None:
    elsewhere = serve(routes({REFS: Reply(200, pkt(f"{A} refs/tags/v1\n") + b"0000")}))
    listing, _ = told({REFS: Reply(status, b"", {"Location": f"{elsewhere.url}/acme/app.git/git-upload-pack"})})
    with pytest.raises(Unseen, match="moved"):
        listing.refs()
    assert elsewhere.seen == []
