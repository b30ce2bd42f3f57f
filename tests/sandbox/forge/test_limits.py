"""Rate limits, conditional requests and the headers of every answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from release.sandbox.forge import Limits, Sandbox
from release.sandbox.forge.events import Event
from release.sandbox.forge.limits import GITHUB
from tests.forge import Client, serving

REPO = "/repos/acme/app"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limited(tmp_path: Path, clock: Clock) -> Iterator[Client]:
    limits = Limits(user=10, anonymous=2, points=20, minute=3, hour=4)
    with serving(tmp_path / "forge", limits=limits, clock=clock) as forge:
        forge.repository("acme/app", push=("captain",))
        client = Client(forge, forge.token("captain"))
        yield client
        client.close()


def test_the_documented_limits_are_at_hand() -> None:
    assert (GITHUB.user, GITHUB.workflow, GITHUB.concurrent) == (5000, 1000, 100)
    assert (GITHUB.points, GITHUB.minute, GITHUB.hour) == (900, 80, 500)


def test_every_answer_tells_what_is_left(captain: Client) -> None:
    first, second = captain("GET", REPO), captain("GET", f"{REPO}/nothing")
    assert first.headers["X-RateLimit-Limit"] == "5000"
    assert int(first.headers["X-RateLimit-Remaining"]) == 4999
    assert abs(parsedate_to_datetime(first.headers["Date"]).timestamp() - time.time()) < 60
    assert parsedate_to_datetime(second.headers["Date"]) >= parsedate_to_datetime(first.headers["Date"])
    assert first.headers["X-GitHub-Api-Version-Selected"] == "2022-11-28"


def test_the_primary_limit_ends_with_its_hour(limited: Client, clock: Clock) -> None:
    while (answer := limited("GET", REPO)).status_code == 200:
        pass
    assert answer.status_code == 403
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert "Retry-After" not in answer.headers
    clock.now = int(answer.headers["X-RateLimit-Reset"])
    assert limited("GET", REPO).status_code == 200


def test_all_tokens_of_a_user_share_his_limit(limited: Client) -> None:
    other = Client(limited.forge, limited.forge.token("captain"))
    limited("GET", REPO)
    assert other.get("/rate_limit")["rate"]["used"] == 1
    other.close()


def test_anonymous_requests_have_a_limit_of_their_own(limited: Client) -> None:
    nobody = Client(limited.forge)
    assert [nobody("GET", REPO).status_code for _ in range(3)] == [200, 200, 403]
    assert limited("GET", REPO).status_code == 200
    nobody.close()


def test_an_unchanged_answer_is_304_and_free(limited: Client, clock: Clock) -> None:
    first = limited("GET", REPO)
    used = limited.get("/rate_limit")["rate"]["used"]
    again = limited("GET", REPO, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    clock.now += 61
    assert limited.get("/rate_limit")["rate"]["used"] == used
    limited.forge.repository("acme/app", push=("captain",), private=True)
    changed = limited("GET", REPO, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_contents_may_not_be_made_too_quickly(limited: Client, clock: Clock) -> None:
    def made() -> int:
        return limited("POST", f"{REPO}/issues", {"title": "x"}).status_code

    assert [made() for _ in range(4)] == [201, 201, 201, 403]
    refused = limited("POST", f"{REPO}/issues", {"title": "x"})
    assert "secondary rate limit" in refused.json()["message"]
    assert int(refused.headers["Retry-After"]) == 60
    clock.now += 61
    assert [made() for _ in range(2)] == [201, 403]
    clock.now += 3600
    assert made() == 201


def test_points_are_counted_by_the_minute(tmp_path: Path, clock: Clock) -> None:
    with serving(tmp_path / "forge", limits=Limits(points=7), clock=clock) as forge:
        forge.repository("acme/app", push=("captain",))
        client = Client(forge, forge.token("captain"))
        client.post(f"{REPO}/issues", title="x")
        assert [client("GET", REPO).status_code for _ in range(3)] == [200, 200, 403]
        clock.now += 60
        assert client("GET", REPO).status_code == 200
        client.close()


def test_only_so_many_requests_run_at_once(tmp_path: Path) -> None:
    with serving(tmp_path / "forge", limits=Limits(concurrent=1)) as forge:
        forge.repository("acme/app", push=("captain",))
        client, other = (Client(forge, forge.token("captain")) for _ in range(2))
        begun, go_on = threading.Event(), threading.Event()

        def hold(_: Event) -> None:
            begun.set()
            go_on.wait(20)

        forge.events.subscribe(hold)
        slow = threading.Thread(target=client, args=("PUT", f"{REPO}/contents/a", {"message": "m", "content": "YQ=="}))
        slow.start()
        assert begun.wait(20)
        refused = other("GET", REPO)
        go_on.set()
        slow.join(20)
        assert (refused.status_code, refused.headers["Retry-After"]) == (403, "1")
        assert other("GET", REPO).status_code == 200
        client.close()
        other.close()


def test_a_workflow_has_a_thousand_requests_an_hour_and_repository(forge: Sandbox) -> None:
    robot = Client(forge, forge.workflow_token("acme/app", None, 1))
    assert robot("GET", REPO).headers["X-RateLimit-Limit"] == "1000"
    robot.close()


def test_an_unknown_version_of_the_api_is_refused(captain: Client) -> None:
    chosen = {"X-GitHub-Api-Version": "2026-03-10"}
    assert captain("GET", REPO, headers=chosen).headers["X-GitHub-Api-Version-Selected"] == "2026-03-10"
    assert captain("GET", REPO, headers={"X-GitHub-Api-Version": "1999-01-01"}).status_code == 400


def test_an_hour_may_be_shorter_and_what_went_past_a_limit_is_counted(tmp_path: Path, clock: Clock) -> None:
    limits = Limits(minute=2, hour=3, a_minute=5, an_hour=20)
    with serving(tmp_path / "forge", limits=limits, clock=clock) as forge:
        forge.repository("acme/app", push=("captain",))
        client = Client(forge, forge.token("captain"))

        def made() -> int:
            return client("POST", f"{REPO}/issues", {"title": "x"}).status_code

        assert [made() for _ in range(3)] == [201, 201, 403]
        clock.now += 5
        assert [made() for _ in range(2)] == [201, 403]
        clock.now += 15
        assert made() == 201
        assert forge.meter.refused == 2
        client.close()


def test_a_question_by_graphql_counts_as_a_read_though_it_is_posted(limited: Client) -> None:
    url = limited.forge.api_url.removesuffix("/v3") + "/graphql"
    asked = [limited("POST", url, {"query": "{ viewer { login } }"}).status_code for _ in range(8)]
    assert asked == [200] * 8  # as writes, the fourth would be one too many
