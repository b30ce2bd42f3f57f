"""What is sent: bytes as they are, or a file, which is never held whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from release.adapters.http.exchange import AGAIN, Ask
from release.errors import Refused

CHUNK = 1 << 16


class Counted:
    """A file as a body: as many bytes as it had when it was opened, whatever happens to it meanwhile."""

    def __init__(self, file: BufferedReader, size: int) -> None:
        self._file, self._left, self._size = file, size, size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(CHUNK):
            yield piece

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        if not piece and self._left:
            raise OSError("the file became shorter while it was read")
        return piece


@contextmanager
def body(ask: Ask) -> Iterator[bytes | Counted | None]:
    """What is sent: bytes as they are, a file from its beginning."""
    if not isinstance(ask.body, Path):
        yield ask.body
        return
    with readable(ask):
        file = ask.body.open("rb")
    with file:
        size = file.seek(0, 2)
        file.seek(0)
        yield Counted(file, size) if size else b""


def weight(ask: Ask) -> int:
    """How many bytes are to be sent, about."""
    if not isinstance(ask.body, Path):
        return len(ask.body or b"")
    with readable(ask):
        return ask.body.stat().st_size


@contextmanager
def readable(ask: Ask) -> Iterator[None]:
    """What is to be sent must be there."""
    try:
        yield
    except OSError as error:
        raise Refused(
            f"cannot {ask.what}: cannot read {error.filename} ({error.strerror})", "mend that, then " + AGAIN
        ) from None
