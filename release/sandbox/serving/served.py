"""Serves a web application on loopback, from a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

from aiohttp import web

HOST = "127.0.0.1"
PATIENCE = 30.0


class Served:
    """An event loop in a thread of its own, and what listens in it; `made` gets the threads in which handlers may block."""

    def __init__(self, made: Callable[[Executor], web.Application], name: str) -> None:
        self._pool = ThreadPoolExecutor(16, thread_name_prefix=name)
        self._app = made(self._pool)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def listen(self, port: int) -> int:
        """Listen on a port (0: any that is free); the port."""
        return asyncio.run_coroutine_threadsafe(self._listen(port), self._loop).result(PATIENCE)

    def leave(self) -> None:
        """End what is served, and the thread."""
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()
        self._pool.shutdown()

    async def _listen(self, port: int) -> int:
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port, reuse_address=True).start()
        found: int = self._runner.addresses[0][1]
        return found

    async def _leave(self) -> None:
        await self._runner.cleanup()
        await self._loop.shutdown_default_executor()
