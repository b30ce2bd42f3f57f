"""A token is found, or made by a GitHub App for just what a release needs; nobody gets to see one."""

from __future__ import annotations

import base64
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from release.adapters.github import GitHub
from release.adapters.github.tokens import App, Fixed
from release.errors import ConfigError, Refused, Unseen
from release.redact import Redactor
from release.sandbox.forge import Sandbox
from tests.forge import PLAIN, WHO, clone
from tests.serving import Reply, Seen, Server, routes

Open = Callable[..., GitHub]
SECRET = "ghp_0123456789abcdefghij"


def pem(key: Any) -> str:
    kind = serialization.PrivateFormat.TraditionalOpenSSL
    text: str = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()
    return text


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public(key: rsa.RSAPrivateKey) -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


# From the environment.


@pytest.mark.parametrize(
    ("environment", "source"),
    [
        ({"SLUICE_GITHUB_TOKEN": "a" * 9, "GH_TOKEN": "b" * 9, "GITHUB_TOKEN": "c" * 9}, "SLUICE_GITHUB_TOKEN"),
        ({"GH_TOKEN": "b" * 9, "GITHUB_TOKEN": "c" * 9}, "GH_TOKEN"),
        ({"GITHUB_TOKEN": "c" * 9}, "GITHUB_TOKEN"),
        ({"SLUICE_GITHUB_TOKEN": " \n", "GITHUB_TOKEN": "c" * 9}, "GITHUB_TOKEN"),
        ({"GH_ENTERPRISE_TOKEN": "d" * 9}, ""),
        ({}, ""),
        ({"GITHUB_API_URL": "https://h/api/v3", "GH_TOKEN": "b" * 9, "GH_ENTERPRISE_TOKEN": "d" * 9}, "GH_ENTERPRISE_TOKEN"),
        ({"GITHUB_API_URL": "https://h/api/v3", "GH_TOKEN": "b" * 9}, "GH_TOKEN"),
    ],
)  # fmt: skip
def test_which_variable_a_token_comes_from(environment: dict[str, str], source: str) -> None:
    assert GitHub.at(environment).source == source


def test_a_token_is_hidden_as_soon_as_it_is_known() -> None:
    hide = Redactor()
    github = GitHub.at({"GH_TOKEN": f" {SECRET}\n"}, hide)
    assert github.source == "GH_TOKEN"
    assert hide.redacted(f"a {SECRET} b") == "a *** b"
    assert SECRET not in repr(Fixed("GH_TOKEN", SECRET))


@pytest.mark.parametrize("bad", ["two words", "a\nb", "tökén", "a\x00b"])
def test_what_is_no_token_is_told_without_showing_it(bad: str) -> None:
    with pytest.raises(ConfigError, match=r"GH_TOKEN holds something that is no token") as refused:
        assert GitHub.at({"GH_TOKEN": bad}).source
    assert bad not in str(refused.value)


def test_git_is_opened_for_this_forge_alone() -> None:
    github = GitHub.at({"GH_TOKEN": SECRET})
    first, second, third = github.git_settings("https://github.com/o/r.git")
    assert third == ("http.followRedirects", "false")
    assert first == ("http.https://github.com/.extraheader", "")
    assert second[0] == first[0]
    encoded = second[1].removeprefix("AUTHORIZATION: basic ")
    assert base64.b64decode(encoded).decode() == f"x-access-token:{SECRET}"
    for elsewhere in (
        "git@github.com:o/r.git",
        "https://gitlab.com/o/r.git",
        "https://github.com.evil.org/o/r",
        "/srv/o/r.git",
        "http://github.com/o/r",
    ):
        assert github.git_settings(elsewhere) == ()
    assert GitHub.at({}).git_settings("https://github.com/o/r.git") == ()


def test_git_really_gets_in_with_these_settings(sandbox: Sandbox, tmp_path: Path, opened: Open) -> None:
    token = sandbox.token("captain")
    clone(sandbox, token, "acme/app", tmp_path / "work")
    sandbox.repository("acme/app", private=True, push=("captain",))
    url = f"{sandbox.url}/acme/app.git"
    settings = opened({"GITHUB_API_URL": sandbox.api_url, "GH_TOKEN": token}).git_settings(url)
    environment = {**PLAIN, **WHO, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def listed(pairs: tuple[tuple[str, str], ...]) -> subprocess.CompletedProcess[str]:
        told = {
            f"GIT_CONFIG_{part}_{n}": pair[i] for n, pair in enumerate(pairs) for i, part in enumerate(("KEY", "VALUE"))
        }
        count = {"GIT_CONFIG_COUNT": str(len(pairs))}
        return subprocess.run(["git", "ls-remote", url], env=environment | told | count, capture_output=True, text=True, check=False)  # fmt: skip

    wrong = (settings[0][0], "AUTHORIZATION: basic d3Jvbmc6d3Jvbmc=")
    assert "refs/heads/master" in listed((wrong, *settings)).stdout
    assert listed(()).returncode != 0


def test_what_is_asked_without_a_token_says_so(sandbox: Sandbox, opened: Open) -> None:
    sandbox.repository("acme/secret", private=True)
    github = opened({"GITHUB_API_URL": sandbox.api_url})
    assert github.forge("acme/app").published("v1") is None
    assert (
        github.forge("acme/app").lacks("push") == "there is no token for acme/app; put a token into SLUICE_GITHUB_TOKEN"
    )
    with pytest.raises(
        Unseen,
        match=r"a request without a token cannot reach acme/secret \(Not Found\); put a token into SLUICE_GITHUB_TOKEN",
    ):
        github.forge("acme/secret").published("v1")


def test_a_token_that_is_no_good_is_told_by_its_variable(sandbox: Sandbox, opened: Open) -> None:
    app = opened({"GITHUB_API_URL": sandbox.api_url, "GITHUB_TOKEN": SECRET}).forge("acme/app")
    with pytest.raises(
        Unseen,
        match=r"the forge does not take the token of GITHUB_TOKEN \(Bad credentials\); it is mistyped, expired or revoked",
    ) as unseen:
        app.published("v1")
    assert SECRET not in str(unseen.value)
    with pytest.raises(Refused, match=r"the forge does not take the token of GITHUB_TOKEN"):
        app.signal("x", {})
    assert "does not take the token of GITHUB_TOKEN" in app.lacks("push")


@pytest.mark.parametrize(
    ("rights", "lacking"),
    [
        ({"scopes": ("repo",)}, {}),
        ({"scopes": ("public_repo",)}, {}),
        ({"scopes": ("repo_deployment",)}, {"push": "the scope repo", "dispatch": "the scope repo"}),
        ({"scopes": ()}, {"push": "the scope repo", "dispatch": "the scope repo", "deploy": "the scope repo"}),
    ],
)
def test_what_a_classic_token_lacks_is_told_before_anything_is_tried(
    sandbox: Sandbox, opened: Open, rights: dict[str, Any], lacking: dict[str, str]
) -> None:
    token = sandbox.token("captain", **rights)
    app = opened({"GITHUB_API_URL": sandbox.api_url, "GH_TOKEN": token}).forge("acme/app")
    for right in ("push", "dispatch", "deploy"):
        said = app.lacks(right)
        assert lacking.get(right, "") in said
        assert bool(said) == (right in lacking)
    assert bool(app.lacks("deploy", "push")) == ("push" in lacking)


def test_somebody_without_the_right_to_push_lacks_it(sandbox: Sandbox, opened: Open) -> None:
    app = opened({"GITHUB_API_URL": sandbox.api_url, "GH_TOKEN": sandbox.token("stranger")}).forge("acme/app")
    assert app.lacks("push") == "the token of GH_TOKEN cannot write to acme/app: give it contents: write there"
    assert app.lacks("deploy") == "the token of GH_TOKEN cannot write to acme/app: give it deployments: write there"
    sandbox.repository("acme/secret", private=True)
    hidden = opened({"GITHUB_API_URL": sandbox.api_url, "GH_TOKEN": sandbox.token("stranger")}).forge("acme/secret")
    assert "cannot reach acme/secret (Not Found); give it contents: write there" in hidden.lacks("push")


def test_a_workflows_own_token_is_not_taken_for_one_that_cannot_push(told: Callable[..., Any]) -> None:
    about = {"id": 1, "full_name": "acme/app", "private": False, "permissions": {"push": False}}
    listed = Reply(200, {"total_count": 1, "repositories": [about]})
    app, _ = told({"GET /api/v3/installation/repositories": listed, "GET /releases": Reply(200, [])}, about=about)
    assert app.lacks("push", "dispatch", "deploy") == ""
    assert list(app.releases()) == []
    refused = Reply(403, {"message": "You must authenticate with an installation access token"})
    app, _ = told({"GET /api/v3/installation/repositories": refused}, about=about)
    assert "give it contents: write there" in app.lacks("push")


def test_single_sign_on_and_archives_are_told(told: Callable[..., Any]) -> None:
    sso = Reply(403, {"message": "Resource protected by organization SAML enforcement."}, {"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso"})  # fmt: skip
    app, _ = told({"GET /releases/tags/v1": sso})
    with pytest.raises(Unseen, match=r"is not authorized for single sign-on; https://github.com/orgs/acme/sso"):
        app.published("v1")
    about = {"id": 1, "full_name": "acme/app", "private": False, "archived": True, "permissions": {"push": True}}
    app, _ = told({}, about=about)
    assert app.lacks("push") == "acme/app is archived, and takes nothing; unarchive it"
    app, _ = told({"POST /releases": Reply(403, {"message": "Repository was archived so is read-only."})})
    with pytest.raises(Refused, match=r"the forge answered 403 \(Repository was archived so is read-only.\)"):
        app._door.write("x", "POST", "releases", {}, "contents: write")


# The forge's clock.


def test_the_clock_is_the_forges(told: Callable[..., Any]) -> None:
    at = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    app, server = told({}, about=Reply(200, {"id": 1, "full_name": "acme/app", "private": False}, date=at.timestamp()))
    assert app.now() in ("2031-05-06T07:08:09+00:00", "2031-05-06T07:08:10+00:00")
    app.now()
    assert len(server.seen) == 1


# A GitHub App.


@pytest.fixture
def offices(key: rsa.RSAPrivateKey) -> Iterator[Callable[..., Server]]:
    """A forge that gives out an App's tokens, as told."""
    running: list[Server] = []

    def start(script: dict[str, Any]) -> Server:
        about = {"id": 1, "full_name": "x", "private": False, "permissions": {"push": False}}
        table = {f"GET /api/v3/repos/acme/{name}": Reply(200, about) for name in ("app", "lib", "other")}
        running.append(Server(routes({"GET /api/v3/rate_limit": Reply(200, {}), **table, **script})).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__()


def installed(**permissions: str) -> Reply:
    return Reply(
        200, {"id": 77, "permissions": permissions or {"contents": "write", "metadata": "read"}, "suspended_at": None}
    )


def granting(ends: timedelta, made: list[Seen]) -> Callable[[Seen], Reply]:
    def grant(seen: Seen) -> Reply:
        made.append(seen)
        at = (datetime.now(UTC) + ends).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Reply(201, {"token": f"ghs_{len(made):030d}", "expires_at": at, "permissions": seen.json["permissions"]})

    return grant


def app_environment(server: Server, key: rsa.RSAPrivateKey) -> dict[str, str]:
    return {"GITHUB_API_URL": f"{server.url}/api/v3", "SLUICE_APP_ID": "4711", "SLUICE_APP_KEY": pem(key)}


def test_an_app_gets_one_token_for_all_threads_for_just_what_is_needed(
    offices: Callable[..., Server], key: rsa.RSAPrivateKey, opened: Open
) -> None:
    made: list[Seen] = []
    server = offices({
        "GET /api/v3/repos/acme/app/installation": installed(contents="write", metadata="read", actions="read", issues="write", administration="write"),
        "POST /api/v3/app/installations/77/access_tokens": granting(timedelta(hours=1), made),
    })  # fmt: skip
    rights = {"acme/app": ("push", "dispatch"), "acme/lib": ("dispatch",), "else/where": ("deploy",)}
    hide = Redactor()
    github = opened(app_environment(server, key), hide=hide, rights=rights)
    threads = [threading.Thread(target=github.forge("acme/app").published, args=(f"v{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (grant,) = made
    assert grant.json == {
        "repositories": ["app", "lib"],
        "permissions": {"metadata": "read", "contents": "write", "actions": "read", "issues": "read"},
    }
    token = f"ghs_{1:030d}"
    assert hide.redacted(token) == "***"
    asked = [one for one in server.seen if "/releases/" in one.path]
    assert {one.headers["authorization"] for one in asked} == {f"Bearer {token}"}
    claims = jwt.decode(grant.headers["authorization"].removeprefix("Bearer "), public(key), algorithms=["RS256"])
    assert claims["iss"] == "4711"
    assert 0 < claims["exp"] - claims["iat"] <= 600
    assert -90 < claims["iat"] - time.time() < -30
    assert hide.redacted(grant.headers["authorization"]) == "Bearer ***"
    assert github.forge("acme/app").lacks("push") == ""
    assert "give it actions: write there" in github.forge("acme/app").lacks("dispatch")
    assert github.git_settings(f"{server.url}/acme/app.git")[1][1].startswith("AUTHORIZATION: basic ")


def test_a_token_is_renewed_before_it_ends(
    offices: Callable[..., Server], key: rsa.RSAPrivateKey, opened: Open
) -> None:
    made: list[Seen] = []
    server = offices({
        "GET /api/v3/repos/acme/app/installation": installed(),
        "POST /api/v3/app/installations/77/access_tokens": granting(timedelta(minutes=4), made),
    })  # fmt: skip
    app = opened(app_environment(server, key)).forge("acme/app")
    app.published("v1")
    app.published("v2")
    tokens = [one.headers["authorization"] for one in server.seen if "/releases/" in one.path]
    assert len(made) >= 2
    assert tokens[0] != tokens[1]


def test_an_apps_clock_is_the_forges(offices: Callable[..., Server], key: rsa.RSAPrivateKey, opened: Open) -> None:
    far = time.time() + 30 * 86_400
    made: list[Seen] = []
    server = offices({
        "GET /api/v3/rate_limit": Reply(200, {}, date=far),
        "GET /api/v3/repos/acme/app/installation": Reply(200, installed().body, date=far),
        "POST /api/v3/app/installations/77/access_tokens": granting(timedelta(days=30, hours=1), made),
    })  # fmt: skip
    opened(app_environment(server, key)).forge("acme/app").published("v1")
    signed = made[0].headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(signed, public(key), algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
    assert abs(claims["iat"] - (far - 60)) < 30


def test_a_repository_where_the_app_is_not_installed_is_named(
    offices: Callable[..., Server], key: rsa.RSAPrivateKey, opened: Open
) -> None:
    refused = Reply(422, {"message": "There is at least one repository that does not exist or is not accessible to the parent installation."})  # fmt: skip
    server = offices({
        "GET /api/v3/repos/acme/app/installation": installed(),
        "POST /api/v3/app/installations/77/access_tokens": refused,
    })  # fmt: skip
    github = opened(app_environment(server, key), rights={"acme/lib": ("push",)})
    with pytest.raises(
        Unseen, match=r"cannot look for release v1 of acme/app: App 4711 is not installed on acme/lib; install it there"
    ):
        github.forge("acme/app").published("v1")
    with pytest.raises(Refused, match=r"cannot send x to acme/other: App 4711 is not installed on acme/other"):
        github.forge("acme/other").signal("x", {})
    assert not [one for one in server.seen if one.path.endswith("/dispatches")]


def test_a_token_that_was_lost_on_the_way_is_made_again(
    offices: Callable[..., Server], key: rsa.RSAPrivateKey, opened: Open
) -> None:
    made: list[Seen] = []
    grant, lost = granting(timedelta(hours=1), made), [Reply(502), Reply(reset=True)]
    server = offices({
        "GET /api/v3/repos/acme/app/installation": installed(),
        "POST /api/v3/app/installations/77/access_tokens": lambda seen: lost.pop() if lost else grant(seen),
        "POST /api/v3/repos/acme/app/dispatches": Reply(204),
    })  # fmt: skip
    opened(app_environment(server, key)).forge("acme/app").signal("x", {})
    assert len(made) == 1
    assert server.paths[-1] == "POST /api/v3/repos/acme/app/dispatches"


def test_an_app_that_is_not_taken_is_told(offices: Callable[..., Server], key: rsa.RSAPrivateKey, opened: Open) -> None:
    bad = Reply(401, {"message": "A JSON web token could not be decoded"})
    server = offices({"GET /api/v3/repos/acme/app/installation": bad})
    with pytest.raises(
        Unseen, match=r"answered 401 \(A JSON web token could not be decoded\); mend SLUICE_APP_ID and its key"
    ):
        opened(app_environment(server, key)).forge("acme/app").published("v1")
    gone = Reply(200, {"id": 77, "permissions": {}, "suspended_at": "2030-01-31T12:00:00Z"})
    server = offices({"GET /api/v3/repos/acme/app/installation": gone})
    with pytest.raises(Unseen, match=r"App 4711 is suspended for acme/app"):
        opened(app_environment(server, key)).forge("acme/app").published("v1")


def test_a_key_may_lie_in_a_file_or_come_in_one_line(key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(pem(key))
    ways = {"SLUICE_APP_KEY_FILE": str(tmp_path / "key.pem")}, {"SLUICE_APP_KEY": pem(key).replace("\n", "\\n")}
    for way in ways:
        hide = Redactor()
        assert GitHub.at({"SLUICE_APP_ID": "1", "GITHUB_TOKEN": SECRET, **way}, hide).source == "SLUICE_APP_KEY"
        assert hide.redacted(pem(key)).count("***") > 10
    assert GitHub.at({"SLUICE_APP_ID": "1", "SLUICE_GITHUB_TOKEN": SECRET, **ways[0]}).source == "SLUICE_GITHUB_TOKEN"
    assert pem(key)[40:80] not in repr(App("1", pem(key), None, None, Redactor(), {}))  # type: ignore[arg-type]


def test_a_key_that_is_none_is_told_without_showing_it(tmp_path: Path) -> None:
    curve = pem(ec.generate_private_key(ec.SECP256R1()))
    for environment, why in (
        ({}, "SLUICE_APP_ID is set without a key"),
        ({"SLUICE_APP_KEY": "hunter2hunter2"}, "SLUICE_APP_KEY holds no RSA private key"),
        ({"SLUICE_APP_KEY": curve}, "SLUICE_APP_KEY holds no RSA private key"),
        ({"SLUICE_APP_KEY_FILE": str(tmp_path / "none")}, "cannot read .*none"),
    ):
        with pytest.raises(ConfigError, match=why) as refused:
            assert GitHub.at({"SLUICE_APP_ID": "1", **environment}).source
        assert "hunter2" not in str(refused.value)
        assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_an_app_works_with_a_real_forge(sandbox: Sandbox, key: rsa.RSAPrivateKey, opened: Open) -> None:
    sandbox.repository("acme/lib")
    sandbox.repository("acme/apart", private=True)
    number = sandbox.app("releaser", public(key), {"acme": ("app", "lib")})
    environment = {"GITHUB_API_URL": sandbox.api_url, "SLUICE_APP_ID": str(number), "SLUICE_APP_KEY": pem(key)}
    github = opened(environment, rights={"acme/app": ("push",), "acme/lib": ("dispatch",)})
    assert list(github.forge("acme/app").releases()) == []
    github.forge("acme/lib").signal("hello", {})
    assert github.forge("acme/app").lacks("push", "dispatch") == ""
    assert len([one for one in sandbox.exchanges() if one.path.endswith("/access_tokens")]) == 1
    with pytest.raises(Unseen, match=f"App {number} is not installed on acme/apart; install it there"):
        opened(environment).forge("acme/apart").published("v1")
