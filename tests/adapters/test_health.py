"""Questions about health, asked of what really runs: commands, addresses, workflows, issues. What nobody can tell is a Reading, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.adapters.commands import Commands
from release.adapters.git.remote import store
from release.adapters.github import GitHub, Repository
from release.adapters.health import Probes
from release.adapters.http import Http
from release.core.finding import Conflict
from release.core.model import Person, Release
from release.core.promotion import HealthWish, Reading
from release.ports import Healths
from release.redact import Redactor
from release.sandbox.forge import Sandbox
from tests.forge import Client, clone, commit, git, serving
from tests.serving import Reply, Seen, Server, each, nobody

COMMIT = "c0ffee" * 6 + "c0ff"
DATE = "2026-01-02T03:04:05+00:00"
RELEASE = Release("1.0.0", "v1.0.0", "1.0", "final", "minor", None, "main", COMMIT, DATE, Person("C", "c@example.org"))
SECRET = "hunter2hunter2"
Open = Callable[..., Server]
Ask = Callable[..., Reading]
HERE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http({}, Redactor(), backoff=0.001, tries=2)
    yield made
    made.close()


def probes(http: Http, folder: Path, **environment: str) -> Probes:
    hide = Redactor()
    commands = Commands(folder / "store.git", folder / "logs", {**HERE, **environment}, hide)
    return Probes(http, commands, lambda name: None, environment, hide)


@pytest.fixture
def ask(http: Http, tmp_path: Path) -> Ask:
    """Asks about a page, and what else needs nothing but HTTP."""

    def asked(wish: HealthWish, **environment: str) -> Reading:
        healths: Healths = probes(http, tmp_path, **environment)
        return healths.reading(wish, RELEASE, COMMIT, lambda line: None)

    return asked


def page(url: str, **how: Any) -> HealthWish:
    return HealthWish("site", "http", **{"url": url, "deadline": 5, **how})


def query(url: str, **how: Any) -> HealthWish:
    return HealthWish("errors", "prometheus", **{"url": url, "deadline": 5, "query": "errors", "below": 0.01, **how})


# Addresses


def test_a_page_with_its_status_and_its_text_is_healthy(serve: Open, ask: Ask) -> None:
    server = serve(each(Reply(200, b"<p>all is well</p>", {"Content-Type": "text/html"})))
    assert ask(page(server.url, contains="all is well")) == Reading(True, 'it answers 200, with "all is well"')
    assert ask(page(server.url, contains="all is lost")).healthy is False
    assert ask(page(server.url, status=204)).healthy is False


def test_only_the_beginning_of_a_page_counts(serve: Open, ask: Ask) -> None:
    late = serve(each(Reply(200, b"x" * (64 << 10) + b"well")))
    in_time = serve(each(Reply(200, b"x" * ((64 << 10) - 4) + b"well" + b"x" * 1000)))
    assert ask(page(late.url, contains="well")).healthy is False
    assert ask(page(in_time.url, contains="well")).healthy is True


@pytest.mark.parametrize("status", [404, 500, 502, 503, 504])
def test_an_answer_that_users_get_too_is_believed_when_it_stays(serve: Open, ask: Ask, status: int) -> None:
    assert ask(page(serve(each(Reply(status))).url)) == Reading(False, f"it answers {status}, not 200")


def test_a_moments_trouble_is_none(serve: Open, ask: Ask) -> None:
    assert ask(page(serve(each(Reply(503), Reply(200))).url)).healthy is True
    assert ask(page(serve(each(Reply(reset=True), Reply(200))).url)).healthy is True


@pytest.mark.parametrize("reply", [Reply(reset=True), Reply(hang=True), Reply(200, b"x" * 99, cut=9), Reply(429)])
def test_silence_tells_nothing_good_or_bad(serve: Open, ask: Ask, reply: Reply) -> None:
    began = time.monotonic()
    assert ask(page(serve(each(reply)).url, deadline=1)).healthy is None
    assert time.monotonic() - began < 8


def test_where_nobody_listens_nobody_can_tell(ask: Ask) -> None:
    with nobody() as url:
        assert ask(page(url)) == Reading(None, f"cannot look at health site: {url}: nothing listens there")


def test_a_proxy_of_ours_that_is_in_trouble_says_nothing_of_the_release(serve: Open, tmp_path: Path) -> None:
    proxy = serve(each(Reply(503)))
    through = Http({"http_proxy": proxy.url}, Redactor(), backoff=0.001, tries=2)
    reading = probes(through, tmp_path).reading(page("http://app.example/"), RELEASE, COMMIT, lambda line: None)
    through.close()
    assert reading == Reading(None, "it answers 503, and that may be our own proxy's answer")
    assert proxy.paths == ["GET http://app.example/"] * 2


def test_a_page_may_have_moved_and_may_be_meant_to(serve: Open, ask: Ask) -> None:
    there = serve(each(Reply(200, b"well")))
    moved = serve(each(Reply(302, b"", {"Location": there.url})))
    assert ask(page(moved.url, contains="well")).healthy is True
    assert ask(page(moved.url, status=302)).healthy is True
    round_about = serve(lambda seen: Reply(302, b"", {"Location": "/again"}))
    assert ask(page(round_about.url)).healthy is None


def test_an_address_in_a_variable_is_never_shown(serve: Open, ask: Ask) -> None:
    server = serve(each(Reply(200)))
    url = server.url.replace("://", f"://reader:{SECRET}@")
    assert ask(page("env:SITE"), SITE=url).healthy is True
    assert "authorization" in server.seen[0].headers
    with nobody() as down:
        reading = ask(page("env:SITE"), SITE=down.replace("://", f"://reader:{SECRET}@") + f"/{SECRET}{SECRET}")
    assert reading.words == "cannot look at health site: $SITE: nothing listens there"


@pytest.mark.parametrize("url", ["", "app.example", "http://[::1", "env:SITE", "http://127.0.0.1:1/\r\nX: y"])
def test_what_is_no_address_is_a_reading_too(ask: Ask, url: str) -> None:
    assert ask(page(url)).healthy is None


# Prometheus's answers, as it does not give them


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<h1>log in</h1>"),
        Reply(200, b'{"status": "success", "data": {"resultType": "scalar", "result": [1, "0"'),
        Reply(200, {"status": 1}),
        Reply(200, ["success"]),
        Reply(200, {"status": "success", "data": {"resultType": "vector", "result": [1]}}),
        Reply(200, {"status": "success", "data": {"resultType": "matrix", "result": []}}),
        Reply(200, b"[" * 100_000),
        Reply(200, b"\xff\xfe"),
        Reply(200, b'{"status": "success", "padding": "' + b"x" * (2 << 20) + b'"}'),
        Reply(401, b"who are you"),
        Reply(503, {"status": "error", "errorType": "timeout", "error": "query timed out"}),
        Reply(500, b""),
        Reply(reset=True),
    ],
)
def test_what_prometheus_does_not_tell_nobody_can_tell(serve: Open, ask: Ask, reply: Reply) -> None:
    reading = ask(query(serve(each(reply)).url))
    assert reading.healthy is None
    assert reading.words.isprintable()
    assert len(reading.words) <= 300


def test_a_query_is_sent_whole_and_prometheus_may_lie_below_a_path_and_ask_who_we_are(serve: Open, ask: Ask) -> None:
    def answer(seen: Seen) -> Reply:
        return Reply(200, {"status": "success", "data": {"resultType": "scalar", "result": [1.5, "0.002"]}})

    server = serve(answer)
    url = server.url.replace("://", f"://reader:{SECRET}@") + "/prometheus/?tenant=one"
    reading = ask(query("env:PROMETHEUS", query='errors{version="1.0.0+b&c"} / 2'), PROMETHEUS=url)
    assert reading == Reading(True, "0.002 < 0.01")
    (seen,) = server.seen
    assert seen.path == (
        "/prometheus/api/v1/query?tenant=one&query=errors%7Bversion%3D%221.0.0%2Bb%26c%22%7D+%2F+2&timeout=5s"
    )
    assert seen.headers["authorization"].startswith("Basic ")


def test_a_prometheus_that_is_down_is_told_by_its_variables_name(ask: Ask) -> None:
    with nobody() as down:
        url = down.replace("://", f"://reader:{SECRET}@") + "/prometheus"
        words = ask(query("env:PROMETHEUS"), PROMETHEUS=url).words
    assert words == "cannot look at health errors: $PROMETHEUS/api/v1/query: nothing listens there"


# Commands


@pytest.fixture
def script(http: Http, tmp_path: Path) -> Ask:
    """Asks by a script at a real commit."""
    work = tmp_path / "work"
    git(tmp_path, "init", "--quiet", str(work))
    (work / "limit").write_text("3\n")
    made = commit(work, "first")
    store(tmp_path / "store.git", work / ".git" / "objects")

    def asked(text: str, *env: str, deadline: int = 30, **environment: str) -> Reading:
        wish = HealthWish("smoke", "command", run=("sh", "-c", text), env=env, deadline=deadline)
        return probes(http, tmp_path, **environment).reading(wish, RELEASE, made, lambda line: None)

    return asked


def test_a_command_says_how_it_is_by_its_exit_code(script: Ask) -> None:
    assert script("cat limit; exit 0") == Reading(True, "it ended with 0: 3")
    assert script("echo three of four failed; exit 1") == Reading(False, "it ended with 1: three of four failed")
    assert script("echo no route; exit 2").healthy is None
    assert "no route" in script("echo no route; exit 2").words
    assert script("kill -9 $$").healthy is None


def test_a_command_is_told_what_is_asked_and_gets_the_variables_that_it_names(script: Ask) -> None:
    told = 'test "$SLUICE_VERSION $SLUICE_TAG $(git rev-parse HEAD)" = "1.0.0 v1.0.0 $SLUICE_COMMIT"'
    assert script(told).healthy is True
    named = f'test "$SMOKE_TOKEN" = {SECRET} && echo "it is $SMOKE_TOKEN"'
    assert script(named, "SMOKE_TOKEN", SMOKE_TOKEN=SECRET) == Reading(True, "it ended with 0: it is ***")
    assert script('test -z "$SMOKE_TOKEN"', SMOKE_TOKEN=SECRET).healthy is True


def test_a_command_that_does_not_end_tells_nothing(script: Ask) -> None:
    began = time.monotonic()
    assert script("exec sleep 60", deadline=1).healthy is None
    assert time.monotonic() - began < 20


def test_a_command_that_cannot_begin_tells_nothing(script: Ask, http: Http, tmp_path: Path) -> None:
    wish = HealthWish("smoke", "command", run=("no-such-program",))
    assert probes(http, tmp_path).reading(wish, RELEASE, COMMIT, lambda line: None).healthy is None


def test_what_is_lacking_is_told_beforehand(http: Http, tmp_path: Path) -> None:
    def lacking(wish: HealthWish) -> tuple[Conflict, ...]:
        return probes(http, tmp_path, SITE="http://app.example", EMPTY="").lacking(wish)

    for wish in (
        HealthWish("a", "command", run=("sh",)), page("http://app.example"), page("env:SITE"),
        HealthWish("a", "issues", label="l"),
    ):  # fmt: skip
        assert lacking(wish) == ()
    for wish, why in (
        (HealthWish("a", "command", run=("no-such-program",)), "no-such-program"),
        (HealthWish("a", "command", run=("sh",), env=("TOKEN",)), "TOKEN is not set"),
        (page("env:GONE"), "GONE is not set"),
        (query("env:EMPTY"), "EMPTY is not set"),
    ):
        (conflict,) = lacking(wish)
        assert (conflict.rule, why in conflict.why) == ("health-lacks", True)


# On a forge

E2E = """\
on:
  push: {tags: ['v*']}
  workflow_dispatch:
jobs:
  e2e:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: test -f good
"""


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Sandbox]:
    with serving(tmp_path / "forge") as served:
        served.repository("acme/app", push=("captain",))
        served.repository("acme/tests", push=("captain",))
        yield served


@pytest.fixture
def on_forge(forge: Sandbox, http: Http, tmp_path: Path) -> Iterator[Ask]:
    """Asks with a captain's token; the upstream is acme/app."""
    github = GitHub.at({"GITHUB_API_URL": forge.api_url, "GH_TOKEN": forge.token("captain")})

    def found(name: str) -> Repository:
        return github.forge(name or "acme/app")

    def asked(wish: HealthWish, of: str = COMMIT) -> Reading:
        made = msgspec.structs.replace(wish, deadline=20)
        probing = Probes(http, probes(http, tmp_path).commands, found, {}, Redactor())
        return probing.reading(made, RELEASE, of, lambda line: None)

    yield asked
    github.close()


def tagged(forge: Sandbox, name: str, folder: Path, *files: str) -> str:
    """A commit with the workflow and these files, and the release's tag on it."""
    work = clone(forge, forge.token("captain"), name, folder)
    (work / ".github" / "workflows").mkdir(parents=True)
    (work / ".github" / "workflows" / "e2e.yml").write_text(E2E)
    for file in files:
        (work / file).touch()
    made = commit(work, "e2e")
    git(work, "tag", "v1.0.0")
    git(work, "push", "--quiet", "origin", "master", "v1.0.0")
    return made


@pytest.mark.parametrize(("files", "healthy"), [(("good",), True), ((), False)])
def test_a_workflow_of_the_upstream_counts_for_the_commit(
    forge: Sandbox, on_forge: Ask, tmp_path: Path, files: tuple[str, ...], healthy: bool
) -> None:
    made = tagged(forge, "acme/app", tmp_path / "work", *files)
    forge.idle(60)
    for repository in ("", "acme/app", "ACME/App"):
        wish = HealthWish("e2e", "workflow", workflow="e2e.yml", repository=repository)
        assert on_forge(wish, made).healthy is healthy
    assert on_forge(HealthWish("e2e", "workflow", workflow="e2e.yml"), "f" * 40).healthy is None


def test_a_workflow_elsewhere_counts_for_the_tag(forge: Sandbox, on_forge: Ask, tmp_path: Path) -> None:
    wish = HealthWish("e2e", "workflow", workflow="e2e.yml", repository="acme/tests")
    assert on_forge(wish).healthy is None
    tagged(forge, "acme/tests", tmp_path / "work", "good")
    forge.idle(60)
    reading = on_forge(wish)
    assert reading.healthy is True
    assert reading.words.endswith("for v1.0.0 is green")


def test_the_newest_run_counts(forge: Sandbox, on_forge: Ask, tmp_path: Path) -> None:
    made = tagged(forge, "acme/app", tmp_path / "work")
    forge.idle(60)
    client = Client(forge, forge.token("captain"))
    wish = HealthWish("e2e", "workflow", workflow="e2e.yml")
    before = on_forge(wish, made).words
    started = client("POST", "/repos/acme/app/actions/workflows/e2e.yml/dispatches", {"ref": "v1.0.0"})
    assert started.ok
    forge.idle(60)
    client.close()
    after = on_forge(wish, made)
    assert after.healthy is False
    assert after.words != before


def test_issues_with_a_label_are_counted_where_the_wish_says(forge: Sandbox, on_forge: Ask) -> None:
    client = Client(forge, forge.token("captain"))
    wish = HealthWish("regressions", "issues", label="regression", most=1)
    assert on_forge(wish) == Reading(None, 'the upstream has no label "regression"')
    client.post("/repos/acme/app/issues", title="a", labels=["regression"])
    assert on_forge(wish).healthy is True
    client.post("/repos/acme/app/issues", title="b", labels=["regression"])
    reading = on_forge(wish)
    assert (reading.healthy, reading.words[-6:]) == (False, "#2, #1")
    assert on_forge(msgspec.structs.replace(wish, repository="acme/tests")).healthy is None
    client.close()


def test_what_a_forge_does_not_show_nobody_can_tell(on_forge: Ask) -> None:
    for repository in ("acme/gone", "no repository"):
        for wish in (
            HealthWish("e2e", "workflow", workflow="e2e.yml", repository=repository),
            HealthWish("e2e", "issues", label="regression", repository=repository),
        ):
            assert on_forge(wish).healthy is None


def test_without_a_forge_nobody_can_tell(ask: Ask) -> None:
    for wish in (HealthWish("e2e", "workflow", workflow="e2e.yml"), HealthWish("e2e", "issues", label="regression")):
        assert ask(wish) == Reading(None, "there is no forge to ask")
