"""Serves the bare repositories over smart HTTP: git's own http-backend, with our users in front of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs

from aiohttp import web

from release.sandbox.forge import protection, pushes
from release.sandbox.forge.answers import Problem
from release.sandbox.forge.auth import Actor, authenticate
from release.sandbox.forge.git import environment
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

Done: TypeAlias = Callable[[], Awaitable[None]]
PIECE = 1 << 16
SERVICES = ("git-upload-pack", "git-receive-pack")
CONFIG = {
    "http.receivepack": "true",
    "http.getanyfile": "false",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "receive.denyDeleteCurrent": "refuse",
    "gc.auto": "0",
    "receive.autogc": "false",
    "safe.directory": "*",
}
HOOKS = {
    "pre-receive": '#!/bin/sh\nexec "$SLUICE_FORGE_PYTHON" -I -S "$SLUICE_FORGE_HOOK"\n',
    "update": '#!/bin/sh\n! grep -qxF -e "$1" "$SLUICE_FORGE_PUSH/refused"\n',
    "post-receive": '#!/bin/sh\nexec cat >"$SLUICE_FORGE_PUSH/pushed"\n',
}


def register(app: web.Application, world: World) -> None:
    """Add what git asks for: `/owner/name.git/...` (`.git` may be missing)."""
    hooks = world.folder / "hooks"
    hooks.mkdir(exist_ok=True)
    for name, text in HOOKS.items():
        (hooks / name).write_text(text, encoding="utf-8")
        (hooks / name).chmod(0o755)

    async def serve(request: web.Request) -> web.StreamResponse:
        return await _serve(world, request)

    app.router.add_get("/{owner}/{repo}/info/refs", serve)
    for service in SERVICES:
        app.router.add_post(f"/{{owner}}/{{repo}}/{service}", serve)


async def _serve(world: World, request: web.Request) -> web.StreamResponse:
    service = request.path.rpartition("/")[2]
    if service == "refs":
        service = "".join(parse_qs(request.query_string).get("service", []))
    try:
        repository, actor = await asyncio.to_thread(_admitted, world, request, service)
    except Problem as problem:
        headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if problem.status == 401 else {}
        return web.Response(status=problem.status, text=problem.message + "\n", headers=headers)
    if service == "git-receive-pack" and request.method == "POST":
        return await _push(world, request, repository, actor)
    return await _backend(world, request, repository, actor, {})


def _admitted(world: World, request: web.Request, service: str) -> tuple[Json, Actor]:
    """The repository and the caller; who may not see a repository cannot tell it from one that is missing."""
    if service not in SERVICES:
        raise Problem(403, "Please upgrade your git client: only the smart protocol is served.")
    name = f"{request.match_info['owner']}/{request.match_info['repo'].removesuffix('.git')}"
    actor = authenticate(world.store, request.headers.get("Authorization", ""), world.clock)
    found = world.store.find("repository", name.lower())
    pushes_here = service == "git-receive-pack"
    if not actor.known and (found is None or found["private"] or pushes_here):
        raise Problem(401, "Authentication required")
    if found is None or not actor.may(found, "contents", "read"):
        raise Problem(404, "Repository not found.")
    if pushes_here and not actor.may(found, "contents", "write"):
        if actor.kind == "classic":
            raise Problem(403, f"Permission to {found['full_name']}.git denied to {actor.login}.")
        raise Problem(403, "Write access to repository not granted.")
    return found, actor


async def _push(world: World, request: web.Request, repository: Json, actor: Actor) -> web.StreamResponse:
    """A push: the hooks get the policy from a folder of its own and leave there what was accepted."""
    folder = Path(await asyncio.to_thread(_prepared, world, request, repository, actor))
    more = {
        protection.FOLDER: str(folder),
        "SLUICE_FORGE_PYTHON": sys.executable,
        "SLUICE_FORGE_HOOK": protection.__file__,
    }

    async def done() -> None:
        await asyncio.to_thread(_announce, world, request, repository, actor, folder)

    try:
        return await _backend(world, request, repository, actor, more, done)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _prepared(world: World, request: web.Request, repository: Json, actor: Actor) -> str:
    parent = world.folder / "pushes"
    parent.mkdir(exist_ok=True)
    folder = tempfile.mkdtemp(dir=parent)
    policy = pushes.policy(world, world.urls_of(request.host), repository, actor)
    Path(folder, "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    return folder


def _announce(world: World, request: web.Request, repository: Json, actor: Actor, folder: Path) -> None:
    with suppress(FileNotFoundError):
        lines = (folder / "pushed").read_bytes().decode("utf-8", "surrogateescape").split("\n")
        changes = [tuple(line.split(" ", 2)) for line in lines if line]
        pushes.announce(
            world, world.urls_of(request.host), repository, actor, [(ref, old, new) for old, new, ref in changes]
        )


async def _backend(
    world: World,
    request: web.Request,
    repository: Json,
    actor: Actor,
    more: Mapping[str, str],
    done: Done | None = None,
) -> web.StreamResponse:
    """Runs git http-backend as CGI; both directions are streamed. `done` is awaited before the client sees the end."""
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**environment(), **_cgi(world, request, repository, actor), **more},
        limit=PIECE,
    )
    feeding = asyncio.create_task(_feed(request, process))
    try:
        return await _relay(request, process, done)
    except (
        BaseException
    ):  # only then does it still run: whoever kills one that has ended takes its exit code from asyncio
        with suppress(ProcessLookupError):
            process.kill()
        raise
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
        await process.wait()


def _cgi(world: World, request: web.Request, repository: Json, actor: Actor) -> dict[str, str]:
    path = world.git(repository["full_name"]).path
    rest = request.path.split("/", 3)[3]
    settings = {**CONFIG, "core.hooksPath": str(world.folder / "hooks")}
    config = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        config |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return config | {
        "GIT_PROJECT_ROOT": str(path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{path.name}/{rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": actor.login or "anonymous",
        "REMOTE_ADDR": "127.0.0.1",
        "GIT_COMMITTER_NAME": "forge",
        "GIT_COMMITTER_EMAIL": "forge@localhost",
    }


async def _feed(request: web.Request, process: asyncio.subprocess.Process) -> None:
    """The request's body, already unpacked, to git. A client that breaks off leaves git with half a pack: it refuses it."""
    feed = process.stdin
    assert feed is not None
    try:
        async for piece in request.content.iter_chunked(PIECE):
            feed.write(piece)
            await feed.drain()
    except (ConnectionError, web.PayloadAccessError):
        with suppress(ProcessLookupError):
            if isinstance(request.content.exception(), Exception):
                process.kill()
    finally:
        feed.close()


async def _relay(request: web.Request, process: asyncio.subprocess.Process, done: Done | None) -> web.StreamResponse:
    """git's answer to the client. A client that went away does not stop what git has begun."""
    output = process.stdout
    assert output is not None
    status, headers = await _head(output)
    response = web.StreamResponse(status=status, headers=headers)
    here = True
    try:
        await response.prepare(request)
    except ConnectionError:
        here = False
    while piece := await output.read(PIECE):
        if here:
            try:
                await response.write(piece)
            except ConnectionError:
                here = False
    if done:
        await done()
    if here:
        with suppress(ConnectionError):
            await response.write_eof()
    return response


async def _head(output: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status, headers = 200, {}
    while line := (await output.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        elif name.lower() != "content-length":
            headers[name] = value.strip()
    if not headers and status == 200:
        return 500, {}
    return status, headers
