"""Verify an image: everything below its tag in a registry, fetched and compared. It looks, and never acts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from release.core.finding import Done, Failed, Finding
from release.core.oci import Descriptor, Document, ImageManifest, normal, platform_of
from release.core.record import MANIFEST
from release.core.reference import Reference
from release.core.verification import images_in
from release.engine.step import Known, Say, Step
from release.errors import Refused, Unseen
from release.ports import Registry, Shown
from release.steps.verify import manifest_of

UNKNOWN = "unknown/unknown"  # what BuildKit calls the platform of an attestation in an index


class Wrong(Exception):
    """What is not as it should be, in words."""


class Beside(NamedTuple):
    """A file about an image: its artifact type, its name, and the SHA-256 (hex) that it was made with."""

    kind: str
    file: str
    sha256: str


@dataclass(frozen=True, eq=False)
class VerifyImage(Step[str]):
    """One image in one registry: it is the one that the record and the manifest name, it holds exactly the wanted
    platforms, and each blob has the bytes that its digest says. Its value is its digest.

    `told` is who says which digest it has. Where nobody does, the manifest that the `forge`, or a folder, has may: under `name`, for `tag`.
    `beside` is what is said about it in its registry.
    """

    target: Reference
    platforms: tuple[str, ...]
    told: tuple[tuple[str, str], ...]
    registry: Registry
    forge: Shown | None = None
    tag: str = ""
    name_there: str = ""
    beside: tuple[Beside, ...] = ()

    def inspect(self, known: Known) -> Finding[str]:
        try:
            found = self._found()
            sizes = list(self._sizes(found))
            for one in self.beside:
                self._said(found, one)
        except Wrong as wrong:
            return Failed(str(wrong))
        return Done(
            found.digest,
            f"{found.digest[:19]}, {len(sizes)} blobs with {sum(sizes)} bytes{''.join(f', {one.file}' for one in self.beside)}",
        )

    def apply(self, known: Known, say: Say) -> None:
        raise Refused("a verification only looks")

    def _found(self) -> Document:
        """The image, if it is the one that was made, with the platforms that were asked for."""
        found = self.registry.document(self.target)
        if found is None:
            raise Wrong(f"missing: {self.target} is not there")
        for who, digest in self.told or by_manifest(self.forge, self.tag, self.name_there, self.target):
            if found.digest != digest:
                raise Wrong(f"{self.target} is {found.digest[:19]}, and {who} says {digest[:19]}")
        there = {normal(child.platform) for child in _children(found) if child.platform is not None} - {UNKNOWN}
        wanted = {normal(platform_of(one)) for one in self.platforms}
        if wanted and there != wanted and (found.is_index or len(wanted) > 1):
            sides = (("lacks", wanted - there), ("has also", there - wanted))
            words = [f"{verb} {', '.join(sorted(of))}" for verb, of in sides if of]
            raise Wrong(f"{self.target} {' and '.join(words)}")
        return found

    def _sizes(self, found: Document) -> Iterator[int]:
        """Each blob of an image compared; their sizes."""
        if not found.is_index:
            yield from self._blobs(found)
        for child in _children(found):
            under = self.registry.document(self.target, child.digest)
            if under is None:
                raise Wrong(f"missing: {child.digest[:19]}, which {self.target} holds for {child.platform}")
            yield from self._blobs(under)

    def _said(self, image: Document, wanted: Beside) -> None:
        """A file lies beside the image, with the bytes that were made."""
        for one in self.registry.referrers(self.target, image.digest):
            about = self.registry.document(self.target, one.digest) if one.artifactType == wanted.kind else None
            held = _manifest(about).layers if about is not None else ()
            if blob := next((layer for layer in held if layer.digest == f"sha256:{wanted.sha256}"), None):
                return self._compared(blob, one.digest)
        raise Wrong(f"missing: {wanted.file} with sha256 {wanted.sha256[:12]} is not beside {self.target}")

    def _blobs(self, found: Document) -> Iterator[int]:
        manifest = _manifest(found)
        for blob in (manifest.config, *manifest.layers):
            if not blob.urls:  # what lies elsewhere is not this registry's
                self._compared(blob, found.digest)
                yield blob.size

    def _compared(self, blob: Descriptor, holder: str) -> None:
        """A blob's bytes are those of its digest; `holder` is the digest of the manifest that names it."""
        algorithm, _, wanted = blob.digest.partition(":")
        told, size = hashlib.new(algorithm), 0
        try:
            for piece in self.registry.blob(self.target, blob.digest):
                told.update(piece)
                size += len(piece)
        except Unseen:
            if blob.digest in self.registry.missing(self.target, holder):
                raise Wrong(f"missing: {blob.digest[:19]}, a blob of {self.target}") from None
            raise
        if (told.hexdigest(), size) != (wanted, blob.size):
            why = f"{told.hexdigest()[:12]} with {size} bytes, not {wanted[:12]} with {blob.size}"
            raise Wrong(f"a blob of {self.target} has {algorithm} {why}")


def by_manifest(shown: Shown | None, tag: str, name: str, image: Reference) -> Iterator[tuple[str, str]]:
    """What a release's own manifest says of an image that it calls `name`, where there is no record."""
    manifest = manifest_of(shown, tag) if shown is not None else None
    for one in images_in(manifest) or ():
        if one.name == name and one.tag in ("", image.tag):
            yield MANIFEST, one.digest


def _manifest(found: Document) -> ImageManifest:
    try:
        return found.manifest()
    except ValueError as error:
        raise Wrong(f"{found.digest[:19]} is no manifest ({error})") from error


def _children(index: Document) -> tuple[Descriptor, ...]:
    if not index.is_index:
        return ()
    try:
        return index.index().manifests
    except ValueError as error:
        raise Wrong(f"{index.digest[:19]} is no index ({error})") from error
