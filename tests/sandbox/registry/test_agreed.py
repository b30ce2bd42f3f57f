"""What the sandbox's registry and a real one answer alike."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.registry.client import CONFIG, INDEX, MANIFEST, Client, code, digest, index


def test_an_image_comes_back_as_it_was_put(anyone: Client) -> None:
    put = anyone.image("acme/app", "1.0", "some")
    for reference in ("1.0", digest(put)):
        got = anyone("GET", f"acme/app/manifests/{reference}", headers={"Accept": MANIFEST})
        assert (got.content, got.headers["Content-Type"]) == (put, MANIFEST)
        assert got.headers["Docker-Content-Digest"] == digest(put)
        seen = anyone("HEAD", f"acme/app/manifests/{reference}", headers={"Accept": MANIFEST})
        assert (seen.status_code, seen.headers["Content-Length"]) == (200, str(len(put)))
    assert anyone("GET", f"acme/app/blobs/{digest(b'some')}").content == b"some"


def test_a_blob_can_be_read_in_parts(anyone: Client) -> None:
    held = anyone.blob("app", b"0123456789")
    part = anyone("GET", f"app/blobs/{held}", headers={"Range": "bytes=3-5"})
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"345", "bytes 3-5/10")
    seen = anyone("HEAD", f"app/blobs/{held}")
    assert (seen.status_code, seen.headers["Content-Length"]) == (200, "10")


def test_a_blob_comes_in_chunks(anyone: Client) -> None:
    place = anyone("POST", "app/blobs/uploads/").headers["Location"]
    for first, chunk in ((0, b"abc"), (3, b"defg")):
        headers = {"Content-Range": f"{first}-{first + len(chunk) - 1}"}
        went = anyone("PATCH", place, data=chunk, headers=headers)
        assert went.status_code == 202
        place = went.headers["Location"]
    assert went.headers["Range"] == "0-6"
    seen = anyone("GET", place)
    assert (seen.status_code, seen.headers["Range"]) == (204, "0-6")
    done = anyone("PUT", seen.headers["Location"], params={"digest": digest(b"abcdefgh")}, data=b"h")
    assert (done.status_code, done.headers["Docker-Content-Digest"]) == (201, digest(b"abcdefgh"))
    assert anyone("GET", f"app/blobs/{digest(b'abcdefgh')}").content == b"abcdefgh"


def test_other_bytes_than_the_digest_says_are_refused(anyone: Client) -> None:
    place = anyone("POST", "app/blobs/uploads/").headers["Location"]
    done = anyone("PUT", place, params={"digest": digest(b"right")}, data=b"wrong")
    assert code(done) == (400, "DIGEST_INVALID")
    assert anyone("HEAD", f"app/blobs/{digest(b'right')}").status_code == 404
    assert anyone("HEAD", f"app/blobs/{digest(b'wrong')}").status_code == 404


def test_an_upload_can_be_given_up(anyone: Client) -> None:
    place = anyone("POST", "app/blobs/uploads/").headers["Location"]
    assert anyone("DELETE", place).status_code == 204
    assert code(anyone("PUT", place, params={"digest": digest(b"")})) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_blob_is_mounted_from_another_repository(anyone: Client) -> None:
    held = anyone.blob("from/here", b"shared")
    mounted = anyone("POST", "to/there/blobs/uploads/", params={"mount": held, "from": "from/here"})
    assert (mounted.status_code, mounted.headers["Docker-Content-Digest"]) == (201, held)
    assert anyone("GET", f"to/there/blobs/{held}").content == b"shared"


def test_what_cannot_be_mounted_is_to_be_uploaded(anyone: Client) -> None:
    query = {"mount": digest(b"nowhere"), "from": "from/here"}
    begun = anyone("POST", "to/there/blobs/uploads/", params=query)
    assert begun.status_code == 202
    done = anyone("PUT", begun.headers["Location"], params={"digest": digest(b"nowhere")}, data=b"nowhere")
    assert done.status_code == 201


def test_a_tag_moves_and_the_manifest_under_its_digest_stays(anyone: Client) -> None:
    first = anyone.image("app", "latest", "first")
    anyone.image("app", "latest", "second")
    kept = anyone("GET", f"app/manifests/{digest(first)}", headers={"Accept": MANIFEST})
    assert kept.content == first
    again = anyone.manifest("app", "old", first)
    assert again.headers["Docker-Content-Digest"] == digest(first)


def test_an_index_needs_what_it_lists(anyone: Client) -> None:
    some = anyone.image("app", said="amd64")
    document = index([some])
    put = anyone.put("app", "1", document)
    got = anyone("GET", "app/manifests/1", headers={"Accept": INDEX})
    assert (got.content, got.headers["Content-Type"]) == (put, INDEX)
    wrong = json.dumps(index([some, b"lacking"])).encode()
    status, said = code(anyone.manifest("app", "2", wrong, INDEX))
    assert (400 <= status < 500, said) == (True, "MANIFEST_BLOB_UNKNOWN")


def test_a_manifest_needs_its_blobs(anyone: Client) -> None:
    descriptor = {"mediaType": CONFIG, "digest": digest(b"lacking"), "size": 7}
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": []}
    status, said = code(anyone.manifest("app", "1", json.dumps(document).encode()))
    assert (400 <= status < 500, said) == (True, "MANIFEST_BLOB_UNKNOWN")
    assert anyone("HEAD", "app/manifests/1").status_code == 404


def test_a_manifest_under_another_digest_is_refused(anyone: Client) -> None:
    put = anyone.image("app", "1", "some")
    assert code(anyone.manifest("app", digest(b"other"), put)) == (400, "DIGEST_INVALID")


def test_a_manifest_and_its_tags_are_deleted_by_digest(anyone: Client) -> None:
    put = anyone.image("app", "1", "some")
    assert anyone("DELETE", f"app/manifests/{digest(put)}").status_code == 202
    assert anyone("HEAD", "app/manifests/1").status_code == 404
    assert anyone("HEAD", f"app/manifests/{digest(put)}").status_code == 404


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("app/manifests/none", (404, "MANIFEST_UNKNOWN")),
        (f"app/blobs/{digest(b'none')}", (404, "BLOB_UNKNOWN")),
        ("none/tags/list", (404, "NAME_UNKNOWN")),
    ],
)
def test_what_is_not_there_is_told_in_the_form_of_the_specification(
    anyone: Client, path: str, expected: tuple[int, str]
) -> None:
    anyone.image("app", "1", "some")
    assert code(anyone("GET", path)) == expected


def test_it_is_a_registry(anyone: Client) -> None:
    assert anyone("GET", "").status_code == 200
