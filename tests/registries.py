"""Real container registries, images to bring there, and what a client needs for that."""

from __future__ import annotations

import gzip
import json
import random
import re
import shutil
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from release.sandbox.registry import SandboxRegistry
from tests.serving import Reply, Seen, Server, certified

PROGRAM = "docker-registry"
FETCHED = Path(__file__).parents[1] / ".nox" / "registry" / "usr" / "bin" / PROGRAM
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Running:
    """A registry that listens; `host` is what references to it begin with, `login` are a user and a password where it asks."""

    host: str
    login: tuple[str, str] | None = None

    @property
    def docker(self) -> dict[str, Any]:
        """Docker's file with the login."""
        if self.login is None:
            return {}
        return {"auths": {self.host: {"auth": b64encode(":".join(self.login).encode()).decode()}}}

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


@dataclass(frozen=True)
class Made:
    """An image in an OCI layout: the index's digest, and every digest with its bytes."""

    layout: Path
    digest: str
    content: Mapping[str, bytes]

    def kind(self, kind: str) -> list[str]:
        """The digests of documents of a media type, and of blobs for ""."""
        said = {digest: _kind(content) for digest, content in self.content.items()}
        return [digest for digest, found in said.items() if found == kind]


def image(folder: Path, seed: str, size: int = 4000, platforms: tuple[str, ...] = ("amd64", "arm64")) -> Made:
    """An image of one layer for each platform, written by hand; the seed decides every byte."""
    content: dict[str, bytes] = {}

    def add(kind: str, held: bytes, **more: Any) -> dict[str, Any]:
        digest = f"sha256:{sha256(held).hexdigest()}"
        content[digest] = held
        return {"mediaType": kind, "digest": digest, "size": len(held), **more}

    children = []
    for platform in platforms:
        layer = gzip.compress(random.Random(f"{seed} {platform}").randbytes(size), mtime=0)
        config = {"architecture": platform, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": add(CONFIG, json.dumps(config | {"author": seed}).encode()),
            "layers": [add(LAYER, layer)],
        }
        where = {"platform": {"architecture": platform, "os": "linux"}}
        children.append(add(MANIFEST, json.dumps(manifest, indent=1).encode(), **where))
    index = add(INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}, indent=1).encode())
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for digest, held in content.items():
        (blobs / digest.partition(":")[2]).write_bytes(held)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [index]}))
    return Made(folder, index["digest"], content)


def _kind(content: bytes) -> str:
    try:
        return str(json.loads(content).get("mediaType", ""))
    except ValueError:
        return ""


class Issuer:
    """Gives tokens as the distribution's token spec has them, signed with a key that the registry knows."""

    def __init__(self, folder: Path) -> None:
        certified(folder)
        self._key = (folder / "key.pem").read_bytes()
        certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
        self._chain = [b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
        self.made: list[str] = []
        self.rights = True

    def token(self, *scopes: str) -> str:
        """For scopes as in `repository:a/b:pull,push`."""
        now = datetime.now(UTC)
        found = [scope.split(":") for scope in scopes if self.rights]
        access = [{"type": kind, "name": name, "actions": actions.split(",")} for kind, name, actions in found]
        told = {
            "iss": "ours", "sub": "", "aud": "images", "jti": str(len(self.made)), "access": access,
            "iat": now, "nbf": now - timedelta(seconds=60), "exp": now + timedelta(seconds=300),
        }  # fmt: skip
        self.made.append(jwt.encode(told, self._key, "ES256", {"x5c": self._chain}))
        return self.made[-1]

    def __call__(self, seen: Seen) -> Reply:
        return Reply(200, {"token": self.token(*parse_qs(urlsplit(seen.path).query)["scope"])})

    def section(self, folder: Path, url: str) -> dict[str, Any]:
        """The registry's `auth`, for tokens that are had at `url`."""
        bundle = str(folder / "certificate.pem")
        return {"token": {"realm": f"{url}/token", "service": "images", "issuer": "ours", "rootcertbundle": bundle}}


LOGIN = ("reader", "hunter2hunter2")
HTPASSWD = "reader:$2y$04$hP1lVvd2zx4Bss.tQkXNpOfqbl3VD.fGkm3r9gFkgcg9Tye8sR8RC\n"  # htpasswd -nbB -C 4 reader ...


@contextmanager
def with_password(folder: Path) -> Iterator[Running]:
    (folder / "htpasswd").write_text(HTPASSWD)
    with registry(folder, auth={"htpasswd": {"realm": "r", "path": str(folder / "htpasswd")}}) as running:
        yield replace(running, login=LOGIN)


@contextmanager
def with_tokens(folder: Path) -> Iterator[Running]:
    """Tokens are for those with the login alone."""
    issuing, known = Issuer(folder), f"Basic {b64encode(':'.join(LOGIN).encode()).decode()}"

    def issue(seen: Seen) -> Reply:
        if seen.headers.get("authorization") != known:
            return Reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]})
        return issuing(seen)

    with Server(issue) as tokens, registry(folder, auth=issuing.section(folder, tokens.url)) as running:
        yield replace(running, login=LOGIN)


@contextmanager
def sandbox(folder: Path, **how: Any) -> Iterator[Running]:
    with SandboxRegistry(folder, **how) as served:
        yield Running(served.host, next(iter(how.get("users", {}).items()), None))


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
    listening: threading.Thread | None = None
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"listening on (127\.0\.0\.1:[0-9]+)", line):
                break
        else:
            raise AssertionError("".join(said))
        # It talks on, and would wait for somebody to listen once the pipe is full.
        listening = threading.Thread(target=process.stderr.read)
        listening.start()
        yield Running(found[1])
    finally:
        process.kill()
        if listening is not None:
            listening.join()
        process.communicate()


REAL: Mapping[str, Callable[[Path], AbstractContextManager[Running]]] = {
    "registry": registry,
    "registry with a password": with_password,
    "registry with tokens": with_tokens,
    "sandbox": sandbox,
    "sandbox with a password": partial(sandbox, users=dict([LOGIN])),
    "sandbox with tokens": partial(sandbox, users=dict([LOGIN]), tokens=True),
    "sandbox without referrers": partial(sandbox, referrers=False),
}
"""What the same tests run on."""
