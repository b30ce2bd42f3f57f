"""What this machine keeps: the cache under `.release/`, and directories that take artifacts. Nothing is overwritten there."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from release.adapters.folder import Folder
from release.errors import Refused, Unseen

CHUNK = 1 << 20
PART = ".part-"
STALE = 3600  # seconds


class Disk:
    """`cache` is `.release/`: delete it and nothing is lost."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def recall(self, *key: str) -> str | None:
        """A value this machine remembers."""
        try:
            return self._cache.joinpath("memory", *map(safe, key)).read_bytes().decode()
        except (OSError, UnicodeDecodeError):  # a cache: what cannot be read is not remembered
            return None

    def remember(self, value: str, *key: str) -> None:
        """Keep a value for later runs on this machine."""
        target = self._cache.joinpath("memory", *map(safe, key))
        with complaining(target), _beside(target) as part:
            part.write_bytes(value.encode())
            part.replace(target)

    def node(self) -> str:
        """A random name of this machine's cache, the same until the cache is deleted."""
        name = self.recall("node")
        if name is None:
            self.remember(name := secrets.token_hex(8), "node")
        return name

    def keep(self, source: Path) -> tuple[str, int]:
        """Copy a file into the store, under its digest; SHA-256 (hex) and size (bytes)."""
        try:
            file = source.open("rb")
        except OSError as error:
            raise Refused(f"cannot read {source}: {error.strerror}", "run the same command again") from error
        with file:
            told = self.take(iter(lambda: file.read(CHUNK), b""))
            if os.fstat(file.fileno()).st_mode & 0o100:  # a program stays one
                (self._store / told[0]).chmod(0o755)
        return told

    def take(self, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Write what comes in pieces into the store, under its digest; SHA-256 (hex) and size (bytes)."""
        with complaining(self._store), _beside(self._store / "new") as part:
            told, size = hashlib.sha256(), 0
            with part.open("wb") as copy:
                for piece in pieces:
                    copy.write(piece)
                    told.update(piece)
                    size += len(piece)
                copy.flush()
                os.fsync(copy.fileno())
            part.chmod(0o644)
            part.replace(self._store / told.hexdigest())
        return told.hexdigest(), size

    def kept(self, sha256: str) -> Path | None:
        """The file with this digest (hex) in the store, None where it is not there."""
        place = self._store / sha256
        return place if re.fullmatch(r"[0-9a-f]{64}", sha256) and place.is_file() else None

    @property
    def _store(self) -> Path:
        return self._cache / "files" / "sha256"

    def digest(self, path: Path) -> tuple[str, int] | None:
        """SHA-256 (hex) and size (bytes) of a file, None where there is none."""
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unseen(
                f"cannot read {path}: {error.strerror}", "mend that, then run the same command again"
            ) from error

    def text(self, path: Path) -> str | None:
        """A small file's text, None where there is none."""
        try:
            return path.read_bytes().decode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise Unseen(f"cannot read {path}: {error}", "mend that, then run the same command again") from error

    def place(self, source: Path, target: Path) -> None:
        """Copy a file to where nothing is yet, all or nothing; Refused where something else is."""
        with complaining(target), _beside(target) as part:
            with source.open("rb") as origin, part.open("wb") as copy:
                shutil.copyfileobj(origin, copy, CHUNK)
                copy.flush()
                os.fsync(copy.fileno())
            part.chmod(source.stat().st_mode & 0o777)
            self._link(part, target)

    def lay(self, source: Path, target: Path) -> None:
        """Copy a file to where an older one of that name may be, all or nothing."""
        with complaining(target), _beside(target) as part:
            shutil.copyfile(source, part)
            part.chmod(source.stat().st_mode & 0o777)
            part.replace(target)

    def write(self, text: str, target: Path) -> None:
        """Write a text to where nothing is yet, all or nothing; Refused where something else is."""
        with complaining(target), _beside(target) as part:
            with part.open("w", encoding="utf-8", newline="") as copy:
                copy.write(text)
                copy.flush()
                os.fsync(copy.fileno())
            part.chmod(0o644)
            self._link(part, target)

    def rewrite(self, old: str, new: str, target: Path) -> None:
        """Put a text in the place of the one that was looked at, all or nothing; Refused where the file says another by now."""
        real = target.resolve()
        with complaining(target), _beside(real) as part:
            with part.open("w", encoding="utf-8", newline="") as copy:
                copy.write(new)
                copy.flush()
                os.fsync(copy.fileno())
            part.chmod(real.stat().st_mode & 0o777)
            if real.read_bytes() != old.encode():
                raise Refused(f"{target} was changed while it was looked at", "run the same command again")
            part.replace(real)

    def _link(self, part: Path, target: Path) -> None:
        """Give a finished file its name. The same bytes under it already are somebody who walked along: that is fine."""
        try:
            os.link(part, target)
        except FileExistsError:
            if not target.is_file() or self.digest(part) != self.digest(target):
                raise

    def names(self, folder: Path) -> frozenset[str] | None:
        """The names in a folder, None where there is no folder; what is half written has a leading dot."""
        try:
            return frozenset(name for name in os.listdir(folder) if not name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):  # what stands in the way is named by `unwritable`
            return None
        except OSError as error:
            raise Unseen(
                f"cannot read {folder}: {error.strerror}", "mend that, then run the same command again"
            ) from error

    def shown(self, folder: Path) -> Folder:
        """The files of a folder, as a release shows them; a folder that is not there is no release."""
        return Folder(folder)

    def unwritable(self, folder: Path) -> str:
        """Why a folder cannot take files, "" if it can; nothing is made."""
        there = next(place for place in (folder, *folder.parents) if place.exists() or place.is_symlink())
        if not there.is_dir():
            return f"{there} is a file" if there.exists() else f"{there} is a link to nowhere"
        return "" if os.access(there, os.W_OK | os.X_OK) else f"no right to write in {there}"


@contextmanager
def complaining(target: Path) -> Iterator[None]:
    """The system's errors as ours."""
    try:
        yield
    except FileExistsError as error:
        if not os.path.lexists(target):  # its folder is a file
            raise Refused(f"cannot write {target}: {error.filename} is in the way", "move it away") from error
        raise Refused(
            f"{target} exists already", "nothing is ever overwritten: move it away, or take another version"
        ) from error
    except OSError as error:
        raise Refused(
            f"cannot write {target}: {error.strerror}", "mend that, then run the same command again"
        ) from error


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A hidden file beside the target, gone afterwards; what a killed run left there a while ago goes, too.

    How long ago is told by the disk's own clock: this machine's may be another, and a thread beside us is at work.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=PART, dir=target.parent)
    now = os.fstat(handle).st_mtime
    os.close(handle)
    for left in target.parent.glob(f"{PART}*"):
        with suppress(OSError):
            if now - left.stat().st_mtime > STALE:
                left.unlink()
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def safe(name: str) -> str:
    """A name as one part of a path, whatever is in it."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-+") else "_" for c in name)[:60].lstrip(".")
    taken = re.search(r"-[0-9a-f]{16}$", name)  # a name of this form is ours to give
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return kept if kept and kept == name and not taken else f"{kept}-{digest}"
