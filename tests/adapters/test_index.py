"""What a package index holds, on a real one; and what is none is never taken for an empty one."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
import requests

from release.adapters.http import Http
from release.adapters.index import Indexes
from release.errors import Unseen
from release.redact import Redactor
from tests.serving import Reply, Server, nobody, routes

Open = Callable[..., Server]
PEP_691 = "application/vnd.pypi.simple.v1+json"
PEP_503 = {"Content-Type": "text/html; charset=utf-8"}
FILES = (
    "flat_earth-1.0-py3-none-any.whl",
    "flat_earth-1.0.tar.gz",
    "flat-earth-2.0rc1.tar.gz",
    "Flat.Earth-2.0.post1.zip",
    "flat_earth-3.0-1-py3-none-any.whl",
    "flat_earth_society-9.0.tar.gz",
)


@pytest.fixture
def client() -> Iterator[Indexes]:
    http = Http({}, Redactor(), backoff=0.001, gaps={}, patience=1.0)
    yield Indexes(http)
    http.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An index that holds FILES, on a port that was free a moment ago."""
    if find_spec("pypiserver") is None:
        pytest.skip("pypiserver is not here; scripts/venv installs it")
    folder = tmp_path_factory.mktemp("packages")
    for name in FILES:
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("nothing", name)
    for _ in range(5):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        run = [sys.executable, "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port), "--disable-fallback"]
        process = subprocess.Popen([*run, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if answers(process, f"http://127.0.0.1:{port}/simple/"):
                yield f"http://127.0.0.1:{port}/simple"
                return
        finally:
            process.kill()
            process.wait()
    pytest.fail("pypiserver does not start")


def answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until a server answers, or is no more."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            return requests.get(url, timeout=10).ok
        except requests.ConnectionError:
            time.sleep(0.05)
    return False


def refused(look: Callable[[], object]) -> str:
    with pytest.raises(Unseen) as told:
        look()
    assert told.value.remedy
    return str(told.value)


def project(*names: str, **more: Any) -> Reply:
    body = {"meta": {"api-version": "1.1"}, "name": "tool", "files": [{"filename": name} for name in names], **more}
    return Reply(200, body, {"Content-Type": PEP_691})


# A real index.


def test_the_versions_are_those_of_the_files_in_their_normal_form(real: str, client: Indexes) -> None:
    assert client.versions(real, "flat-earth") == {"1.0", "2.0rc1", "2.0.post1", "3.0"}


@pytest.mark.parametrize(
    ("name", "version", "held"),
    [
        ("flat-earth", "1.0", True),
        ("Flat_Earth", "1.0.0", True),
        ("flat.earth", "v2.0-RC.1", True),
        ("flat-earth", "2.0-1", True),
        ("flat-earth", "2.0", False),
        ("flat-earth", "1.0+local", False),
        ("flat-earth", "9.0", False),
        ("flat-earth-society", "9", True),
        ("round-earth", "1.0", False),
    ],
)
def test_a_version_is_held_however_it_and_its_package_are_spelt(
    real: str, client: Indexes, name: str, version: str, held: bool
) -> None:
    assert client.holds(real, name, version) is held
    assert client.holds(f"{real}/", name, version) is held


def test_a_project_that_is_not_there_has_no_versions(real: str, client: Indexes) -> None:
    assert client.versions(real, "nothing") == frozenset()


def test_an_address_beside_the_index_is_not_an_empty_index(real: str, client: Indexes) -> None:
    assert "no index" in refused(lambda: client.versions(real.replace("/simple", "/simpel/x"), "flat-earth"))


# JSON, and servers that are none.


def test_json_is_asked_for_first_and_its_versions_count_without_files(serve: Open, client: Indexes) -> None:
    server = serve(routes({"GET /simple/tool/": project("tool-1.0.tar.gz", versions=["1.0", "0.5", "of long ago"])}))
    assert client.versions(f"{server.url}/simple", "tool") == {"1.0", "0.5"}
    assert server.seen[0].headers["accept"].startswith(PEP_691)


def test_files_of_other_projects_and_in_other_forms_do_not_count(serve: Open, client: Indexes) -> None:
    names = (
        "tool-1.0.tar.gz",
        "tool-2.0-py3.6.egg",
        "tool-3.0.exe",
        "toolbox-4.0.tar.gz",
        "tool-x.zip",
        "",
        "\x1b.whl",
    )
    server = serve(routes({"GET /tool/": project(*names)}))
    assert client.versions(server.url, "tool") == {"1.0"}


@pytest.mark.parametrize(
    "body",
    [
        b'<html><head><meta name="pypi:repository-version" content="1.0"></head><body></body></html>',
        b'<META content="1.3" name="pypi:repository-version">',
    ],
)
def test_a_page_that_says_what_it_is_may_be_empty(serve: Open, client: Indexes, body: bytes) -> None:
    server = serve(routes({"GET /tool/": Reply(200, body, PEP_503)}))
    assert client.versions(server.url, "tool") == frozenset()


def test_html_is_read_by_where_its_links_lead(serve: Open, client: Indexes) -> None:
    page = b"""<a href="../../f/ab/tool-1.0%2Blocal.tar.gz#sha256=00">x</a> <A HREF='https://f.example/tool-2.0.zip?a=/b'>
    <!-- <a href="tool-3.0.zip"> --> <a name="here"> <a href="http://[/tool-4.0.zip"> <a data-yanked href=tool-5.0.zip>"""
    server = serve(routes({"GET /tool/": Reply(200, page, PEP_503)}))
    assert client.versions(server.url, "tool") == {"1.0+local", "2.0", "5.0"}


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(200, b"<h1>Log in to the hotel</h1><a href='/login'>here</a>", PEP_503), "no page of an index"),
        (Reply(200, b"", PEP_503), "no page of an index"),
        (Reply(200, {"message": "hello"}), "no page of an index"),
        (Reply(200, b"{" * 100_000), "no page of an index"),
        (Reply(200, {"meta": {"api-version": "2.0"}, "files": []}), "version '2.0' of the index API"),
        (Reply(200, b'<meta name="pypi:repository-version" content="2.0">', PEP_503), "version '2.0' of the index API"),
        (Reply(401, b"who are you", {"Content-Type": "text/plain"}), "answered 401"),
        (Reply(403, {"message": "\x1b[2Jno"}), "answered 403: "),
        (Reply(429, b"", {"Retry-After": "60"}), "takes no more requests"),
        (Reply(500), "answered 500"),
        (Reply(reset=True), "reset"),
        (Reply(200, b"<a href='tool-1.0.zip'>", {**PEP_503, "Content-Length": "1000"}, cut=10), "broke off"),
        (Reply(302, headers={"Location": "ftp://elsewhere.example/"}), "not safe"),
    ],
)
def test_what_is_no_index_is_unseen(serve: Open, client: Indexes, reply: Reply, says: str) -> None:
    server = serve(routes({"GET /simple/tool/": reply, "HEAD /simple/": Reply(200)}))
    said = refused(lambda: client.versions(f"{server.url}/simple", "tool"))
    assert says in said
    assert "\x1b" not in said


def test_an_endless_page_is_not_read_to_its_end(serve: Open, client: Indexes) -> None:
    server = serve(lambda seen: Reply(200, b" " * (65 << 20), {"Content-Length": str(1 << 40)}))
    assert "longer than 64 MiB" in refused(lambda: client.versions(server.url, "tool"))


def test_no_such_project_is_believed_where_the_root_is_there_and_the_root_is_asked_once(
    serve: Open, client: Indexes
) -> None:
    server = serve(routes({"HEAD /simple/": Reply(200)}))
    assert not client.holds(f"{server.url}/simple/", "tool", "1.0")
    assert not client.holds(f"{server.url}/simple", "other", "1.0")
    assert server.paths == ["GET /simple/tool/", "HEAD /simple/", "GET /simple/other/"]


def test_nobody_there_is_unseen(client: Indexes) -> None:
    with nobody() as url:
        assert "nothing listens there" in refused(lambda: client.versions(f"{url}/simple", "tool"))


@pytest.mark.parametrize(
    ("place", "name", "version"),
    [
        ("http://index.example/simple", "tool", "1.0"),
        ("https://user:hunter2@index.example/simple", "tool", "1.0"),
        ("https://index.example/simple", "../tool", "1.0"),
        ("https://index.example/simple", "tool", "one"),
    ],
)
def test_what_cannot_be_asked_is_asked_of_nobody(client: Indexes, place: str, name: str, version: str) -> None:
    assert "hunter2" not in refused(lambda: client.holds(place, name, version))
