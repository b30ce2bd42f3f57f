"""Is every image really out there, to the byte? What is wrong is named, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.imaged import APPS, FILES, HEAD, IMAGE, ONE, TAG, TAG_REF, TWO, VERSION, Yard, picture, yard

CONFIG = HEAD + APPS + picture(ONE, TWO)
LOOKING = {"VerifyImage"}
"""The step of which this file shows that it looks, and changes nothing."""
SMALL = {**FILES, "payload": "payload\n"}
INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Out:
    """A release that is out in two registries; `clone` is somebody else's."""

    yard: Yard
    clone: Path

    @property
    def index(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.yard.registry.manifest(IMAGE, TAG))
        return value

    def child(self, number: int) -> str:
        return str(self.index["manifests"][number]["digest"])

    def layer(self) -> str:
        manifest = json.loads(self.yard.registry.manifest(IMAGE, self.child(1)))
        return str(manifest["layers"][-1]["digest"])

    def put(self, content: bytes | str, tag: str, kind: str = INDEX) -> None:
        """A document in the first registry, whatever was there."""
        url = f"{self.yard.registry.url}/v2/{IMAGE}/manifests/{tag}"
        requests.put(url, content, headers={"Content-Type": kind}, timeout=10).raise_for_status()

    def verify(self, *words: str) -> Any:
        return self.yard.invoke(self.clone, "release.verify", *words)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Out]:
    """Who breaks something in it mends it afterwards."""
    with yard(tmp_path_factory.mktemp("out"), CONFIG, SMALL, names=(ONE, TWO)) as some:
        some.release(some.clone("captain")).expect(0)
        yield Out(some, some.clone("bob"))


def test_what_is_all_there_is_verified_from_any_clone_and_nothing_is_written(out: Out) -> None:
    before, refs = out.yard.outcome(), out.yard.world.every_ref()
    out.yard.registry.forget()
    value = out.verify("--format", "json").expect(0).value
    assert (value["tag"], value["verified"]) == (TAG, True)
    steps = {step["name"]: step["state"] for step in value["steps"]}
    assert {name: steps[f"image {name}/{IMAGE}:{TAG}"] for name in (ONE, TWO)} == {ONE: "done", TWO: "done"}
    assert (out.yard.outcome(), out.yard.world.every_ref()) == (before, refs)
    asked = {one.path for one in out.yard.registry.requests if one.method == "GET"}
    blobs = {f"/v2/{IMAGE}/blobs/{digest}" for digest in out.yard.registry.blobs(IMAGE)}
    assert blobs <= asked
    assert {one.method for one in out.yard.registry.requests} <= {"GET", "HEAD"}


def rotten(out: Out) -> Callable[[], object]:
    out.yard.registry.corrupt_blob(IMAGE, out.layer())
    return lambda: out.yard.registry.corrupt_blob(IMAGE, out.layer())  # the bit flips back


def rotten_manifest(out: Out) -> Callable[[], object]:
    digest = out.child(0)
    out.yard.registry.corrupt_blob(IMAGE, digest)
    return lambda: out.yard.registry.corrupt_blob(IMAGE, digest)


def lost(out: Out) -> Callable[[], object]:
    content, kind = out.yard.registry.manifest(IMAGE, out.child(1)), out.index["manifests"][1]["mediaType"]
    digest = f"sha256:{sha256(content).hexdigest()}"
    out.yard.registry.drop_manifest(IMAGE, digest)
    return lambda: out.put(content, digest, kind)


def untagged(out: Out) -> Callable[[], object]:
    digest = out.yard.registry.tags(IMAGE)[TAG]
    out.yard.registry.untag(IMAGE, TAG)
    return lambda: out.yard.registry.tag(IMAGE, TAG, digest)


def moved(out: Out) -> Callable[[], object]:
    digest = out.yard.registry.tags(IMAGE)[TAG]
    out.yard.registry.tag(IMAGE, TAG, out.child(0))
    return lambda: out.yard.registry.tag(IMAGE, TAG, digest)


WRONG: dict[str, tuple[Callable[[Out], Callable[[], object]], str]] = {
    "one wrong byte in a layer": (rotten, r"a blob of one\.example/acme/app:v0\.1\.0 has sha256 [0-9a-f]{12} with [0-9]+ bytes, not [0-9a-f]{12}"),
    "one wrong byte in a manifest": (rotten_manifest, r"one\.example"),
    "a platform that was lost": (lost, r"missing: sha256:[0-9a-f]{12}, which one\.example/acme/app:v0\.1\.0 holds for linux/arm64"),
    "a tag that was removed": (untagged, r"missing: one\.example/acme/app:v0\.1\.0 is not there"),
    "a tag that was moved": (moved, r"one\.example/acme/app:v0\.1\.0 is sha256:[0-9a-f]{12}, and the record says sha256:[0-9a-f]{12}"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_an_image_is_named_and_the_other_registry_is_not_blamed(out: Out, name: str) -> None:
    spoil, says = WRONG[name]
    mend = spoil(out)
    try:
        answer = out.verify().expect(1, says, f"image {ONE}/{IMAGE}:{TAG} +failed")
        assert f"✗ image {TWO}" not in answer.said
        assert f"✓ image {TWO}" in answer.said
    finally:
        mend()


def test_what_was_mended_is_verified_again(out: Out) -> None:
    rotten(out)()
    out.verify().expect(0, "verified")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda entries: entries[:1], r"one\.example/acme/app:v0\.1\.0 lacks linux/arm64"),
        (
            lambda entries: [*entries, {**entries[0], "platform": {"os": "linux", "architecture": "s390x"}}],
            r"one\.example/acme/app:v0\.1\.0 has also linux/s390x",
        ),
    ],
    ids=["one is missing", "one is extra"],
)
def test_platforms_of_a_release_without_a_record_are_those_of_its_configuration(
    tmp_path: Path, change: Callable[[list[Any]], list[Any]], says: str
) -> None:
    with yard(tmp_path, HEAD + APPS + picture(ONE), SMALL) as some:
        clone = some.clone("captain")
        some.world.git(clone, "push", "--quiet", "origin", f"HEAD:{TAG_REF}")
        some.invoke(clone, "release.images", "--version", VERSION, "--push", "--yes").expect(0)
        one = Out(some, clone)
        one.verify().expect(0, "verified")
        index = one.index
        one.put(json.dumps({**index, "manifests": change(index["manifests"])}), TAG)
        one.verify().expect(1, says)
