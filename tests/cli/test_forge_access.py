"""What opens the forge and does not: told with the variable it comes from and the right that is missing, before anything is written."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.forged import CAPTAIN, Fleet, fleet

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WRONG = "ghp_" + "0" * 40
NONE = {"SLUICE_GITHUB_TOKEN": ""}


def pem(key: rsa.RSAPrivateKey = KEY) -> str:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def app(some: Fleet, *installed: str, **permissions: str) -> dict[str, str]:
    """The environment of somebody who releases by an App."""
    public = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    number = some.forge.app(
        f"releaser-{len(some.forge.store.all('app'))}", public.decode(), {"acme": installed}, permissions or None
    )
    return {**NONE, "SLUICE_APP_ID": str(number), "SLUICE_APP_KEY": pem()}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Path]]:
    """A fleet in which nothing is ever written: each of these releases is stopped before its first write."""
    with fleet(tmp_path_factory.mktemp("access")) as some:
        clone = some.clone("ada")
        before = {name: some.refs(name) for name in ("app", "first", "second")}
        yield some, clone
        assert {name: some.refs(name) for name in before} == before
        assert [some.releases(name) for name in before] == [[], [], []]


def wrong(some: Fleet) -> Mapping[str, str]:
    return {"SLUICE_GITHUB_TOKEN": WRONG}


def revoked(some: Fleet) -> Mapping[str, str]:
    token = some.forge.token(CAPTAIN)
    some.forge.revoke(token)
    return {"SLUICE_GITHUB_TOKEN": token}


def named(name: str) -> Callable[[Fleet], Mapping[str, str]]:
    return lambda some: {**NONE, name: WRONG}


def scopes(*granted: str) -> Callable[[Fleet], Mapping[str, str]]:
    return lambda some: {"SLUICE_GITHUB_TOKEN": some.forge.token(CAPTAIN, scopes=granted)}


def stranger(some: Fleet) -> Mapping[str, str]:
    return {"SLUICE_GITHUB_TOKEN": some.forge.token("stranger", repositories=("acme/app",))}


def another_key(some: Fleet) -> Mapping[str, str]:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return {**app(some, "app", "first", "second"), "SLUICE_APP_KEY": pem(other)}


def closed(some: Fleet) -> Mapping[str, str]:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return {"GITHUB_API_URL": f"http://127.0.0.1:{taken.getsockname()[1]}/api/v3"}


ROWS: dict[str, tuple[Callable[[Fleet], Mapping[str, str]], int, tuple[str, ...]]] = {
    "a token that is none": (wrong, 1, ("the forge does not take the token of SLUICE_GITHUB_TOKEN", "Bad credentials", "mistyped, expired or revoked")),
    "a token that was revoked": (revoked, 1, ("the forge does not take the token of SLUICE_GITHUB_TOKEN", "mistyped, expired or revoked")),
    "a wrong token in another variable": (named("GH_ENTERPRISE_TOKEN"), 1, ("the token of GH_ENTERPRISE_TOKEN",)),
    "a workflow's wrong token": (named("GITHUB_TOKEN"), 1, ("the token of GITHUB_TOKEN",)),
    "no token": (lambda some: NONE, 3, ("there is no token for acme/app", "put a token into SLUICE_GITHUB_TOKEN")),
    "a token without scopes": (scopes(), 3, ("the token of SLUICE_GITHUB_TOKEN cannot write to acme/app", "give it the scope repo")),
    "a token that may only read": (scopes("read:org", "gist"), 3, ("cannot write to acme/app", "give it the scope repo")),
    "a token of somebody who may only read": (stranger, 3, ("the token of SLUICE_GITHUB_TOKEN cannot write to acme/app", "give it contents: write there")),
    "a token with a blank in it": (lambda some: {"SLUICE_GITHUB_TOKEN": "ghp_abc def"}, 2, ("SLUICE_GITHUB_TOKEN holds something that is no token",)),
    "an App without a key": (lambda some: {**NONE, "SLUICE_APP_ID": "1"}, 2, ("SLUICE_APP_ID is set without a key", "SLUICE_APP_KEY or SLUICE_APP_KEY_FILE")),
    "an App's key that is none": (lambda some: {**NONE, "SLUICE_APP_ID": "1", "SLUICE_APP_KEY": "no key"}, 2, ("SLUICE_APP_KEY holds no RSA private key",)),
    "an App's key file that is not there": (
        lambda some: {**NONE, "SLUICE_APP_ID": "1", "SLUICE_APP_KEY_FILE": "/nowhere/key.pem"}, 2, ("cannot read /nowhere/key.pem", "SLUICE_APP_KEY_FILE"),
    ),
    "an App that nobody knows": (lambda some: {**app(some, "app"), "SLUICE_APP_ID": "999999"}, 1, ("App 999999", "answered 401", "mend SLUICE_APP_ID and its key")),
    "an App's key that is no more": (another_key, 1, ("answered 401", "mend SLUICE_APP_ID and its key")),
    "an App that is not installed on a downstream": (lambda some: app(some, "app", "first"), 1, (r"App \d+ is not installed on acme/second", "install it there")),
    "an App that may only read": (lambda some: app(some, "app", "first", "second", contents="read", metadata="read", actions="write"), 3, ("the token of SLUICE_APP_KEY cannot write to acme/app", "contents: write")),
    "an App that may start nothing": (lambda some: app(some, "app", "first", "second", contents="write", metadata="read", actions="read"), 3, ("the token of SLUICE_APP_KEY cannot write to acme/second", "actions: write")),
    "a forge that does not answer": (closed, 1, (r"127\.0\.0\.1:\d+",)),
    "a forge that is not one": (lambda some: {"GITHUB_API_URL": "nonsense"}, 2, ("GITHUB_API_URL is not the address of a forge",)),
    "a forge that everybody could listen to": (lambda some: {"GITHUB_API_URL": "http://github.example.org/api/v3"}, 2, ("GITHUB_API_URL is not https",)),
    "a forge with a password in its address": (lambda some: {"GITHUB_API_URL": "https://x:y@github.example.org"}, 2, ("GITHUB_API_URL holds more than an address",)),
}  # fmt: skip


@pytest.mark.parametrize(("environment", "code", "says"), ROWS.values(), ids=ROWS)
def test_what_does_not_open_the_forge_is_told_and_nothing_is_written(
    environment: Callable[[Fleet], Mapping[str, str]], code: int, says: tuple[str, ...], shared: tuple[Fleet, Path]
) -> None:
    some, clone = shared
    answer = some.invoke(clone, "release", "--yes", env=environment(some)).expect(code, *says)
    assert WRONG not in answer.said
    if code == 3:
        assert "nothing was written" in answer.said


def test_a_plan_needs_no_token_where_everything_is_public(shared: tuple[Fleet, Path]) -> None:
    some, clone = shared
    some.invoke(clone, "release.plan", env=NONE).expect(3, "make a draft of v0.1.0", "there is no token for acme/app")
    some.invoke(clone, "release.status", env=NONE).expect(0)


def test_a_fine_grained_token_whose_rights_nobody_tells_is_stopped_by_the_first_thing_it_may_not_do(
    tmp_path: Path,
) -> None:
    with fleet(tmp_path) as some:
        token = some.forge.token(CAPTAIN, permissions={"contents": "read", "actions": "read"})
        before = some.refs("app")
        some.invoke(some.clone("ada"), "release", "--yes", env={"SLUICE_GITHUB_TOKEN": token}).expect(
            3, "acme/app.git would not take a push: .*Write access to repository not granted", "nothing was written"
        )
        assert some.refs("app") == before
        assert some.releases("app") == []


def test_a_right_that_is_missing_later_is_named_with_what_the_forge_would_accept(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        token = some.forge.token(CAPTAIN, permissions={"contents": "write", "actions": "read"})
        some.invoke(some.clone("ada"), "release", "--yes", env={"SLUICE_GITHUB_TOKEN": token}).expect(
            1, r"downstream second.*cannot start release\.yml of acme/second: the token of SLUICE_GITHUB_TOKEN cannot reach acme/second",
            "give it actions: write there",
        )  # fmt: skip
        assert some.releases("first")[0]["draft"] is False


def test_an_app_releases_with_no_more_than_it_needs(tmp_path: Path) -> None:
    with fleet(tmp_path) as some:
        some.forge.repository("acme/other", "main")
        environment = app(some, "app", "first", "second", "other")
        some.invoke(some.clone("ada"), "release", "--yes", env=environment).expect(0)
        asked = [one.request_body for one in some.forge.exchanges() if one.path.endswith("/access_tokens")]
        assert asked
        assert all('"repositories":["app","first","second"]' in (body or "") for body in asked)
        assert all('"deployments":"write"' not in (body or "") for body in asked)
