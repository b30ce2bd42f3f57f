"""A small real HTTP server that answers as a test tells it to, well or badly."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    peer: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer. `reset` tears the connection instead, `cut` after so many bytes of the body; `drip` is the seconds between bytes."""

    status: int = 200
    body: bytes | Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    hang: bool = False
    cut: int | None = None
    drip: float = 0.0
    drip_headers: float = 0.0
    date: float | None = None


Script = Callable[[Seen], Reply]


class Server:
    """`script` decides every answer; `seen` is what was asked, in the order of arrival."""

    def __init__(self, script: Script, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.seen: list[Seen] = []
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                outer.answer(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_CONNECT = answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = False
            block_on_close = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Quiet(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._open: set[socket.socket] = set()
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.seen]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self._open.add(handler.connection)
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        lower = {name.lower(): value for name, value in handler.headers.items()}
        seen = Seen(handler.command, handler.path, lower, body, handler.client_address[1])
        self.seen.append(seen)
        reply = self.script(seen)
        if reply.hang:
            self.over.wait(30)
        if reply.reset or reply.hang:
            reset(handler)
            return
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {} if isinstance(reply.body, bytes) else dict(JSON)
        headers |= {"Date": formatdate(time.time() if reply.date is None else reply.date, usegmt=True), **reply.headers}
        if reply.status not in (204, 304):
            headers.setdefault("Content-Length", str(len(content)))
        head = f"HTTP/1.1 {reply.status} As told\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        self._told(handler, head.encode(), reply.drip_headers)
        if handler.command != "HEAD" and reply.status not in (204, 304):
            self._told(handler, content if reply.cut is None else content[: reply.cut], reply.drip)
        if reply.cut is not None:
            handler.close_connection = True

    def _told(self, handler: BaseHTTPRequestHandler, content: bytes, drip: float) -> None:
        if not drip:
            handler.wfile.write(content)
            return
        for n in range(len(content)):
            with suppress(OSError):
                handler.wfile.write(content[n : n + 1])
                handler.wfile.flush()
            if self.over.wait(drip):
                return

    def __enter__(self) -> Server:
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.01))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Tear a connection, so that the other side sees a reset."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.wfile.close()
    handler.rfile.close()
    handler.connection.close()


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server on 127.0.0.1 needs for TLS, and the certificate that its clients have to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return context, certificate


def each(*replies: Reply) -> Script:
    """One reply after another; the last one for ever."""
    left: list[Reply] = list(replies)
    lock = threading.Lock()

    def script(_: Seen) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


def routes(table: Mapping[str, Reply | Sequence[Reply] | Script]) -> Script:
    """By method and path (without its query, or with it); what is not listed is a 404 as a forge gives it."""
    scripts: dict[str, Script] = {}
    for route, reply in table.items():
        if isinstance(reply, Reply):
            scripts[route] = each(reply)
        else:
            scripts[route] = each(*reply) if isinstance(reply, Sequence) else reply

    def script(seen: Seen) -> Reply:
        whole = f"{seen.method} {seen.path}"
        found = scripts.get(whole) or scripts.get(whole.partition("?")[0])
        return found(seen) if found else Reply(404, {"message": "Not Found"})

    return script


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


class Time:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.pauses: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        with self._lock:
            self.pauses.append(seconds)
            self.at += seconds
