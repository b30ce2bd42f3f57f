"""What speaks to a registry as plainly as HTTP goes, and makes the smallest images."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin

import requests

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


@dataclass
class Client:
    """Somebody who speaks to the registry at `host`."""

    host: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        url = urljoin(f"http://{self.host}/v2/", path)
        more["headers"] = {**self.headers, **more.get("headers", {})}
        return requests.request(method, url, timeout=30, allow_redirects=False, **more)

    def blob(self, name: str, content: bytes) -> str:
        """Upload a blob in one stream; its digest."""
        begun = self("POST", f"{name}/blobs/uploads/")
        assert begun.status_code == 202, begun.text
        done = self("PUT", begun.headers["Location"], params={"digest": digest(content)}, data=content)
        assert done.status_code == 201, done.text
        return digest(content)

    def image(self, name: str, tag: str = "", said: str = "", **more: Any) -> bytes:
        """Put an image whose one layer is `said`; the bytes of its manifest."""
        config, layer = json.dumps({"of": said}).encode(), said.encode()
        self.blob(name, config)
        self.blob(name, layer)
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": digest(layer), "size": len(layer)}],
            **more,
        }
        return self.put(name, tag, document)

    def put(self, name: str, tag: str, document: Any) -> bytes:
        """Put a manifest by tag, without one by its digest; its bytes."""
        content = json.dumps(document).encode()
        done = self.manifest(name, tag or digest(content), content, document["mediaType"])
        assert done.status_code == 201, done.text
        return content

    def manifest(self, name: str, reference: str, content: bytes, kind: str = MANIFEST) -> requests.Response:
        return self("PUT", f"{name}/manifests/{reference}", data=content, headers={"Content-Type": kind})


def index(of: Iterable[bytes]) -> Any:
    manifests = [{"mediaType": MANIFEST, "digest": digest(one), "size": len(one)} for one in of]
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}


def code(answer: requests.Response) -> tuple[int, str]:
    """The status and the code of an error in the specification's form."""
    (error,) = answer.json()["errors"]
    return answer.status_code, error["code"]
