"""The endpoints of the distribution specification 1.1 but those of uploads: manifests, blobs, tags, referrers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.web import StreamResponse

from release.sandbox.registry.access import Access
from release.sandbox.registry.holdings import DIGEST, Holdings, referred
from release.sandbox.registry.problems import Problem
from release.sandbox.serving.store import Json

NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
LARGEST = 4 << 20
INDEX = "application/vnd.oci.image.index.v1+json"
MEDIA_TYPES = (
    INDEX,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


@dataclass(frozen=True)
class Call:
    """One request that may be made, for its handler."""

    request: web.Request
    holdings: Holdings
    access: Access
    name: str
    referrers: bool

    @property
    def base(self) -> str:
        """The address of the repository."""
        return f"http://{self.request.host}/v2/{self.name}"

    @property
    def params(self) -> Mapping[str, str]:
        return self.request.match_info

    def repo(self) -> int:
        """The repository; 404 where nothing was ever brought there."""
        found = self.holdings.repository(self.name)
        if found is None:
            raise Problem(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": self.name})
        return found

    def digest(self, text: str | None) -> str:
        """A text as a digest; 400 if it is none."""
        if text is None or not DIGEST.fullmatch(text):
            raise Problem(400, "DIGEST_INVALID", "provided digest is no digest that this registry knows", text)
        return text


Handler: TypeAlias = Callable[[Call], Awaitable[StreamResponse]]


async def manifest(call: Call) -> StreamResponse:
    """GET and HEAD: the exact bytes that were put, whatever media types are asked for."""
    repo, reference = call.repo(), _reference(call)
    digest = call.holdings.digest(repo, reference)
    found = call.holdings.manifest(repo, digest)
    if found is None:
        raise Problem(404, "MANIFEST_UNKNOWN", "manifest unknown to registry", {"reference": reference})
    headers = {"Content-Type": found["media_type"], "Docker-Content-Digest": digest}
    return web.FileResponse(call.holdings.path(repo, digest), headers=headers)


async def put_manifest(call: Call) -> StreamResponse:
    """A manifest by tag or digest; what it refers to has to be here."""
    reference, content = _reference(call), await _content(call.request)
    document, facts = _understood(call, content)
    by_digest = bool(DIGEST.fullmatch(reference))
    digest = _digest(content, reference.partition(":")[0] if by_digest else "sha256")
    if by_digest and digest != reference:
        raise Problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content", {"is": digest})
    repo = call.holdings.made(call.name)
    _complete(call, repo, document)
    tag = "" if by_digest else reference
    await asyncio.to_thread(call.holdings.keep_manifest, repo, digest, content, facts, tag)
    headers = {"Location": f"{call.base}/manifests/{digest}", "Docker-Content-Digest": digest}
    if facts["subject"] and call.referrers:
        headers["OCI-Subject"] = facts["subject"]
    return web.Response(status=201, headers=headers)


async def delete_manifest(call: Call) -> StreamResponse:
    """By tag: the tag alone. By digest: the manifest and every tag on it."""
    repo, reference = call.repo(), _reference(call)
    by_digest = DIGEST.fullmatch(reference)
    gone = call.holdings.drop("manifest", repo, reference) if by_digest else call.holdings.untag(repo, reference)
    if not gone:
        raise Problem(404, "MANIFEST_UNKNOWN", "manifest unknown to registry", {"reference": reference})
    return web.Response(status=202)


async def blob(call: Call) -> StreamResponse:
    """GET and HEAD, a range too."""
    repo, digest = call.repo(), call.digest(call.params["digest"])
    if call.holdings.blob(repo, digest) is None:
        raise Problem(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
    headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
    return web.FileResponse(call.holdings.path(repo, digest), headers=headers)


async def delete_blob(call: Call) -> StreamResponse:
    digest = call.digest(call.params["digest"])
    if not call.holdings.drop("blob", call.repo(), digest):
        raise Problem(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
    return web.Response(status=202)


async def tags(call: Call) -> StreamResponse:
    """The tags after `last`, at most `n` of them, and a Link to the next ones."""
    query = call.request.query
    found = [tag for tag in call.holdings.tags(call.repo()) if tag > query.get("last", "")]
    text = query.get("n", str(len(found)))
    if not (text.isascii() and text.isdigit()):
        raise Problem(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", {"n": text})
    page = found[: int(text)]
    headers = {}
    if page and len(page) < len(found):
        following = urlencode({"n": text, "last": page[-1]})
        headers["Link"] = f'</v2/{call.name}/tags/list?{following}>; rel="next"'
    return web.json_response({"name": call.name, "tags": page}, headers=headers)


async def referrers(call: Call) -> StreamResponse:
    """An index of what was said about a digest; nothing is an empty one."""
    if not call.referrers:
        raise web.HTTPNotFound
    subject, kind = call.digest(call.params["digest"]), call.request.query.get("artifactType")
    repo = call.holdings.repository(call.name)
    found = [_descriptor(one) for one in (call.holdings.manifests(repo) if repo else ()) if one["subject"] == subject]
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [one for one in found if kind is None or one.get("artifactType") == kind],
    }
    headers = {} if kind is None else {"OCI-Filters-Applied": "artifactType"}
    return web.Response(body=json.dumps(index).encode(), headers=headers, content_type=INDEX)


def _reference(call: Call) -> str:
    """The tag or digest in the path; 404 for what can be neither."""
    text = call.params["reference"]
    if DIGEST.fullmatch(text) or TAG.fullmatch(text):
        return text
    if ":" in text:
        return call.digest(text)
    raise Problem(404, "MANIFEST_UNKNOWN", "manifest unknown to registry", {"reference": text})


async def _content(request: web.Request) -> bytes:
    """The body; 413 for what is larger than manifests may be."""
    content = bytearray()
    async for piece in request.content.iter_chunked(1 << 18):
        content += piece
        if len(content) > LARGEST:
            raise Problem(413, "SIZE_INVALID", f"a manifest may have {LARGEST} bytes")
    return bytes(content)


def _understood(call: Call, content: bytes) -> tuple[Json, Json]:
    """The manifest and what is kept of it besides its bytes."""
    media_type = call.request.headers.get("Content-Type", "")
    if media_type not in MEDIA_TYPES:
        raise Problem(400, "MANIFEST_INVALID", "manifest invalid", f"unknown media type {media_type!r}")
    try:
        document = json.loads(content)
        referred(document)
    except ValueError as error:
        raise Problem(400, "MANIFEST_INVALID", "manifest invalid", str(error)) from error
    if document.get("mediaType", media_type) != media_type:
        raise Problem(400, "MANIFEST_INVALID", "manifest invalid", "mediaType differs from Content-Type")
    subject = document.get("subject")
    facts = {
        "media_type": media_type,
        "subject": str(subject.get("digest", "")) if isinstance(subject, dict) else "",
        "artifact_type": document.get("artifactType") or document.get("config", {}).get("mediaType", ""),
        "annotations": document.get("annotations") or {},
    }
    return document, facts


def _complete(call: Call, repo: int, document: Any) -> None:
    blobs, manifests = referred(document)
    lacking = [one for one in blobs if call.holdings.blob(repo, one) is None]
    lacking += [one for one in manifests if call.holdings.manifest(repo, one) is None]
    if lacking:
        message = "manifest references a manifest or blob unknown to registry"
        raise Problem(404, "MANIFEST_BLOB_UNKNOWN", message, {"digests": lacking})


def _digest(content: bytes, algorithm: str) -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def _descriptor(found: Json) -> Json:
    shown = {"mediaType": found["media_type"], "digest": found["digest"], "size": found["size"]}
    if found["artifact_type"]:
        shown["artifactType"] = found["artifact_type"]
    return {**shown, "annotations": found["annotations"]} if found["annotations"] else shown
