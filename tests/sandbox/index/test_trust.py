"""Trusted publishing: an identity of a workflow's run buys a token for some minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from release.sandbox.index import PackageIndex
from tests.sandbox.index.distributions import wheel
from tests.sandbox.index.test_index import upload

NOW = 1_000_000
KEY = "k" * 32
GOOD = {
    "iss": "https://token.actions.githubusercontent.com", "aud": "pypi", "sub": "repo:acme/thing:ref:refs/heads/main",
    "repository": "acme/thing", "nbf": NOW - 5, "exp": NOW + 5,
}  # fmt: skip


class Clock:
    now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def index(tmp_path: Path, clock: Clock) -> Iterator[PackageIndex]:
    publishers = {"Thing": "acme/thing", "other": "acme/other"}
    with PackageIndex(tmp_path / "index", users={"me": "pw"}, publishers=publishers, clock=clock) as served:
        yield served


def minted(index: PackageIndex, payload: Any) -> requests.Response:
    return requests.post(f"{index.url}/_/oidc/mint-token", json=payload, timeout=30)


def identity(**claims: object) -> str:
    return jwt.encode({**GOOD, **claims}, KEY, algorithm="HS256")


def test_a_run_publishes_its_project_and_no_other(index: PackageIndex, tmp_path: Path) -> None:
    assert requests.get(f"{index.url}/_/oidc/audience", timeout=30).json() == {"audience": "pypi"}
    given = minted(index, {"token": identity()}).json()
    assert (given["success"], given["expires"]) == (True, NOW + 900)
    who = ("__token__", given["token"])
    assert upload(index, wheel(tmp_path, "thing", "1.0"), who).status_code == 200
    refused = upload(index, wheel(tmp_path, "other", "1.0"), who)
    assert (refused.status_code, "not valid for project: 'other'" in refused.reason) == (403, True)
    assert index.files("other") == {}


def test_a_token_ends_with_its_time(index: PackageIndex, clock: Clock, tmp_path: Path) -> None:
    who = ("__token__", minted(index, {"token": identity()}).json()["token"])
    clock.now += 899
    assert upload(index, wheel(tmp_path, "thing", "1.0"), who).status_code == 200
    clock.now += 1
    assert upload(index, wheel(tmp_path, "thing", "1.1"), who).status_code == 403


@pytest.mark.parametrize(
    ("claims", "code"),
    [({"aud": "testpypi"}, "invalid-token"), ({"exp": NOW}, "invalid-token"), ({"nbf": NOW + 1}, "invalid-token"),
     ({"exp": "later"}, "invalid-token"), ({"repository": 7}, "invalid-token"), ({"repository": "evil/thing"}, "invalid-publisher")],
)  # fmt: skip
def test_an_identity_that_does_not_fit_buys_nothing(index: PackageIndex, claims: dict[str, object], code: str) -> None:
    refused = minted(index, {"token": identity(**claims)})
    assert (refused.status_code, [one["code"] for one in refused.json()["errors"]]) == (422, [code])


@pytest.mark.parametrize(
    ("payload", "code"), [([], "invalid-payload"), ({}, "invalid-payload"), ({"token": "a.b"}, "invalid-token")]
)
def test_what_is_no_identity_buys_nothing(index: PackageIndex, payload: object, code: str) -> None:
    refused = minted(index, payload)
    assert (refused.status_code, [one["code"] for one in refused.json()["errors"]]) == (422, [code])


def test_a_job_asks_who_it_is_as_on_github(index: PackageIndex, tmp_path: Path) -> None:
    variables = index.identity("acme/thing", environment="pypi")
    url = f"{variables['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=pypi"
    bearer = {"Authorization": f"bearer {variables['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    token = requests.get(url, headers=bearer, timeout=30).json()["value"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["repository"], claims["aud"], claims["environment"]) == ("acme/thing", "pypi", "pypi")
    who = ("__token__", minted(index, {"token": token}).json()["token"])
    assert upload(index, wheel(tmp_path, "thing", "1.0"), who).status_code == 200
    assert requests.get(url, headers={"Authorization": "bearer x"}, timeout=30).status_code == 401
