"""The example fleet does what its README tells."""

from __future__ import annotations

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

from release.sandbox.forge import Sandbox
from release.sandbox.index import PackageIndex
from release.sandbox.registry import SandboxRegistry
from release.tasks import program

BINARIES = {"rke2.linux-amd64", "rke2.linux-arm64"}
MADE = {
    *BINARIES,
    *(f"{name}.tar.gz" for name in BINARIES),
    "sha256sum-amd64.txt",
    "sha256sum-arm64.txt",
    "release.json",
}
WHEEL = {"rke2_version-1.30.3.post1-py3-none-any.whl", "sha256sum.txt"}
TAGS = {"v1.30.3-rc1+rke2r1": MADE, "v1.30.3+rke2r1": MADE | WHEEL}
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
        binaries = released(forge)
        for tag, image, arch in product(TAGS, IMAGES, ("amd64", "arm64")):
            held = unpacked(registry, f"rancher/{image}", tag.replace("+", "-"), arch)
            assert held[IMAGES[image]] == binaries[tag, arch], (image, tag, arch)
    with PackageIndex(stage / "index") as index:
        assert installed(index, tmp_path / "site") == "1.30.3.post1\n"


def released(forge: Sandbox) -> dict[tuple[str, str], bytes]:
    """The upstream's binaries by tag and architecture; all that is released on the forge is as it has to be."""
    files = {}
    for name in ("rke2", "rke2-upgrade", "system-agent-installer-rke2"):
        out_there = {release["tag_name"]: release for release in forge.releases(f"rancher/{name}")}
        assert out_there.keys() == TAGS.keys(), name
        assert [one["draft"] for one in out_there.values()] == [False, False]
        assert [out_there[tag]["prerelease"] for tag in TAGS] == [True, False]
        for tag, one in out_there.items():
            assets = {asset["name"]: forge.folder / "assets" / asset["file"] for asset in one["assets"]}
            assert assets.keys() == (TAGS[tag] if name == "rke2" else set()), (name, tag)
            files |= {(tag, path[-5:]): assets[path].read_bytes() for path in BINARIES & assets.keys()}
    return files


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

    def held(digest: str) -> bytes:
        content = registry.held(name, digest)
        assert f"sha256:{sha256(content).hexdigest()}" == digest
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
