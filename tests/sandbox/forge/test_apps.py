"""Who may do what: tokens, scopes, permissions, and GitHub Apps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from release.sandbox.forge import Sandbox
from tests.forge import Client, address, git, serving

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
).decode()  # fmt: skip
RELEASES = "/repos/acme/app/releases"


@pytest.fixture
def app(forge: Sandbox) -> int:
    forge.repository("acme/other", private=True)
    rights = {"contents": "write", "metadata": "read", "checks": "write"}
    return forge.app("releaser", PUBLIC, {"acme": ("app", "other")}, rights)


@pytest.fixture
def bearer(forge: Sandbox, app: int) -> Iterator[Client]:
    client = Client(forge, signed(app))
    yield client
    client.close()


def signed(app: int, key: rsa.RSAPrivateKey = KEY, **more: Any) -> str:
    now = int(time.time())
    return jwt.encode({"iat": now - 60, "exp": now + 300, "iss": str(app)} | more, key, algorithm="RS256")


def test_an_app_gets_a_token_for_its_installation(forge: Sandbox, bearer: Client, work: Path) -> None:
    (installation,) = bearer.get("/app/installations")
    assert bearer.get("/repos/acme/app/installation")["id"] == installation["id"]
    token = bearer.post(f"/app/installations/{installation['id']}/access_tokens")
    robot = Client(forge, token["token"])
    names = [one["full_name"] for one in robot.get("/installation/repositories")["repositories"]]
    assert names == ["acme/app", "acme/other"]
    assert robot.post(RELEASES, tag_name="v1", draft=True)["author"]["login"] == "releaser[bot]"
    git(work, "push", "--quiet", address(forge, token["token"], "acme/app"), "HEAD:refs/heads/by-app")
    assert robot("POST", "/repos/acme/app/issues", {"title": "x"}).status_code == 403
    robot.close()


def test_a_token_may_be_for_less_and_not_for_more(forge: Sandbox, bearer: Client) -> None:
    where = f"/app/installations/{bearer.get('/app/installations')[0]['id']}/access_tokens"
    token = bearer.post(where, repositories=["app"], permissions={"contents": "read"})
    assert [one["name"] for one in token["repositories"]] == ["app"]
    robot = Client(forge, token["token"])
    assert robot("POST", RELEASES, {"tag_name": "v1"}).status_code == 403
    assert robot("GET", "/repos/acme/other").status_code == 404
    robot.close()
    for more in ({"repositories": ["missing"]}, {"permissions": {"issues": "write"}}, {"repository_ids": [999999]}):
        assert bearer("POST", where, more).status_code == 422


@pytest.mark.parametrize(
    ("key", "claims"),
    [
        (OTHER, {}),
        (KEY, {"exp": int(time.time()) - 10}),
        (KEY, {"exp": int(time.time()) + 3600}),
        (KEY, {"iat": int(time.time()) + 3600}),
        (KEY, {"iss": "999999"}),
    ],
    ids=["another key", "over", "too long", "from the future", "unknown app"],
)
def test_a_bad_jwt_is_refused(forge: Sandbox, app: int, key: rsa.RSAPrivateKey, claims: dict[str, Any]) -> None:
    client = Client(forge, signed(app, key, **claims))
    assert client("GET", "/app/installations").status_code == 401
    client.close()


def test_an_installation_token_is_over_after_an_hour(tmp_path: Path) -> None:
    moment = [time.time()]
    with serving(tmp_path / "forge", clock=lambda: moment[0]) as forge:
        forge.repository("acme/app")
        client = Client(forge, signed(forge.app("releaser", PUBLIC, {"acme": ("app",)})))
        where = f"/app/installations/{client.get('/app/installations')[0]['id']}/access_tokens"
        robot = Client(forge, client.post(where)["token"])
        moment[0] += 3599
        assert robot("GET", "/installation/repositories").status_code == 200
        moment[0] += 2
        assert robot("GET", "/installation/repositories").status_code == 401
        client.close()
        robot.close()


def test_a_private_repository_is_not_there_for_strangers(forge: Sandbox, stranger: Client, anybody: Client) -> None:
    forge.repository("acme/secret", private=True, read=("reader",))
    reader = Client(forge, forge.token("reader"))
    assert stranger("GET", "/repos/acme/secret").status_code == 404
    assert anybody("GET", "/repos/acme/secret").status_code == 404
    assert reader.get("/repos/acme/secret")["permissions"]["push"] is False
    assert reader("POST", "/repos/acme/secret/releases", {"tag_name": "v1"}).status_code == 404
    reader.close()


def test_a_fine_grained_token_is_held_to_its_repositories_and_permissions(forge: Sandbox, captain: Client) -> None:
    forge.repository("acme/second", push=("captain",))
    reads = Client(forge, forge.token("captain", repositories=("acme/app",), permissions={"contents": "read"}))
    first = Client(forge, forge.token("captain", repositories=("acme/app",)))
    refused = reads("POST", RELEASES, {"tag_name": "v1", "draft": True})
    assert refused.status_code == 403
    assert refused.headers["X-Accepted-GitHub-Permissions"] == "contents=write"
    assert first("POST", "/repos/acme/second/releases", {"tag_name": "v1", "draft": True}).status_code == 403
    assert first.post(RELEASES, tag_name="v1", draft=True)["draft"] is True
    for client in (reads, first):
        client.close()


def test_a_classic_token_is_told_its_scopes(forge: Sandbox, captain: Client) -> None:
    assert captain("GET", "/repos/acme/app").headers["X-OAuth-Scopes"] == "repo, workflow"
    bare = Client(forge, forge.token("captain", scopes=()))
    assert bare("POST", RELEASES, {"tag_name": "v1"}).status_code == 404
    assert bare("GET", "/repos/acme/app").headers["X-OAuth-Scopes"] == ""
    bare.close()


def test_a_bad_token_is_bad_everywhere(forge: Sandbox) -> None:
    client = Client(forge, "ghp_unknown")
    answer = client("GET", "/repos/acme/app")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")
    client.close()


def test_the_user_is_who_the_token_says(captain: Client, anybody: Client) -> None:
    assert captain.get("/user")["login"] == "captain"
    assert anybody("GET", "/user").status_code == 401


def test_no_token_is_kept_in_the_folder(forge: Sandbox, captain: Client, work: Path) -> None:
    captain.get("/user")
    kept = [path for path in forge.folder.rglob("*") if path.is_file() and captain.token.encode() in path.read_bytes()]
    assert kept == []
