"""What the specification says and Debian's registry does not do: referrers, one POST, tags by themselves."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from release.sandbox.registry import SandboxRegistry
from tests.sandbox.registry.client import CONFIG, INDEX, MANIFEST, Client, code, digest, index


def subject(of: bytes) -> dict[str, object]:
    return {"mediaType": MANIFEST, "digest": digest(of), "size": len(of)}


def test_a_whole_blob_comes_with_one_post(client: Client) -> None:
    done = client("POST", "app/blobs/uploads/", params={"digest": digest(b"whole")}, data=b"whole")
    assert (done.status_code, done.headers["Docker-Content-Digest"]) == (201, digest(b"whole"))
    assert client("GET", done.headers["Location"]).content == b"whole"
    wrong = client("POST", "app/blobs/uploads/", params={"digest": digest(b"whole!")}, data=b"whole")
    assert code(wrong) == (400, "DIGEST_INVALID")


def test_a_chunk_that_does_not_follow_is_refused(client: Client) -> None:
    place = client("POST", "app/blobs/uploads/").headers["Location"]
    client("PATCH", place, data=b"abc", headers={"Content-Range": "0-2"})
    late = client("PATCH", place, data=b"late", headers={"Content-Range": "7-10"})
    assert (late.status_code, late.headers["Location"], late.headers["Range"]) == (416, place, "0-2")


def test_an_upload_that_was_not_begun_is_unknown(client: Client) -> None:
    client.image("app", "1", "some")
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answer = client(method, "app/blobs/uploads/8b7e4d9e-0c80-4d8a-a1c2-000000000000")
        assert code(answer) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_blob_may_have_a_digest_of_sha512(client: Client) -> None:
    held = f"sha512:{hashlib.sha512(b'some').hexdigest()}"
    assert client("POST", "app/blobs/uploads/", params={"digest": held}, data=b"some").status_code == 201
    assert client("GET", f"app/blobs/{held}").content == b"some"


@pytest.mark.parametrize("text", ["", "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", f"sha256:{'A' * 64}"])
def test_what_is_no_digest_is_refused(client: Client, text: str) -> None:
    place = client("POST", "app/blobs/uploads/").headers["Location"]
    assert code(client("PUT", place, params={"digest": text}, data=b"")) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize("name", ["App", "-app", "app-", "a//b", "a/../b", "a..b", "x" * 256])
def test_a_name_that_cannot_be_is_refused(client: Client, name: str) -> None:
    answer = client("POST", f"http://{client.host}/v2/{name.replace('/..', '/%2e%2e')}/blobs/uploads/")
    assert code(answer) == (400, "NAME_INVALID")


def test_tags_come_in_pages(client: Client, registry: SandboxRegistry) -> None:
    put = client.image("app", said="some")
    for tag in ("c", "a", "e", "b", "d"):
        registry.tag("app", tag, digest(put))
    seen, path = [], "app/tags/list?n=2"
    while path:
        answer = client("GET", path)
        seen.append(answer.json()["tags"])
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == [["a", "b"], ["c", "d"], ["e"]]
    assert client("GET", "app/tags/list").json() == {"name": "app", "tags": ["a", "b", "c", "d", "e"]}
    assert client("GET", "app/tags/list?last=c").json()["tags"] == ["d", "e"]


def test_a_tag_is_deleted_alone(client: Client, registry: SandboxRegistry) -> None:
    put = client.image("app", "1", "some")
    registry.tag("app", "2", digest(put))
    assert client("DELETE", "app/manifests/1").status_code == 202
    assert registry.tags("app") == {"2": digest(put)}
    assert code(client("DELETE", "app/manifests/1")) == (404, "MANIFEST_UNKNOWN")


def test_what_is_said_about_an_image_is_listed(client: Client) -> None:
    about = client.image("app", "1", "some")
    first = client.image("app", said="one", subject=subject(about), artifactType="text/a", annotations={"k": "v"})
    second = client.image("app", said="two", subject=subject(about))
    listed = client("GET", f"app/referrers/{digest(about)}")
    assert listed.headers["Content-Type"] == INDEX
    common = {"mediaType": MANIFEST}
    assert listed.json() == {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {**common, "digest": digest(first), "size": len(first), "artifactType": "text/a", "annotations": {"k": "v"}},
            {**common, "digest": digest(second), "size": len(second), "artifactType": CONFIG},
        ],
    }  # fmt: skip
    some = client("GET", f"app/referrers/{digest(about)}?artifactType=text/a")
    assert [one["digest"] for one in some.json()["manifests"]] == [digest(first)]
    assert some.headers["OCI-Filters-Applied"] == "artifactType"


def test_nothing_said_is_an_empty_list_and_a_subject_may_come_later(client: Client) -> None:
    later = json.dumps(index([])).encode()
    assert client("GET", f"app/referrers/{digest(later)}").json()["manifests"] == []
    client.image("app", said="ahead of it", subject=subject(later))
    assert len(client("GET", f"app/referrers/{digest(later)}").json()["manifests"]) == 1


def test_a_put_with_a_subject_says_whether_it_was_understood(client: Client, tmp_path: Path) -> None:
    about = client.image("app", "1", "some")
    document = index([]) | {"subject": subject(about), "artifactType": "text/a"}
    put = client.manifest("app", "2", json.dumps(document).encode(), INDEX)
    assert put.headers["OCI-Subject"] == digest(about)
    with SandboxRegistry(tmp_path / "older", referrers=False) as older:
        other = Client(older.host)
        put = other.manifest("app", "2", json.dumps(document).encode(), INDEX)
        assert (put.status_code, "OCI-Subject" in put.headers) == (201, False)
        assert other("GET", f"app/referrers/{digest(about)}").status_code == 404


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"schemaVersion": 1}', b'{"schemaVersion": 2}', b'{"schemaVersion": 2, "manifests": [7]}',
     b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}', b"\xff"],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(client: Client, content: bytes) -> None:
    assert code(client.manifest("app", "1", content)) == (400, "MANIFEST_INVALID")


def test_a_manifest_has_its_limit(client: Client) -> None:
    document = index([]) | {"annotations": {"x": "x" * (4 << 20)}}
    assert code(client.manifest("app", "1", json.dumps(document).encode(), INDEX)) == (413, "SIZE_INVALID")
