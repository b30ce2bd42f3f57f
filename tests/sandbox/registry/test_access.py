"""Basic credentials, and tokens of a realm of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from release.sandbox.registry import SandboxRegistry
from tests.sandbox.registry.client import Client, code, digest

USERS = {"captain": "s3cret", "guest": "guest"}
CAPTAIN, GUEST = ("captain", "s3cret"), ("guest", "guest")


@pytest.fixture
def basic(tmp_path: Path) -> Iterator[SandboxRegistry]:
    with SandboxRegistry(tmp_path / "basic", users=USERS, readers=["guest"]) as served:
        yield served


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[SandboxRegistry]:
    with SandboxRegistry(tmp_path / "tokens", users=USERS, tokens=True, readers=["guest"]) as served:
        yield served


def challenged(answer: requests.Response) -> dict[str, str]:
    """What a challenge says."""
    assert code(answer) == (401, "UNAUTHORIZED")
    said = answer.headers["WWW-Authenticate"]
    assert said.startswith("Bearer ")
    return dict(re.findall(r'(\w+)="([^"]*)"', said))


def asked(said: dict[str, str], who: tuple[str, str], **more: str) -> Any:
    """A token for what a challenge asks for."""
    query = {"service": said["service"], "scope": said["scope"], **more}
    return requests.get(said["realm"], params=query, auth=who, timeout=30)


def bearer(token: str, registry: SandboxRegistry) -> Client:
    return Client(registry.host, {"Authorization": f"Bearer {token}"})


def test_without_credentials_nothing_is_answered(basic: SandboxRegistry) -> None:
    nobody = Client(basic.host)
    for answer in (nobody("GET", ""), nobody("GET", "app/tags/list"), nobody("POST", "app/blobs/uploads/")):
        assert code(answer) == (401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert nobody("GET", "", auth=("captain", "wrong")).status_code == 401
    assert nobody("GET", "", auth=CAPTAIN).status_code == 200


def test_a_reader_may_not_push(basic: SandboxRegistry) -> None:
    anybody = Client(basic.host)
    assert code(anybody("POST", "app/blobs/uploads/", auth=GUEST)) == (403, "DENIED")
    assert anybody("POST", "app/blobs/uploads/", auth=CAPTAIN).status_code == 202
    assert anybody("GET", "app/tags/list", auth=GUEST).json()["tags"] == []


def test_a_challenge_says_what_to_ask_for_and_a_token_opens_that_alone(tokens: SandboxRegistry) -> None:
    said = challenged(Client(tokens.host)("POST", "acme/app/blobs/uploads/"))
    assert said["scope"] == "repository:acme/app:pull,push"
    given = asked(said, CAPTAIN).json()
    assert given["token"] == given["access_token"]
    holder = bearer(given["token"], tokens)
    holder.image("acme/app", "1", "some")
    assert tokens.tags("acme/app").keys() == {"1"}
    assert challenged(holder("GET", "acme/other/tags/list"))["error"] == "insufficient_scope"
    assert challenged(holder("DELETE", "acme/app/manifests/1"))["scope"] == "repository:acme/app:delete"


def test_a_token_is_given_for_what_one_has_a_right_to(tokens: SandboxRegistry) -> None:
    said = challenged(Client(tokens.host)("POST", "app/blobs/uploads/"))
    given = asked(said, GUEST).json()
    assert given["scope"] == "repository:app:pull"
    assert challenged(bearer(given["token"], tokens)("POST", "app/blobs/uploads/"))["error"] == "insufficient_scope"


def test_wrong_credentials_get_no_token(tokens: SandboxRegistry) -> None:
    said = challenged(Client(tokens.host)("GET", "app/tags/list"))
    assert code(asked(said, ("captain", "guest"))) == (401, "UNAUTHORIZED")
    assert requests.get(said["realm"], timeout=30).status_code == 401


def test_a_token_ends_with_its_time(tmp_path: Path) -> None:
    now = [1_000_000.0]
    with SandboxRegistry(tmp_path, users=USERS, tokens=True, lifetime=60, clock=lambda: now[0]) as registry:
        said = challenged(Client(registry.host)("POST", "app/blobs/uploads/"))
        given = asked(said, CAPTAIN).json()
        holder = bearer(given["token"], registry)
        assert given["expires_in"] == 60
        assert given["issued_at"] == "1970-01-12T13:46:40Z"
        now[0] += 59
        place = holder("POST", "app/blobs/uploads/").headers["Location"]
        now[0] += 1
        assert challenged(holder("PATCH", place, data=b"x"))["error"] == "invalid_token"


def test_a_refresh_token_gets_another_token(tokens: SandboxRegistry) -> None:
    said = challenged(Client(tokens.host)("POST", "app/blobs/uploads/"))
    assert "refresh_token" not in asked(said, CAPTAIN).json()
    kept = asked(said, CAPTAIN, offline_token="true").json()["refresh_token"]
    tokens.expire_tokens()
    form = {"grant_type": "refresh_token", "refresh_token": kept, "service": said["service"], "scope": said["scope"]}
    given = requests.post(said["realm"], data=form, timeout=30).json()["access_token"]
    assert bearer(given, tokens).blob("app", b"some") == digest(b"some")
    wrong = requests.post(said["realm"], data=form | {"refresh_token": "x"}, timeout=30)
    assert code(wrong) == (401, "UNAUTHORIZED")


def test_a_password_gets_a_token_by_post(tokens: SandboxRegistry) -> None:
    said = challenged(Client(tokens.host)("POST", "app/blobs/uploads/"))
    form = {"grant_type": "password", "username": "captain", "password": "s3cret", "scope": said["scope"]}
    given = requests.post(said["realm"], data=form | {"access_type": "offline"}, timeout=30).json()
    assert given["refresh_token"]
    assert bearer(given["access_token"], tokens).blob("app", b"some") == digest(b"some")


def test_tokens_that_were_given_out_end_in_the_middle_of_an_upload(tokens: SandboxRegistry) -> None:
    said = challenged(Client(tokens.host)("POST", "app/blobs/uploads/"))
    holder = bearer(asked(said, CAPTAIN).json()["token"], tokens)
    place = holder("POST", "app/blobs/uploads/").headers["Location"]
    tokens.expire_tokens()
    assert challenged(holder("PUT", place, data=b"x", params={"digest": digest(b"x")}))["error"] == "invalid_token"
    again = bearer(asked(said, CAPTAIN).json()["token"], tokens)
    assert again("PUT", place, data=b"x", params={"digest": digest(b"x")}).status_code == 201


def test_a_mount_needs_the_right_to_read_where_it_comes_from(tokens: SandboxRegistry) -> None:
    def holder(*scopes: str) -> Client:
        given = requests.get(f"{tokens.url}/token", params={"scope": [*scopes]}, auth=CAPTAIN, timeout=30).json()
        return bearer(given["token"], tokens)

    held = holder("repository:from:pull,push").blob("from", b"shared")
    query = {"mount": held, "from": "from"}
    assert holder("repository:to:pull,push")("POST", "to/blobs/uploads/", params=query).status_code == 202
    both = holder("repository:to:pull,push", "repository:from:pull")
    assert both("POST", "to/blobs/uploads/", params=query).status_code == 201
