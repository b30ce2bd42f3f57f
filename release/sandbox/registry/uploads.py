"""Blobs on their way in: in one piece, in one stream, or in chunks; verified, and renamed when they are whole."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.web import StreamResponse

from release.sandbox.registry.api import Call
from release.sandbox.registry.holdings import computed
from release.sandbox.registry.problems import Problem

PIECE = 1 << 18


class Uploads:
    """One request at a time writes to an upload: what a broken one still does is over before the next looks."""

    def __init__(self) -> None:
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def begin(self, call: Call) -> StreamResponse:
        """POST: a mount, a whole blob, or a place to bring one to."""
        query = call.request.query
        if "mount" in query and self._mounted(call):
            return _made(call, query["mount"])
        digest = call.digest(query["digest"]) if "digest" in query else ""
        repo = call.holdings.made(call.name)
        name = call.holdings.begin(repo)
        return await self._finished(call, repo, name, digest) if digest else _goes_on(call, name, 202)

    async def status(self, call: Call) -> StreamResponse:
        async with self._turn(call) as (_, name):
            return _goes_on(call, name, 204)

    async def append(self, call: Call) -> StreamResponse:
        """PATCH: a chunk has to begin where the last one ended."""
        async with self._turn(call) as (_, name):
            _follows(call, name)
            await _received(call.request, call.holdings.upload_path(name))
            return _goes_on(call, name, 202)

    async def finish(self, call: Call) -> StreamResponse:
        """PUT: what is still to come, and the digest that all of it has to have."""
        async with self._turn(call) as (repo, name):
            digest = call.digest(call.request.query.get("digest"))
            _follows(call, name)
            return await self._finished(call, repo, name, digest)

    async def cancel(self, call: Call) -> StreamResponse:
        async with self._turn(call) as (repo, name):
            call.holdings.end(repo, name)
        return web.Response(status=204)

    @asynccontextmanager
    async def _turn(self, call: Call) -> AsyncIterator[tuple[int, str]]:
        """The repository and the upload in the path, for this request alone; 404 without."""
        name = call.params["upload"]
        async with self._turns[name]:
            repo = call.holdings.repository(call.name)
            if repo is None or call.holdings.upload(repo, name) is None:
                raise Problem(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", {"upload": name})
            yield repo, name

    def _mounted(self, call: Call) -> bool:
        digest, other = call.digest(call.request.query["mount"]), call.request.query.get("from", "")
        source = call.holdings.repository(other)
        if source is None or not call.access.may(call.request, other, "pull"):
            return False
        return call.holdings.mount(source, call.holdings.made(call.name), digest)

    async def _finished(self, call: Call, repo: int, name: str, digest: str) -> StreamResponse:
        path = call.holdings.upload_path(name)
        await _received(call.request, path)
        found = await asyncio.to_thread(computed, path, digest.partition(":")[0])
        if found == digest:
            call.holdings.keep(repo, digest, path)
        call.holdings.end(repo, name)
        if found != digest:
            raise Problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content", {"is": found})
        return _made(call, digest)


def _follows(call: Call, name: str) -> None:
    said = call.request.headers.get("Content-Range")
    if said is None:
        return
    found = re.fullmatch(r"(\d+)-(\d+)", said)
    if not found or int(found[1]) != call.holdings.upload_path(name).stat().st_size:
        at = dict(_goes_on(call, name, 202).headers)
        message = "the chunk does not begin where the upload ends"
        raise Problem(416, "BLOB_UPLOAD_INVALID", message, {"range": said}, headers=at)


async def _received(request: web.Request, path: Path) -> None:
    """Append the body; what came before a connection broke stays."""
    with path.open("ab") as out:
        async for piece in request.content.iter_chunked(PIECE):
            await asyncio.to_thread(out.write, piece)


def _goes_on(call: Call, name: str, status: int) -> web.Response:
    size = call.holdings.upload_path(name).stat().st_size
    headers = {
        "Location": f"{call.base}/blobs/uploads/{name}",
        "Range": f"0-{max(size - 1, 0)}",
        "Docker-Upload-UUID": name,
    }
    return web.Response(status=status, headers=headers)


def _made(call: Call, digest: str) -> web.Response:
    headers = {"Location": f"{call.base}/blobs/{digest}", "Docker-Content-Digest": digest}
    return web.Response(status=201, headers=headers)
