"""A release's files: uploaded in one stream, renamed where GitHub renames them, downloaded from another host."""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from collections import defaultdict
from pathlib import Path

from aiohttp import web

from release.sandbox.forge import storage
from release.sandbox.forge.answers import Answer, Page, Problem, invalid, missing
from release.sandbox.forge.auth import authenticate
from release.sandbox.forge.calls import Call, route
from release.sandbox.forge.published import newest, seen, untagged
from release.sandbox.forge.shapes import node
from release.sandbox.forge.urls import Urls
from release.sandbox.forge.world import World
from release.sandbox.serving.breakage import STARTER
from release.sandbox.serving.store import Duplicate, Json

PIECE = 1 << 18
ASSETS = "/repos/{owner}/{repo}/releases/{release_id}/assets"
ONE = "/repos/{owner}/{repo}/releases/assets/{asset_id}"
BINARY = "application/octet-stream"


@route("GET", ASSETS, "contents:read")
def listed(call: Call) -> Page:
    release = seen(call)
    page = _page(release)
    return Page(call.store.all("asset", call.repo, release=release["id"]), shape=lambda asset: shown(call, asset, page))


@route("POST", ASSETS, "contents:write", upload=True, reads_body=False)
async def upload(call: Call) -> Answer:
    """The file goes to disk in pieces. One that breaks off leaves an empty asset in state `starter`."""
    release = await asyncio.to_thread(_ready, call)
    facts = _facts(call, release)
    if STARTER.get():
        return Answer(shown(call, await asyncio.to_thread(_add, call, facts), _page(release)), 201)
    try:
        size, digest = await _received(call, path(call.world, facts))
    except (ConnectionError, web.RequestPayloadError, web.PayloadAccessError):
        await asyncio.to_thread(_add, call, facts)
        raise
    facts |= {"state": "uploaded", "size": size, "digest": f"sha256:{digest}" if call.repository["digests"] else None}
    try:
        made = await asyncio.to_thread(_add, call, facts)
    except Problem:
        path(call.world, facts).unlink(missing_ok=True)
        raise
    shape = shown(call, made, _page(release))
    return Answer(shape, 201, {"Location": shape["url"]})


@route("GET", ONE, "contents:read")
def one(call: Call) -> Answer:
    """What it is; with `Accept: application/octet-stream` where its bytes are."""
    asset = call.document("asset", "asset_id")
    release = call.store.get("release", asset["release"])
    if release is None or (release["draft"] and not call.may("contents", "write")):
        raise missing()
    if BINARY not in call.request.headers.get("Accept", ""):
        return Answer(shown(call, asset, _page(release)))
    return Answer(None, 302, {"Location": _address(call.world, call.urls, asset)})


@route("DELETE", ONE, "contents:write")
def delete(call: Call) -> Answer:
    asset = call.document("asset", "asset_id")
    with call.store.transaction():
        release = call.store.get("release", asset["release"])
        if release and release["immutable"]:
            raise invalid("ReleaseAsset", "release", "custom", "Cannot delete assets of an immutable release.")
        call.store.remove(asset["id"])
    path(call.world, asset).unlink(missing_ok=True)
    return Answer(status=204)


def register(app: web.Application, world: World) -> None:
    """The addresses that people download from; they need no API."""

    async def serve(request: web.Request) -> web.StreamResponse:
        return await asyncio.to_thread(_downloaded, world, request)

    app.router.add_get("/{owner}/{repo}/releases/download/{tag:.+}/{name}", serve)
    app.router.add_get("/{owner}/{repo}/releases/latest/download/{name}", serve)


def renamed(name: str) -> str:
    """The name that a file gets: GitHub puts a period for whatever it does not take.

    Seen in what people report: `a b(1)~2.deb` becomes `a.b.1.2.deb`, `.x` becomes `default.x`; `+`, `-`, `_`, `@` stay.
    """
    kept = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._+@-]+", ".", name)).rstrip(".")
    return f"default{kept}" if kept.startswith(".") or not kept else kept


def by_release(call: Call) -> dict[int, list[Json]]:
    """All files of a repository's releases."""
    found = defaultdict(list)
    for asset in call.store.all("asset", call.repo):
        found[asset["release"]].append(asset)
    return found


def path(world: World, asset: Json) -> Path:
    """Where the bytes are."""
    return world.folder / "assets" / str(asset["file"])


def shown(call: Call, asset: Json, page: str) -> Json:
    return {
        "url": f"{call.urls.repository(call.name)}/releases/assets/{asset['id']}",
        "id": asset["id"],
        "node_id": node("ReleaseAsset", asset["id"]),
        "name": asset["name"],
        "label": asset["label"],
        "uploader": call.user(asset["uploader"]),
        "content_type": asset["content_type"],
        "state": asset["state"],
        "size": asset["size"],
        "digest": asset["digest"],
        "download_count": asset["download_count"],
        "created_at": asset["created_at"],
        "updated_at": asset["created_at"],
        "browser_download_url": call.urls.html(call.name, "releases/download", page, asset["name"]),
    }


def _page(release: Json) -> str:
    tag: str = release["tag_name"]
    return untagged(release) if release["draft"] else tag


def _ready(call: Call) -> Json:
    """The release, if it takes a file of this kind and name now; found out before a byte is read."""
    release = call.document("release", "release_id")
    if not call.request.headers.get("Content-Type"):
        raise Problem(400, "Bad Content-Type: a Content-Type header is required.")
    if not call.request.content_length:
        raise Problem(400, f"Bad Content-Length: {-1 if call.request.content_length is None else 0}")
    if not call.query.get("name"):
        raise invalid("ReleaseAsset", "name", "missing_field")
    _free(call, release, renamed(call.query["name"]))
    return release


def _free(call: Call, release: Json, name: str) -> None:
    if release["immutable"]:
        raise invalid("ReleaseAsset", "release", "custom", "Cannot upload assets to an immutable release.")
    if call.store.find("asset", f"{release['id']}:{name}", call.repo):
        raise invalid("ReleaseAsset", "name", "already_exists")


def _facts(call: Call, release: Json) -> Json:
    return {
        "release": release["id"],
        "name": renamed(call.query["name"]),
        "label": call.query.get("label", ""),
        "content_type": call.request.headers["Content-Type"],
        "state": "starter",
        "size": 0,
        "digest": None,
        "download_count": 0,
        "uploader": call.actor.login,
        "created_at": call.world.now(),
        "file": uuid.uuid4().hex,
    }


async def _received(call: Call, file: Path) -> tuple[int, str]:
    """Size and SHA-256 of what came; nothing is left where it broke off."""
    file.parent.mkdir(exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with file.open("xb") as out:
            async for piece in call.request.content.iter_chunked(PIECE):
                await asyncio.to_thread(out.write, piece)
                digest.update(piece)
                size += len(piece)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return size, digest.hexdigest()


def _add(call: Call, facts: Json) -> Json:
    """Once more: the release may have been published or filled meanwhile."""
    with call.store.transaction():
        release = call.store.get("release", facts["release"], call.repo)
        if release is None:
            raise missing()
        _free(call, release, facts["name"])
        try:
            return call.store.add("asset", facts, call.repo, f"{release['id']}:{facts['name']}")
        except Duplicate as error:
            raise invalid("ReleaseAsset", "name", "already_exists") from error


def _downloaded(world: World, request: web.Request) -> web.Response:
    parts = request.match_info
    repository = world.store.find("repository", f"{parts['owner']}/{parts['repo']}".lower())
    try:
        actor = authenticate(world.store, request.headers.get("Authorization", ""), world.clock)
    except Problem as problem:
        return web.Response(status=problem.status, text="Not Found\n")
    if repository is None or not actor.may(repository, "contents", "read"):
        return web.Response(status=404, text="Not Found\n")
    if "tag" in parts:
        release = world.store.find("release", f"tag:{parts['tag']}", repository["id"])
    else:
        release = newest(world.store.all("release", repository["id"]))
    asset = release and world.store.find("asset", f"{release['id']}:{parts['name']}", repository["id"])
    if not asset:
        return web.Response(status=404, text="Not Found\n")
    return web.Response(status=302, headers={"Location": _address(world, world.urls_of(request.host), asset)})


def _address(world: World, urls: Urls, asset: Json) -> str:
    if asset["state"] != "uploaded":
        raise missing()
    with world.store.transaction():
        found = world.store.get("asset", asset["id"])
        if found:
            world.store.change(asset["id"], download_count=found["download_count"] + 1)
    return storage.address(world, urls, "assets", asset["file"], asset["name"], asset["content_type"])
