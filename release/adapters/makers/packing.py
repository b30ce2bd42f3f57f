"""Archives that have the same bytes whenever and wherever they are packed: of tar, gzip and zip only what is said here.

Files in the order of their names, owner 0 without a name, modes 644 and 755, one time for all, no folders of their own,
PAX headers only where a name or a size needs one; a gzip header without name and time. Nothing is held whole.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from release.core.commits import plain
from release.errors import Refused

PIECE = 1 << 20  # bytes
LEVEL = 6  # gzip's own: 9 takes twice the time for a hundredth of the size
ZIP_FROM, ZIP_UPTO = 315532800, 4354819198  # 1980 and 2107: what a zip file can say of a time
Going = Callable[[], None]


@dataclass(frozen=True)
class Member:
    """A file in an archive: its name there, where it is, and whether it is a program."""

    name: str
    place: Path
    program: bool = False


def tarball(members: Iterable[Member], target: Path, epoch: int, going: Going) -> None:
    """Write a tar file, through gzip where its name does not end in `.tar`; `epoch` is every file's time."""
    with _stream(target) as stream, tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in _ordered(members):
            with member.place.open("rb") as file:
                info = _info(member.name, member.program, epoch)
                info.size = member.place.stat().st_size
                archive.addfile(info, cast("IO[bytes]", _Watched(file, going)))


def zipped(members: Iterable[Member], target: Path, epoch: int, going: Going) -> None:
    """Write a zip file; its times have no zone, and are UTC."""
    moment = time.gmtime(min(max(epoch, ZIP_FROM), ZIP_UPTO))[:6]
    with zipfile.ZipFile(target, "w") as archive:
        for member in _ordered(members):
            info = zipfile.ZipInfo(member.name, moment)
            info.create_system, info.compress_type = 3, zipfile.ZIP_DEFLATED  # 3: modes are Unix's
            info.external_attr = (0o100755 if member.program else 0o100644) << 16
            info.file_size = member.place.stat().st_size  # by this it is known whether it needs 64 bits
            with member.place.open("rb") as file, archive.open(info, "w") as into:
                shutil.copyfileobj(cast("IO[bytes]", _Watched(file, going)), into, PIECE)


def settled(sdist: Path, epoch: int, going: Going) -> None:
    """Pack a `.tar.gz` of files, folders and links anew, in place. Refused where it holds anything else, or names that leave it."""
    with tempfile.TemporaryFile(dir=sdist.parent) as plain_tar:
        with gzip.open(sdist) as packed:
            shutil.copyfileobj(cast("IO[bytes]", _Watched(packed, going)), plain_tar, PIECE)
        plain_tar.seek(0)
        with (
            tarfile.open(fileobj=plain_tar) as old,
            _stream(sdist) as stream,
            tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as new,
        ):
            members = {member.name: member for member in old}  # of two with one name, the last is what is unpacked
            for _, member in sorted(members.items()):
                _copy(old, member, new, epoch, going)


def _copy(old: tarfile.TarFile, member: tarfile.TarInfo, new: tarfile.TarFile, epoch: int, going: Going) -> None:
    parts = member.name.split("/")
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()) or ".." in parts or not parts[0]:
        why = f"the sdist holds {plain(member.name, 100)}, which no sdist may hold"
        raise Refused(why, "mend what its build backend packs")
    info = _info(member.name, bool(member.mode & 0o100), epoch)
    if member.isdir() or member.issym():
        info.type, info.linkname = member.type, member.linkname
        info.mode = 0o777 if member.issym() else 0o755
        new.addfile(info)
        return
    file = old.extractfile(member)  # of a hard link: what it leads to
    assert file is not None, "it is a file"
    info.size = (old.getmember(member.linkname) if member.islnk() else member).size
    new.addfile(info, cast("IO[bytes]", _Watched(file, going)))


def _ordered(members: Iterable[Member]) -> list[Member]:
    return sorted(members, key=lambda member: member.name)


def _info(name: str, program: bool, epoch: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mtime, info.mode = epoch, 0o755 if program else 0o644
    return info


@contextmanager
def _stream(target: Path) -> Iterator[IO[bytes]]:
    with target.open("wb") as file:
        if target.name.endswith(".tar"):
            yield file
            return
        with gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed:
            yield cast("IO[bytes]", packed)


class _Watched:
    """A file that is read no further where everything is to end."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, going: Going) -> None:
        self._file, self._going = file, going

    def read(self, size: int = -1) -> bytes:
        self._going()
        return self._file.read(size)
