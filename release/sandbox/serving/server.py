"""A server with its state in a folder: what the registry and the package index are made of."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.web import StreamResponse

from release.sandbox.serving import breakage
from release.sandbox.serving.breakage import Next, Words
from release.sandbox.serving.faults import Fault, forget, plan
from release.sandbox.serving.served import HOST, Served
from release.sandbox.serving.store import Store


@dataclass(frozen=True)
class Request:
    """What was asked, its query in the path, and the status of the answer; 0 where the client left before it."""

    method: str
    path: str
    status: int


class Server(ABC):
    """Inside `with` it answers at `url`; its state outlives it, in `folder`. `clock` is seconds since the epoch."""

    words: Words

    def __init__(self, folder: Path | str, port: int, clock: Callable[[], float] = time.time) -> None:
        self.folder = Path(folder).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.clock = clock
        self.store = Store(self.folder / "state.sqlite3")
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._served: Served | None = None

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @abstractmethod
    def register(self, app: web.Application) -> None:
        """Add the endpoints."""

    @abstractmethod
    async def answered(self, request: web.Request, handler: Next) -> StreamResponse:
        """What the handler answers, problems in the server's own form."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; `port` is known afterwards."""
        self._served = Served(self._app, type(self).__name__)
        self.port = self._served.listen(self.port)

    def stop(self) -> None:
        """End what is served, and close the state."""
        if self._served:
            self._served.leave()
        self.close()

    def close(self) -> None:
        """Close the state of what is not served."""
        self.store.close()

    # What goes wrong, and what happened

    def faults(self, *faults: Fault) -> None:
        """Add to the plan; calls are counted from now on, across restarts."""
        plan(self.store, faults)

    def no_faults(self) -> None:
        forget(self.store)

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request since it was made or told to `forget`, in the order of the answers, those of faults too."""
        with self._lock:
            return tuple(self._requests)

    def forget(self) -> None:
        """Empty the list of requests."""
        with self._lock:
            self._requests.clear()

    def _app(self, pool: Executor) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        self.register(app)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Next) -> StreamResponse:
        """Faults come around everything else."""
        due = breakage.planned(self.store, request.method, request.path)
        status = 0
        try:
            answer = await breakage.through(due, request, handler, self._plainly, self.words)
            status = answer.status
            return answer
        finally:
            with self._lock:
                self._requests.append(Request(request.method, request.path_qs, status))

    async def _plainly(self, request: web.Request, handler: Next) -> StreamResponse:
        try:
            return await self.answered(request, handler)
        except web.HTTPException as problem:
            headers = {name: value for name, value in problem.headers.items() if name in ("Allow", "Location")}
            return web.Response(status=problem.status, text=f"{problem.status} {problem.reason}\n", headers=headers)
