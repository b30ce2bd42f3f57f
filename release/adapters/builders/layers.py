"""Layers: a tar archive of entries, compressed in parallel; the same entries give the same bytes on every run.

The compressed bytes do not depend on the number of cores: the archive is cut into blocks of one size, and each is
compressed by itself, with the 32 KiB before it as a dictionary (RFC 1951 blocks end on a byte after a sync flush), so that
what comes out is one ordinary gzip member.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import msgspec

from release.errors import Refused

BLOCK = 1 << 19  # bytes that are compressed at once
WINDOW = 1 << 15  # bytes that deflate looks back
LEVEL = 6
SAMPLE = 1 << 14  # bytes of a block that tell whether it can be compressed at all
READ = 1 << 18
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no name, no time, no system (RFC 1952, 2.3)
LAST = b"\x03\x00"  # an empty block that is the last one


Kind = Literal["file", "folder", "link"]


class Entry(msgspec.Struct, frozen=True):
    """A file, a folder or a link of a layer: `path` from the root without a leading /, `size` in bytes.

    `source` is the file with a file's bytes, `link` what a link says.
    """

    path: str
    kind: Kind
    mode: int
    uid: int = 0
    gid: int = 0
    source: str = ""
    size: int = 0
    link: str = ""


def archive(entries: Iterable[Entry], epoch: int) -> Iterator[bytes]:
    """The entries as a tar archive, in pieces: in the order of their paths, all of the time `epoch` (seconds since 1970).

    Headers are POSIX ones; an extended one (PAX) comes only where a name or a number does not fit.
    """
    for entry in sorted(entries, key=lambda one: one.path):
        yield _header(entry, epoch)
        if entry.kind == "file":
            yield from _content(entry)
            yield b"\0" * (-entry.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def gzipped(pieces: Iterable[bytes], workers: int = 0, level: int = LEVEL) -> Iterator[bytes]:
    """Compress what comes in pieces; `workers` threads do it, 0 for one a core. Holds a few blocks at a time."""
    workers = workers or cores()
    crc, size = 0, 0
    waiting: deque[Future[bytes]] = deque()
    yield HEAD
    with ThreadPoolExecutor(workers, "layer") as pool:
        before = b""
        for block in _blocks(pieces):
            crc, size = zlib.crc32(block, crc), size + len(block)
            waiting.append(pool.submit(_deflated, block, before, level))
            before = block[-WINDOW:]
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    yield LAST + crc.to_bytes(4, "little") + (size % (1 << 32)).to_bytes(4, "little")


def cores() -> int:
    """How many of this machine's cores are ours."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _header(entry: Entry, epoch: int) -> bytes:
    folder = entry.kind == "folder"
    head = tarfile.TarInfo(f"{entry.path}/" if folder else entry.path)
    head.type = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}[entry.kind]
    head.mode, head.uid, head.gid, head.mtime = entry.mode, entry.uid, entry.gid, epoch
    head.size, head.linkname = entry.size, entry.link
    return head.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(entry: Entry) -> Iterator[bytes]:
    """A file's bytes; Refused where they are more or less than they were."""
    left = entry.size
    with Path(entry.source).open("rb", buffering=0) as file:
        while piece := file.read(READ):
            left -= len(piece)
            if left < 0:
                break
            yield piece
    if left:
        raise Refused(f"{entry.path} changed while it was read", "run the same command again")


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks of one size."""
    block = bytearray()
    for piece in pieces:
        block += piece
        while len(block) >= BLOCK:
            yield bytes(block[:BLOCK])
            del block[:BLOCK]
    if block:
        yield bytes(block)


def _deflated(block: bytes, before: bytes, level: int) -> bytes:
    press = zlib.compressobj(_level(block, level), zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, before)
    return press.compress(block) + press.flush(zlib.Z_SYNC_FLUSH)


def _level(block: bytes, level: int) -> int:
    """What is compressed already, or random, is stored: a piece from its middle tells."""
    middle = len(block) // 2
    sample = block[middle : middle + SAMPLE]
    return 0 if len(zlib.compress(sample, 1)) > len(sample) * 0.97 else level
