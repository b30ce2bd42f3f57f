"""Does what a fault says to a connection: resets it, breaks an answer off, loses it, puts another in its place."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import web
from aiohttp.web import StreamResponse

from release.sandbox.serving.faults import Fault, due
from release.sandbox.serving.store import Store

Next: TypeAlias = Callable[[web.Request], Awaitable[StreamResponse]]
Serve: TypeAlias = Callable[[web.Request, Next], Awaitable[StreamResponse]]
# Whether the upload that is served now is to leave an empty asset behind.
STARTER: ContextVar[bool] = ContextVar("starter", default=False)
PAGE = "<!DOCTYPE html>\n<html><head><title>Unicorn!</title></head><body><h1>This page is taking too long to load.</h1></body></html>\n"


@dataclass(frozen=True)
class Words:
    """How a server says that something is wrong.

    `error` makes the JSON body of an error of a status from what the fault says (None: nothing); `limited` gives status,
    headers and body where a limit (`primary` or `secondary`) is reached.
    """

    error: Callable[[int, Any], Any]
    limited: Callable[[str], tuple[int, dict[str, str], Any]]


def planned(store: Store, method: str, path: str) -> list[Fault]:
    """The faults whose turn it is; nothing is locked where there is no plan."""
    return due(store, method, path) if store.all("fault") else []


async def through(plan: list[Fault], request: web.Request, handler: Next, serve: Serve, words: Words) -> StreamResponse:
    """Serve a request with its faults, told in the server's own words where the fault has none."""
    for fault in plan:
        if fault.when == "before" and not fault.starter:
            await _harm(fault)
            if answer := _instead(fault, request, words):
                return answer
    cuts = [fault.cut for fault in plan if fault.cut >= 0]
    late = [fault for fault in plan if fault.when == "after" or fault.starter]
    STARTER.set(any(fault.starter for fault in plan))
    if not late and not cuts:
        return await serve(request, handler)
    return await _spoilt(request, handler, serve, late, min(cuts, default=-1), words)


async def _spoilt(
    request: web.Request, handler: Next, serve: Serve, late: list[Fault], cut: int, words: Words
) -> StreamResponse:
    """Let it take effect, then lose or replace the answer; what is streamed meanwhile reaches nobody."""
    real = request.transport
    replaced = any(
        fault.reset or fault.status or fault.html or fault.limit or fault.redirect or fault.kill for fault in late
    )
    if real is None or not (replaced or cut >= 0):
        answer = await serve(request, handler)
        for fault in late:
            await _harm(fault)
        return answer
    request.protocol.transport = _Leak(real, 0 if replaced else cut, swallows=replaced)  # type: ignore[assignment]
    try:
        answer = await serve(request, handler)
        for fault in late:
            await _harm(fault)
            if replacement := _instead(fault, request, words, real):
                answer = _in_place_of(answer, replacement, real)
        if not replaced and not answer.prepared:
            await answer.prepare(request)
        if not replaced:
            await answer.write_eof()
            _reset(real, hard=False)
        return answer
    finally:
        request.protocol.transport = real


def _in_place_of(answer: StreamResponse, replacement: StreamResponse, real: asyncio.Transport) -> StreamResponse:
    """The replacement, sent here where the answer was streamed: nothing else can be sent for that request any more."""
    if not answer.prepared or real.is_closing() or not isinstance(replacement, web.Response):
        return replacement
    content = replacement.body if isinstance(replacement.body, bytes) else b""
    headers = {**replacement.headers, "Content-Length": str(len(content)), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    real.write(f"HTTP/1.1 {replacement.status} {replacement.reason}\r\n{head}\r\n".encode() + content)
    _reset(real, hard=False)
    return answer


async def _harm(fault: Fault) -> None:
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.kill:
        os.kill(int(Path(fault.kill).read_text("utf-8")), signal.SIGKILL)


def _instead(
    fault: Fault, request: web.Request, words: Words, transport: asyncio.Transport | None = None
) -> StreamResponse | None:
    """The answer that a fault gives; None where it leaves the real one."""
    if fault.reset:
        _reset(transport or request.transport)
        return web.Response(status=500)
    if fault.limit:
        return _limited(fault, words)
    if fault.redirect:
        return web.Response(status=fault.status or 302, headers={"Location": fault.redirect, **fault.headers})
    if fault.html:
        return web.Response(
            status=fault.status or 502, text=PAGE, content_type="text/html", headers=dict(fault.headers)
        )
    if fault.status or fault.kill:  # who is killed hears of nothing, and neither does what it leaves running
        status = fault.status or 500
        body = fault.body if isinstance(fault.body, str) else words.error(status, fault.body)
        return _answer(status, body, fault.headers.items())
    return None


def _limited(fault: Fault, words: Words) -> StreamResponse:
    status, headers, body = words.limited(fault.limit)
    return _answer(fault.status or status, words.error(status, body), {**headers, **fault.headers}.items())


def _answer(status: int, body: Any, headers: Iterable[tuple[str, str]]) -> web.Response:
    if isinstance(body, str):
        return web.Response(status=status, text=body, headers=dict(headers))
    return web.json_response(body, status=status, headers=dict(headers))


def _reset(transport: asyncio.Transport | None, hard: bool = True) -> None:
    """End a connection: with a TCP reset, or after what was sent has gone out."""
    if transport is None:
        return
    if not hard:
        transport.close()
        return
    opened = transport.get_extra_info("socket")
    if opened is not None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class _Leak:
    """A transport that lets the head of an answer and `left` bytes of its body through (nothing if it `swallows`)."""

    def __init__(self, real: asyncio.Transport, left: int, swallows: bool) -> None:
        self._real = real
        self._left = left
        self._swallows = swallows
        self._head = True

    def __getattr__(self, name: str) -> Any:
        if name == "_sendfile_compatible":
            raise NotImplementedError  # what the kernel sends by itself would go past this
        return getattr(self._real, name)

    def write(self, data: Any) -> None:
        if self._swallows:
            return
        content = bytes(data)
        if self._head:
            end = content.find(b"\r\n\r\n")
            head, content = (content, b"") if end < 0 else (content[: end + 4], content[end + 4 :])
            self._head = end < 0
            self._real.write(head)
        content = content[: self._left]
        self._left -= len(content)
        if content:
            self._real.write(content)

    def writelines(self, pieces: Iterable[Any]) -> None:
        for piece in pieces:
            self.write(piece)
