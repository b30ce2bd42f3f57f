"""A gate of kind `images`: whatever a file of the base commit names can be pulled, for each platform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from release.core.commits import plain
from release.core.finding import Blocked, Conflict, Done, Failed, Finding
from release.core.image_list import Named, listed, same
from release.core.model import GateWish, Release
from release.core.oci import Document, Platform
from release.engine.step import Known, Say, Step
from release.errors import Refused, Unseen
from release.ports import Registry, Remote
from release.steps.pullable import configured

AT_ONCE = 8
"""Images that are asked about at the same time."""
SHOWN = 3


@dataclass(frozen=True, eq=False)
class ImagesGate(Step[str]):
    """Its value is the commit whose images are all there: the index, the manifest of each platform, and all below it.

    Registries are asked, not the record: what was there may be gone.
    """

    release: Release
    wish: GateWish
    remote: Remote
    registry: Registry

    means = True

    @property
    def deadline(self) -> float:
        return self.wish.deadline

    def inspect(self, known: Known) -> Finding[str]:
        base = self.release.base
        text = self.remote.file(base, self.wish.list)
        images, wrong = listed(text or "")
        if wrong or not images:
            return Blocked(self._unusable(text, wrong))
        missing = self._missing(images)
        if missing:
            remedy = "push what is missing, or mend the list; then run the same command again"
            return Failed(f"{self.wish.list} at {base[:10]} names what is not there: {'; '.join(missing)}", remedy)
        return Done(base, f"{len(images)} images of {self.wish.list} are there")

    def apply(self, known: Known, say: Say) -> None:
        """Nothing of ours brings an image: what was found stays so."""
        found = self.inspect(known)
        if isinstance(found, Failed):
            raise Refused(found.why, found.remedy)

    def _missing(self, images: tuple[Named, ...]) -> list[str]:
        """Everything that is not there, told at once; Unseen where the rest could not be looked at."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(self._looked, images))
        missing = [one for told, _ in found for one in told]
        unseen = [error for _, error in found if error is not None]
        if unseen and not missing:
            raise unseen[0]
        return [*missing, *(error.message for error in unseen)]

    def _looked(self, one: Named) -> tuple[list[str], Unseen | None]:
        try:
            return list(self._wrong(one)), None
        except Unseen as error:
            return [], error

    def _wrong(self, one: Named) -> Iterator[str]:
        """What is not there of an image."""
        document = self.registry.document(one.image, one.digest)
        if document is None:
            yield one.text
        elif not (document.is_index and self.wish.platforms):
            yield from self._alone(one, document)
        else:
            try:
                entries = document.index().manifests
            except ValueError as error:
                yield _unread(one, error)
                return
            held = [(entry.platform or Platform(), entry.digest) for entry in entries]
            yield from self._each(one, held)

    def _alone(self, one: Named, document: Document) -> Iterator[str]:
        """Of an image for one platform, as its configuration says, or of a whole index."""
        if gone := self.registry.missing(one.image, document.digest):
            yield f"{one.text} (without {_some(gone)})"
        elif self.wish.platforms:
            try:
                platform = configured(self.registry, one.image, document.manifest().config)
            except ValueError as error:
                yield _unread(one, error)
                return
            yield from self._each(one, [(platform, document.digest)])

    def _each(self, one: Named, held: list[tuple[Platform, str]]) -> Iterator[str]:
        """Of the platforms that have to be there."""
        for wanted in self.wish.platforms:
            fitting = [digest for platform, digest in held if same(platform, wanted)]
            if not fitting:
                known = sorted({plain(str(platform), 40) for platform, _ in held} - {""})
                yield f"{one.text} for {wanted} (it is for {', '.join(known) or 'none that it names'})"
            elif gone := self.registry.missing(one.image, fitting[0]):
                yield f"{one.text} for {wanted} (without {_some(gone)})"

    def _unusable(self, text: str | None, wrong: tuple[str, ...]) -> Conflict:
        where = f"{self.wish.list} at {self.release.base[:10]}"
        if text is None:
            return Conflict("bad-images", f"{where} is not there", "write it, one image a line, or mend [[gate]] list")
        if not wrong:
            return Conflict("bad-images", f"{where} names no image", "name one a line, or mend [[gate]] list")
        remedy = "write one image a line, as in registry.example/name:tag or registry.example/name@sha256:..."
        return Conflict("bad-images", f"{where} names what is no image: {'; '.join(wrong)}", remedy)


def _unread(one: Named, error: ValueError) -> str:
    return f"{one.text} (it cannot be read: {plain(str(error), 200)})"


def _some(digests: Sequence[str]) -> str:
    """Some of many digests."""
    shown = ", ".join(digests[:SHOWN])
    return f"{shown} and {len(digests) - SHOWN} more" if len(digests) > SHOWN else shown
