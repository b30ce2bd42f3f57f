"""What a package index holds, on a real one; and what is none is never taken for an empty one."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests

from release.adapters.http import Http
from release.adapters.index import Indexes
from release.errors import Unseen
from release.redact import Redactor
from release.sandbox.index import PackageIndex
from tests.indexes import PASSWORD, USER, digest, pypiserver, wheel
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
    http = Http({}, Redactor(), backoff=0.001, patience=1.0)
    yield Indexes(http)
    http.close()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An index that holds FILES."""
    folder = tmp_path_factory.mktemp("packages")
    for name in FILES:
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("nothing", name)
    with pypiserver(folder) as index:
        yield index.simple


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


def test_the_files_of_a_version_are_told_with_what_is_in_them_and_fetched(real: str, client: Indexes) -> None:
    expected = {}
    for name in ("flat_earth-1.0-py3-none-any.whl", "flat_earth-1.0.tar.gz"):
        content = b"".join(client.fetched(real, "flat-earth", name))
        with zipfile.ZipFile(BytesIO(content)) as archive:
            assert archive.read("nothing") == name.encode()
        expected[name] = sha256(content).hexdigest()
    assert client.files(real, "Flat.Earth", "1.0.0") == expected
    assert client.files(real, "flat-earth", "9.9") == {}
    assert client.files(real, "nothing", "1.0") == {}


def test_a_yanked_file_is_there_like_any_other(client: Indexes, tmp_path: Path) -> None:
    file = wheel(tmp_path / "dist", "flat_earth", "1.0")
    with PackageIndex(tmp_path / "index", users={USER: PASSWORD}) as index:
        requests.post(
            index.legacy, auth=(USER, PASSWORD), timeout=10, files={"content": (file.name, file.read_bytes())},
            data={":action": "file_upload", "protocol_version": "1", "name": "flat-earth", "version": "1.0",
                  "filetype": "bdist_wheel", "pyversion": "py3", "metadata_version": "2.1", "sha256_digest": digest(file)},
        ).raise_for_status()  # fmt: skip
        index.yank("flat-earth", "1.0")
        assert client.files(index.simple, "flat-earth", "1.0") == {file.name: digest(file)}
        assert b"".join(client.fetched(index.simple, "flat-earth", file.name)) == file.read_bytes()


# JSON, and servers that are none.


def test_a_digest_is_believed_only_if_it_is_one(serve: Open, client: Indexes) -> None:
    good = "AB" * 32
    files = [
        {"filename": "tool-1.0.tar.gz", "hashes": {"sha256": good, "md5": "0"}},
        {"filename": "tool-1.0.zip", "hashes": {"md5": "00"}},
        {"filename": "tool-1.0-py3-none-any.whl", "hashes": {"sha256": "nothing"}},
    ]
    body = {"meta": {"api-version": "1.1"}, "name": "tool", "files": files}
    server = serve(routes({"GET /tool/": Reply(200, body, {"Content-Type": PEP_691})}))
    assert client.files(server.url, "tool", "1.0") == {
        "tool-1.0.tar.gz": "ab" * 32,
        "tool-1.0.zip": "",
        "tool-1.0-py3-none-any.whl": "",
    }


def test_a_digest_is_read_from_behind_a_link_too(serve: Open, client: Indexes) -> None:
    page = (
        f"<a href='f/tool-1.0.zip#sha256={'0c' * 32}'>x</a><a href='f/tool-1.0.tar.gz#md5=00&amp;sha256={'0d' * 32}'>"
    )
    server = serve(
        routes({"GET /tool/": Reply(200, page.encode(), PEP_503), "GET /tool/f/tool-1.0.zip": Reply(200, b"zip")})
    )
    assert client.files(server.url, "tool", "1.0") == {"tool-1.0.zip": "0c" * 32, "tool-1.0.tar.gz": "0d" * 32}
    assert b"".join(client.fetched(server.url, "tool", "tool-1.0.zip")) == b"zip"


@pytest.mark.parametrize(
    ("href", "says"),
    [
        ("ftp://elsewhere.example/tool-1.0.zip", "not safe"),
        ("file:///etc/tool-1.0.zip", "not safe"),
        ("gone/tool-1.0.zip", "answered 404"),
        ("tool-2.0.zip", "not there"),
    ],
)
def test_a_file_that_cannot_be_had_is_unseen(serve: Open, client: Indexes, href: str, says: str) -> None:
    page = Reply(200, f"<a href='{href}'>".encode(), PEP_503)
    server = serve(routes({"GET /tool/": page, "GET /tool/gone/tool-1.0.zip": Reply(404)}))
    assert says in refused(lambda: list(client.fetched(server.url, "tool", "tool-1.0.zip")))


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
