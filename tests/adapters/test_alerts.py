"""Receivers of news: told what they asked for, as they understand it; who is not there is told of, and holds nobody up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from release.adapters.alerts import Alerts
from release.adapters.http import Http
from release.core.channel_config import Alert
from release.core.news import News
from release.redact import Redactor
from tests.serving import Reply, Server, each, nobody

Open = Callable[..., Server]
BAD = News("health", "stable", "1.2.3", "stable is held", "errors: 0.02 <!channel>", "2026-01-02T03:04:05+00:00")
TOKEN, PATH = "hunter2hunter2", "/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx"


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http({}, Redactor(), backoff=0.001, tries=3)
    yield made
    made.close()


def alerts(http: Http, *receivers: Alert, hide: Redactor | None = None, **environment: str) -> Alerts:
    return Alerts(http, receivers, environment, hide or Redactor())


def test_a_webhook_gets_a_document_with_its_headers(serve: Open, http: Http) -> None:
    server = serve(each(Reply(204)))
    hook = Alert("webhook", f"{server.url}/in", headers={"Authorization": "env:AUTH", "X-Team": "release"})
    assert alerts(http, hook, AUTH=f"Bearer {TOKEN}").send(BAD) == ()
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.headers["content-type"]) == ("POST", "/in", "application/json")
    assert (seen.headers["authorization"], seen.headers["x-team"]) == (f"Bearer {TOKEN}", "release")
    assert seen.json["channel"] == "stable"
    assert seen.json["text"] == "errors: 0.02 <!channel>"


def test_slack_gets_a_text_and_may_answer_in_words(serve: Open, http: Http) -> None:
    server = serve(each(Reply(200, b"ok", {"Content-Type": "text/html"})))
    assert alerts(http, Alert("slack", "env:SLACK"), SLACK=server.url + PATH).send(BAD) == ()
    (seen,) = server.seen
    assert (seen.path, seen.json["text"]) == (PATH, "stable is held\nerrors: 0.02 &lt;!channel&gt;")


def test_only_those_are_told_who_want_that_kind_of_news(serve: Open, http: Http) -> None:
    all_of_it, health = serve(each(Reply(200))), serve(each(Reply(200)))
    made = alerts(http, Alert("webhook", all_of_it.url), Alert("webhook", health.url, on=("health",)))
    assert made.send(BAD) == ()
    assert (len(all_of_it.seen), len(health.seen)) == (1, 1)
    assert alerts(http).send(BAD) == ()


def test_who_is_down_is_told_of_and_the_others_hear_it(serve: Open, http: Http) -> None:
    good = serve(each(Reply(503), Reply(200)))
    with nobody() as down:
        made = alerts(
            http, Alert("slack", "env:SLACK"), Alert("webhook", good.url), Alert("webhook", "env:GONE"),
            Alert("webhook", "no address"), Alert("webhook", good.url, headers={"X": "env:GONE"}),
            SLACK=down + PATH,
        )  # fmt: skip
        said = made.send(BAD)
    assert said == (
        "slack: cannot tell $SLACK: $SLACK: nothing listens there",
        "webhook: GONE is not set",
        "webhook: 'no address' is no address",
        "webhook: GONE is not set",
    )
    assert len(good.seen) == 2


@pytest.mark.parametrize("reply", [Reply(404, b"no_service"), Reply(410), Reply(500), Reply(503), Reply(302)])
def test_who_does_not_take_it_is_told_of_without_the_address(serve: Open, http: Http, reply: Reply) -> None:
    server = serve(each(reply))
    assert alerts(http, Alert("slack", "env:SLACK"), SLACK=server.url + PATH).send(BAD) == (
        f"slack: $SLACK answers {reply.status}",
    )


def test_what_is_said_of_a_receiver_that_sends_elsewhere_has_no_secret(serve: Open, http: Http) -> None:
    server = serve(each(Reply(302, b"", {"Location": f"/moved{PATH}"})))
    (said,) = alerts(http, Alert("slack", "env:SLACK"), SLACK=server.url + PATH).send(BAD)
    assert "moved" in said
    assert "abcdefghijklmnopqrstuvwx" not in said


def test_no_secret_leaves_the_machine_in_news(serve: Open, http: Http) -> None:
    hide, server = Redactor(), serve(each(Reply(200)))
    hide.learn(TOKEN)
    hostile = News("health", "stable", "1", f"it said {TOKEN}", f"{TOKEN}", "")
    assert alerts(http, Alert("slack", server.url), Alert("webhook", server.url), hide=hide).send(hostile) == ()
    assert [TOKEN.encode() in seen.body for seen in server.seen] == [False, False]


def test_who_never_answers_is_given_up(serve: Open, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release.adapters.alerts.SECONDS", 0.5)
    hanging, good = serve(each(Reply(hang=True))), serve(each(Reply(200)))
    began = time.monotonic()
    said = alerts(http, Alert("webhook", hanging.url), Alert("webhook", good.url)).send(BAD)
    assert time.monotonic() - began < 5
    assert len(said) == 1
    assert "took too long" in said[0]
    assert len(good.seen) == 1
