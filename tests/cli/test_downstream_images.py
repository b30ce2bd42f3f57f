"""A downstream's images: it is out only when they are, each for every platform; and a verification fetches every byte of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.registry import SandboxRegistry
from tests.forged import MAKE, Fleet, fleet
from tests.world import Answer

TAG, IMAGE, HOST = "v0.1.0", "acme/first", "images.example"
REFERENCE = rf"{HOST.replace('.', '[.]')}/{IMAGE}:v0[.]1[.]0"
MORE = f'images = ["{HOST}/{IMAGE}:{{image_tag}}"]'
LAYER = b"a layer for "
# What the downstream's workflow does once it has made its assets: an image for each architecture, and their index.
PUSH = """
REGISTRY, INDEX = "{url}/v2/acme/first", "application/vnd.oci.image.index.v1+json"
KINDS = ["application/vnd.oci.image." + kind for kind in ("config.v1+json", "layer.v1.tar+gzip", "manifest.v1+json")]


def sent(url, data, kind, method):
    request = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers


def described(content, kind):
    return {"mediaType": kind, "digest": "sha256:" + hashlib.sha256(content).hexdigest(), "size": len(content)}


def blob(content, kind):
    told = described(content, kind)
    place = urllib.parse.urljoin(REGISTRY, sent(REGISTRY + "/blobs/uploads/", b"", "", "POST")["Location"])
    sent(place + ("&" if "?" in place else "?") + "digest=" + told["digest"], content, "application/octet-stream", "PUT")
    return told


def manifest(content, kind, tag=None):
    content = json.dumps(content).encode()
    told = described(content, kind)
    sent(REGISTRY + "/manifests/" + (tag or told["digest"]), content, kind, "PUT")
    return told


children = []
for arch in {archs}:
    config = blob(json.dumps({"os": "linux", "architecture": arch}).encode(), KINDS[0])
    layers = [blob({layer} + arch.encode(), KINDS[1])]
    made = manifest({"schemaVersion": 2, "mediaType": KINDS[2], "config": config, "layers": layers}, KINDS[2])
    children.append({**made, "platform": {"os": "linux", "architecture": arch}})
if children:
    manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}, INDEX, TAG)
"""


@dataclass(frozen=True)
class Yard:
    """The fleet, the registry that the downstream pushes to, and a captain's clone."""

    some: Fleet
    registry: SandboxRegistry
    clone: Path

    def invoke(self, *words: str) -> Answer:
        return self.some.invoke(self.clone, *words, env={"SLUICE_PLACES": f"{HOST}={self.registry.url}"})

    def release(self) -> Answer:
        return self.invoke("release", "--yes")

    def pushes(self, *archs: str) -> None:
        """From now on the downstream's workflow pushes an image for these."""
        self.some.commit("first", {"make.py": MAKE + self._script(archs)}, f"ci: an image for {archs}")

    def push(self, *archs: str) -> None:
        """Push it now, whoever that is."""
        start = f"import hashlib, json, urllib.parse, urllib.request\nTAG = {TAG!r}\n"
        subprocess.run([sys.executable, "-c", start + self._script(archs)], check=True, timeout=60)

    def _script(self, archs: Sequence[str]) -> str:
        return (
            PUSH.replace("{url}", self.registry.url)
            .replace("{archs}", repr(list(archs)))
            .replace("{layer}", repr(LAYER))
        )

    def proof(self) -> dict[str, Any]:
        """What the record says was seen of the downstream."""
        text = self.some.world.git(self.some.git_of("app"), "show", "refs/sluice/0.1:evidence.json")
        value: dict[str, Any] = json.loads(text)["downstream first"]
        return value


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with (
        SandboxRegistry(tmp_path / "registry") as registry,
        fleet(tmp_path, {"first": "workflow_dispatch"}, {"first": MORE}) as some,
    ):
        yield Yard(some, registry, some.clone("ada"))


def test_a_green_run_without_the_whole_image_is_no_release_until_it_is_mended(yard: Yard) -> None:
    for archs, says in (
        ((), f"there is no image {REFERENCE}"),
        (("amd64",), f"the image {REFERENCE} is not for linux/arm64"),
    ):
        yard.pushes(*archs)
        yard.release().expect(1, rf"downstream first +failed +release\.yml is green, but {says}; mend release\.yml")
    yard.pushes("amd64", "arm64")
    yard.release().expect(0, r"downstream first +done +v0\.1\.0 on .*, 2 assets, 1 images")


def test_an_image_that_somebody_else_pushes_is_waited_for(yard: Yard) -> None:
    text = yard.some.world.git(yard.some.git_of("app"), "show", "main:release.toml")
    for old, new in (
        ('workflow = "release.yml"', 'deadline = "3s"'),
        ('assets = ["first-{arch}.txt"]', ""),
        ('"workflow_dispatch"', '"release"'),
    ):
        assert old in text
        text = text.replace(f"\n{old}" if old.startswith("assets") else old, new)
    yard.some.commit("app", {"release.toml": text}, "ci: nobody's run is waited for")
    yard.some.world.git(yard.clone, "pull", "--quiet")
    yard.release().expect(4, f"downstream first +underway +there is no image {REFERENCE}")
    yard.push("amd64", "arm64")
    yard.release().expect(0, "downstream first +done")


def test_the_record_names_the_digest_and_a_verification_says_what_is_wrong(yard: Yard) -> None:
    yard.pushes("amd64", "arm64")
    yard.release().expect(0)
    index = yard.registry.manifest(IMAGE, TAG)
    digest = f"sha256:{sha256(index).hexdigest()}"
    assert yard.proof()["images"] == {f"{HOST}/{IMAGE}:{TAG}": digest}
    first, second = (child["digest"] for child in json.loads(index)["manifests"])
    layer = json.loads(yard.registry.manifest(IMAGE, second))["layers"][0]["digest"]

    def told(code: int, says: str) -> None:
        yard.invoke("release.verify").expect(code, f"downstream first: image {REFERENCE} +{says}")

    told(0, f"done +{digest[:19]}, 4 blobs with")
    yard.registry.corrupt_blob(IMAGE, layer)
    told(
        1,
        f"failed +a blob of {REFERENCE} has sha256 [0-9a-f]{{12}} with {len(LAYER + b'arm64')} bytes, not {layer[7:19]}",
    )
    yard.registry.tag(IMAGE, TAG, first)
    told(1, f"failed +{REFERENCE} is {first[:19]}, and the record says {digest[:19]}")
    yard.registry.tag(IMAGE, TAG, digest)
    yard.registry.drop_manifest(IMAGE, second)
    told(1, f"failed +missing: {second[:19]}, which {REFERENCE} holds for linux/arm64")
