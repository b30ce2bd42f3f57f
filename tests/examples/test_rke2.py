"""The example fleet does what its README tells."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import tarfile
from contextlib import closing
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from release.sandbox.fleet import RKE2, facts
from release.sandbox.forge import Sandbox
from release.sandbox.index import PackageIndex
from release.sandbox.registry import SandboxRegistry
from release.tasks import program

BINARIES = {"rke2.linux-amd64", "rke2.linux-arm64"}
ARCHIVES = {f"{name}.tar.gz" for name in BINARIES}
PROVENANCE = "rke2.intoto.jsonl"
SUMS = {"sha256sum-amd64.txt", "sha256sum-arm64.txt", "sha256sum.txt"}
MADE = BINARIES | ARCHIVES | SUMS | {"rke2.cdx.json", PROVENANCE, "release.json"}
TAGS = {
    "v1.30.3-rc1+rke2r1": MADE,
    "v1.30.3+rke2r1": MADE | {"rke2_version-1.30.3.post1-py3-none-any.whl"},
    "v1.30.3-rc1+rke2r2": MADE,
    "v1.30.3+rke2r2": MADE | {"rke2_version-1.30.3.post2-py3-none-any.whl"},
}
IMAGES = {"rke2-runtime": "bin/rke2", "rke2-upgrade": "opt/rke2", "system-agent-installer-rke2": "rke2"}


def test_the_demonstration_runs_to_its_end_and_leaves_its_folder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = tmp_path / "stage"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    program.run(["sluice", "sandbox.demo", "--folder", str(stage)], exit=False)
    out, err = capfd.readouterr()
    *_, last = out.strip().split("\n")
    assert "Surprise" not in out, out
    assert str(stage) in last
    assert "Traceback" not in err
    with closing(Sandbox(stage / "forge")) as forge, closing(SandboxRegistry(stage / "registry")) as registry:
        files = released(forge)
        followed(forge, registry)
        for tag, image, arch in product(TAGS, IMAGES, ("amd64", "arm64")):
            held = unpacked(registry, f"rancher/{image}", tag.replace("+", "-"), arch)
            assert held[IMAGES[image]] == files[tag][f"rke2.linux-{arch}"], (image, tag, arch)
        for tag, assets in files.items():
            said = {PROVENANCE, "release.json"} | SUMS
            made = {name: digest(content) for name, content in assets.items() if name not in said}
            assert claims(assets[PROVENANCE]) == made | built(registry, "rancher/rke2-runtime", tag.replace("+", "-"))
    with PackageIndex(stage / "index") as index:
        assert installed(index, tmp_path / "site") == "1.30.3.post2\n"


CHANNELS = {"testing": "v1.30.3+rke2r1", "latest": "v1.30.3+rke2r2", "stable": "v1.30.3+rke2r1"}


def followed(forge: Sandbox, registry: SandboxRegistry) -> None:
    """What users follow says what the demonstration told, in the file, in the registry and on the forge; packages came before."""
    told = yaml.safe_load(forge.git("rancher/rke2").run("show", "master:channels.yaml"))
    assert {one["name"]: one["latest"] for one in told["channels"]} == CHANNELS
    images = registry.tags("rancher/rke2-runtime")
    assert {name: images[name] for name in CHANNELS} == {
        name: images[tag.replace("+", "-")] for name, tag in CHANNELS.items()
    }
    packages = {
        one["tag_name"]: {asset["name"] for asset in one["assets"]} for one in forge.releases("rancher/rke2-packaging")
    }
    for name, tag in CHANNELS.items():
        assert packages[f"{tag}.{name}.0"] == {"rke2-amd64.rpm", "rke2-arm64.rpm"}


def released(forge: Sandbox) -> dict[str, dict[str, bytes]]:
    """The upstream's files by tag; what is released on the forge is as it has to be, and nothing else is but the history."""
    files, before = {}, {tag for fact in facts(RKE2, "rke2") for tag in fact.tags}
    for name in ("rke2", "rke2-upgrade", "system-agent-installer-rke2"):
        every = {release["tag_name"]: release for release in forge.releases(f"rancher/{name}")}
        out_there = {tag: release for tag, release in every.items() if tag not in before}
        assert out_there.keys() == TAGS.keys(), name
        assert not any(one["draft"] for one in out_there.values())
        assert [out_there[tag]["prerelease"] for tag in TAGS] == ["rc" in tag for tag in TAGS]
        for tag, one in out_there.items():
            assets = {asset["name"]: forge.folder / "assets" / asset["file"] for asset in one["assets"]}
            assert assets.keys() == (TAGS[tag] if name == "rke2" else set()), (name, tag)
            if name == "rke2":
                files[tag] = {name: path.read_bytes() for name, path in assets.items()}
    return files


def claims(line: bytes) -> dict[str, str]:
    """What a provenance is about, name -> digest, once its signature holds (DSSE 1.0, "Signature Definition")."""
    envelope = json.loads(line)
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    key = load_pem_public_key((RKE2 / "seed" / "rke2" / "release.pub").read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
    return {one["name"]: f"sha256:{one['digest']['sha256']}" for one in json.loads(payload)["subject"]}


def built(registry: SandboxRegistry, name: str, tag: str) -> dict[str, str]:
    """The index and the manifests of an image, as a provenance names them."""
    parts = json.loads(registry.manifest(name, tag))["manifests"]
    named = {
        f"oci:{name}:{tag}#{one['platform']['os']}/{one['platform']['architecture']}": one["digest"] for one in parts
    }
    return {f"oci:{name}:{tag}": registry.tags(name)[tag], **named}


def digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


def installed(index: PackageIndex, folder: Path) -> str:
    """What the wheel says of itself once pip has fetched it from the index."""
    pip = ["-m", "pip", "install", "--quiet", "--no-cache-dir", "--isolated", "--disable-pip-version-check"]
    place = ["--index-url", index.simple, "--target", str(folder), "rke2-version"]
    subprocess.run([sys.executable, *pip, *place], check=True, timeout=60)
    asked = [sys.executable, "-c", "import rke2_version; print(rke2_version.RELEASE)"]
    told = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return told.stdout


def unpacked(registry: SandboxRegistry, name: str, tag: str, arch: str) -> dict[str, bytes]:
    """The files in the image of a platform, all of whose bytes have the digests that they are named by."""

    def held(named: str) -> bytes:
        content = registry.held(name, named)
        assert digest(content) == named
        return content

    index = json.loads(held(registry.tags(name)[tag]))
    assert {one["platform"]["architecture"] for one in index["manifests"]} == {"amd64", "arm64"}
    (part,) = (one for one in index["manifests"] if one["platform"]["architecture"] == arch)
    files = {}
    for layer in json.loads(held(part["digest"]))["layers"]:
        with tarfile.open(fileobj=io.BytesIO(held(layer["digest"]))) as tar:
            for entry in tar:
                if (content := tar.extractfile(entry)) is not None:
                    files[entry.name.removeprefix("./")] = content.read()
    return files
