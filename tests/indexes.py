"""Real package indexes in processes of their own, files for them, and a line to them that breaks."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from release.sandbox.index import PackageIndex

USER, PASSWORD = "uploader", "hunter2-of-the-index"
HTPASSWD = f"{USER}:$apr1$saltsalt$48Xtn.3/ZfVk6InNVMszg."
"""What `openssl passwd -apr1 -salt saltsalt hunter2-of-the-index` prints."""


@dataclass(frozen=True)
class RealIndex:
    """An index that listens: `simple` is what pip takes, `upload` what twine does.

    `held` looks behind it, at the files that it has of a project: name -> SHA-256. `whole`: it takes no half file.
    """

    simple: str
    upload: str
    held: Callable[[str], Mapping[str, str]]
    whole: bool


def wheel(folder: Path, name: str, version: str, content: str = "", padding: int = 0) -> Path:
    """A wheel of one module, `padding` bytes longer than it needs to be."""
    stem = f"{name}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-py3-none-any.whl"
    about = f"{stem}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n{content}",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if padding:
        files[f"{name}.txt"] = "-" * padding
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file), text)
        archive.writestr(
            zipfile.ZipInfo(f"{about}/RECORD"), "".join(f"{file},,\n" for file in (*files, f"{about}/RECORD"))
        )
    return path


def digest(path: Path) -> str:
    """A file's SHA-256, in hex."""
    return sha256(path.read_bytes()).hexdigest()


@contextmanager
def pypiserver(folder: Path) -> Iterator[RealIndex]:
    """An index that keeps its files in `folder` and takes uploads with USER and PASSWORD, on a port that was free a moment ago."""
    if find_spec("pypiserver") is None:
        pytest.skip("pypiserver is not here; scripts/venv installs it")
    folder.mkdir(parents=True, exist_ok=True)

    def held(project: str) -> Mapping[str, str]:
        stem = project.replace("-", "_")
        return {one.name: digest(one) for one in folder.iterdir() if one.name.startswith(f"{stem}-")}

    logins = folder.parent / f"{folder.name}.htpasswd"
    logins.write_text(f"{HTPASSWD}\n")
    for _ in range(5):
        port = free()
        run = [sys.executable, "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port), "--disable-fallback"]
        process = subprocess.Popen(
            [*run, "-a", "update", "-P", str(logins), str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            if answers(process, f"http://127.0.0.1:{port}/simple/"):
                yield RealIndex(f"http://127.0.0.1:{port}/simple", f"http://127.0.0.1:{port}/", held, whole=False)
                return
        finally:
            process.kill()
            process.wait()
    pytest.fail("pypiserver does not start")


@contextmanager
def sandbox(folder: Path) -> Iterator[RealIndex]:
    """The sandbox's index, which takes uploads with USER and PASSWORD as PyPI does."""
    with PackageIndex(folder, users={USER: PASSWORD}) as index:
        yield RealIndex(index.simple, index.legacy, index.files, whole=True)


def free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until a server answers, or is no more."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            return requests.get(url, timeout=10).ok
        except requests.ConnectionError:
            time.sleep(0.05)
    return False


@dataclass
class Line:
    """A line to a server, byte by byte, as long as it holds.

    `upto`: bytes that it carries there, what comes after them is lost; `mute`: the first answer is never brought back, and the
    connection ends. `reached` is set when either has happened.
    """

    to: str
    upto: int | None = None
    mute: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def __enter__(self) -> Line:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with closing(self._listening), suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                parts = urlsplit(self.to)
                far = socket.create_connection((parts.hostname or "", parts.port or 80))
                threading.Thread(target=self._there, args=(near, far), daemon=True).start()
                threading.Thread(target=self._back, args=(near, far), daemon=True).start()

    def _there(self, near: socket.socket, far: socket.socket) -> None:
        sent = 0
        with suppress(OSError):
            while piece := near.recv(1 << 14):
                sent += len(piece)
                if self.upto is not None and sent > self.upto:
                    self.reached.set()
                else:
                    far.sendall(piece)
            far.shutdown(socket.SHUT_RDWR if self.reached.is_set() else socket.SHUT_WR)

    def _back(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError), closing(near), closing(far):
            while piece := far.recv(1 << 14):
                if self.mute and not self.reached.is_set():
                    self.reached.set()
                    near.shutdown(socket.SHUT_RDWR)
                    return
                near.sendall(piece)
