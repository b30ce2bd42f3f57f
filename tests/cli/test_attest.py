"""A whole release that says what it holds and how it was made: published, verified, and found wrong where it is wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.forged import Fleet, fleet

SBOM, PROVENANCE = "app-0.1.0.cdx.json", "app-0.1.0.intoto.jsonl"
LOOKING = {"VerifySbom", "VerifyProvenance"}
"""The steps of which this file shows that they look, and change nothing."""
TABLES = """
[attest]
sbom = "{project}-{version}.cdx.json"
provenance = "{project}-{version}.intoto.jsonl"
sign = "key"
key = "env:ODD_NAME"
public = "release.pub"

[[gate]]
name = "sees-no-key"
run = ["sh", "-c", "! env | grep -q ^ODD_NAME="]

[[artifact]]
name = "all.tar.gz"
kind = "archive"
include = ["app.txt"]
artifacts = ["app-amd64.txt"]
"""


@pytest.fixture
def released(tmp_path: Path) -> Iterator[tuple[Fleet, Path]]:
    """A fleet whose release is out, and a captain's clone; the key is the captain's."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout"], check=True, capture_output=True, text=True).stdout  # fmt: skip
    with fleet(tmp_path, {}, gates=TABLES) as some:
        some.commit("app", {"release.pub": public, "requirements.txt": "requests>=2\n"}, "feat: whoever can verify it")
        clone = some.clone("ada")
        some.invoke(clone, "release", "--yes", env={"ODD_NAME": ""}).expect(3, "signing-key-missing", "ODD_NAME")
        assert some.refs("app").keys() == {"refs/heads/main"}
        some.invoke(clone, "release", "--yes", env={"ODD_NAME": str(key)}).expect(0)
        yield some, clone


def content(some: Fleet, name: str) -> bytes:
    return place(some, name).read_bytes()


def place(some: Fleet, name: str) -> Path:
    (release,) = some.releases("app")
    found = next(one for one in release["assets"] if one["name"] == name)
    return Path(some.forge.folder, "assets", str(found["file"]))


def replaced(some: Fleet, name: str, new: bytes) -> None:
    """Other bytes, and a forge that says so."""
    place(some, name).write_bytes(new)
    (release,) = some.releases("app")
    found = next(one for one in release["assets"] if one["name"] == name)
    some.forge.store.change(found["id"], size=len(new), digest=f"sha256:{hashlib.sha256(new).hexdigest()}")


def world(some: Fleet) -> Any:
    """Refs, releases and what their files are; how often a file was fetched is counted by the forge."""
    releases = [{**one, "assets": [(asset["id"], asset["name"], asset["digest"]) for asset in one["assets"]]} for one in some.releases("app")]  # fmt: skip
    return some.refs("app"), releases


def said(some: Fleet) -> Any:
    return json.loads(base64.b64decode(json.loads(content(some, PROVENANCE))["payload"]))


def test_every_file_is_a_subject_with_the_digest_that_it_has_and_the_commit_is_the_tags(
    released: tuple[Fleet, Path],
) -> None:
    some, clone = released
    files = {name: hashlib.sha256(content(some, name)).hexdigest() for name in ("app-amd64.txt", "app-arm64.txt", "all.tar.gz", SBOM)}  # fmt: skip
    statement = said(some)
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == files
    (source,) = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source == {
        "uri": f"git+{some.forge.url}/acme/app@refs/tags/v0.1.0", "digest": {"gitCommit": some.refs("app")["refs/tags/v0.1.0"]},
    }  # fmt: skip
    listed = json.loads(content(some, SBOM))["components"]
    assert {one["name"] for one in listed} == {*files, "requests"} - {SBOM}
    manifest = json.loads(content(some, "release.json"))
    assert {one["name"] for one in manifest["artifacts"]} == {*files, PROVENANCE}
    before = world(some)
    answer = some.invoke(clone, "release.verify", "--format", "json").expect(0).value
    assert world(some) == before
    states = {step["name"]: step["state"] for step in answer["steps"]}
    assert states[f"sbom {SBOM}"] == states[f"provenance {PROVENANCE}"] == "done"


def test_a_provenance_that_somebody_else_wrote_and_one_that_lacks_a_file_are_found(
    released: tuple[Fleet, Path],
) -> None:
    some, clone = released
    envelope = json.loads(content(some, PROVENANCE))
    statement = said(some)
    statement["subject"][0]["digest"]["sha256"] = "0" * 64
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    before = content(some, PROVENANCE)
    replaced(some, PROVENANCE, json.dumps(envelope).encode())
    some.invoke(clone, "release.verify").expect(
        1, rf"provenance {PROVENANCE} +failed +no signature in it is of the key"
    )
    replaced(some, PROVENANCE, before)
    some.invoke(clone, "release.verify").expect(0)
    replaced(some, "app-arm64.txt", b"other bytes")
    wrong = world(some)
    some.invoke(clone, "release.verify").expect(
        1, f"provenance {PROVENANCE} +failed +it has another digest of app-arm64.txt", f"sbom {SBOM} +failed +it has another digest of app-arm64.txt"
    )  # fmt: skip
    assert world(some) == wrong
