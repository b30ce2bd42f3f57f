"""Merged pull requests come with few requests, and none that was asked for is lost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from release.adapters.github import GitHub, Repository
from release.adapters.github.pulls import MOST
from release.core.commits import changes
from release.core.facts import Pull
from release.core.model import Commit, Person
from release.core.pulls import attributed, numbers
from release.errors import Unseen
from release.sandbox.forge import Sandbox, merge
from tests.forge import Client, clone, commit, git, serving
from tests.serving import Reply, Seen, Server

NAME = "acme/app"
ABOUT = {"id": 1, "full_name": NAME, "private": False}
Told = Callable[..., tuple[Repository, Server]]


def shape(number: int, updated: str = "2026-01-01T00:00:00Z", **more: Any) -> dict[str, Any]:
    """A merged pull request, as far as it is read."""
    usual: dict[str, Any] = {
        "title": f"Title {number}",
        "body": None,
        "user": {"login": "ann"},
        "labels": [],
        "merge_commit_sha": "a" * 40,
    }
    return {"number": number, "updated_at": updated, "merged_at": updated} | usual | more


@dataclass
class Shop:
    """A forge where somebody works: branches, pull requests, merges. Its clock goes on by a second whenever it is read."""

    forge: Sandbox
    captain: Client
    work: Path

    def open(self, name: str, *messages: str, labels: tuple[str, ...] = (), **said: str) -> int:
        """A pull request of a commit for each message, from a branch of that name."""
        git(self.work, "fetch", "--quiet", "origin")
        git(self.work, "checkout", "--quiet", "-B", name, "origin/master")
        for place, message in enumerate(messages):
            (self.work / f"{name}{place}.txt").write_text(f"{name}\n", encoding="utf-8")
            commit(self.work, message)
        git(self.work, "push", "--quiet", "origin", name)
        made = self.captain.post(f"/repos/{NAME}/pulls", head=name, base="master", **({"title": name} | said))
        if labels:
            self.captain.post(f"/repos/{NAME}/issues/{made['number']}/labels", labels=list(labels))
        return int(made["number"])

    def merge(self, number: int) -> str:
        return merge(self.forge, NAME, number, "captain")

    def squash(self, number: int) -> str:
        return merge(self.forge, NAME, number, "captain", method="squash")

    def push(self, message: str) -> None:
        """A commit on master itself."""
        git(self.work, "fetch", "--quiet", "origin")
        git(self.work, "checkout", "--quiet", "-B", "master", "origin/master")
        commit(self.work, message)
        git(self.work, "push", "--quiet", "origin", "master")

    def pick(self, sha: str) -> None:
        """A copy of a commit, on master itself."""
        git(self.work, "fetch", "--quiet", "origin")
        git(self.work, "checkout", "--quiet", "-B", "master", "origin/master")
        git(self.work, "cherry-pick", "-x", sha)
        git(self.work, "push", "--quiet", "origin", "master")

    def history(self, span: str = "origin/master", *options: str) -> tuple[Commit, ...]:
        """What git tells of a range, newest first."""
        git(self.work, "fetch", "--quiet", "origin")
        told = git(self.work, "log", "--topo-order", "-z", "--format=%H%n%P%n%cI%n%B", *options, span).stdout
        parts = (one.split("\n", 3) for one in told.split("\0") if one)
        return tuple(Commit(id_, tuple(p.split()), Person("Dev", ""), date, text) for id_, p, date, text in parts)

    def asked(self, since: int) -> list[str]:
        """What was asked of the pull requests after so many exchanges."""
        seen = list(self.forge.exchanges())[since:]
        return [one.path.removeprefix(f"/repos/{NAME}") for one in seen if "/pulls" in one.path]


def pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def public(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    seconds = itertools.count(1_770_000_000)
    with serving(tmp_path / "forge", clock=lambda: float(next(seconds))) as forge:
        forge.repository(NAME, push=("captain",))
        captain = Client(forge, forge.token("captain"))
        yield Shop(forge, captain, clone(forge, captain.token, NAME, tmp_path / "work"))
        captain.close()


@pytest.fixture
def seen(shop: Shop, opened: Callable[..., GitHub]) -> Repository:
    return opened({"GITHUB_API_URL": shop.forge.api_url, "GH_TOKEN": shop.captain.token}).forge(NAME)


def test_each_change_of_a_real_history_is_of_the_pull_request_that_brought_it(shop: Shop, seen: Repository) -> None:
    note = "Why.\r\n\r\n```release-note\r\nStarts faster\r\n```"
    squashed = shop.open("squashed", "wip", "more", title="feat: squashed", body=note, labels=("kind/feature",))
    shop.squash(squashed)
    mixed = shop.open("mixed", "fix: first of two", "fix: second of two", title="Mixed")
    shop.push("docs: pushed")
    shop.merge(mixed)
    elsewhere = shop.open("elsewhere", "fix: for another line")
    line = shop.captain.get(f"/repos/{NAME}/git/ref/heads/master")["object"]["sha"]
    shop.captain.post(f"/repos/{NAME}/git/refs", ref="refs/heads/line", sha=line)
    shop.captain.patch(f"/repos/{NAME}/pulls/{elsewhere}", base="line", title="fix: for another line")
    other = shop.squash(elsewhere)
    shop.pick(other)
    shop.open("open", "feat: not merged")
    history = shop.history()
    told = changes(history)
    before = len(list(shop.forge.exchanges()))
    pulls = tuple(seen.pulls("2020-01-01T00:00:00Z", numbers(told)))
    assert shop.asked(before) == ["/pulls"]
    found = {one.description: (one.pull, one.login, one.said) for one in attributed(told, history, pulls)}
    assert found == {
        "squashed": (squashed, "captain", "Starts faster"),
        "first of two": (mixed, "captain", ""),
        "second of two": (mixed, "captain", ""),
        "pushed": (0, "", ""),
        "for another line": (elsewhere, "captain", ""),
        "first": (0, "", ""),
    }
    assert {one.number: one.labels for one in pulls}[squashed] == ("kind/feature",)
    trunk = shop.history("origin/master", "--first-parent")
    on_it = attributed(changes(trunk, first_parent=True), trunk, pulls)
    assert [(one.description, one.pull) for one in on_it] == [
        ("for another line", elsewhere),
        ("Mixed", mixed),
        ("pushed", 0),
        ("squashed", squashed),
        ("first", 0),
    ]


def test_what_was_not_changed_since_is_not_read_but_for_what_commits_name(shop: Shop, seen: Repository) -> None:
    for name in ("one", "two", "three"):
        shop.squash(shop.open(name, f"fix: {name}"))
    shop.open("four", "fix: four")
    shop.captain.post(f"/repos/{NAME}/issues", title="An issue")
    before = len(list(shop.forge.exchanges()))
    late = "2100-01-01T00:00:00Z"
    assert [one.number for one in seen.pulls(late)] == [3, 2, 1], "a page is not thrown away"
    assert shop.asked(before) == ["/pulls"]
    before = len(list(shop.forge.exchanges()))
    assert [one.number for one in seen.pulls(late, (1, 3, 4, 5, 77, 0, -1))] == [3, 2, 1]
    assert sorted(shop.asked(before)) == ["/pulls", "/pulls/4", "/pulls/5", "/pulls/77"]


def test_a_commit_is_of_the_merged_pull_request_that_brought_it(shop: Shop, seen: Repository) -> None:
    mixed = shop.open("mixed", "fix: first of two", "fix: second of two", labels=("kind/bug",))
    merge_commit = shop.merge(mixed)
    squashed = shop.open("squashed", "wip")
    squash = shop.squash(squashed)
    shop.push("docs: pushed")
    shop.open("open", "feat: not merged")
    ids = {one.message.split("\n")[0]: one.id for one in shop.history("--all")}
    first, second = ids["fix: first of two"], ids["fix: second of two"]
    asked = [second, ids["docs: pushed"], squash, ids["feat: not merged"], "f" * 40, first, second]
    before = len(list(shop.forge.exchanges()))
    found = list(seen.pulls(None, commits=asked))
    assert sorted(shop.asked(before)) == sorted(f"/commits/{id_}/pulls" for id_ in dict.fromkeys(asked))
    assert [(one.number, one.merge, one.commits, one.labels) for one in found] == [
        (mixed, merge_commit, (second, first), ("kind/bug",)),
        (squashed, squash, (squash,), ()),
    ]
    before = len(list(shop.forge.exchanges()))
    assert list(seen.pulls(None)) == []
    assert shop.asked(before) == []


OURS, FORKED = {"repo": {"full_name": "Acme/App"}}, {"repo": {"full_name": "upper/app"}}


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([], []),
        ([shape(9, "2026-01-03T00:00:00Z"), shape(8, "2026-01-02T00:00:00Z")], [8]),
        ([shape(3, merged_at=None), shape(9, "2026-01-03T00:00:00Z", base=OURS)], [9]),
        ([shape(2, base=FORKED)], []),
        ([shape(2, base=FORKED), shape(9, "2026-01-03T00:00:00Z", base=OURS)], [9]),
    ],
)
def test_of_several_that_a_commit_went_through_the_first_merged_one_of_this_repository_brought_it(
    told: Told, shapes: list[dict[str, Any]], expected: list[int]
) -> None:
    app, _ = told({f"GET /commits/{'c' * 40}/pulls": Reply(200, shapes)})
    assert [(one.number, one.commits) for one in app.pulls(None, commits=["c" * 40])] == [
        (number, ("c" * 40,)) for number in expected
    ]


def test_a_repository_that_has_another_name_now_is_the_same(told: Told) -> None:
    about = {"id": 1, "full_name": "upper/app", "private": False}
    app, _ = told({f"GET /commits/{'c' * 40}/pulls": Reply(200, [shape(2, base=FORKED)])}, about=about)
    assert [one.number for one in app.pulls(None, commits=["c" * 40])] == [2]


NOWHERE = Reply(422, {"message": f"No commit found for SHA: {'c' * 40}"})


def test_a_commit_that_the_forge_does_not_have_came_by_no_pull_request(told: Told) -> None:
    for reply in (NOWHERE, Reply(404, {"message": "Not Found"})):
        app, _ = told({f"GET /commits/{'c' * 40}/pulls": reply})
        assert list(app.pulls(None, commits=["c" * 40])) == []


@pytest.mark.parametrize(
    ("reply", "about"),
    [
        (Reply(422, {"message": "Validation Failed"}), ABOUT),
        (Reply(403, {"message": "Resource not accessible by integration"}), ABOUT),
        (Reply(404, {"message": "Not Found"}), Reply(404, {"message": "Not Found"})),
        (NOWHERE, Reply(404, {"message": "Not Found"})),
        (Reply(200, [{"number": "7"}]), ABOUT),
    ],
)
def test_a_commit_that_cannot_be_looked_for_is_not_one_without_a_pull_request(
    told: Told, reply: Reply, about: Any
) -> None:
    app, _ = told({f"GET /commits/{'c' * 40}/pulls": reply}, about=about)
    with pytest.raises(Unseen, match=r"^cannot look (for the pull request of commit cccccccccccc of|at) acme/app"):
        list(app.pulls(None, commits=["c" * 40]))


def test_pages_end_where_nothing_was_changed_since(told: Told) -> None:
    def listed(request: Seen) -> Reply:
        assert "state=closed&sort=updated&direction=desc" in request.path
        page = int(request.path.partition("&page=")[2] or 1)
        body = [shape(1000 - 100 * page - n, f"2026-0{6 - page}-01T00:00:00Z") for n in range(100)]
        url = f"http://{request.headers['host']}{request.path.partition('&page=')[0]}&page={page + 1}"
        return Reply(200, body, {"Link": f'<{url}>; rel="next"'})

    for since, pages in (("2026-05-15T00:00:00Z", 1), ("2026-05-01T00:00:00Z", 2), ("2026-03-01T00:00:01Z", 3)):
        app, server = told({"GET /pulls": listed})
        found = [one.number for one in app.pulls(since)]
        assert found == [1000 - 100 * page - n for page in range(1, pages + 1) for n in range(100)]
        again = 1 if pages > 1 else 0
        assert len([one for one in server.seen if "/pulls" in one.path]) == pages + again


def test_what_was_changed_while_it_was_read_is_not_lost(told: Told) -> None:
    """Number 3 moves from the second page to the front of the first, after that was read."""
    pages = [[shape(9), shape(4)], [shape(2)], [shape(3), shape(9)]]

    def listed(request: Seen) -> Reply:
        url = f"http://{request.headers['host']}{request.path}&page=2"
        links = {} if "page=2" in request.path else {"Link": f'<{url}>; rel="next"'}
        return Reply(200, pages.pop(0), links)

    app, _ = told({"GET /pulls": listed})
    assert [one.number for one in app.pulls("")] == [9, 4, 2, 3]


def test_a_pull_request_is_read_as_the_forge_has_it(told: Told) -> None:
    whole = shape(
        7, title="fix: x", body="B", labels=[{"name": "kind/bug"}, {"name": "a b"}], merge_commit_sha="b" * 40
    )
    ghost = shape(6, user=None, merge_commit_sha=None)
    closed = shape(5, merged_at=None)
    app, _ = told({"GET /pulls": Reply(200, [whole, ghost, closed])})
    assert list(app.pulls("")) == [
        Pull(7, "fix: x", "B", ("kind/bug", "a b"), "ann", "b" * 40),
        Pull(6, "Title 6", "", (), "", ""),
    ]


def test_no_more_than_a_few_are_asked_for_one_by_one(told: Told) -> None:
    app, server = told({"GET /pulls": Reply(200, [shape(1)])})
    with pytest.raises(Unseen, match=rf"commits of acme/app name {MOST + 1} pull requests .* no more than {MOST}"):
        list(app.pulls("", range(1, MOST + 3)))
    assert len(server.seen) == 1


def test_numbers_and_commits_have_one_limit(told: Told) -> None:
    app, server = told({})
    commits = [f"{n:040x}" for n in range(MOST)]
    with pytest.raises(Unseen, match=rf"name 1 pull .* lists and are copied from {MOST} others .* than {MOST} are"):
        list(app.pulls(None, (7,), commits))
    with pytest.raises(Unseen, match=rf"^commits of acme/app are copied from {MOST + 1} others whose pull requests"):
        list(app.pulls(None, (), [*commits, "f" * 40]))
    assert server.seen == []


def test_the_most_are_asked_for_each_once(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release.adapters.github.pulls.MOST", 12)
    table = {f"GET /pulls/{n}": Reply(200, shape(n)) for n in range(1, 13)}
    app, server = told({"GET /pulls": Reply(200, []), **table})
    assert [one.number for one in app.pulls("", range(1, 13))] == list(range(12, 0, -1))
    assert len(server.seen) == 13
    ids = [f"{n:040x}" for n in range(12)]
    app, server = told({f"GET /commits/{id_}/pulls": Reply(200, [shape(7)]) for id_ in ids})
    assert [one.commits for one in app.pulls(None, (), ids)] == [tuple(ids)]
    assert len(server.seen) == 12


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (
            Reply(403, {"message": "Resource not accessible by integration"}),
            "cannot list the pull requests of acme/app",
        ),
        (Reply(200, [{"number": "7"}]), "its answer is not what it should be"),
        (Reply(404, {"message": "Not Found"}), "cannot list the pull requests of acme/app"),
    ],
)
def test_what_cannot_be_seen_is_not_absent(told: Told, reply: Reply, why: str) -> None:
    app, _ = told({"GET /pulls": reply})
    with pytest.raises(Unseen, match=why) as unseen:
        list(app.pulls(""))
    if reply.status in (403, 404):
        assert "pull_requests: read" in unseen.value.remedy
    if reply.status == 404:
        assert "check that acme/app is the repository that is meant" in unseen.value.remedy


def test_one_that_cannot_be_seen_is_not_absent(told: Told) -> None:
    table = {f"GET /pulls/{n}": Reply(200, shape(n)) for n in range(1, 9)}
    app, _ = told({"GET /pulls": Reply(200, []), **table, "GET /pulls/5": Reply(422, {"message": "no"})})
    with pytest.raises(Unseen, match="cannot look at pull request 5 of acme/app"):
        list(app.pulls("", range(1, 9)))


def test_an_app_reads_pull_requests_where_it_is_allowed_to(sandbox: Sandbox, opened: Callable[..., GitHub]) -> None:
    sandbox.repository("acme/apart", private=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for level in ("read", "write", ""):
        rights = {"metadata": "read", "contents": "write"} | ({"pull_requests": level} if level else {})
        number = sandbox.app(f"reader{level}", public(key), {"acme": ("apart",)}, rights)
        environment = {"GITHUB_API_URL": sandbox.api_url, "SLUICE_APP_ID": str(number), "SLUICE_APP_KEY": pem(key)}
        app = opened(environment, rights={"acme/apart": ("push",)}).forge("acme/apart")
        if level:
            assert list(app.pulls("")) == []
        else:
            with pytest.raises(Unseen, match="cannot list the pull requests of acme/apart") as unseen:
                list(app.pulls(""))
            assert unseen.value.remedy == "give it pull_requests: read there"
    asked = [json.loads(one.request_body or "") for one in sandbox.exchanges() if one.path.endswith("access_tokens")]
    assert [one["permissions"].get("pull_requests") for one in asked] == ["read", "read", None]
