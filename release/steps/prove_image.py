"""Proof of an image: whoever pulls it by its tag gets the one that was made, on every platform, with all that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from release.core.commits import plain
from release.core.finding import Done, Finding
from release.core.image_list import same
from release.core.images import lacking_platforms
from release.core.oci import Document
from release.core.reference import Reference
from release.ports import Registry, Shown
from release.steps.proving import Proves, some
from release.steps.pullable import configured
from release.steps.verify_image import by_manifest

LONGEST = 40
"""So much of a platform's name is told: it is whatever somebody pushed."""


@dataclass(frozen=True, eq=False)
class ProveImage(Proves):
    """One image in one registry, for all `platforms`, () for whatever it is for. Nothing is pulled: what it holds is asked for.

    `told` is who says which digest it has; where nobody does, the release's own manifest may, in `shown` under `name_there`.
    """

    image: Reference
    platforms: tuple[str, ...]
    told: tuple[tuple[str, str], ...]
    registry: Registry
    remedy: str
    shown: Shown | None = None
    name_there: str = ""

    def looked(self) -> Finding[str]:
        document = self.registry.document(self.image)
        if document is None:
            return self.unproved(f"there is no image {self.image}", self.remedy)
        told = self.told or tuple(by_manifest(self.shown, self.release.tag, self.name_there, self.image))
        other = [f"{who} says {digest[:19]}" for who, digest in told if digest != document.digest]
        if other:
            return self.unproved(f"{self.image} is {document.digest[:19]}, and {some(other)}", self.remedy)
        if lacks := list(self._lacks(document)):
            return self.unproved(f"{self.image} lacks {some(lacks)}", self.remedy)
        held = f" for {', '.join(self.platforms)}" if self.platforms else ""
        return Done(f"{self.image}@{document.digest}{held}", f"{document.digest[:19]}{held}")

    def _lacks(self, document: Document) -> Iterator[str]:
        """What keeps it from being pulled: platforms that it does not have, and parts that are not there."""
        gone = self.registry.missing(self.image, document.digest)
        if document.is_index:
            yield from lacking_platforms(document, self.platforms)
            yield from (list(self._below(document)) or [some(gone)]) if gone else ()
        elif gone:
            yield some(gone)
        else:
            yield from self._alone(document)

    def _below(self, index: Document) -> Iterator[str]:
        """Which platforms cannot be pulled, and what they are without."""
        for child in index.index().manifests:
            if gone := self.registry.missing(self.image, child.digest):
                who = plain(str(child.platform or child.digest), LONGEST)
                yield f"{who} (without {some(gone)})"

    def _alone(self, manifest: Document) -> Iterator[str]:
        """An image for one platform tells which in its configuration."""
        if not self.platforms:
            return
        try:
            platform = configured(self.registry, self.image, manifest.manifest().config)
        except ValueError as error:
            yield f"a configuration that can be read ({plain(str(error), 200)})"
            return
        yield from (one for one in self.platforms if not same(platform, one))
