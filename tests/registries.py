"""A real container registry in a process of its own, and what a client needs to push to it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests

PROGRAM = "docker-registry"
FETCHED = Path(__file__).parents[1] / ".nox" / "registry" / "usr" / "bin" / PROGRAM
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Running:
    """A registry that listens; `host` is what references to it begin with."""

    host: str

    def push(self, name: str, tag: str, kind: str = MANIFEST, headers: Mapping[str, str] | None = None) -> str:
        """Make a tag of an image that holds nothing but the tag's name; its digest, computed here."""
        base, headers = f"http://{self.host}/v2/{name}", dict(headers or {})
        if kind == INDEX:
            content: Any = {"schemaVersion": 2, "mediaType": kind, "manifests": [], "annotations": {"of": tag}}
        else:
            blob = json.dumps({"of": tag}).encode()
            digest = f"sha256:{sha256(blob).hexdigest()}"
            begun = requests.post(f"{base}/blobs/uploads/", headers=headers, timeout=10)
            begun.raise_for_status()
            requests.put(
                begun.headers["Location"], params={"digest": digest}, data=blob, headers=headers, timeout=10
            ).raise_for_status()
            oci = kind == MANIFEST
            config = (
                f"application/vnd.{'oci.image' if oci else 'docker.container.image'}.{'config.' if oci else ''}v1+json"
            )
            content = {
                "schemaVersion": 2,
                "mediaType": kind,
                "config": {"mediaType": config, "digest": digest, "size": len(blob)},
                "layers": [],
            }
        held = json.dumps(content).encode()
        put = requests.put(f"{base}/manifests/{tag}", data=held, headers={**headers, "Content-Type": kind}, timeout=10)
        put.raise_for_status()
        return f"sha256:{sha256(held).hexdigest()}"


def program() -> str:
    """The registry's program; skips the test where there is none."""
    found = shutil.which(PROGRAM) or (str(FETCHED) if FETCHED.exists() else None)
    if found is None:
        pytest.skip(f"{PROGRAM} is not here; scripts/registry fetches it")
    return found


@contextmanager
def registry(folder: Path, **sections: Any) -> Iterator[Running]:
    """Run a registry that keeps everything in `folder`, on a port that it chooses; `sections` go into its configuration."""
    settings = {
        "version": "0.1",
        "log": {"level": "info", "formatter": "json", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": "127.0.0.1:0"},
        **sections,
    }
    file = folder / "config.yml"
    file.write_text(json.dumps(settings))  # JSON is YAML
    process = subprocess.Popen(
        [program(), "serve", str(file)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={}, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"listening on (127\.0\.0\.1:[0-9]+)", line):
                break
        else:
            raise AssertionError("".join(said))
        yield Running(found[1])
    finally:
        process.kill()
        process.communicate()
