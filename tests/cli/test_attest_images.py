"""What a release says of its images: signed, as they are in the registry, beside each of them, and found wrong where it is wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.registry import SandboxRegistry
from tests.forged import Fleet, fleet
from tests.world import Answer

TAG, SLIM, IMAGE, HOST = "v0.1.0", "v0.1.0-slim", "acme/app", "images.example"
SBOM, PROVENANCE = "app-0.1.0.cdx.json", "app-0.1.0.intoto.jsonl"
# The one whose tag comes last by name is first here: neither order may matter.
TABLES = f"""
[attest]
sbom = "{{project}}-{{version}}.cdx.json"
provenance = "{{project}}-{{version}}.intoto.jsonl"
sign = "key"
public = "release.pub"

[[image]]
name = "{IMAGE}"
registries = ["{HOST}"]
tag = "{{image_tag}}-slim"
file = "Dockerfile"

[[image]]
name = "{IMAGE}"
registries = ["{HOST}"]
file = "Dockerfile"
platforms = ["linux/amd64", "linux/arm64"]
artifacts = ["app-{{arch}}.txt"]
"""
DOCKERFILE = "FROM scratch\nCOPY . /here/\n"


@dataclass(frozen=True)
class Out:
    """A release that is out, the registry with its images, and the key that signed."""

    some: Fleet
    registry: SandboxRegistry
    key: Path
    clone: Path

    def invoke(self, *words: str) -> Answer:
        told = {"SLUICE_PLACES": f"{HOST}={self.registry.url}", "SLUICE_SIGNING_KEY": str(self.key)}
        return self.some.invoke(self.clone, *words, env=told)

    def verify(self, code: int, *says: str) -> None:
        self.invoke("release.verify").expect(code, *says)

    def asset(self, name: str) -> bytes:
        (release,) = self.some.releases("app")
        found = next(one for one in release["assets"] if one["name"] == name)
        return Path(self.some.forge.folder, "assets", str(found["file"])).read_bytes()

    def referrers(self, tag: str) -> dict[str, dict[str, Any]]:
        """What lies beside an image, by the titles."""
        subject = self.registry.tags(IMAGE)[tag]
        found = [json.loads(self.registry.manifest(IMAGE, one)) for one in self.registry.manifests(IMAGE)]
        about = [one for one in found if one.get("subject", {}).get("digest") == subject]
        return {one["annotations"]["org.opencontainers.image.title"]: one for one in about}


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Out]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout"], check=True, capture_output=True, text=True)
    with SandboxRegistry(tmp_path / "registry") as registry, fleet(tmp_path, {}, gates=TABLES) as some:
        some.commit("app", {"release.pub": public.stdout, "Dockerfile": DOCKERFILE}, "feat: images")
        made = Out(some, registry, key, some.clone("ada"))
        made.invoke("release", "--yes").expect(0)
        yield made


def test_every_image_is_a_subject_as_it_is_in_the_registry_and_what_says_so_lies_beside_it(out: Out) -> None:
    statement = json.loads(base64.b64decode(json.loads(out.asset(PROVENANCE))["payload"]))
    said = {one["name"]: f"sha256:{one['digest']['sha256']}" for one in statement["subject"]}
    tags = out.registry.tags(IMAGE)
    wanted = {f"oci:{IMAGE}:{tag}": tags[tag] for tag in (TAG, SLIM)}
    for tag in (TAG, SLIM):
        for child in json.loads(out.registry.manifest(IMAGE, tag))["manifests"]:
            wanted[f"oci:{IMAGE}:{tag}#linux/{child['platform']['architecture']}"] = child["digest"]
    assert len(wanted) == 5
    assert {name: digest for name, digest in said.items() if name.startswith("oci:")} == wanted
    listed = json.loads(out.asset("release.json"))["images"]
    assert [(one["tag"], one["digest"]) for one in listed] == [(TAG, tags[TAG]), (SLIM, tags[SLIM])]
    for tag in (TAG, SLIM):
        beside = {name: one["layers"][0]["digest"] for name, one in out.referrers(tag).items()}
        assert beside == {name: f"sha256:{hashlib.sha256(out.asset(name)).hexdigest()}" for name in (SBOM, PROVENANCE)}
    image = rf"image {HOST}/{IMAGE}:{TAG} +"
    out.verify(0, rf"provenance {PROVENANCE} +done +8 subjects, .* signed", rf"{image}done .*, {PROVENANCE}, {SBOM}")

    beside_full = out.referrers(TAG)[PROVENANCE]
    blob = beside_full["layers"][0]["digest"]
    out.registry.corrupt_blob(IMAGE, blob)
    out.verify(1, rf"{image}failed +a blob of {HOST}/{IMAGE}:{TAG} has sha256")
    out.registry.corrupt_blob(IMAGE, blob)  # the bit flips back
    for digest in out.registry.manifests(IMAGE):
        if json.loads(out.registry.manifest(IMAGE, digest)) == beside_full:
            out.registry.drop_manifest(IMAGE, digest)
    out.verify(
        1, rf"{image}failed +missing: {PROVENANCE} with sha256 [0-9a-f]{{12}} is not beside {HOST}/{IMAGE}:{TAG}"
    )
    child = json.loads(out.registry.manifest(IMAGE, SLIM))["manifests"][0]["digest"]
    layer = json.loads(out.registry.manifest(IMAGE, child))["layers"][0]["digest"]
    out.registry.drop_blob(IMAGE, layer)
    out.verify(1, rf"image {HOST}/{IMAGE}:{SLIM} +failed +missing: {layer[:19]}, a blob of {HOST}/{IMAGE}:{SLIM}")


def test_two_images_of_one_name_are_told_apart_where_the_manifest_alone_knows_them(out: Out) -> None:
    out.some.world.git(out.some.git_of("app"), "update-ref", "-d", "refs/sluice/0.1")
    out.verify(0, "verified")
    tags = out.registry.tags(IMAGE)
    out.registry.tag(IMAGE, TAG, tags[SLIM])
    out.verify(
        1, rf"image {HOST}/{IMAGE}:{TAG} +failed +{HOST}/{IMAGE}:{TAG} is {tags[SLIM][:19]}, and release.json says"
    )
