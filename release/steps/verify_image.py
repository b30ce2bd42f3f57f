"""Verify an image: everything below its tag in a registry, fetched and compared. It looks, and never acts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from release.core.finding import Done, Failed, Finding
from release.core.images import noted_image
from release.core.model import BuiltImage, ImageWish, Release
from release.core.oci import Descriptor, Document, ImageManifest, normal, platform_of
from release.core.record import MANIFEST, Record
from release.core.reference import Reference
from release.core.verification import images_in
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Registry
from release.steps.verify import manifest_of


class Wrong(Exception):
    """What is not as it should be, in words."""


@dataclass(frozen=True, eq=False)
class VerifyImage(Step[str]):
    """One image in one registry: its index is the one that the record and the manifest name, it holds exactly the wanted
    platforms, and each blob has the bytes that its digest says. Its value is the index's digest.
    """

    release: Release
    wish: ImageWish
    target: Reference
    record: Record | None
    forge: Forge | None
    registry: Registry

    def inspect(self, known: Known) -> Finding[str]:
        try:
            index = self._index()
            sizes = [size for child in index.index().manifests for size in self._manifest(child)]
        except Wrong as wrong:
            return Failed(str(wrong))
        return Done(index.digest, f"{index.digest[:19]}, {len(sizes)} blobs with {sum(sizes)} bytes")

    def apply(self, known: Known, say: Say) -> None:
        raise Refused("a verification only looks")

    def _index(self) -> Document:
        """The index, if it is the one that was made, with the platforms that were asked for."""
        found = self.registry.document(self.target)
        if found is None:
            raise Wrong(f"missing: {self.target} is not there")
        for who, image in self._told():
            if found.digest != image.digest:
                raise Wrong(f"{self.target} is {found.digest[:19]}, and {who} says {image.digest[:19]}")
        if not found.is_index:
            raise Wrong(f"{self.target} is no index for several platforms")
        there = {normal(child.platform) for child in _children(found) if child.platform is not None}
        wanted = {normal(platform_of(one)) for one in self.wish.platforms}
        if there != wanted:
            words = [
                f"{verb} {', '.join(sorted(of))}"
                for verb, of in (("lacks", wanted - there), ("has also", there - wanted))
                if of
            ]
            raise Wrong(f"{self.target} {' and '.join(words)}")
        return found

    def _told(self) -> Iterator[tuple[str, BuiltImage]]:
        """Who says what the image is."""
        if (noted := noted_image(self.record, self.wish)) is not None:
            yield "the record", noted
        manifest = manifest_of(self.forge, self.release.tag) if self.forge is not None and self.record is None else None
        for image in images_in(manifest) or ():
            if image.name == self.wish.name:
                yield MANIFEST, image

    def _manifest(self, child: Descriptor) -> Iterator[int]:
        """Each blob of one platform's image compared; their sizes."""
        found = self.registry.document(self.target, child.digest)
        if found is None:
            raise Wrong(f"missing: {child.digest[:19]}, which {self.target} holds for {child.platform}")
        try:
            manifest: ImageManifest = found.manifest()
        except ValueError as error:
            raise Wrong(f"{child.digest[:19]} is no manifest ({error})") from error
        for blob in (manifest.config, *manifest.layers):
            self._compared(blob)
            yield blob.size

    def _compared(self, blob: Descriptor) -> None:
        algorithm, _, wanted = blob.digest.partition(":")
        told, size = hashlib.new(algorithm), 0
        for piece in self.registry.blob(self.target, blob.digest):
            told.update(piece)
            size += len(piece)
        if (told.hexdigest(), size) != (wanted, blob.size):
            why = f"{told.hexdigest()[:12]} with {size} bytes, not {wanted[:12]} with {blob.size}"
            raise Wrong(f"a blob of {self.target} has {algorithm} {why}")


def _children(index: Document) -> tuple[Descriptor, ...]:
    try:
        return index.index().manifests
    except ValueError as error:
        raise Wrong(f"{index.digest[:19]} is no index ({error})") from error
