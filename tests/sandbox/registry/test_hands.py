"""What a test does to a registry behind everybody's back, what goes wrong by plan, and what outlives a restart."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest
import requests

from release.sandbox.registry import Fault, Request, SandboxRegistry
from tests.sandbox.registry.client import Client, code, digest


def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    with SandboxRegistry(tmp_path, users={"me": "pw"}, tokens=True) as registry:
        client = _holder(registry)
        put = client.image("app", "1", "some")
        place = client("POST", "app/blobs/uploads/").headers["Location"]
        client("PATCH", place, data=b"half ")
        port = registry.port
    with SandboxRegistry(tmp_path, port, users={"me": "pw"}, tokens=True) as registry:
        assert client("GET", "app/manifests/1").content == put
        done = client("PUT", place, data=b"done", params={"digest": digest(b"half done")})
        assert done.status_code == 201
        assert registry.uploads("app") == 0


def test_hands_move_and_remove_tags(client: Client, registry: SandboxRegistry) -> None:
    first, second = client.image("app", "1", "first"), client.image("app", "2", "second")
    registry.tag("app", "1", digest(second))
    assert registry.tags("app") == {"1": digest(second), "2": digest(second)}
    assert client("GET", "app/manifests/1").content == second == registry.manifest("app", "1")
    registry.untag("app", "2")
    assert code(client("GET", "app/manifests/2")) == (404, "MANIFEST_UNKNOWN")
    assert registry.manifests("app") == {digest(first), digest(second)}
    with pytest.raises(KeyError):
        registry.tag("app", "3", digest(b"none"))
    with pytest.raises(KeyError):
        registry.untag("app", "2")


def test_a_lost_blob_is_gone_and_the_manifest_stays(client: Client, registry: SandboxRegistry) -> None:
    put = client.image("app", "1", "layer")
    registry.drop_blob("app", digest(b"layer"))
    assert client("HEAD", f"app/blobs/{digest(b'layer')}").status_code == 404
    assert client("GET", "app/manifests/1").content == put
    registry.drop_manifest("app", digest(put))
    assert registry.tags("app") == {}


def test_one_bit_is_wrong_in_one_repository(client: Client, registry: SandboxRegistry) -> None:
    held = client.blob("from", b"bytes")
    client("POST", "to/blobs/uploads/", params={"mount": held, "from": "from"})
    registry.corrupt_blob("to", held)
    assert client("GET", f"to/blobs/{held}").content == b"byter"
    assert client("GET", f"from/blobs/{held}").content == b"bytes"


@pytest.mark.parametrize(("when", "there"), [("before", 404), ("after", 200)])
def test_an_upload_fails_by_plan(client: Client, registry: SandboxRegistry, when: str, there: int) -> None:
    registry.faults(Fault("PUT", "/v2/app/blobs/uploads/*", when=when, status=503))  # type: ignore[arg-type]
    place = client("POST", "app/blobs/uploads/").headers["Location"]
    answer = client("PUT", place, params={"digest": digest(b"some")}, data=b"some")
    assert code(answer) == (503, "UNKNOWN")
    assert client("HEAD", f"app/blobs/{digest(b'some')}").status_code == there


def test_limits_resets_and_broken_answers_come_by_plan(client: Client, registry: SandboxRegistry) -> None:
    held = client.blob("app", b"x" * 100_000)
    path = f"/v2/app/blobs/{held}"
    registry.faults(
        Fault("GET", path, limit="primary"), Fault("GET", path, nth=2, reset=True), Fault("GET", path, 3, cut=9)
    )
    limited = client("GET", path)
    assert (code(limited), limited.headers["Retry-After"]) == ((429, "TOOMANYREQUESTS"), "60")
    for _ in range(2):
        with pytest.raises(requests.RequestException):
            client("GET", path)
    assert client("GET", path).content == b"x" * 100_000


def test_what_was_sent_before_a_connection_broke_stays(client: Client, registry: SandboxRegistry) -> None:
    place = client("POST", "app/blobs/uploads/").headers["Location"]
    path = place.removeprefix(registry.url)
    with socket.create_connection(("127.0.0.1", registry.port)) as line:
        line.sendall(f"PATCH {path} HTTP/1.1\r\nHost: {registry.host}\r\nContent-Length: 9\r\n\r\nfirst".encode())
    deadline = time.monotonic() + 30
    while Request("PATCH", path, 0) not in registry.requests:
        assert time.monotonic() < deadline, registry.requests
        time.sleep(0.01)
    assert client("GET", place).headers["Range"] == "0-4"
    done = client("PUT", place, data=b" and last", params={"digest": digest(b"first and last")})
    assert done.status_code == 201


def test_requests_are_remembered(client: Client, registry: SandboxRegistry) -> None:
    client("GET", "app/tags/list?n=1")
    registry.faults(Fault("GET", "/v2/", status=500))
    client("GET", "")
    assert registry.requests == (Request("GET", "/v2/app/tags/list?n=1", 404), Request("GET", "/v2/", 500))
    registry.forget()
    assert not registry.requests


def test_many_push_at_once(client: Client, registry: SandboxRegistry) -> None:
    threads = [threading.Thread(target=client.image, args=("app", f"t{n}", f"layer {n % 3}")) for n in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(registry.tags("app")) == 12
    assert len(set(registry.tags("app").values())) == 3
    assert registry.uploads("app") == 0


def _holder(registry: SandboxRegistry) -> Client:
    query = {"scope": "repository:app:pull,push"}
    given = requests.get(f"{registry.url}/token", params=query, auth=("me", "pw"), timeout=30).json()
    return Client(registry.host, {"Authorization": f"Bearer {given['token']}"})
