"""Uploads to real indexes: what is there afterwards, and what is said when it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from release.adapters.http import Http
from release.adapters.index import Indexes
from release.adapters.uploads import Uploads, needed
from release.core.model import PackageWish
from release.errors import Refused, ReleaseError, Uncertain, Unseen
from release.redact import HIDE, Redactor
from tests.indexes import PASSWORD, USER, Line, RealIndex, digest, pypiserver, sandbox, wheel
from tests.serving import Reply, Seen, Server, nobody, routes

Open = Callable[..., Server]
LOGIN = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD}
NO_RING = "keyring.backends.null.Keyring"


@pytest.fixture(scope="module", params=[pypiserver, sandbox], ids=["pypiserver", "sandbox"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealIndex]:
    with request.param(tmp_path_factory.mktemp("index") / "packages") as running:
        yield running


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http({}, Redactor(), backoff=0.001, patience=1.0)
    yield made
    made.close()


def uploads(http: Http, environment: Mapping[str, str], home: Path, places: Mapping[str, str] | None = None) -> Uploads:
    base = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHON_KEYRING_BACKEND": NO_RING}
    return Uploads(http, {**base, **environment}, HIDE, places)


def wish(
    upload: str, name: str = "flat-earth", version: str = "1.0", simple: str = "https://index.example/simple"
) -> PackageWish:
    return PackageWish(name, version, simple, upload, ())


def heard(_: str) -> None:
    """Nobody listens."""


def fails(kind: type[ReleaseError], act: Callable[[], object]) -> str:
    with pytest.raises(ReleaseError) as told:
        act()
    assert type(told.value) is kind, told.value
    assert told.value.remedy
    assert PASSWORD not in str(told.value)
    return str(told.value)


# A real index.


def test_what_is_uploaded_can_be_installed_and_has_our_digest(index: RealIndex, http: Http, tmp_path: Path) -> None:
    file, said = wheel(tmp_path / "dist", "flat_earth", "1.0"), list[str]()
    stored = tmp_path / "store"
    stored.write_bytes(file.read_bytes())  # a store has files by digest: only the name says what it is
    uploads(http, LOGIN, tmp_path).upload(wish(index.upload), {file.name: stored}, said.append)
    assert index.held("flat-earth") == {file.name: digest(file)}
    assert Indexes(http).files(index.simple, "Flat.Earth", "1") == {file.name: digest(file)}
    assert said == [f"{file.name} is on {index.upload}"]
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--index-url", index.simple]
    subprocess.run([*pip, "--target", str(target), "flat-earth==1.0"], check=True, env={"PATH": os.environ["PATH"]})
    assert (target / "flat_earth.py").read_text() == "version = '1.0'\n"


def test_a_file_that_is_there_is_refused_in_the_words_of_the_index(
    index: RealIndex, http: Http, tmp_path: Path
) -> None:
    door, first = uploads(http, LOGIN, tmp_path), wheel(tmp_path / "one", "flat_moon", "1.0")
    other = wheel(tmp_path / "two", "flat_moon", "1.0", "other = 1\n")
    door.upload(wish(index.upload), {first.name: first}, heard)
    said = fails(Refused, lambda: door.upload(wish(index.upload), {other.name: other}, heard))
    assert "exists" in said
    assert index.held("flat-moon") == {first.name: digest(first)}


def test_a_wrong_password_is_refused_and_never_shown(
    index: RealIndex, http: Http, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file, wrong = wheel(tmp_path, "flat_mars", "1.0"), "letmein-or-not"
    door = uploads(http, {**LOGIN, "TWINE_PASSWORD": wrong}, tmp_path)
    said = fails(Refused, lambda: door.upload(wish(index.upload), {file.name: file}, heard))
    assert "403" in said
    assert "TWINE_PASSWORD" in said
    assert wrong not in said + "".join(capfd.readouterr())
    assert index.held("flat-mars") == {}
    assert HIDE.redacted(f"it was {wrong}") == "it was ***"


def test_a_lost_answer_is_uncertain_and_the_file_is_there(index: RealIndex, http: Http, tmp_path: Path) -> None:
    file = wheel(tmp_path, "flat_venus", "1.0")
    with Line(index.upload, mute=True) as line:
        door = uploads(http, LOGIN, tmp_path, {index.upload: line.url + urlsplit(index.upload).path})
        said = fails(Uncertain, lambda: door.upload(wish(index.upload), {file.name: file}, heard))
    assert "the answer was lost" in said
    assert Indexes(http).files(index.simple, "flat-venus", "1.0") == {file.name: digest(file)}


def test_stop_ends_an_upload_and_the_next_one_is_whole(index: RealIndex, http: Http, tmp_path: Path) -> None:
    file = wheel(tmp_path, "flat_pluto", "1.0", padding=4 << 20)
    with Line(index.upload, upto=1 << 20) as line:
        door = uploads(http, LOGIN, tmp_path, {index.upload: line.url + urlsplit(index.upload).path})
        ended = list[BaseException]()

        def send() -> None:
            try:
                door.upload(wish(index.upload), {file.name: file}, heard)
            except ReleaseError as error:
                ended.append(error)

        sender = threading.Thread(target=send)
        sender.start()
        assert line.reached.wait(30)
        door.stop()
        sender.join(30)
        assert not sender.is_alive()
    assert isinstance(ended[0], Uncertain)
    assert "signal 9" in str(ended[0])
    if not index.whole:
        return
    assert Indexes(http).files(index.simple, "flat-pluto", "1.0") == {}
    uploads(http, LOGIN, tmp_path).upload(wish(index.upload), {file.name: file}, heard)
    assert Indexes(http).files(index.simple, "flat-pluto", "1.0") == {file.name: digest(file)}


def test_an_address_may_really_be_elsewhere(index: RealIndex, http: Http, tmp_path: Path) -> None:
    file = wheel(tmp_path, "flat_io", "1.0")
    places = {"https://upload.pypi.org/legacy/": index.upload, "https://pypi.org/simple": index.simple}
    uploads(http, LOGIN, tmp_path, places).upload(wish("https://upload.pypi.org/legacy/"), {file.name: file}, heard)
    found = Indexes(http, places)
    assert found.files("https://pypi.org/simple/", "flat-io", "1.0") == {file.name: digest(file)}
    assert b"".join(found.fetched("https://pypi.org/simple", "flat-io", file.name)) == file.read_bytes()


# Where the login is.


def pypirc(home: Path, upload: str, password: str = PASSWORD) -> None:
    home.joinpath(".pypirc").write_text(
        "[distutils]\nindex-servers =\n  pypi\n  ours\n"
        f"[pypi]\npassword = pypi-something-else\n[ours]\nrepository = {upload}\nusername = {USER}\npassword = {password}\n"
    )


def test_the_section_of_pypirc_with_that_address_opens_it(index: RealIndex, http: Http, tmp_path: Path) -> None:
    pypirc(tmp_path, index.upload.rstrip("/"))
    file, door = wheel(tmp_path / "dist", "flat_ceres", "1.0"), uploads(http, {}, tmp_path)
    assert door.lacks(wish(index.upload)) == ""
    door.upload(wish(index.upload), {file.name: file}, heard)
    assert index.held("flat-ceres") == {file.name: digest(file)}
    assert "no login" in door.lacks(wish("https://elsewhere.example/legacy/"))


def test_the_environment_comes_before_pypirc(index: RealIndex, http: Http, tmp_path: Path) -> None:
    pypirc(tmp_path, index.upload, "wrong-password")
    file = wheel(tmp_path / "dist", "flat_vesta", "1.0")
    uploads(http, LOGIN, tmp_path).upload(wish(index.upload), {file.name: file}, heard)
    assert index.held("flat-vesta") == {file.name: digest(file)}


def test_a_keyring_opens_it(index: RealIndex, http: Http, tmp_path: Path) -> None:
    (tmp_path / "ring.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "from keyring.credentials import SimpleCredential\n"
        "class Ring(KeyringBackend):\n"
        "    priority = 1\n"
        "    def set_password(self, service, username, password):\n"
        "        raise NotImplementedError\n"
        "    def get_password(self, service, username):\n"
        f"        return {PASSWORD!r} if (service, username) == ({index.upload!r}, {USER!r}) else None\n"
        "    def get_credential(self, service, username):\n"
        f"        return SimpleCredential({USER!r}, {PASSWORD!r}) if service == {index.upload!r} else None\n"
    )
    ring = {"PYTHON_KEYRING_BACKEND": "ring.Ring", "PYTHONPATH": str(tmp_path)}
    file, door = wheel(tmp_path / "dist", "flat_juno", "1.0"), uploads(http, ring, tmp_path)
    assert door.lacks(wish(index.upload)) == ""
    door.upload(wish(index.upload), {file.name: file}, heard)
    assert index.held("flat-juno") == {file.name: digest(file)}
    assert "no login" in door.lacks(wish("https://elsewhere.example/legacy/"))


def test_without_a_login_and_an_identity_that_is_said_beforehand(http: Http, tmp_path: Path) -> None:
    said = uploads(http, {}, tmp_path).lacks(wish("https://user:s3cret-word@index.example/legacy/"))
    assert "no login" in said
    assert "s3cret-word" not in said


def test_a_broken_pypirc_is_not_taken_for_none_and_not_quoted(http: Http, tmp_path: Path) -> None:
    (tmp_path / ".pypirc").write_text(f"password = {PASSWORD}\n[distutils\n")
    fails(Unseen, lambda: uploads(http, {}, tmp_path).lacks(wish("https://index.example/legacy/")))


def test_only_what_has_to_do_with_uploads_is_taken_from_the_environment() -> None:
    asked = ("TWINE_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PYPI_ID_TOKEN", "HTTPS_PROXY")
    assert all(map(needed, asked))
    assert not any(map(needed, ("GITHUB_TOKEN", "SLUICE_SIGNING_KEY", "AWS_SECRET_ACCESS_KEY")))


# What an index may answer.


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (Reply(400, b"<html><head><title>400 x</title></head><body><h1>400</h1>File already\nexists.</body></html>"), Refused, "400 File already exists."),
        (Reply(403, b"Invalid or non-existent \x1b[31mauthentication"), Refused, "Invalid or non-existent [31mauthentication"),
        (Reply(413, b"too large"), Refused, "too large"),
        (Reply(429, b"slow down"), Refused, "slow down"),
        (Reply(301, headers={"Location": "https://elsewhere.example/legacy/"}), Refused, "sends to https://elsewhere.example"),
        (Reply(500, b"oops"), Uncertain, "500"),
        (Reply(503, b"<p>later</p>"), Uncertain, "later"),
        (Reply(reset=True), Uncertain, "the answer was lost"),
        (Reply(200, b"{}", {"Content-Length": "99"}, cut=1), Uncertain, "the answer was lost"),
    ],
)  # fmt: skip
def test_a_refusal_and_a_lost_answer_are_told_apart(
    serve: Open, http: Http, tmp_path: Path, reply: Reply, kind: type[ReleaseError], says: str
) -> None:
    file, server = wheel(tmp_path, "flat_earth", "1.0"), serve(lambda seen: reply)
    said = fails(
        kind, lambda: uploads(http, LOGIN, tmp_path).upload(wish(f"{server.url}/legacy/"), {file.name: file}, heard)
    )
    assert says in said
    assert "\x1b" not in said
    assert server.paths == ["POST /legacy/"]


def test_nothing_is_sent_where_nobody_listens(http: Http, tmp_path: Path) -> None:
    file = wheel(tmp_path, "flat_earth", "1.0")
    with nobody() as url:
        fails(Refused, lambda: uploads(http, LOGIN, tmp_path).upload(wish(f"{url}/"), {file.name: file}, heard))


def test_what_is_no_distribution_is_not_sent(serve: Open, http: Http, tmp_path: Path) -> None:
    server, file = serve(lambda seen: Reply(200)), tmp_path / "flat_earth-1.0-py3-none-any.whl"
    file.write_bytes(b"not a zip file")
    fails(Refused, lambda: uploads(http, LOGIN, tmp_path).upload(wish(server.url), {file.name: file}, heard))
    assert server.paths == []


def test_after_a_refusal_nothing_more_is_sent(serve: Open, http: Http, tmp_path: Path) -> None:
    server = serve(lambda seen: Reply(400, b"no") if b"flat_moon" in seen.body else Reply(200))
    files = {
        one.name: one for one in (wheel(tmp_path, name, "1.0") for name in ("flat_earth", "flat_moon", "flat_mars"))
    }
    said = list[str]()
    fails(Refused, lambda: uploads(http, LOGIN, tmp_path).upload(wish(server.url), files, said.append))
    assert [line.partition(" ")[0] for line in said] == ["flat_earth-1.0-py3-none-any.whl"]
    assert len(server.paths) == 2


# Trusted publishing.


class Publisher:
    """An index that gives a token for the identity of a run, and the CI system that gives that; both on one server."""

    audience, identity, token = "flat", "head.eyJhdWQiOiJmbGF0In0.sign", "pypi-minted-for-minutes"  # {"aud":"flat"}

    def __init__(self, serve: Open, **other: Reply) -> None:
        answers: dict[str, Any] = {
            "GET /_/oidc/audience": Reply(200, {"audience": self.audience}),
            "GET /identity?audience=flat": Reply(200, {"value": self.identity}),
            "POST /_/oidc/mint-token": Reply(200, {"success": True, "token": self.token}),
            "POST /legacy/": self.taken,
        }
        named = {
            "audience": "GET /_/oidc/audience",
            "identity": "GET /identity?audience=flat",
            "mint": "POST /_/oidc/mint-token",
        }
        self.server = serve(routes({**answers, **{named[name]: reply for name, reply in other.items()}}))
        self.upload = f"{self.server.url}/legacy/"
        self.environment = {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.server.url}/identity",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "the-runner's-own-token",
        }

    def taken(self, seen: Seen) -> Reply:
        good = "Basic X190b2tlbl9fOnB5cGktbWludGVkLWZvci1taW51dGVz"  # `printf '__token__:pypi-minted-for-minutes' | base64`
        return Reply(200 if seen.headers["authorization"] == good else 403)


def test_a_run_with_an_identity_needs_no_login(serve: Open, http: Http, tmp_path: Path) -> None:
    publisher, file = Publisher(serve), wheel(tmp_path, "flat_earth", "1.0")
    door = uploads(http, publisher.environment, tmp_path)
    assert door.lacks(wish(publisher.upload)) == ""
    assert "POST /_/oidc/mint-token" not in publisher.server.paths
    door.upload(wish(publisher.upload), {file.name: file}, heard)
    mint = next(seen for seen in publisher.server.seen if seen.path == "/_/oidc/mint-token")
    assert json.loads(mint.body) == {"token": publisher.identity}
    assert publisher.server.paths[-1] == "POST /legacy/"
    shown = HIDE.redacted(f"{publisher.token} {publisher.identity}")
    assert shown == "*** ***"


def test_a_login_comes_before_an_identity(serve: Open, http: Http, tmp_path: Path) -> None:
    publisher = Publisher(serve)
    assert uploads(http, {**publisher.environment, **LOGIN}, tmp_path).lacks(wish(publisher.upload)) == ""
    assert publisher.server.paths == []


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"audience": Reply(404, b"<h1>Not found</h1>", {"Content-Type": "text/html"})}, "knows no trusted publishing"),
        ({"identity": Reply(500)}, "no identity token"),
        ({"identity": Reply(200, {"value": "one.word"})}, "no identity token"),
    ],
)
def test_what_an_identity_lacks_is_said_beforehand(
    serve: Open, http: Http, tmp_path: Path, other: dict[str, Reply], says: str
) -> None:
    publisher = Publisher(serve, **other)
    assert says in uploads(http, publisher.environment, tmp_path).lacks(wish(publisher.upload))


def test_a_workflow_that_may_not_ask_for_an_identity_is_told_so(serve: Open, http: Http, tmp_path: Path) -> None:
    publisher = Publisher(serve)
    said = uploads(http, {"GITHUB_ACTIONS": "true"}, tmp_path).lacks(wish(publisher.upload))
    assert "id-token: write" in said


def test_an_index_that_does_not_know_the_run_refuses_it(serve: Open, http: Http, tmp_path: Path) -> None:
    no = {"message": "Token request failed", "errors": [{"code": "invalid-publisher", "description": "no such"}]}
    publisher, file = Publisher(serve, mint=Reply(422, no)), wheel(tmp_path, "flat_earth", "1.0")
    door = uploads(http, publisher.environment, tmp_path)
    said = fails(Refused, lambda: door.upload(wish(publisher.upload), {file.name: file}, heard))
    assert "invalid-publisher" in said
    assert publisher.server.paths[-1] == "POST /_/oidc/mint-token"


# What is seen of files before any is sent.


def test_what_an_index_would_not_take_is_seen_without_asking_it(http: Http, tmp_path: Path) -> None:
    door, broken = uploads(http, {}, tmp_path), tmp_path / "flat_moon-1.0-py3-none-any.whl"
    broken.write_bytes(b"not a zip file")
    good, other = wheel(tmp_path, "flat_earth", "1.0"), wheel(tmp_path, "flat_mars", "1.0")
    asked = wish("https://nobody.invalid/", "Flat.Earth", "1.0.0")
    assert door.wrong(asked, {good.name: good}) == ""
    said = door.wrong(asked, {broken.name: broken, good.name: good, other.name: other})
    assert said.startswith(f"{broken.name} cannot be read: ")
    assert f"{other.name} says that it is flat_mars 1.0, not Flat.Earth 1.0.0" in said
    assert good.name not in said
