"""Other people's tools take it for a registry."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.registry import SandboxRegistry
from tests.sandbox.registry.client import INDEX, Client, digest, index

PLAINLY = ("--src-tls-verify=false", "--dest-tls-verify=false")


def ran(program: str, *arguments: str | Path) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_skopeo_copies_an_index_out_and_in_again(client: Client, registry: SandboxRegistry, tmp_path: Path) -> None:
    parts = [client.image("acme/app", said=one) for one in ("amd64", "arm64")]
    put = client.put("acme/app", "1", index(parts))
    source, layout = f"docker://{registry.host}/acme/app:1", f"oci:{tmp_path / 'layout'}:1"
    ran("skopeo", "copy", "--all", "--preserve-digests", *PLAINLY, source, layout)
    ran("skopeo", "copy", "--all", "--preserve-digests", *PLAINLY, layout, f"docker://{registry.host}/other:2")
    assert registry.tags("other") == {"2": digest(put)}
    raw = ran("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/other:2")
    assert raw.encode() == put
    assert registry.blobs("other") == registry.blobs("acme/app")


def test_skopeo_logs_in_for_a_token(tmp_path: Path) -> None:
    with SandboxRegistry(tmp_path / "registry", users={"me": "pw"}, tokens=True) as registry:
        folder = tmp_path / "image"
        folder.mkdir()
        layout(folder, b"layer")
        target = f"docker://{registry.host}/app:1"
        copy = ("copy", "--preserve-digests", "--dest-tls-verify=false", f"oci:{folder}")
        ran("skopeo", *copy, "--dest-creds", "me:pw", target)
        assert registry.tags("app").keys() == {"1"}
        wrong = ["skopeo", *copy, "--dest-creds", "me:no", target]
        assert subprocess.run(wrong, capture_output=True, timeout=60, check=False).returncode != 0


def test_buildah_pushes_and_pulls(registry: SandboxRegistry, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text("FROM scratch\nCOPY Containerfile /there\n")
    here = [f"{registry.host}/app:1", f"docker://{registry.host}/app:1"]
    store = ("--root", tmp_path / "root", "--runroot", tmp_path / "run", "--storage-driver", "vfs")
    ran("buildah", *store, "bud", "--isolation", "chroot", "--timestamp", "0", "--tag", here[0], tmp_path)
    ran("buildah", *store, "push", "--tls-verify=false", *here)
    ran("buildah", *store, "rmi", "--all")
    pulled = ran("buildah", *store, "pull", "--tls-verify=false", here[0]).strip()
    config = json.loads(registry.manifest("app", "1"))["config"]["digest"]
    assert config == f"sha256:{pulled}"


def layout(folder: Path, layer: bytes) -> None:
    """An OCI layout of one image, made by hand."""
    (folder / "blobs" / "sha256").mkdir(parents=True)

    def held(content: bytes) -> dict[str, Any]:
        name = digest(content)
        (folder / "blobs" / name.replace(":", "/")).write_bytes(content)
        return {"digest": name, "size": len(content)}

    kind = "application/vnd.oci.image"
    root = {"type": "layers", "diff_ids": [digest(layer)]}
    config = held(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": root}).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": {"mediaType": f"{kind}.config.v1+json", **config},
        "layers": [{"mediaType": f"{kind}.layer.v1.tar", **held(layer)}],
    }
    top = {"mediaType": f"{kind}.manifest.v1+json", **held(json.dumps(manifest).encode())}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [top]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
