"""The simple API and the upload API, as plainly as HTTP goes."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from release.sandbox.index import Fault, PackageIndex, Request
from tests.sandbox.index.distributions import digest, sdist, wheel

JSON = "application/vnd.pypi.simple.v1+json"
PIP = f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"


def upload(
    index: PackageIndex, path: Path, who: tuple[str, str] | None = None, more: Mapping[str, str] | None = None
) -> requests.Response:
    """Upload a file as the description of the API says it."""
    name, version = re.split("-", path.name.removesuffix(".tar.gz"))[:2]
    fields = {
        ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "name": name, "version": version,
        "filetype": "bdist_wheel" if path.suffix == ".whl" else "sdist", "sha256_digest": digest(path), **(more or {}),
    }  # fmt: skip
    with path.open("rb") as content:
        files = {"content": ((more or {}).get("filename", path.name), content)}
        return requests.post(index.legacy, data=fields, files=files, auth=who, timeout=30)


def page(index: PackageIndex, name: str, accept: str = JSON) -> requests.Response:
    return requests.get(f"{index.simple}{name}/", headers={"Accept": accept}, timeout=30)


class Links(html.parser.HTMLParser):
    """The links of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))


def test_what_was_uploaded_is_listed_and_read(index: PackageIndex, tmp_path: Path) -> None:
    one, two = wheel(tmp_path, "some-thing", "1.0"), sdist(tmp_path, "some-thing", "1.10")
    assert [upload(index, one, more={"requires_python": ">=3.9"}).status_code, upload(index, two).status_code] == [
        200,
        200,
    ]
    said = page(index, "some-thing")
    assert said.headers["Content-Type"] == JSON
    document: Any = said.json()
    assert (document["name"], document["versions"], document["meta"]) == (
        "some-thing",
        ["1.0", "1.10"],
        {"api-version": "1.1"},
    )
    first, second = document["files"]
    assert (first["filename"], first["hashes"], first["size"]) == (
        one.name,
        {"sha256": digest(one)},
        one.stat().st_size,
    )
    assert (first["requires-python"], first["yanked"]) == (">=3.9", False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first["upload-time"])
    assert requests.get(second["url"], timeout=30).content == two.read_bytes()
    assert index.files("Some.Thing") == {one.name: digest(one), two.name: digest(two)}
    assert index.versions("some-thing") == {"1.0", "1.10"}


def test_html_says_the_same(index: PackageIndex, tmp_path: Path) -> None:
    path = wheel(tmp_path, "thing", "1.0")
    upload(index, path, more={"requires_python": ">=3.9"})
    index.yank("thing", "1.0", 'broken "here"')
    (link,) = Links(page(index, "thing", "text/html").text).found
    assert link == {
        "href": f"{index.url}/files/{digest(path)}/{path.name}#sha256={digest(path)}",
        "data-requires-python": ">=3.9", "data-yanked": 'broken "here"',
    }  # fmt: skip
    assert [one["href"] for one in Links(requests.get(index.simple, timeout=30).text).found] == ["/simple/thing/"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [(PIP, JSON), ("*/*", "text/html"), ("text/html", "text/html"), (f"text/html;q=0.2,{JSON};q=0.1", "text/html"),
     ("application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+html"), ("application/pdf", "406")],
)  # fmt: skip
def test_the_client_chooses_the_form(index: PackageIndex, tmp_path: Path, accept: str, kind: str) -> None:
    upload(index, wheel(tmp_path, "thing", "1.0"))
    answer = page(index, "thing", accept)
    seen = answer.headers["Content-Type"].partition(";")[0] if answer.ok else str(answer.status_code)
    assert seen == kind


def test_another_spelling_is_led_to_the_page(index: PackageIndex, tmp_path: Path) -> None:
    upload(index, wheel(tmp_path, "some-thing", "1.0"))
    for spelling in ("Some.Thing/", "some_thing", "some-thing"):
        there = requests.get(f"{index.simple}{spelling}", allow_redirects=False, timeout=30)
        assert (there.status_code, there.headers["Location"]) == (301, "/simple/some-thing/")
    assert page(index, "nothing").status_code == 404


def test_the_same_bytes_again_are_welcome_and_others_are_not(index: PackageIndex, tmp_path: Path) -> None:
    path = wheel(tmp_path, "thing", "1.0")
    kept = digest(path)
    assert upload(index, path).status_code == 200
    assert upload(index, path).status_code == 200
    wheel(tmp_path, "thing", "1.0", says="something else")
    refused = upload(index, path)
    assert refused.status_code == 400
    assert refused.reason.startswith(f"File already exists ('{path.name}', with sha256 hash '{kept}')")
    assert index.files("thing") == {path.name: kept}
    assert list((index.folder / "parts").iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({":action": "submit"}, "Unknown protocol version"),
        ({"sha256_digest": "0" * 64}, "The digest supplied does not match"),
        ({"name": "other"}, "Start filename for 'other' with 'other'"),
        ({"version": "2.0"}, "Version in filename should be '2.0' not '1.0'"),
        ({"version": "one"}, "'one' is an invalid value for Version"),
        ({"filetype": "sdist"}, "Invalid file extension"),
        ({"filename": "../thing-1.0-py3-none-any.whl"}, "Cannot upload a file with '/'"),
        ({"metadata_version": ""}, "metadata_version: This field is required"),
    ],
)
def test_what_is_wrong_is_told_in_the_status_line(
    index: PackageIndex, tmp_path: Path, fields: dict[str, str], why: str
) -> None:
    refused = upload(index, wheel(tmp_path, "thing", "1.0"), more=fields)
    assert (refused.status_code, why in refused.reason) == (400, True), refused.reason
    assert index.files("thing") == {}


def test_a_local_version_is_not_for_an_index(index: PackageIndex, tmp_path: Path) -> None:
    refused = upload(index, wheel(tmp_path, "thing", "1.0+here"))
    assert (refused.status_code, "local versions" in refused.reason) == (400, True)


def test_only_users_upload(tmp_path: Path) -> None:
    path = wheel(tmp_path, "thing", "1.0")
    with PackageIndex(tmp_path / "index", users={"me": "pw"}) as index:
        for who in (None, ("me", "wrong"), ("you", "pw"), ("__token__", "pypi-abc")):
            assert upload(index, path, who).status_code == 403
        assert index.files("thing") == {}
        assert upload(index, path, ("me", "pw")).status_code == 200
        assert page(index, "thing").status_code == 200


def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    path = wheel(tmp_path, "thing", "1.0")
    with PackageIndex(tmp_path / "index") as index:
        upload(index, path)
        port = index.port
    with PackageIndex(tmp_path / "index", port) as index:
        assert index.content(path.name) == path.read_bytes()
        assert page(index, "thing").json()["files"][0]["url"].startswith(f"http://127.0.0.1:{port}/")


def test_hands_spoil_and_lose_files(index: PackageIndex, tmp_path: Path) -> None:
    path = wheel(tmp_path, "thing", "1.0")
    upload(index, path)
    index.corrupt(path.name)
    (file,) = page(index, "thing").json()["files"]
    assert file["hashes"]["sha256"] == digest(path)
    wrong, right = requests.get(file["url"], timeout=30).content, path.read_bytes()
    assert (wrong[:-1], wrong[-1] ^ 1) == (right[:-1], right[-1])
    index.drop(path.name)
    assert page(index, "thing").status_code == 404
    with pytest.raises(KeyError):
        index.yank("thing", "1.0")


@pytest.mark.parametrize(("when", "there"), [("before", 0), ("after", 1)])
def test_an_answer_is_lost_by_plan(index: PackageIndex, tmp_path: Path, when: str, there: int) -> None:
    index.faults(Fault("POST", "/legacy/", when=when, reset=True))  # type: ignore[arg-type]
    path = wheel(tmp_path, "thing", "1.0")
    with pytest.raises(requests.ConnectionError):
        upload(index, path)
    assert len(index.files("thing")) == there
    assert upload(index, path).status_code == 200


def test_limits_come_by_plan_and_requests_are_remembered(index: PackageIndex) -> None:
    index.faults(Fault("GET", "/simple/*", limit="primary"))
    limited = page(index, "thing")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "60")
    page(index, "thing")
    assert index.requests == (Request("GET", "/simple/thing/", 429), Request("GET", "/simple/thing/", 404))
