"""One thread's connections over `requests`: they say whether anything was sent, and another thread can end them."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_here = threading.local()


class Line:
    """The connections of one thread. `sent`: whether anything of the newest request has left this machine.

    An adapter without a session: nothing comes from the process's environment (~/.netrc, proxies that nobody named
    here), and no redirect is read, let alone prepared, before we look at it.
    """

    def __init__(self, patience: float) -> None:
        self.sent = False
        self.cut_for = ""
        self.used = 0.0
        self._patience = patience
        self._adapter = _Adapter(max_retries=0)
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._turn = 0
        self._ended = False
        self._lock = threading.Lock()

    def begin(self) -> int:
        """A new exchange; its number is for `cut`."""
        with self._lock:
            self._turn += 1
            if not self._ended:
                self.cut_for = ""
            return self._turn

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """Send one request; whatever breaks comes as it comes, `sent` tells what it means."""
        self.sent, _here.line = False, self
        try:
            return self._adapter.send(request, stream=True, **how)
        finally:
            _here.line = None

    def opened(self, sock: socket.socket) -> None:
        """A connection was made; from now on it is waited for as long as an answer is."""
        sock.settimeout(self._patience)
        with self._lock:
            self._sockets.add(sock)
            late = bool(self.cut_for)
        if late:
            _shut(sock)

    def cut(self, why: str, turn: int) -> None:
        """End one exchange, from another thread, if it is still the one; `why` is for whoever waits for it."""
        with self._lock:
            if turn != self._turn:
                return
        self._cut(why)

    def end(self, why: str) -> None:
        """End every exchange, from another thread, this one and all that would follow."""
        with self._lock:
            self._ended = True
        self._cut(why)

    def mend(self) -> None:
        """Let go of what broke, so that the next exchange opens a new connection."""
        self.close()
        with self._lock:
            self._sockets.clear()

    def close(self) -> None:
        """Let go of the connections that nothing uses."""
        self._adapter.close()

    def _cut(self, why: str) -> None:
        with self._lock:
            self.cut_for = why
            sockets = list(self._sockets)
        for sock in sockets:
            _shut(sock)


class _Watched(HTTPConnection):
    """A connection that tells its line when it is made, and when a request begins to leave."""

    _making = False

    def connect(self) -> None:
        self._making = True  # what is said to a proxy on the way is nothing of the request
        try:
            super().connect()
        finally:
            self._making = False
        line: Line | None = getattr(_here, "line", None)
        if line is not None and self.sock is not None:
            line.opened(self.sock)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        line: Line | None = getattr(_here, "line", None)
        if line is not None and not self._making:
            line.sent = True
        super().send(data)


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _Plain(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Plain, "https": _TLS}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Plain, "https": _TLS}
        return manager


def proxies(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """The proxy for an address, as `requests` takes it, by the variables that everybody uses (lower case goes first)."""
    parts = urlsplit(url)

    def value(name: str) -> str:
        # HTTP_PROXY in capitals may be a header of a CGI request; curl does not take it either.
        return environment.get(name) or ("" if name == "http_proxy" else environment.get(name.upper(), ""))

    proxy = value(f"{parts.scheme}_proxy") or value("all_proxy")
    if not proxy or _direct(parts.hostname or "", value("no_proxy")):
        return {}
    return {parts.scheme: proxy if "://" in proxy else f"http://{proxy}"}


def quiet() -> None:
    """The libraries' loggers say nothing: an address may hold a signature that opens it."""
    for name in ("urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _direct(host: str, exempt: str) -> bool:
    """Whether a host is asked without a proxy: this machine, which no proxy can reach, and what `no_proxy` names.

    That is the host itself, a domain that it is in, a network, or everything.
    """
    names = [name.strip().lstrip(".").lower() for name in exempt.split(",") if name.strip()]
    if host == "localhost" or "*" in names or any(host == name or host.endswith(f".{name}") for name in names):
        return True
    with suppress(ValueError):
        address = ip_address(host)
        if address.is_loopback:
            return True
        for name in names:
            with suppress(ValueError):
                if address in ip_network(name, strict=False):
                    return True
    return False


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's own, which pulls TLS away under a reader
