"""Answers on disk, so that a later process can ask whether they are still right: a "not modified" costs no rate limit."""

from __future__ import annotations

import os
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock

import msgspec
from requests.structures import CaseInsensitiveDict

from release.adapters.http.exchange import Answer

LARGEST = 256 << 20  # bytes of all answers
PART = ".part-"
STALE = 3600.0  # seconds: what is still being written after that was left behind
KEPT = ("etag", "content-type", "link", "x-oauth-scopes", "x-accepted-github-permissions")


class Head(msgspec.Struct, frozen=True):
    """The first line of a file: what the body below it is the answer to (`key`), and the SHA-256 of what lies there of it.

    It lies there compressed: lists of releases and runs become a tenth, and those of a thousand components have room.
    """

    key: str
    digest: str
    headers: Mapping[str, str]
    next: str = ""


class Answers:
    """One file an answer, readable by its owner only. A cache: what cannot be read is not there, what cannot be written is not kept.

    Several processes may share the folder: a file appears whole, or not at all. What was not used for longest makes room.
    """

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self._folder, self._largest = folder, largest
        self._size: int | None = None
        self._lock = Lock()

    def get(self, key: tuple[str, ...], largest: int) -> tuple[Answer, bytes] | None:
        """The answer without its value, and the body that the value is read from; None where there is none of at most so many bytes."""
        name = named(key)
        try:
            file = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(file, "rb") as opened:
                first, packed = opened.readline(1 << 16), opened.read(largest + 1)
            head = msgspec.json.decode(first, type=Head)
            whole = zlib.decompressobj()
            body = whole.decompress(packed, largest + 1)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, zlib.error):
            return None
        sound = head.key == name and sha256(packed).hexdigest() == head.digest and "etag" in head.headers
        if not sound or not whole.eof or len(body) > largest:
            return None
        with suppress(OSError):
            os.utime(self._folder / name)
        return Answer(200, CaseInsensitiveDict(head.headers), next=head.next), body

    def put(self, key: tuple[str, ...], answer: Answer, body: bytes) -> None:
        """Keep an answer in place of the one that was."""
        packed = zlib.compress(body, 1)
        if len(packed) > self._largest // 8:
            return
        name = named(key)
        headers = {one: answer.headers[one] for one in KEPT if one in answer.headers}
        head = msgspec.json.encode(Head(name, sha256(packed).hexdigest(), headers, answer.next))
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(name, head + b"\n" + packed)
            self._room(len(head) + len(packed))

    def _write(self, name: str, content: bytes) -> None:
        handle, part = tempfile.mkstemp(prefix=PART, dir=self._folder)  # for its owner only
        try:
            with open(handle, "wb") as file:
                file.write(content)
            os.replace(part, self._folder / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise

    def _room(self, more: int) -> None:
        """Let go of the oldest where it has become too much; the folder is read when this process may have filled it, not each time."""
        with self._lock:
            if self._size is not None and self._size + more <= self._largest:
                self._size += more
                return
            there = sorted(self._there())
            self._size = sum(size for _, size, _ in there)
            if self._size <= self._largest:
                return
            for _, size, path in there:
                if self._size <= self._largest * 3 // 4:
                    return
                with suppress(OSError):
                    os.unlink(path)
                self._size -= size

    def _there(self) -> Iterator[tuple[float, int, str]]:
        """When each file was used last, how large it is, and where; what a dead process left half written goes."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    about = entry.stat(follow_symlinks=False)
                    if entry.name.startswith(PART):
                        if about.st_mtime < time.time() - STALE:
                            os.unlink(entry.path)
                    else:
                        yield about.st_mtime, about.st_size, entry.path


def named(key: tuple[str, ...]) -> str:
    """The name of a file that tells nothing of what it holds."""
    return sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()
