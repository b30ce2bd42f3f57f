"""What a registry holds, on real registries; and what a bad one can do to us, which is nothing."""

from __future__ import annotations

import json
import os
import stat
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from release.adapters.http import Http
from release.adapters.registry import Registries
from release.adapters.registry.challenge import Challenge, challenge, related, token_url, usable
from release.adapters.registry.logins import Login, Logins
from release.errors import Unseen
from release.redact import Redactor
from tests.registries import DOCKER, INDEX, LOGIN, MANIFEST, Issuer, Running, registry, with_password
from tests.serving import Reply, Server, nobody, routes

PASSWORD = LOGIN[1]
Open = Callable[..., Server]
Make = Callable[..., Registries]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A client with the Docker logins that are given; without any it has none."""
    made: list[Http] = []

    def client(docker: Any = None, hide: Redactor | None = None, trust: Path | None = None) -> Registries:
        folder = tmp_path / "docker"
        folder.mkdir(exist_ok=True)
        if docker is not None:
            (folder / "config.json").write_text(docker if isinstance(docker, str) else json.dumps(docker))
        hide = hide or Redactor()
        environment = {"DOCKER_CONFIG": str(folder), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
        trusted = {"SSL_CERT_FILE": str(trust)} if trust else {}
        made.append(Http(trusted, hide, backoff=0.001, patience=1.0))
        return Registries.at(environment, hide, made[-1])

    yield client
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def auths(host: str, user: str = "reader", password: str = PASSWORD) -> dict[str, Any]:
    return {"auths": {host: {"auth": b64encode(f"{user}:{password}".encode()).decode()}}}


def host(server: Server) -> str:
    return server.url.partition("://")[2]


def refused(client: Registries, image: str) -> str:
    with pytest.raises(Unseen) as told:
        client.digest(image)
    assert told.value.remedy
    return str(told.value)


# A real registry.


@pytest.mark.parametrize("kind", [MANIFEST, INDEX, DOCKER])
def test_a_tag_that_is_there_has_the_digest_of_its_manifest(real: Running, make: Make, kind: str) -> None:
    name = f"owner/{sha256(kind.encode()).hexdigest()[:8]}"
    digest = real.push(name, "v1.0.0-rke2r1", kind)
    assert make().digest(f"{real.host}/{name}:v1.0.0-rke2r1") == digest


def test_a_tag_and_an_image_that_are_not_there_are_certainly_absent(real: Running, make: Make) -> None:
    real.push("owner/tool", "1")
    client = make()
    assert client.digest(f"{real.host}/owner/tool:2") == ""
    assert client.digest(f"{real.host}/owner/nothing:1") == ""


def test_with_a_password_the_registry_opens_and_without_or_with_a_wrong_one_it_is_unseen(
    tmp_path: Path, make: Make
) -> None:
    with with_password(tmp_path) as locked:
        digest = locked.push("a/b", "1", headers={"Authorization": f"Basic {encoded('reader', PASSWORD)}"})
        assert "docker login" in refused(make(), f"{locked.host}/a/b:1")
        assert "docker login" in refused(make(auths(locked.host, password="wrong-password")), f"{locked.host}/a/b:1")
        hide = Redactor()
        client = make(auths(locked.host), hide)
        assert client.digest(f"{locked.host}/a/b:1") == digest
        assert client.digest(f"{locked.host}/a/b:2") == ""
        assert hide.redacted(f"it is {PASSWORD}") == "it is ***"


def test_a_token_is_fetched_where_the_registry_says_and_is_for_reading_one_image(
    tmp_path: Path, make: Make, serve: Open
) -> None:
    issuing = Issuer(tmp_path)
    tokens = serve(issuing)
    with registry(tmp_path, auth=issuing.section(tmp_path, tokens.url)) as locked:
        digest = locked.push(
            "a/b", "1", headers={"Authorization": f"Bearer {issuing.token('repository:a/b:pull,push')}"}
        )
        hide = Redactor()
        client = make(auths(locked.host), hide)
        assert client.digest(f"{locked.host}/a/b:1") == digest
        assert client.digest(f"{locked.host}/a/b:2") == ""
        (asked,) = tokens.seen  # the second look is with the token of the first
        assert parse_qs(urlsplit(asked.path).query) == {"service": ["images"], "scope": ["repository:a/b:pull"]}
        assert asked.headers["authorization"] == f"Basic {encoded('reader', PASSWORD)}"
        assert hide.redacted(issuing.made[-1]) == "***"
        issuing.rights = False
        assert "docker login" in refused(make(), f"{locked.host}/c/d:1")


def encoded(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


# Registries that are none, or bad.

GONE = Reply(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]})
ROOT = Reply(200, {})
MADE = {"schemaVersion": 2, "manifests": []}
JUDGED = "GET /v2/a/b/manifests/1"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Reply(404, b"<h1>no</h1>", {"Content-Type": "text/html"}), "answered 404"),
        (Reply(403, {"errors": [{"code": "DENIED", "message": "requested access is denied"}]}), "does not let us"),
        (Reply(401, {"errors": [{"code": "UNAUTHORIZED"}]}), "does not let us"),
        (Reply(401, b"no", {"WWW-Authenticate": "Digest realm=x", "Content-Type": "text/plain"}), "does not let us"),
        (Reply(200, b"<h1>Log in to the hotel</h1>", {"Content-Type": "text/html"}), "not with JSON"),
        (Reply(200, {"hello": "world"}), "not what it should be"),
        (Reply(418, {"message": "teapot"}), "answered 418: teapot"),
        (Reply(429, {"message": "toomanyrequests"}, {"Retry-After": "60"}), "takes no more requests"),
        (Reply(503), "answered 503"),
        (Reply(reset=True), "reset"),
        (Reply(200, MADE, cut=5), "broke off"),
        (Reply(302, headers={"Location": "ftp://elsewhere.example/"}), "not safe"),
    ],
)
def test_what_is_no_word_of_a_registry_is_unseen(serve: Open, make: Make, answer: Reply, says: str) -> None:
    server = serve(routes({JUDGED: answer, "GET /v2/": ROOT}))
    assert says in refused(make(), f"{host(server)}/a/b:1")


def test_a_404_counts_only_where_the_root_of_the_api_answers(serve: Open, make: Make) -> None:
    web = serve(lambda seen: Reply(404, {"message": "Not Found"}))
    assert "answered 404" in refused(make(), f"{host(web)}/a/b:1")
    registry = serve(routes({JUDGED: GONE, "GET /v2/": ROOT}))
    assert make().digest(f"{host(registry)}/a/b:1") == ""


def test_nobody_there_is_unseen(make: Make) -> None:
    with nobody() as url:
        assert "nothing listens there" in refused(make(), f"{url.removeprefix('http://')}/a/b:1")


def test_an_endless_manifest_is_not_read_to_its_end(serve: Open, make: Make) -> None:
    headers = {"Content-Type": INDEX, "Content-Length": str(1 << 40)}
    server = serve(routes({JUDGED: Reply(200, b"{" + b" " * (5 << 20), headers)}))
    assert "longer than 4 MiB" in refused(make(), f"{host(server)}/a/b:1")


def test_a_digest_that_the_registry_does_not_tell_is_that_of_the_bytes(serve: Open, make: Make) -> None:
    content = b'{ "schemaVersion": 2 }\n'
    for told in ({}, {"Docker-Content-Digest": "sha256:\x1b[31m"}):
        server = serve(routes({JUDGED: Reply(200, content, {"Content-Type": MANIFEST, **told})}))
        assert make().digest(f"{host(server)}/a/b:1") == f"sha256:{sha256(content).hexdigest()}"


def test_a_redirect_to_another_host_takes_nothing_of_ours_along(serve: Open, make: Make) -> None:
    other = serve(lambda seen: Reply(200, MADE, {"Docker-Content-Digest": "sha256:" + "a" * 64}))
    challenged = Reply(401, {"errors": []}, {"WWW-Authenticate": 'Basic realm="x"'})
    moved = Reply(307, headers={"Location": f"{other.url}/elsewhere"})
    server = serve(routes({JUDGED: [challenged, moved]}))
    assert make(auths(host(server))).digest(f"{host(server)}/a/b:1") == "sha256:" + "a" * 64
    assert server.seen[1].headers["authorization"] == f"Basic {encoded('reader', PASSWORD)}"
    assert [one.headers.get("authorization") for one in other.seen] == [None]


def test_a_realm_on_another_host_gets_no_password(serve: Open, make: Make) -> None:
    """On this machine `localhost` and `127.0.0.1` are two hosts by name, as two hosts on the net are."""
    realm = serve(lambda seen: Reply(200, {"access_token": "for-everybody"}))
    asks = {"WWW-Authenticate": f'Bearer realm="http://localhost:{realm.port}/token",service="s"'}
    known = Reply(200, MADE, {"Docker-Content-Digest": "sha256:" + "b" * 64})
    server = serve(routes({JUDGED: [Reply(401, {"errors": []}, asks), known]}))
    assert make(auths(host(server))).digest(f"{host(server)}/a/b:1") == "sha256:" + "b" * 64
    assert [one.headers.get("authorization") for one in realm.seen] == [None]
    assert server.seen[1].headers["authorization"] == "Bearer for-everybody"


@pytest.mark.parametrize(
    ("realm", "says"),
    [
        ("http://tokens.example/token", "not safe"),
        ("file:///etc/passwd", "not safe"),
        ("", "not safe"),
        ("https://user:pass@tokens.example/", "not safe"),
        ("http://127.0.0.1:1\x7f/", "not safe"),
    ],
)
def test_a_realm_that_is_not_safe_is_not_asked(serve: Open, make: Make, realm: str, says: str) -> None:
    server = serve(lambda seen: Reply(401, {"errors": []}, {"WWW-Authenticate": f'Bearer realm="{realm}"'}))
    assert says in refused(make(), f"{host(server)}/a/b:1")
    assert server.paths == [JUDGED]


@pytest.mark.parametrize("token", ["", "two words", "line\r\nX-Injected: yes", "caf\u00e9"])
def test_a_token_that_is_none_is_not_sent(serve: Open, make: Make, token: str) -> None:
    realm = serve(lambda seen: Reply(200, {"token": token}))
    asks = {"WWW-Authenticate": f'Bearer realm="{realm.url}/"'}
    server = serve(lambda seen: Reply(401, {"errors": []}, asks))
    assert "gives no token" in refused(make(), f"{host(server)}/a/b:1")
    assert server.paths == [JUDGED]


def test_a_registry_that_asks_for_ever_is_asked_twice(serve: Open, make: Make) -> None:
    realm = serve(lambda seen: Reply(200, {"token": "t0ken-that-opens-nothing"}))
    asks = {"WWW-Authenticate": f'Bearer realm="{realm.url}/",scope="repository:a/b:pull"'}
    server = serve(lambda seen: Reply(401, {"errors": [{"message": "\x1b[2Jno t0ken-that-opens-nothing"}]}, asks))
    said = refused(make(), f"{host(server)}/a/b:1")
    assert "\x1b" not in said
    assert "t0ken" not in said
    assert server.paths == [JUDGED, JUDGED]


@pytest.mark.parametrize("image", ["a", "a/b", "UPPER/b:1", "a/b@sha256:" + "0" * 64, "a/b:1\n", "../v2/x:1"])
def test_what_is_no_reference_is_asked_of_nobody(make: Make, image: str) -> None:
    assert "no image" in refused(make(), image)


def test_a_registry_token_of_ours_is_sent_where_a_token_is_asked_for(serve: Open, make: Make) -> None:
    asks = {"WWW-Authenticate": 'Bearer realm="https://tokens.example/"'}
    known = Reply(200, MADE, {"Docker-Content-Digest": "sha256:" + "c" * 64})
    server = serve(routes({JUDGED: [Reply(401, {"errors": []}, asks), known]}))
    client = make({"auths": {host(server): {"registrytoken": "as-it-is"}}})
    assert client.digest(f"{host(server)}/a/b:1") == "sha256:" + "c" * 64
    assert [one.headers.get("authorization") for one in server.seen] == [None, "Bearer as-it-is"]


@pytest.mark.parametrize("status", [401, 403, 404, 400])
def test_a_realm_that_gives_nothing_makes_the_image_unseen_not_absent(serve: Open, make: Make, status: int) -> None:
    realm = serve(lambda seen: Reply(status, {"details": "incorrect username or password"}))
    asks = {"WWW-Authenticate": f'Bearer realm="{realm.url}/"'}
    server = serve(lambda seen: Reply(401, {"errors": []}, asks))
    assert str(status) in refused(make(auths(host(server))), f"{host(server)}/a/b:1")
    assert server.paths == [JUDGED]


def test_a_token_that_is_too_old_is_fetched_anew(serve: Open, make: Make) -> None:
    count = iter(range(1, 9))
    realm = serve(lambda seen: Reply(200, {"token": f"token-{next(count)}"}))
    asks = Reply(401, {"errors": []}, {"WWW-Authenticate": f'Bearer realm="{realm.url}/"'})
    known = Reply(200, MADE, {"Docker-Content-Digest": "sha256:" + "d" * 64})
    server = serve(routes({JUDGED: [asks, known, asks, known]}))
    client = make()
    for _ in range(2):
        assert client.digest(f"{host(server)}/a/b:1") == "sha256:" + "d" * 64
    sent = [one.headers.get("authorization") for one in server.seen]
    assert sent == [None, "Bearer token-1", "Bearer token-1", "Bearer token-2"]


# Challenges.


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ('Bearer realm="https://a/t",service="s",scope="x:y:pull,push"', Challenge("bearer", "https://a/t", "s")),
        ('bearer service="s", realm="https://a/t"', Challenge("bearer", "https://a/t", "s")),
        ('Basic realm="x", Bearer realm="https://a/t"', Challenge("bearer", "https://a/t")),
        ('Basic realm="Bearer of news"', Challenge("basic")),
        ("Basic", Challenge("basic")),
        ("Negotiate", None),
        ("", None),
    ],
)
def test_challenges_are_read_as_they_are_written(header: str, wanted: Challenge | None) -> None:
    assert challenge(header) == wanted


def test_the_scope_is_ours_to_say() -> None:
    asked = Challenge("bearer", "https://a.example/t?scope=repository:x:push&k=1", "a b")
    assert token_url(asked, ("repository:x/y:pull,push", "repository:z:pull")) == (
        "https://a.example/t?k=1&service=a+b&scope=repository%3Ax%2Fy%3Apull%2Cpush&scope=repository%3Az%3Apull"
    )


@pytest.mark.parametrize(
    ("realm", "registry", "wanted"),
    [
        ("https://auth.docker.io/token", "registry-1.docker.io", True),
        ("https://gitlab.example.com/jwt/auth", "registry.example.com", True),
        ("https://gitlab.com/jwt/auth", "registry.gitlab.com", True),
        ("https://ghcr.io/token", "ghcr.io", True),
        ("https://quay.io:8443/token", "quay.io", True),
        ("https://auth.quay.io/token", "quay.io", True),
        ("https://evildocker.io/token", "registry-1.docker.io", False),
        ("https://docker.io.evil.example/", "registry-1.docker.io", False),
        ("https://10.0.0.2/t", "10.0.0.1", False),
        ("http://localhost:2/t", "127.0.0.1:1", False),
        ("http://127.0.0.1:2/t", "127.0.0.1:1", True),
        ("http://localhost:2/t", "localhost:1", True),
    ],
)
def test_a_password_is_for_the_registry_and_its_relatives(realm: str, registry: str, wanted: bool) -> None:
    assert related(realm, registry) is wanted


def test_a_realm_on_this_machine_is_for_registries_on_it() -> None:
    assert usable("http://127.0.0.1:5001/t", "localhost:5000")
    assert not usable("http://127.0.0.1:5001/t", "registry.example.com")
    assert usable("https://tokens.example/t", "registry.example.com")


# Docker's logins.


def logins(folder: Path, content: Any, **environment: str) -> Logins:
    (folder / "config.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return Logins({"DOCKER_CONFIG": str(folder), **environment}, Redactor())


def helper(folder: Path, name: str, script: str) -> str:
    """A credential program; the PATH that has it."""
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"{folder}:/usr/bin:/bin"


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
        ("ghcr.io", "ghcr.io"),
        ("https://GHCR.io/v2/", "ghcr.io"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_a_login_is_found_however_its_registry_is_written(tmp_path: Path, key: str, place: str) -> None:
    found = logins(tmp_path, auths(key))
    assert found.of(place) == Login("reader", PASSWORD)
    assert found.of("other.example") is None


def test_without_a_home_or_a_file_there_is_no_login(tmp_path: Path) -> None:
    assert Logins({}, Redactor()).of("ghcr.io") is None
    assert Logins({"HOME": str(tmp_path)}, Redactor()).of("ghcr.io") is None
    assert Logins({"HOME": str(tmp_path)}, Redactor()).file == tmp_path / ".docker" / "config.json"


def test_a_file_that_cannot_be_opened_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(Unseen, match="cannot read Docker's logins"):
        Logins({"DOCKER_CONFIG": str(tmp_path)}, Redactor()).of("ghcr.io")


def test_a_colon_in_a_password_is_a_part_of_it(tmp_path: Path) -> None:
    assert logins(tmp_path, auths("ghcr.io", password="a:b:c")).of("ghcr.io") == Login("reader", "a:b:c")


def test_a_registry_token_is_sent_as_it_is(tmp_path: Path) -> None:
    kept = {"auths": {"ghcr.io": {"registrytoken": "as-it-is"}}}
    assert logins(tmp_path, kept).of("ghcr.io") == Login("", "", "as-it-is")


def test_an_identity_token_is_told_from_a_password_in_the_file_and_from_a_program(tmp_path: Path) -> None:
    kept = {"auths": {"ghcr.io": {"auth": "MDA6", "identitytoken": "kept-identity"}}}
    assert logins(tmp_path, kept).of("ghcr.io") == Login("", "", identity="kept-identity")
    path = helper(tmp_path, "identity", """echo '{"Username": "<token>", "Secret": "told-identity"}'""")
    hide = Redactor()
    (tmp_path / "config.json").write_text('{"credsStore": "identity"}')
    found = Logins({"DOCKER_CONFIG": str(tmp_path), "PATH": path}, hide).of("ghcr.io")
    assert found == Login("", "", identity="told-identity")
    assert "told-identity" not in repr(found)
    assert hide.redacted("told-identity") == "***"


def test_a_program_is_asked_for_the_registry_by_its_name(tmp_path: Path) -> None:
    path = helper(tmp_path, "mine", f"""read -r server
[ "$1 $server" = "get ghcr.io" ] || {{ echo "credentials not found in native keychain"; exit 1; }}
echo '{{"ServerURL": "ghcr.io", "Username": "reader", "Secret": "{PASSWORD}"}}'""")  # fmt: skip
    by_name = logins(tmp_path, {"credHelpers": {"ghcr.io": "mine"}}, PATH=path)
    assert by_name.of("ghcr.io") == Login("reader", PASSWORD)
    assert by_name.of("quay.io") is None
    for_all = logins(tmp_path, {"credsStore": "mine", **auths("quay.io", "other")}, PATH=path)
    assert for_all.of("ghcr.io") == Login("reader", PASSWORD)
    assert for_all.of("quay.io") == Login("other", PASSWORD)  # the program keeps nothing for it


def test_docker_hub_has_its_old_name_for_programs(tmp_path: Path) -> None:
    path = helper(
        tmp_path, "echo", """read -r server; echo "{\\"Username\\": \\"$server\\", \\"Secret\\": \\"secret\\"}\""""
    )
    found = logins(tmp_path, {"credsStore": "echo"}, PATH=path).of("docker.io")
    assert found == Login("https://index.docker.io/v1/", "secret")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("no json", "not the JSON"),
        ("[]", "not the JSON"),
        ({"auths": {"ghcr.io": {"auth": "%%%"}}}, "not in base64"),
        ({"credsStore": "not-there"}, "not here"),
        ({"credsStore": "../../bin/sh"}, "not here"),
        ({"credsStore": "unreadable"}, "cannot be run"),
        ({"credsStore": "broken"}, "exit code 3"),
        ({"credsStore": "babbling"}, "not answer in JSON"),
    ],
)
def test_a_login_that_cannot_be_read_is_never_none(tmp_path: Path, content: Any, says: str) -> None:
    helper(tmp_path, "unreadable", "")
    (tmp_path / "docker-credential-unreadable").write_text("#!/nowhere/at/all\n")
    helper(tmp_path, "broken", f"echo {PASSWORD}; exit 3")
    path = helper(tmp_path, "babbling", f"echo {PASSWORD}")
    with pytest.raises(Unseen) as told:
        logins(tmp_path, content, PATH=path).of("ghcr.io")
    assert says in str(told.value)
    assert PASSWORD not in str(told.value)
    assert told.value.remedy


# The tags of a repository.


def test_all_tags_are_listed_and_a_repository_that_is_not_there_has_none(real: Running, make: Make) -> None:
    for tag in ("1", "v1.0.0-rke2r1", "latest"):
        real.push("owner/listed", tag)
    client = make()
    assert client.tags(real.host, "owner/listed") == {"1", "v1.0.0-rke2r1", "latest"}
    assert client.tags(real.host, "owner/unlisted") == frozenset()


def listing(*pages: Any, onward: str = "") -> dict[str, Reply]:
    """A registry whose list of tags comes in pages, each linked to the next one; the last one to `onward`."""
    path, table = "/v2/a/b/tags/list", {"GET /v2/": Reply(200, {})}
    for number, page in enumerate(pages):
        link = f"{path}?n=1000&last={number}" if number + 1 < len(pages) else onward
        query = f"&last={number - 1}" if number else ""
        headers = {"Link": f'<{link}>; rel="next"'} if link else {}
        table[f"GET {path}?n=1000{query}"] = Reply(200, {"name": "a/b", "tags": page}, headers)
    return table


def test_a_long_list_comes_page_by_page_and_what_is_no_tag_is_left_out(make: Make, serve: Open) -> None:
    server = serve(routes(listing(["1", "../2", "a b"], ["2", "3"], None)))
    assert make().tags(host(server), "a/b") == {"1", "2", "3"}


def test_a_list_that_goes_elsewhere_or_has_no_end_is_unseen(
    make: Make, serve: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = serve(routes(listing(["stolen"])))
    away = serve(routes(listing(["1"], onward=f"{elsewhere.url}/v2/a/b/tags/list?n=1000")))
    with pytest.raises(Unseen, match="no end"):
        make().tags(host(away), "a/b")
    assert elsewhere.seen == []
    monkeypatch.setattr("release.adapters.registry.tags.PAGES", 3)
    ring = serve(routes(listing(["1"], onward="/v2/a/b/tags/list?n=1000")))
    with pytest.raises(Unseen, match="no end"):
        make().tags(host(ring), "a/b")
    assert len(ring.seen) == 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>", {"Content-Type": "text/html"}),
        Reply(200, {"tags": "1"}),
        Reply(200, {"tags": [1]}),
        Reply(404, b"not found"),
        Reply(401, {"errors": [{"code": "UNAUTHORIZED"}]}),
        Reply(500, b""),
    ],
)
def test_a_list_of_tags_that_is_none_is_unseen(make: Make, serve: Open, reply: Reply) -> None:
    server = serve(routes({"GET /v2/a/b/tags/list": reply, "GET /v2/": Reply(200, {})}))
    with pytest.raises(Unseen):
        make().tags(host(server), "a/b")
