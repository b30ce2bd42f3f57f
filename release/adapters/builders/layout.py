"""An OCI image layout: a folder of blobs by digest, and an index that names some of them (image-spec 1.0, image-layout.md)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from release.adapters.disk import complaining
from release.core.oci import INDEX, LARGEST, MANIFEST, Descriptor, Document, Index, digest_of
from release.errors import Refused

NAME = "org.opencontainers.image.ref.name"
VERSION = b'{"imageLayoutVersion":"1.0.0"}'
BLOCK = 1 << 20
PART = "part-"
STALE = 3600  # seconds: what a killed run left half written


class Layout:
    """The layout in one folder; it is made when something is put there. Blobs are never overwritten.

    What cannot be written is Refused. Several processes may write to one layout at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where a blob is, or would be; ValueError where a text is no digest of SHA-256."""
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            raise ValueError(f"{digest!r} is no digest of SHA-256")
        return self.folder / "blobs" / "sha256" / digest[7:]

    def size(self, digest: str) -> int | None:
        """The bytes of a blob, None where it is not here."""
        try:
            return self.path(digest).stat().st_size
        except (OSError, ValueError):
            return None

    def put(self, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Write a blob as it comes; its digest and size (bytes)."""
        with self._part() as part:
            told, size = hashlib.sha256(), 0
            with part.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
                    told.update(piece)
                    size += len(piece)
                file.flush()
                os.fsync(file.fileno())
            digest = f"sha256:{told.hexdigest()}"
            self._name(part, digest)
        return digest, size

    def write(self, document: Document) -> Descriptor:
        """Put a manifest, an index or a configuration."""
        self.put([document.content])
        return document.descriptor

    def bring(self, digest: str, other: Layout) -> None:
        """Take a blob over from another layout, by a link where they share a file system; Refused where its bytes are others."""
        if self.size(digest) is not None:
            return
        source = other.path(digest)
        try:
            with source.open("rb") as file:
                found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
                os.fsync(file.fileno())
        except OSError as error:
            raise Refused(f"{source} cannot be read: {error.strerror}", "build it again") from error
        if found != digest:
            raise Refused(f"{source} holds {found[:19]}, not what its name says", "build it again")
        with self._part() as part, source.open("rb") as file:
            part.unlink()
            try:
                os.link(source, part)
            except OSError:  # another file system, or one without links
                self.put(iter(lambda: file.read(BLOCK), b""))
            else:
                self._name(part, digest)

    def take(self, digest: str, other: Layout) -> None:
        """Take over a manifest or an index with everything below it, children first."""
        document = other.document(digest)
        if document is None:
            raise Refused(f"{other.folder} has no manifest {digest[:19]}", "build it again")
        for child in below(document):
            if document.is_index:
                self.take(child.digest, other)
            else:
                self.bring(child.digest, other)
        self.bring(digest, other)

    def document(self, digest: str) -> Document | None:
        """A manifest or an index of the layout; None where it is not here, or is none."""
        content = self.small(digest)
        return None if content is None else document_of(content)

    def small(self, digest: str) -> bytes | None:
        """The bytes of a document (a configuration, say), None where it is not here or is larger than a document may be."""
        size = self.size(digest)
        if size is None or size > LARGEST:
            return None
        try:
            content = self.path(digest).read_bytes()
        except OSError:
            return None
        return content if digest_of(content) == digest else None

    def whole(self, digest: str) -> bool:
        """Whether a manifest or an index is here with everything below it: documents by digest, blobs by size."""
        document = self.document(digest)
        if document is None:
            return False
        if document.is_index:
            return all(self.whole(child.digest) for child in below(document))
        return all(self.size(child.digest) == child.size for child in below(document))

    def entries(self) -> tuple[Descriptor, ...]:
        """What `index.json` lists; () where there is none that can be read."""
        try:
            return msgspec.json.decode((self.folder / "index.json").read_bytes(), type=Index).manifests
        except (OSError, ValueError):
            return ()

    def named(self, name: str) -> Descriptor | None:
        """What a name stands for."""
        return next((one for one in self.entries() if one.annotations.get(NAME) == name), None)

    def name(self, name: str, target: Descriptor) -> None:
        """Let a name ("name:tag") stand for a manifest or an index that is here; what had it before keeps its blobs alone."""
        entry = msgspec.structs.replace(target, annotations={NAME: name})
        with self._locked():
            others = [one for one in self.entries() if one.annotations.get(NAME) != name]
            listed = sorted([*others, entry], key=lambda one: (one.annotations.get(NAME, ""), one.digest))
            value = Index(tuple(listed), mediaType=INDEX, schemaVersion=2)
            with self._part() as part:
                part.write_bytes(msgspec.json.encode({"schemaVersion": 2, **msgspec.to_builtins(value)}))
                part.chmod(0o644)
                part.replace(self.folder / "index.json")
                if not (marker := self.folder / "oci-layout").exists():
                    part.write_bytes(VERSION)
                    part.chmod(0o644)
                    part.replace(marker)

    def _name(self, part: Path, digest: str) -> None:
        """Give a finished file its digest as a name; the same bytes under it already are as good."""
        part.chmod(0o644)
        with suppress(FileExistsError):
            os.link(part, self.path(digest))

    @contextmanager
    def _part(self) -> Iterator[Path]:
        """A file beside the blobs, gone afterwards."""
        blobs = self.folder / "blobs" / "sha256"
        with complaining(self.folder):
            blobs.mkdir(parents=True, exist_ok=True)
            _sweep(blobs.parent)
            handle, name = tempfile.mkstemp(prefix=PART, dir=blobs.parent)
            os.close(handle)
            try:
                yield Path(name)
            finally:
                Path(name).unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Only one changes the index at a time. The system lets go of the lock when its holder dies."""
        with complaining(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / ".lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield


def document_of(content: bytes) -> Document | None:
    """Bytes as a manifest or an index, by what they say they are; None where they are neither."""
    try:
        said = msgspec.json.decode(content, type=_Said)
    except ValueError:
        return None
    kind = said.mediaType or (INDEX if bytes(said.manifests) else MANIFEST if bytes(said.layers) else "")
    return Document(kind, content) if kind else None


def below(document: Document) -> tuple[Descriptor, ...]:
    """What an index or a manifest holds; Refused where it cannot be read."""
    try:
        if document.is_index:
            return document.index().manifests
        manifest = document.manifest()
    except ValueError as error:
        raise Refused(f"{document.digest[:19]} is no manifest: {error}", "build it again") from error
    return manifest.config, *manifest.layers


def _sweep(folder: Path) -> None:
    for left in folder.glob(f"{PART}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()


class _Said(msgspec.Struct):
    mediaType: str = ""
    manifests: msgspec.Raw = msgspec.Raw()
    layers: msgspec.Raw = msgspec.Raw()
