"""What a registry holds: repositories with blobs, manifests and tags, and uploads that go on.

Facts are documents of the store, bytes are files: `content/<repository>/<digest>`, renamed there when they are whole.
Each repository has files of its own (a mounted blob is a hard link), so that one can be spoilt alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.sandbox.serving.store import Json, Store

PIECE = 1 << 20
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True)
class Holdings:
    """The registry's state below `folder`; a repository is a number, found by `repository` or made by `made`."""

    folder: Path
    store: Store

    def repository(self, name: str) -> int | None:
        found = self.store.find("repository", name)
        return found["id"] if found else None

    def made(self, name: str) -> int:
        """The repository, made if it is new: a registry asks nobody whether there shall be one."""
        with self.store.transaction():
            found = self.store.find("repository", name) or self.store.add("repository", {"name": name}, key=name)
        number: int = found["id"]
        return number

    def repositories(self) -> list[str]:
        return sorted(one["name"] for one in self.store.all("repository"))

    # Blobs and manifests, by digest

    def path(self, repo: int, digest: str) -> Path:
        """Where the bytes are, or will be."""
        return self.folder / "content" / str(repo) / digest.replace(":", "-")

    def blob(self, repo: int, digest: str) -> Json | None:
        return self.store.find("blob", digest, repo)

    def manifest(self, repo: int, digest: str) -> Json | None:
        return self.store.find("manifest", digest, repo)

    def manifests(self, repo: int) -> list[Json]:
        return self.store.all("manifest", repo)

    def keep(self, repo: int, digest: str, file: Path) -> None:
        """Make a whole file, whose digest this is, a blob of the repository."""
        size = file.stat().st_size
        self._move(file, self.path(repo, digest))
        self.store.put("blob", digest, {"digest": digest, "size": size}, repo)

    def mount(self, source: int, repo: int, digest: str) -> bool:
        """Whether another repository has the blob; then this one has it, too."""
        if self.blob(source, digest) is None:
            return False
        linked = self.spare()
        os.link(self.path(source, digest), linked)
        self.keep(repo, digest, linked)
        return True

    def keep_manifest(self, repo: int, digest: str, content: bytes, facts: Json, tag: str) -> None:
        """A manifest's exact bytes, and the tag that now names it ("" for none)."""
        file = self.spare()
        file.write_bytes(content)
        self._move(file, self.path(repo, digest))
        with self.store.transaction():
            self.store.put("manifest", digest, {**facts, "digest": digest, "size": len(content)}, repo)
            if tag:
                self.tag(repo, tag, digest)

    def drop(self, kind: str, repo: int, digest: str) -> bool:
        """Remove a blob or a manifest, and the tags on it; whether it was there."""
        with self.store.transaction():
            found = self.store.find(kind, digest, repo)
            if found is None:
                return False
            self.store.remove(found["id"])
            if kind == "manifest":
                for tag in self.store.all("tag", repo, digest=digest):
                    self.store.remove(tag["id"])
        self.path(repo, digest).unlink(missing_ok=True)
        return True

    def corrupt(self, repo: int, digest: str) -> None:
        """Flip the last bit of the bytes under this digest; those of other repositories stay as they are."""
        path, file = self.path(repo, digest), self.spare()
        with path.open("rb") as whole, file.open("wb") as out:
            while piece := whole.read(PIECE):
                out.write(piece)
            out.seek(-1, os.SEEK_END)
            whole.seek(-1, os.SEEK_END)
            out.write(bytes([whole.read(1)[0] ^ 1]))
        os.replace(file, path)

    # Tags

    def tag(self, repo: int, tag: str, digest: str) -> None:
        self.store.put("tag", tag, {"tag": tag, "digest": digest}, repo)

    def untag(self, repo: int, tag: str) -> bool:
        """Remove a tag alone; whether it was there."""
        with self.store.transaction():
            found = self.store.find("tag", tag, repo)
            if found:
                self.store.remove(found["id"])
        return found is not None

    def tags(self, repo: int) -> dict[str, str]:
        """Every tag and the digest it names, in the order that the API lists them."""
        return {one["tag"]: one["digest"] for one in sorted(self.store.all("tag", repo), key=lambda one: one["tag"])}

    def digest(self, repo: int, reference: str) -> str:
        """The digest that a tag or a digest names, "" where there is no such manifest."""
        if not DIGEST.fullmatch(reference):
            tagged = self.store.find("tag", reference, repo)
            reference = tagged["digest"] if tagged else ""
        return reference if self.manifest(repo, reference) else ""

    # Uploads

    def begin(self, repo: int) -> str:
        """A new upload; its name."""
        name = str(uuid.uuid4())
        self.upload_path(name).touch()
        self.store.add("upload", {"name": name}, repo, name)
        return name

    def upload(self, repo: int, name: str) -> Json | None:
        return self.store.find("upload", name, repo)

    def upload_path(self, name: str) -> Path:
        folder = self.folder / "uploads"
        folder.mkdir(exist_ok=True)
        return folder / name

    def end(self, repo: int, name: str) -> None:
        """Forget an upload, and what it left."""
        found = self.upload(repo, name)
        if found:
            self.store.remove(found["id"])
        self.upload_path(name).unlink(missing_ok=True)

    def spare(self) -> Path:
        """A new name for a file that is not whole yet."""
        return self.upload_path(f"part-{uuid.uuid4()}")

    def _move(self, file: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, path)


def computed(file: Path, algorithm: str) -> str:
    """The digest of a file's bytes, by `sha256` or `sha512`."""
    found = hashlib.new(algorithm)
    for piece in _pieces(file):
        found.update(piece)
    return f"{algorithm}:{found.hexdigest()}"


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(PIECE):
            yield piece


def referred(document: Any) -> tuple[list[str], list[str]]:
    """The digests of the blobs and of the manifests that a manifest needs; ValueError where its form is wrong.

    A layer with `urls` may live elsewhere, and the `subject` may come later.
    """
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:
        raise ValueError("it is no object with schemaVersion 2")
    if "manifests" in document:
        return [], [_descriptor(one) for one in _list(document, "manifests")]
    if "config" not in document:
        raise ValueError("it has neither config nor manifests")
    layers = [_descriptor(one) for one in _list(document, "layers") if not (isinstance(one, dict) and one.get("urls"))]
    return [_descriptor(document["config"]), *layers], []


def _list(document: Any, name: str) -> list[Any]:
    found = document.get(name)
    if not isinstance(found, list):
        raise ValueError(f"{name} is no list")
    return found


def _descriptor(value: Any) -> str:
    digest = value.get("digest") if isinstance(value, dict) else None
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise ValueError("a descriptor has no digest")
    return digest
