"""A release's files: renamed, never doubled, streamed, and downloaded from another host without credentials."""

from __future__ import annotations

import hashlib
import socket
import struct
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from release.sandbox.forge import Fault, Sandbox
from release.sandbox.forge.assets import renamed
from tests.forge import Client

RELEASES = "/repos/acme/app/releases"
BINARY = {"Accept": "application/octet-stream"}


@pytest.fixture
def draft(captain: Client, work: Path) -> dict[str, Any]:
    made: dict[str, Any] = captain.post(RELEASES, tag_name="v1", draft=True)
    return made


def test_a_file_is_uploaded_listed_and_downloaded(captain: Client, anybody: Client, draft: dict[str, Any]) -> None:
    content = bytes(range(256)) * 4096
    asset = captain.good(captain.upload(draft, "app.bin", content))
    assert (asset["state"], asset["size"]) == ("uploaded", len(content))
    assert asset["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert [one["name"] for one in captain.get(f"{RELEASES}/{draft['id']}/assets")] == ["app.bin"]
    assert captain.get(f"{RELEASES}/{draft['id']}")["assets"][0]["id"] == asset["id"]
    moved = captain("GET", f"{RELEASES}/assets/{asset['id']}", headers=BINARY)
    assert moved.status_code == 302
    assert urlsplit(moved.headers["Location"]).hostname == "localhost"
    assert anybody("GET", moved.headers["Location"]).content == content
    assert captain.get(f"{RELEASES}/assets/{asset['id']}")["download_count"] == 1


def test_the_other_host_refuses_credentials_and_changed_addresses(captain: Client, draft: dict[str, Any]) -> None:
    asset = captain.good(captain.upload(draft, "app.bin", b"x"))
    there = captain("GET", f"{RELEASES}/assets/{asset['id']}", headers=BINARY).headers["Location"]
    assert captain("GET", there).status_code == 400
    assert requests.get(there.replace("app.bin", "other"), timeout=30).status_code == 403
    assert requests.get(f"{there}0", timeout=30).status_code == 403


def test_a_draft_and_its_files_are_hidden_from_others(captain: Client, stranger: Client, draft: dict[str, Any]) -> None:
    asset = captain.good(captain.upload(draft, "app.bin", b"x"))
    assert stranger("GET", f"{RELEASES}/assets/{asset['id']}").status_code == 404
    assert stranger("GET", f"{RELEASES}/{draft['id']}/assets").status_code == 404
    assert stranger.upload(draft, "evil.bin", b"x").status_code == 404


def test_a_published_file_is_downloaded_by_its_name(captain: Client, anybody: Client, draft: dict[str, Any]) -> None:
    captain.upload(draft, "app.bin", b"one")
    out = captain.patch(f"{RELEASES}/{draft['id']}", tag_name="v1", draft=False)
    for page in (
        out["assets"][0]["browser_download_url"],
        f"{captain.forge.url}/acme/app/releases/latest/download/app.bin",
    ):
        assert requests.get(page, timeout=30).content == b"one"
    assert anybody("GET", f"{captain.forge.url}/acme/app/releases/download/v1/missing").status_code == 404


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("plain-1.0_x.tar.gz", "plain-1.0_x.tar.gz"),
        ("app-v1.30.1+rke2r1.txt", "app-v1.30.1+rke2r1.txt"),
        ("a b(1)~2.deb", "a.b.1.2.deb"),
        ("fake.      file.txt", "fake.file.txt"),
        (".hidden", "default.hidden"),
        ("dot.", "dot"),
        ("../../etc/passwd", "default.etc.passwd"),
        ("ä", "default"),
    ],
)
def test_special_characters_in_a_name_become_periods(
    captain: Client, draft: dict[str, Any], name: str, kept: str
) -> None:
    assert captain.good(captain.upload(draft, name, b"x"))["name"] == kept
    assert renamed(renamed(name)) == renamed(name)


def test_a_name_is_taken_once_also_after_renaming(captain: Client, draft: dict[str, Any]) -> None:
    captain.good(captain.upload(draft, "a b", b"x"))
    again = captain.upload(draft, "a.b", b"y")
    assert again.status_code == 422
    assert again.json()["errors"][0] == {"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}


def test_an_upload_needs_a_type_a_length_and_a_name(forge: Sandbox, captain: Client, draft: dict[str, Any]) -> None:
    bare = {"Content-Type": None}
    url = draft["upload_url"].partition("{")[0]
    assert captain("POST", url, params={"name": "a"}, data=b"x", headers=bare).status_code == 400
    assert captain.upload(draft, "a", b"").status_code == 400
    assert captain("POST", url, data=b"x", headers={"Content-Type": "text/plain"}).status_code == 422
    assert captain.get(f"{RELEASES}/{draft['id']}/assets") == []


def test_a_deleted_file_is_gone_and_its_name_free(captain: Client, draft: dict[str, Any]) -> None:
    asset = captain.good(captain.upload(draft, "a", b"x"))
    assert captain("DELETE", f"{RELEASES}/assets/{asset['id']}").status_code == 204
    assert captain("GET", f"{RELEASES}/assets/{asset['id']}").status_code == 404
    assert captain.good(captain.upload(draft, "a", b"y"))["state"] == "uploaded"


def test_a_repository_may_tell_no_digests(forge: Sandbox, captain: Client, draft: dict[str, Any]) -> None:
    forge.repository("acme/app", push=("captain",), digests=False)
    assert captain.good(captain.upload(draft, "a", b"x"))["digest"] is None


def test_a_502_may_leave_an_empty_asset_behind(forge: Sandbox, captain: Client, draft: dict[str, Any]) -> None:
    forge.faults(Fault("POST", "/repos/*/releases/*/assets", status=502, starter=True))
    assert captain.upload(draft, "a", b"content").status_code == 502
    (left,) = captain.get(f"{RELEASES}/{draft['id']}/assets")
    assert (left["state"], left["size"], left["digest"]) == ("starter", 0, None)
    assert captain.upload(draft, "a", b"content").status_code == 422
    assert captain("GET", f"{RELEASES}/assets/{left['id']}", headers=BINARY).status_code == 404
    assert captain("DELETE", f"{RELEASES}/assets/{left['id']}").status_code == 204
    assert captain.good(captain.upload(draft, "a", b"content"))["size"] == 7


def test_an_upload_that_breaks_off_leaves_an_empty_asset_and_no_bytes(
    forge: Sandbox, captain: Client, draft: dict[str, Any]
) -> None:
    path = f"/api/uploads/repos/acme/app/releases/{draft['id']}/assets?name=big"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {captain.token}\r\n"
    with socket.create_connection(("127.0.0.1", forge.port)) as line:
        line.sendall(f"{head}Content-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n".encode() + b"x" * 1000)
        wait_for(lambda: list((forge.folder / "assets").glob("*")))
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    (left,) = wait_for(lambda: captain.get(f"{RELEASES}/{draft['id']}/assets"))
    assert left["state"] == "starter"
    assert list((forge.folder / "assets").glob("*")) == []


def test_a_large_file_is_streamed_and_never_held(forge: Sandbox, captain: Client, draft: dict[str, Any]) -> None:
    size, piece = 64 << 20, b"\0" * (1 << 20)

    class Endless:
        """Reads as a file of zeros."""

        left = size

        def __len__(self) -> int:
            return size

        def read(self, length: int = -1) -> bytes:
            taken = min(self.left, len(piece) if length < 0 else length)
            self.left -= taken
            return piece[:taken]

    before = peak()
    answer = captain(
        "POST",
        draft["upload_url"].partition("{")[0],
        params={"name": "big"},
        data=Endless(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert captain.good(answer)["size"] == size
    assert peak() - before < size // 2


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def wait_for(what: Any) -> Any:
    """What a question answers as soon as it answers something."""
    end = time.monotonic() + 20
    while not (found := what()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
    return found
