"""Servers answer late, badly, elsewhere or not at all; what is said about that is true."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from release.adapters.haste import hurry
from release.adapters.http import Answer, Ask, Http, Rates, origin
from release.adapters.http.address import shown
from release.adapters.http.cache import Cache
from release.adapters.http.content import Counted
from release.adapters.http.limits import limited, waiting
from release.adapters.http.lines import Line, proxies
from release.errors import ConfigError, Refused, ReleaseError, Uncertain, Unseen
from release.redact import Redactor
from tests.serving import JSON, Reply, Seen, Server, Time, certified, each, nobody

SECRET = "ghp_hunter2hunter2hunter2"
Open = Callable[..., Server]
Make = Callable[..., Http]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Http] = []

    def http(environment: dict[str, str] | None = None, **how: Any) -> Http:
        made.append(Http(environment or {}, Redactor(), **{"backoff": 0.001, **how}))
        return made[-1]

    yield http
    for one in made:
        one.close()


def ask(server: Server | str, path: str = "/x", **how: Any) -> Ask:
    url = server if isinstance(server, str) else server.url
    known = {"what": "read the sky", "shape": dict[str, int], "secret": lambda: {"Authorization": f"Bearer {SECRET}"}}
    return Ask(**{**known, "url": url + path, "origins": frozenset({origin(url)}), **how})


def write(server: Server | str, path: str = "/x", **how: Any) -> Ask:
    return ask(server, path, **{"what": "paint the sky", "method": "POST", "body": b"{}", **how})


def wrong(answer: Answer) -> ReleaseError:
    return Unseen(f"cannot read: {answer.status} {answer.words}")


GOOD = Reply(200, {"blue": 1})


# Reads.


def test_a_read_gives_the_answer_in_the_shape_that_was_asked_for(serve: Open, make: Make) -> None:
    server = serve(each(GOOD))
    answer = make().answer(ask(server, headers={"Accept": "application/json"}))
    assert (answer.status, answer.value) == (200, {"blue": 1})
    assert server.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    assert server.seen[0].headers["user-agent"] == "sluice"


def test_an_answer_may_come_compressed(serve: Open, make: Make) -> None:
    packed = Reply(200, gzip.compress(b'{"blue": 2}'), {**JSON, "Content-Encoding": "gzip"})
    server = serve(each(packed))
    assert make().answer(ask(server)).value == {"blue": 2}
    assert server.seen[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "bad",
    [
        *(Reply(status, {"message": "oops"}) for status in (500, 502, 503, 504)),
        Reply(reset=True),
        Reply(200, {"blue": 1}, cut=4),
        Reply(200, b'{"blue": 1', JSON),
        Reply(200, b"<html>hello</html>", {"Content-Type": "text/html"}),
        Reply(200, b'{"blue": 1}', {"Content-Type": "text/plain"}),
        Reply(200, b'{"blue": 1}'),
        Reply(200, b"", JSON),
        Reply(200, b'{"blue": "\xff"}', JSON),
        Reply(200, {"blue": "one"}),
        Reply(200, [1]),
        Reply(200, b"[" * 100_000, JSON),
        Reply(404, b"<html>no such page</html>", {"Content-Type": "text/html"}),
        Reply(403, b"blocked by the proxy", {"Content-Type": "text/plain"}),
        Reply(404, b'"gone"', JSON),
        Reply(404, b"{", JSON),
    ],
    ids=str,
)
def test_what_is_no_answer_is_asked_for_again_and_in_the_end_unseen(serve: Open, make: Make, bad: Reply) -> None:
    server = serve(each(bad, bad, GOOD))
    assert make().answer(ask(server)).value == {"blue": 1}
    assert len(server.seen) == 3
    server = serve(each(bad))
    with pytest.raises(Unseen, match=r"^cannot read the sky: http://127.0.0.1:\d+/x: .*; run the same command again$"):
        make().answer(ask(server))
    assert len(server.seen) == 4


def test_what_a_server_decided_is_an_answer(serve: Open, make: Make) -> None:
    server = serve(each(Reply(404, {"message": "Not Found"}), Reply(422, {"message": "x", "errors": ["a", "b"]})))
    http = make()
    assert (http.answer(ask(server)).status, http.answer(ask(server)).words) == (404, "x: a: b")
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"message": "Validation Failed", "errors": [{"resource": "Release", "code": "already_exists", "field": "tag_name"}]},
         "Validation Failed: Release tag_name already_exists"),
        ({"message": "no", "errors": [{"message": "body is too long", "code": "custom"}]}, "no: body is too long"),
        ({"message": "no", "errors": ["one", "two"]}, "no: one: two"),
        ({"message": "no", "errors": "just a text"}, "no: just a text"),
        ({"message": "two\nlines\u001b[31m"}, "two lines[31m"),
        ({"errors": []}, "it does not say why"),
        ({"message": "x" * 5000}, "x" * 1000),
        ({"message": {"a": 1}}, "{'a': 1}"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_the_servers_own_words(serve: Open, make: Make, told: Any, words: str) -> None:
    assert make().answer(ask(serve(each(Reply(422, told))))).words == words


def test_pauses_between_tries_grow_and_differ(serve: Open, make: Make) -> None:
    times = Time()
    with pytest.raises(Unseen):
        make(backoff=1.0, pause=times.pause, clock=times.clock).answer(ask(serve(each(Reply(502)))))
    assert len(times.pauses) == 3
    assert all(base / 2 <= pause <= base * 1.5 for base, pause in zip((1, 2, 4), times.pauses, strict=True))


def test_an_answer_that_is_too_long_is_not_held(serve: Open, make: Make) -> None:
    server = serve(each(Reply(200, {f"k{n}": n for n in range(200_000)})))
    with pytest.raises(Unseen, match="longer than 1 MiB"):
        make().answer(ask(server, largest=1 << 20))
    assert len(server.seen) == 1


def test_json_can_be_had_as_it_came(serve: Open, make: Make) -> None:
    content = b'{ "blue" : 1 }\r\n'
    packed = Reply(200, gzip.compress(content), {**JSON, "Content-Encoding": "gzip"})
    server = serve(each(Reply(200, content, JSON), packed, Reply(200, content, {"Content-Type": "text/html"})))
    assert [make().answer(ask(server, shape=bytes)).value for _ in range(2)] == [content] * 2
    with pytest.raises(Unseen, match="not with JSON"):
        make().answer(ask(server, shape=bytes))


def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_held(serve: Open, make: Make) -> None:
    bomb = Reply(200, gzip.compress(b" " * (64 << 20)), {**JSON, "Content-Encoding": "gzip"})
    with pytest.raises(Unseen, match="longer than 1 MiB"):
        make().answer(ask(serve(each(bomb)), largest=1 << 20))


@pytest.mark.parametrize("slow", [Reply(200, {"blue": 1}, drip=0.05), Reply(200, {"blue": 1}, drip_headers=0.05)])
def test_a_slow_drip_is_cut(serve: Open, make: Make, slow: Reply) -> None:
    began = time.monotonic()
    with pytest.raises(Unseen, match="it took too long"):
        make(total=0.3, tries=2).answer(ask(serve(each(slow))))
    assert time.monotonic() - began < 5


def test_a_server_that_says_nothing_is_not_waited_for(serve: Open, make: Make) -> None:
    with pytest.raises(Unseen, match="it did not answer in time"):
        make(read=0.1, tries=2).answer(ask(serve(each(Reply(hang=True)))))


# Writes.


def test_a_write_that_reached_nobody_is_tried_again_and_refused(make: Make) -> None:
    with nobody() as url:
        began: list[float] = []
        http = make(pause=began.append)
        with pytest.raises(Refused, match=r"cannot paint the sky: .*nothing listens there; look to the network"):
            http.answer(write(url))
        assert len(began) == 3
        with pytest.raises(Unseen, match=r"cannot read the sky: .*nothing listens there"):
            http.answer(ask(url))


def test_a_host_that_nobody_knows_is_refused_before_anything_is_sent(make: Make) -> None:
    with pytest.raises(Refused, match="there is no such host"):
        make().answer(write("http://no-such-host.invalid"))


def test_a_write_is_done_once_the_server_is_there(make: Make) -> None:
    with nobody() as url:
        pass
    started: list[Server] = []
    http = make(pause=lambda _: started.append(Server(each(GOOD), int(url.rpartition(":")[2])).__enter__()))
    try:
        assert http.answer(write(url)).value == {"blue": 1}
        assert started[0].paths == ["POST /x"]
    finally:
        started[0].__exit__()


@pytest.mark.parametrize(
    "lost",
    [
        *(Reply(status, {"message": "oops"}) for status in (500, 502, 503, 504)),
        Reply(reset=True),
        Reply(hang=True),
        Reply(200, {"blue": 1}, cut=4),
        Reply(200, b"<html>hello</html>", {"Content-Type": "text/html"}),
        Reply(201, b'{"blue":', JSON),
        Reply(200, {"blue": 1}, drip=0.2),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_write_whose_answer_is_lost_is_uncertain_and_never_repeated(
    serve: Open, make: Make, lost: Reply, method: str
) -> None:
    server = serve(each(lost))
    with pytest.raises(
        Uncertain, match=r"^paint the sky: http://127.0.0.1:\d+/x was asked, but its answer was lost \("
    ):
        make(read=0.3, total=0.6).answer(write(server, method=method))
    assert server.paths == [f"{method} /x"]


def test_a_write_that_is_refused_is_an_answer(serve: Open, make: Make) -> None:
    server = serve(
        each(Reply(422, {"message": "no"}), Reply(400, b"<html>", {"Content-Type": "text/html"}), Reply(204))
    )
    http = make()
    assert [http.answer(write(server)).status for _ in range(3)] == [422, 400, 204]


def test_a_write_does_not_fall_into_a_connection_that_was_idle(
    serve: Open, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, times = serve(each(GOOD)), Time()
    http = make(clock=times.clock, pause=times.pause)
    http.answer(write(server))
    http.answer(write(server))
    times.at += 60
    http.answer(write(server))
    peers = [one.peer for one in server.seen]
    assert peers[0] == peers[1] != peers[2]


def test_a_file_is_sent_with_its_length_and_from_its_beginning_again(serve: Open, make: Make, tmp_path: Path) -> None:
    path = tmp_path / "app"
    path.write_bytes(bytes(range(256)) * 10_000)
    limit = Reply(429, {"message": "slow down"}, {"Retry-After": "1"})
    server, times = serve(each(limit, GOOD)), Time()
    http = make(clock=times.clock, pause=times.pause)
    assert http.answer(write(server, body=path)).value == {"blue": 1}
    assert [one.headers["content-length"] for one in server.seen] == ["2560000"] * 2
    assert all(one.body == path.read_bytes() for one in server.seen)
    assert "transfer-encoding" not in server.seen[0].headers


def test_an_empty_file_is_sent_as_one(serve: Open, make: Make, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    server = serve(each(GOOD))
    make().answer(write(server, body=tmp_path / "empty"))
    assert server.seen[0].headers["content-length"] == "0"


def test_a_file_that_cannot_be_read_is_refused(serve: Open, make: Make, tmp_path: Path) -> None:
    server = serve(each(GOOD))
    with pytest.raises(Refused, match=r"cannot paint the sky: cannot read .*/none \(No such file or directory\)"):
        make().answer(write(server, body=tmp_path / "none"))
    assert server.seen == []


def test_a_file_that_grows_meanwhile_is_sent_as_it_was(serve: Open, make: Make, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a" * 100_000)
    with path.open("rb") as file:
        counted = Counted(file, 100_000)
        with path.open("ab") as more:
            more.write(b"b" * 100_000)
        assert b"".join(counted) == b"a" * 100_000
    with path.open("rb") as file:
        counted = Counted(file, 300_000)
        with pytest.raises(OSError, match="became shorter"):
            list(counted)


# Limits.


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": formatdate(1_000_030, usegmt=True)}, 30.0),
        ({"retry-after": "7", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000090"}, 7.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000090"}, 91.0),
        ({"x-ratelimit-remaining": "9", "x-ratelimit-reset": "1000090"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "١٢"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_what_the_server_says(headers: dict[str, str], seconds: float | None) -> None:
    assert waiting(headers, datetime.fromtimestamp(1_000_000, UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "words", "is_one"),
    [
        (429, {}, "", True),
        (403, {"retry-after": "1"}, "no", True),
        (403, {"x-ratelimit-remaining": "0"}, "no", True),
        (403, {}, "You have exceeded a secondary rate limit", True),
        (403, {}, "API rate limit exceeded for user ID 1.", True),
        (403, {"x-ratelimit-remaining": "4999"}, "Resource not accessible by integration", False),
        (404, {"retry-after": "1"}, "", False),
        (422, {}, "rate limit", False),
    ],
)
def test_a_limit_is_told_from_a_refusal(status: int, headers: dict[str, str], words: str, is_one: bool) -> None:
    assert limited(status, headers, words) is is_one


@pytest.mark.parametrize("kind", [ask, write])
@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_is_waited_for_and_then_it_is_done(
    serve: Open, make: Make, kind: Callable[..., Ask], status: int
) -> None:
    far = time.time() + 10 * 86_400  # the server's clock, which decides
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(far) + 40)}
    limits = [
        Reply(status, {"message": "slow down"}, {"Retry-After": "20"}),
        Reply(status, {"message": "slow down"}, {"Retry-After": formatdate(far + 30, usegmt=True)}, date=far),
        Reply(status, {"message": "slow down"}, reset, date=far),
    ]
    server, times = serve(each(*limits, GOOD)), Time()
    assert make(clock=times.clock, pause=times.pause).answer(kind(server)).value == {"blue": 1}
    assert [round(pause) for pause in times.pauses] == [20, 30, 41]


def test_without_a_word_about_its_end_a_limit_is_a_minute_then_twice_as_long(serve: Open, make: Make) -> None:
    limit = Reply(403, {"message": "You have exceeded a secondary rate limit."})
    server, times = serve(each(limit, limit, GOOD)), Time()
    assert make(clock=times.clock, pause=times.pause, patience=300).answer(ask(server)).value == {"blue": 1}
    assert times.pauses == [60, 120]


@pytest.mark.parametrize(("kind", "error"), [(ask, Unseen), (write, Refused)])
def test_a_limit_that_takes_too_long_is_told_with_its_end_and_not_waited_for(
    serve: Open, make: Make, kind: Callable[..., Ask], error: type[ReleaseError]
) -> None:
    at = datetime(2030, 1, 31, 12, 0, tzinfo=UTC).timestamp()
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(at) + 3599)}
    server = serve(each(Reply(403, {"message": "API rate limit exceeded"}, headers, date=at)))
    times = Time()
    http = make(clock=times.clock, pause=times.pause)
    for _ in range(2):
        with pytest.raises(
            error,
            match=r"takes no more requests before 2030-01-31 13:00:00 UTC: API rate limit exceeded; .*the same command goes on",
        ):
            http.answer(kind(server))
    assert times.pauses == []
    assert len(server.seen) == 1, "it was asked though it had said when"


def test_a_limit_for_ever_ends_after_the_patience_of_one_call(serve: Open, make: Make) -> None:
    server, times = serve(each(Reply(429, {"message": "no"}, {"Retry-After": "50"}))), Time()
    with pytest.raises(Refused, match=r"takes no more requests before"):
        make(clock=times.clock, pause=times.pause).answer(write(server))
    assert times.pauses == [50, 50]


def test_all_threads_wait_for_one_limit(serve: Open, make: Make) -> None:
    reached, go = threading.Semaphore(0), threading.Event()
    limit = Reply(403, {"message": "You have exceeded a secondary rate limit."})
    first: list[str] = []

    def script(seen: Seen) -> Reply:
        if len(first) < 4:
            first.append(seen.path)
            reached.release()
            go.wait(10)
            return limit
        return GOOD

    server, ends, pauses = serve(script), threading.Event(), []
    start = time.monotonic()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        ends.wait(10)

    http = make(pause=pause, clock=lambda: time.monotonic() + (10_000 if ends.is_set() else 0))
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(http.answer(ask(server)).value)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        assert reached.acquire(timeout=10)
    go.set()
    late = threading.Thread(target=lambda: got.append(http.answer(ask(server, "/late")).value))
    while len(pauses) < 4 and time.monotonic() - start < 10:
        time.sleep(0.01)
    late.start()
    while len(pauses) < 5 and time.monotonic() - start < 10:
        time.sleep(0.01)
    assert len(server.seen) == 4, "a thread asked though a limit was known"
    assert all(55 < one <= 60 for one in pauses), "four answers to one limit are one limit"
    ends.set()
    for thread in (*threads, late):
        thread.join(10)
    assert got == [{"blue": 1}] * 5


def test_writes_that_create_content_are_spaced_by_host(serve: Open, make: Make) -> None:
    server, times = serve(each(GOOD)), Time()
    http = make(clock=times.clock, pause=times.pause, paced=(f"{server.url}/",), rates=Rates())
    for _ in range(3):
        http.answer(write(server, creates=True))
        http.answer(ask(server))
    http.answer(write(server, method="DELETE"))
    assert times.pauses == [1.0, 1.0]


def test_the_time_is_the_servers(serve: Open, make: Make) -> None:
    at = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)
    server, times = serve(each(Reply(200, {}, date=at.timestamp()))), Time()
    http = make(clock=times.clock)
    assert http.now(server.url) is None
    http.answer(ask(server))
    times.at += 61.5
    now = http.now(server.url)
    assert now is not None
    assert (now - at).total_seconds() == 61.5


# Redirects and hosts.


def test_a_read_follows_to_its_own_host_with_its_credentials(serve: Open, make: Make) -> None:
    server = serve(lambda seen: GOOD if seen.path == "/new" else Reply(301, headers={"Location": "/new"}))
    assert make().answer(ask(server)).value == {"blue": 1}
    assert server.seen[1].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_host_or_port_gets_nothing_of_ours_but_accept(serve: Open, make: Make, status: int) -> None:
    away = serve(each(GOOD))
    server = serve(each(Reply(status, headers={"Location": f"{away.url}/y?sig=1"})))
    headers = {"Accept": "application/octet-stream", "X-GitHub-Api-Version": "2022-11-28", "Cookie": "a=b"}
    assert make().answer(ask(server, headers=headers)).value == {"blue": 1}
    got = away.seen[0].headers
    assert got["accept"] == "application/octet-stream"
    assert not set(got) & {"authorization", "cookie", "x-github-api-version", "referer"}
    assert SECRET not in str(got)


def test_credentials_do_not_come_back_on_the_way_back(serve: Open, make: Make) -> None:
    def script(seen: Seen) -> Reply:
        return Reply(302, headers={"Location": f"{away.url}/"}) if seen.path == "/x" else GOOD

    server = serve(script)
    away = serve(each(Reply(302, headers={"Location": f"{server.url}/y"})))
    make().answer(ask(server))
    assert "authorization" not in server.seen[1].headers


def test_redirects_end(serve: Open, make: Make) -> None:
    server = serve(each(Reply(302, headers={"Location": "/x"})))
    with pytest.raises(Unseen, match="it sends from one address to the next"):
        make().answer(ask(server))
    assert len(server.seen) == 6


@pytest.mark.parametrize(
    "to",
    [
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://",
        "http:///x",
        "\\\\evil",
    ],
)
def test_a_redirect_to_what_is_no_server_is_not_followed(serve: Open, make: Make, to: str) -> None:
    with pytest.raises(Unseen):
        make(tries=1).answer(ask(serve(each(Reply(302, headers={"Location": to})))))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_write_is_never_sent_elsewhere(serve: Open, make: Make, status: int) -> None:
    away = serve(each(GOOD))
    server = serve(each(Reply(status, headers={"Location": f"{away.url}/y?token={SECRET}"})))
    with pytest.raises(
        Refused, match=f"cannot paint the sky: {server.url}/x: it has moved to {away.url}/y; mend"
    ) as refused:
        make().answer(write(server))
    assert SECRET not in str(refused.value)
    assert away.seen == []


@pytest.mark.parametrize("status", [307, 308])
def test_a_write_follows_where_it_stays_a_write_on_its_own_host(serve: Open, make: Make, status: int) -> None:
    server = serve(lambda seen: GOOD if seen.path == "/new" else Reply(status, headers={"Location": "/new"}))
    make().answer(write(server))
    assert server.paths == ["POST /x", "POST /new"]
    assert server.seen[1].body == b"{}"
    moved = serve(each(Reply(302, headers={"Location": "/new"})))
    with pytest.raises(Refused, match="has moved to"):
        make().answer(write(moved))


def test_an_address_on_another_host_than_it_was_opened_for_gets_nothing(serve: Open, make: Make) -> None:
    away = serve(each(GOOD))
    with pytest.raises(Unseen, match=f"cannot read the sky: {away.url}/x is not on https://api.example.org"):
        make().answer(ask(away, origins=frozenset({"https://api.example.org"})))
    with pytest.raises(Refused, match=r"is not on http://a or http://b"):
        make().answer(write(away, origins=frozenset({"http://b", "http://a"})))
    assert away.seen == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://API.GitHub.com:443/x?y#z", "https://api.github.com"),
        ("http://h:80", "http://h"),
        ("http://h:8080/", "http://h:8080"),
        ("https://h:80", "https://h:80"),
        ("http://[::1]:99/x", "http://[::1]:99"),
        ("https://user:pass@h/x", "https://h"),
        ("https://h@evil/x", "https://evil"),
        ("https://h:x/", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, place: str) -> None:
    assert origin(url) == place


# Streams.


def test_a_long_body_comes_in_pieces(serve: Open, make: Make) -> None:
    content = bytes(range(256)) * 20_000
    server = serve(each(Reply(200, content)))
    pieces = list(make().pieces(ask(server, shape=None), wrong))
    assert b"".join(pieces) == content
    assert len(pieces) > 10
    assert server.seen[0].headers["accept-encoding"] == "identity"


def test_a_body_that_breaks_off_is_unseen(serve: Open, make: Make) -> None:
    server = serve(each(Reply(200, b"x" * 200_000, cut=100_000)))
    with pytest.raises(Unseen, match=r"broke off after 100000 bytes \(it broke off\)"):
        list(make().pieces(ask(server), wrong))


def test_what_is_no_body_is_said_by_the_caller(serve: Open, make: Make) -> None:
    server = serve(each(Reply(404, {"message": "Not Found"})))
    with pytest.raises(Unseen, match="cannot read: 404 Not Found"):
        list(make().pieces(ask(server), wrong))


def test_the_beginning_of_a_body_is_asked_for_again(serve: Open, make: Make) -> None:
    server = serve(each(Reply(503, {"message": "oops"}), Reply(reset=True), Reply(200, b"abc")))
    assert b"".join(make().pieces(ask(server), wrong)) == b"abc"


def test_a_body_that_drips_is_cut(serve: Open, make: Make) -> None:
    server = serve(each(Reply(200, b"x" * 1000, drip=0.02)))
    with pytest.raises(Unseen, match="it is too slow"):
        list(make(total=0.3).pieces(ask(server), wrong))


def test_who_reads_no_further_leaves_nothing_open(serve: Open, make: Make) -> None:
    server = serve(each(Reply(200, b"x" * 1_000_000), GOOD))
    http = make()
    pieces = http.pieces(ask(server), wrong)
    assert next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert http.answer(ask(server)).value == {"blue": 1}


# ETags.


def test_what_did_not_change_is_not_sent_again(serve: Open, make: Make) -> None:
    def script(seen: Seen) -> Reply:
        same = seen.headers.get("if-none-match") == '"1"'
        return (
            Reply(304, headers={"ETag": '"1"'})
            if same
            else Reply(200, {"blue": 1}, {"ETag": '"1"', "Link": '</x?page=2>; rel="next"'})
        )

    server = serve(script)
    http = make()
    first, second = http.answer(ask(server)), http.answer(ask(server))
    assert first == second
    assert first.next == f"{server.url}/x?page=2"
    other = http.answer(ask(server, secret=lambda: {"Authorization": "Bearer another"}))
    assert other.status == 200
    assert [one.headers.get("if-none-match") for one in server.seen] == [None, '"1"', None]


def test_the_cache_is_bounded() -> None:
    cache = Cache()
    for n in range(100):
        cache.put(n, Answer(200, {}), 1 << 20)
    assert cache.get(0) is None
    assert cache.get(99) is not None
    assert len([n for n in range(100) if cache.get(n)]) == 16
    cache.put("large", Answer(200, {}), 1 << 30)
    assert cache.get("large") is None


# The end.


@pytest.mark.parametrize("kind", [ask, write])
def test_to_stop_ends_what_is_asked_and_what_waits(serve: Open, make: Make, kind: Callable[..., Ask]) -> None:
    arrived = threading.Event()

    def script(seen: Seen) -> Reply:
        arrived.set()
        return Reply(hang=True)

    http = make()
    ended: list[Any] = []

    def run() -> None:
        try:
            http.answer(kind(server))
        except ReleaseError as error:
            ended.append(error)

    server = serve(script)
    thread = threading.Thread(target=run)
    thread.start()
    assert arrived.wait(10)
    began = time.monotonic()
    http.stop()
    thread.join(10)
    assert time.monotonic() - began < 2
    assert "we were told to stop" in str(ended[0])
    with pytest.raises(ReleaseError, match="we were told to stop"):
        http.answer(ask(server))


def test_to_stop_ends_the_wait_for_a_limit(serve: Open, make: Make) -> None:
    server = serve(each(Reply(429, {"message": "no"}, {"Retry-After": "60"})))
    http = make()
    ended: list[Any] = []

    def run() -> None:
        try:
            http.answer(ask(server))
        except Unseen as error:
            ended.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.seen and time.monotonic() < deadline:
        time.sleep(0.01)
    began = time.monotonic()
    http.stop()
    thread.join(10)
    assert time.monotonic() - began < 2
    assert ended == ["cannot read the sky: we were told to stop; run the same command again"]


# Secrets, proxies, settings.


@pytest.mark.parametrize(
    "bad",
    [Reply(reset=True), Reply(502), Reply(200, b"<", {"Content-Type": "text/html"}), Reply(200, {"blue": "x"}),
     Reply(302, headers={"Location": "https://127.0.0.1:1/?sig=hunter2hunter2"})],
)  # fmt: skip
@pytest.mark.parametrize("kind", [ask, write])
def test_no_secret_is_in_an_exception_nor_in_what_it_hangs_on_nor_in_a_log(
    serve: Open, make: Make, caplog: pytest.LogCaptureFixture, bad: Reply, kind: Callable[..., Ask]
) -> None:
    asked = kind(serve(each(bad)), "/x?sig=hunter2hunter2")
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3.connectionpool").addHandler(caplog.handler)
    try:
        with pytest.raises(ReleaseError) as raised:
            make(tries=2).answer(asked)
    finally:
        logging.getLogger("urllib3.connectionpool").removeHandler(caplog.handler)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + caplog.text
    assert "hunter2" not in told
    frames = [
        frame for frame, _ in traceback.walk_tb(raised.value.__traceback__) if "release" in frame.f_code.co_filename
    ]
    assert frames
    assert SECRET not in repr([frame.f_locals for frame in frames])
    assert "urllib3" not in caplog.text


def test_a_users_netrc_and_proxies_are_not_taken(
    serve: Open, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login mallory password hunter2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server = serve(each(GOOD))
    make().answer(ask(server))
    make().answer(ask(server, secret=dict))
    assert [one.headers.get("authorization") for one in server.seen] == [f"Bearer {SECRET}", None]


def test_a_proxy_that_the_environment_names_is_used(serve: Open, make: Make) -> None:
    proxy = serve(each(GOOD))
    http = make({"http_proxy": proxy.url})
    assert http.answer(ask("http://api.example.org")).value == {"blue": 1}
    assert proxy.paths == ["GET http://api.example.org/x"]


def test_a_proxy_that_leads_nowhere_was_not_sent_anything(serve: Open, make: Make) -> None:
    proxy = serve(each(Reply(403)))
    with pytest.raises(Refused, match="the proxy does not lead there"):
        make({"https_proxy": proxy.url}, tries=2).answer(write("https://api.example.org"))
    assert {one.method for one in proxy.seen} == {"CONNECT"}
    assert SECRET not in str(proxy.seen)


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({"https_proxy": "http://p:1"}, "https://h/", "http://p:1"),
        ({"HTTPS_PROXY": "p:1"}, "https://h/", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "http://h/", ""),
        ({"ALL_PROXY": "http://p:1"}, "http://h/", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "http://h/", ""),
        ({"https_proxy": "http://p:1", "no_proxy": "example.org, .h"}, "https://h/", ""),
        ({"https_proxy": "http://p:1", "NO_PROXY": "h"}, "https://a.h:99/", ""),
        ({"https_proxy": "http://p:1", "no_proxy": "h"}, "https://oh/", "http://p:1"),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, "https://h/", ""),
        ({"https_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, "https://10.1.2.3/", ""),
        ({"https_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, "https://11.1.2.3/", "http://p:1"),
        ({"https_proxy": ""}, "https://h/", ""),
        ({"http_proxy": "http://p:1"}, "http://127.0.0.1:99/", ""),
        ({"http_proxy": "http://p:1"}, "http://localhost/", ""),
        ({"http_proxy": "http://p:1"}, "http://[::1]:1/", ""),
    ],
)
def test_which_proxy_an_address_takes(environment: dict[str, str], url: str, proxy: str) -> None:
    assert next(iter(proxies(environment, url).values()), "") == proxy


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_of_certificates_that_is_not_there_is_told_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} names .*none, which is not there"):
        Http({name: str(tmp_path / "none")}, Redactor())


def test_an_address_is_shown_without_what_opens_it() -> None:
    assert shown("https://me:hunter2@h/a/b?token=hunter2#x") == "https://h/a/b"
    assert shown("https://h/\x1b[31m") == "https://h/[31m"


def test_a_redirect_with_a_body_without_end_is_not_read(serve: Open, make: Make) -> None:
    def script(seen: Seen) -> Reply:
        if seen.path == "/new":
            return GOOD
        return Reply(302, b"x" * 1000, {"Location": "/new", "Content-Length": str(1 << 40)})

    began = time.monotonic()
    assert make().answer(ask(serve(script))).value == {"blue": 1}
    assert time.monotonic() - began < 5


def test_connections_are_used_again(serve: Open, make: Make) -> None:
    def script(seen: Seen) -> Reply:
        return (
            Reply(304, headers={"ETag": '"1"'}) if "if-none-match" in seen.headers else Reply(200, {}, {"ETag": '"1"'})
        )

    server, http = serve(script), make()
    for n in range(6):
        http.answer(ask(server, f"/{n % 2}"))
    assert len({one.peer for one in server.seen}) == 1


@pytest.mark.parametrize("body", [b"<html>sign in first</html>", b"ok"])
def test_a_write_that_a_page_answers_is_uncertain_even_where_the_answer_is_not_read(
    serve: Open, make: Make, body: bytes
) -> None:
    page = Reply(200, body, {"Content-Type": "text/html"})
    with pytest.raises(Uncertain, match="it answered with text/html, not with JSON"):
        make().answer(write(serve(each(page)), shape=None))
    for fine in (Reply(204), Reply(200), Reply(201, {"id": 1})):
        assert make().answer(write(serve(each(fine)), shape=None)).good


def test_a_write_that_is_harmless_is_sent_again(serve: Open, make: Make) -> None:
    server = serve(each(Reply(502), Reply(reset=True), GOOD))
    assert make().answer(write(server, harmless=True)).value == {"blue": 1}
    with pytest.raises(Refused, match="it answered 502"):
        make().answer(write(serve(each(Reply(502))), harmless=True))


def test_an_exchange_that_was_too_slow_does_not_harm_the_next(serve: Open, make: Make) -> None:
    server, http = serve(each(Reply(200, {"blue": 1}, drip=0.2), GOOD)), make(total=0.3)
    with pytest.raises(Uncertain, match="it took too long"):
        http.answer(write(server))
    assert http.answer(write(server)).value == {"blue": 1}


def test_many_threads_ask_at_once(serve: Open, make: Make) -> None:
    server, http = serve(each(GOOD)), make()
    got: list[Any] = []

    def run() -> None:
        for n in range(10):
            got.append(http.answer(ask(server, f"/{n}")).value)

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [{"blue": 1}] * 160


# TLS.


def test_a_certificate_that_the_environment_trusts_is_trusted(serve: Open, make: Make, tmp_path: Path) -> None:
    context, certificate = certified(tmp_path)
    server = serve(each(GOOD), tls=context)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        http = make({name: str(certificate)})
        assert http.answer(write(server)).value == {"blue": 1}
        assert http.answer(ask(server)).value == {"blue": 1}


def test_a_certificate_that_nobody_trusts_gets_nothing(serve: Open, make: Make, tmp_path: Path) -> None:
    server = serve(each(GOOD), tls=certified(tmp_path)[0])
    with pytest.raises(Refused, match="its certificate is not one to trust; look to the network"):
        make().answer(write(server))
    with pytest.raises(Unseen, match="its certificate is not one to trust"):
        make().answer(ask(server))
    assert server.seen == []


def test_what_speaks_no_tls_gets_nothing(serve: Open, make: Make) -> None:
    server = serve(each(GOOD))
    with pytest.raises(Refused, match="no safe connection could be made"):
        make().answer(write(server.url.replace("http", "https")))
    assert server.seen == []


def test_a_safe_connection_does_not_lead_to_one_that_is_not(serve: Open, make: Make, tmp_path: Path) -> None:
    context, certificate = certified(tmp_path)
    plain = serve(each(GOOD))
    server = serve(each(Reply(302, headers={"Location": f"{plain.url}/y"})), tls=context)
    with pytest.raises(Unseen, match=f"it sends to {plain.url}/y, which is not safe"):
        make({"SSL_CERT_FILE": str(certificate)}).answer(ask(server))
    assert plain.seen == []


def test_to_stop_ends_a_safe_exchange_too(serve: Open, make: Make, tmp_path: Path) -> None:
    context, certificate = certified(tmp_path)
    arrived = threading.Event()

    def script(seen: Seen) -> Reply:
        arrived.set()
        return Reply(hang=True)

    server, http = serve(script, tls=context), make({"SSL_CERT_FILE": str(certificate)})
    ended: list[str] = []

    def run() -> None:
        try:
            http.answer(write(server))
        except Uncertain as error:
            ended.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    assert arrived.wait(10)
    began = time.monotonic()
    http.stop()
    thread.join(10)
    assert time.monotonic() - began < 2
    assert "we were told to stop" in ended[0]


def test_a_proxys_password_is_learnt() -> None:
    hide = Redactor()
    Http({"https_proxy": "http://me:hunter2%2Bhunter2@proxy:3128"}, hide)
    assert hide.redacted("a hunter2+hunter2 b hunter2%2Bhunter2") == "a *** b ***"


def test_a_cut_that_comes_too_late_does_not_meet_the_next_exchange() -> None:
    line = Line(1.0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line.opened(ours)
        first, second = line.begin(), line.begin()
        line.cut("too late", first)
        assert line.cut_for == ""
        ours.sendall(b"alive")
        assert theirs.recv(5) == b"alive"
        line.cut("in time", second)
        assert line.cut_for == "in time"
        assert theirs.recv(1) == b""
        line.begin()
        assert line.cut_for == ""
        line.end("for ever")
        line.begin()
        assert line.cut_for == "for ever"
    line.close()


# Threads that are in a hurry.


def in_a_hurry(call: Callable[[], Any]) -> Any:
    """What a thread of a pool that must not wait gets or raises."""
    with ThreadPoolExecutor(1, initializer=hurry) as pool:
        return pool.submit(call).result()


@pytest.mark.parametrize(("kind", "error"), [(ask, Unseen), (write, Refused)])
def test_a_thread_in_a_hurry_is_told_when_a_limit_ends_instead_of_waiting(
    serve: Open, make: Make, kind: Callable[..., Ask], error: type[ReleaseError]
) -> None:
    server, times = serve(each(Reply(429, {"message": "slow down"}, {"Retry-After": "20"}), GOOD)), Time()
    http = make(clock=times.clock, pause=times.pause)
    with pytest.raises(error, match=r"takes no more requests before .*: slow down; nothing is lost") as raised:
        in_a_hurry(lambda: http.answer(kind(server)))
    assert raised.value.after == pytest.approx(20)
    assert times.pauses == []
    times.at += raised.value.after
    assert in_a_hurry(lambda: http.answer(kind(server))).value == {"blue": 1}


def test_a_thread_in_a_hurry_waits_for_a_moment_but_not_for_many(serve: Open, make: Make) -> None:
    server, times = serve(each(Reply(429, {"message": "no"}, {"Retry-After": "1"}))), Time()
    http = make(clock=times.clock, pause=times.pause)
    with pytest.raises(Unseen) as raised:
        in_a_hurry(lambda: http.answer(ask(server)))
    assert times.pauses == [1, 1]
    assert raised.value.after == pytest.approx(1)
    assert len(server.seen) == 3


def test_what_is_no_limit_has_no_moment_after_which_it_may_be_tried_again(make: Make) -> None:
    with nobody() as url, pytest.raises(Unseen) as raised:
        make().answer(ask(url))
    assert raised.value.after == 0.0


def test_our_own_pace_is_told_like_a_limit_and_nothing_is_sent(serve: Open, make: Make) -> None:
    server, times = serve(each(GOOD)), Time()
    http = make(clock=times.clock, pause=times.pause, paced=(f"{server.url}/api/",), rates=Rates(points=7))
    http.answer(write(server, "/api/x"))
    http.answer(ask(server, "/api/x"))
    http.answer(ask(server, "/api/x"))
    for turn in (60, 120):  # the second is behind the first
        with pytest.raises(
            Refused, match=r"takes no more requests .*more at once is not what its rules allow"
        ) as raised:
            in_a_hurry(lambda: http.answer(write(server, "/api/x")))
        assert raised.value.after == pytest.approx(turn)
    assert len(server.seen) == 3
    assert http.answer(ask(server, "/elsewhere")).good, "what is not counted is not held up"
    assert times.pauses == []
    http.answer(write(server, "/api/x"))
    assert times.pauses == [60], "who has time waits"


def test_a_way_round_on_the_same_server_counts_as_well(serve: Open, make: Make) -> None:
    def script(seen: Seen) -> Reply:
        return Reply(301, headers={"Location": "/api/y"}) if seen.path == "/api/x" else GOOD

    server, times = serve(script), Time()
    http = make(clock=times.clock, pause=times.pause, paced=(f"{server.url}/api/",), rates=Rates(points=4))
    assert [http.answer(ask(server, "/api/x")).value for _ in range(2)] == [{"blue": 1}] * 2
    with pytest.raises(Unseen, match="more at once"):
        in_a_hurry(lambda: http.answer(ask(server, "/api/x")))
    assert len(server.seen) == 4
