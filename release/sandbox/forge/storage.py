"""The host that files are really downloaded from: signed addresses, and no credentials wanted."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from urllib.parse import quote, urlencode

from aiohttp import web

from release.sandbox.forge.urls import Urls
from release.sandbox.forge.world import World

VALID = 300  # seconds
FOLDERS = ("assets", "logs")


def register(app: web.Application, world: World) -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        return await _serve(world, request)

    app.router.add_get("/_storage/{folder}/{file}", serve)


def address(world: World, urls: Urls, folder: str, file: str, name: str, kind: str = "application/octet-stream") -> str:
    """Where `folder`/`file` of the state can be downloaded for a few minutes, as `name`."""
    query = {"expires": str(int(world.clock()) + VALID), "name": name, "type": kind}
    query["signature"] = _signature(world, folder, file, query)
    return f"{urls.storage}/{folder}/{quote(file)}?{urlencode(query)}"


async def _serve(world: World, request: web.Request) -> web.StreamResponse:
    """A file in pieces, ranges too; a request that carries credentials is refused: they were not meant for this host."""
    folder, file = request.match_info["folder"], request.match_info["file"]
    query = {name: request.query.get(name, "") for name in ("expires", "name", "type")}
    if "Authorization" in request.headers:
        return web.Response(status=400, text="Only one auth mechanism allowed; remove the Authorization header.\n")
    if not hmac.compare_digest(request.query.get("signature", ""), _signature(world, folder, file, query)):
        return web.Response(status=403, text="Signature did not match.\n")
    path = world.folder / folder / file
    if int(query["expires"]) < world.clock() or folder not in FOLDERS or path.name != file or not path.is_file():
        return web.Response(status=404, text="The specified blob does not exist.\n")
    headers = {
        "Content-Type": query["type"],
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(query['name'])}",
    }
    return web.FileResponse(path, headers=headers)


def _signature(world: World, folder: str, file: str, query: dict[str, str]) -> str:
    text = "\n".join((folder, file, *(query[name] for name in ("expires", "name", "type"))))
    return hmac.new(_key(world.folder / "storage.key"), text.encode(), hashlib.sha256).hexdigest()


def _key(path: Path) -> bytes:
    if not path.exists():
        path.write_text(secrets.token_hex(32), encoding="utf-8")
        path.chmod(0o600)
    return path.read_bytes()
