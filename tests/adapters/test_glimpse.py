"""Servers that are no API: whatever they say is an answer, little of it is read, and nobody waits for longer than was asked."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from release.adapters.http import Ask, Http, origin
from release.errors import Refused, Unseen
from release.redact import Redactor
from tests.serving import Reply, Seen, Server, each, nobody

SECRET = "ghp_hunter2hunter2hunter2"
Open = Callable[..., Server]


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http({}, Redactor(), backoff=0.001, tries=3)
    yield made
    made.close()


def ask(url: str, **how: Any) -> Ask:
    known = {"what": "look", "secret": lambda: {"Authorization": f"Basic {SECRET}"}}
    return Ask(**{**known, "url": url, "origins": frozenset({origin(url)}), **how})


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 404, 418, 500, 501])
def test_every_status_is_an_answer_with_a_body_of_any_kind(serve: Open, http: Http, status: int) -> None:
    server = serve(each(Reply(status, b"<h1>hello</h1>", {"Content-Type": "text/html"})))
    seen = http.glimpse(ask(server.url), 1000, 5)
    assert (seen.status, seen.body) == (status, b"" if status == 204 else b"<h1>hello</h1>")
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_who_is_busy_is_asked_again_and_believed_in_the_end(serve: Open, http: Http, status: int) -> None:
    better, stays = serve(each(Reply(status), Reply(200, b"fine"))), serve(each(Reply(status, b"down")))
    assert http.glimpse(ask(better.url), 1000, 5).body == b"fine"
    seen = http.glimpse(ask(stays.url), 1000, 5)
    assert (seen.status, seen.body, len(stays.seen)) == (status, b"down", 3)


def test_a_server_that_asks_for_a_pause_holds_nobody_else_up(serve: Open, http: Http) -> None:
    server = serve(each(Reply(429, b"", {"Retry-After": "3600"})))
    assert http.glimpse(ask(server.url), 10, 5).status == 429
    assert http.glimpse(ask(server.url), 10, 5).status == 429


def test_no_more_than_the_beginning_of_a_body_is_read(serve: Open, http: Http) -> None:
    endless = serve(each(Reply(200, b"x" * 3_000_000, cut=2_000_000)))
    assert http.glimpse(ask(endless.url), 1000, 5).body == b"x" * 1000
    packed = serve(each(Reply(200, gzip.compress(b"y" * 50_000_000), {"Content-Encoding": "gzip"})))
    assert http.glimpse(ask(packed.url), 1000, 5).body == b"y" * 1000


def test_a_body_that_breaks_off_before_is_no_answer(serve: Open, http: Http) -> None:
    server = serve(each(Reply(200, b"x" * 1000, cut=500)))
    with pytest.raises(Unseen, match="broke off"):
        http.glimpse(ask(server.url), 1000, 5)
    assert len(server.seen) == 3


def test_silence_is_unseen_and_of_a_write_refused(serve: Open, http: Http) -> None:
    with nobody() as url:
        with pytest.raises(Unseen, match="nothing listens there"):
            http.glimpse(ask(url), 10, 5)
        with pytest.raises(Refused, match="nothing listens there"):
            http.glimpse(ask(url, method="POST", body=b"{}"), 10, 5)
    torn = serve(each(Reply(reset=True), Reply(200, b"ok")))
    assert http.glimpse(ask(torn.url, method="POST", body=b"{}"), 10, 5).status == 200
    assert [seen.body for seen in torn.seen] == [b"{}", b"{}"]


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(200, b"x" * 1000, drip=0.1), Reply(200, drip_headers=0.1)])
def test_it_ends_when_its_seconds_are_over(serve: Open, http: Http, reply: Reply) -> None:
    server = serve(each(reply))
    began = time.monotonic()
    with pytest.raises(Unseen, match="too long"):
        http.glimpse(ask(server.url), 1000, 0.5)
    assert 0.4 < time.monotonic() - began < 5


def test_it_is_not_asked_again_where_there_is_no_time_for_that(serve: Open) -> None:
    slow = Http({}, Redactor(), backoff=60.0, tries=3)
    server = serve(each(Reply(503, b"down")))
    assert slow.glimpse(ask(server.url), 10, 5).status == 503
    assert len(server.seen) == 1
    slow.close()


def test_where_it_is_sent_it_follows_without_what_opens_the_door(serve: Open, http: Http) -> None:
    there = serve(each(Reply(200, b"there")))
    here = serve(each(Reply(302, b"", {"Location": f"{there.url}/new"})))
    seen = http.glimpse(ask(here.url), 10, 5)
    assert (seen.status, seen.body, there.paths) == (200, b"there", ["GET /new"])
    assert "authorization" in here.seen[0].headers
    assert "authorization" not in there.seen[0].headers


def test_being_sent_elsewhere_can_be_the_answer(serve: Open, http: Http) -> None:
    server = serve(each(Reply(301, b"", {"Location": "http://127.0.0.1:9/never"})))
    assert http.glimpse(ask(server.url, stays=True), 10, 5).status == 301


def test_what_is_written_is_not_sent_on_elsewhere(serve: Open, http: Http) -> None:
    there = serve(each(Reply(200)))
    here = serve(each(Reply(302, b"", {"Location": there.url})))
    with pytest.raises(Refused, match="moved"):
        http.glimpse(ask(here.url, method="POST", body=b"{}"), 10, 5)
    assert there.seen == []


def test_a_stop_ends_it_at_once(serve: Open, http: Http) -> None:
    asked = threading.Event()

    def hang(seen: Seen) -> Reply:
        asked.set()
        return Reply(hang=True)

    server = serve(hang)

    def stop() -> None:
        asked.wait(10)
        http.stop()

    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(Unseen, match="told to stop"):
        http.glimpse(ask(server.url), 10, 30)
    stopping.join()
