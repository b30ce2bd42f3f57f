"""Image tag: users pull a tag that means a channel, and it is moved to what the version's own tag names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from release.core.finding import Conflict
from release.core.promotion import PointWish
from release.core.reference import Reference
from release.errors import Refused, Uncertain, Unseen
from release.ports import Registry
from release.steps.pointing.moved import AGAIN, elsewhere


@dataclass(frozen=True)
class ImagePointer:
    """Its value is the digest that the tag names: an index is moved whole, with every platform, and nothing is copied.

    The distribution API has no compare-and-swap: a tag is put, whatever it names. So it is looked at right before, and
    once more after; of two who move it between those looks, the first finds out and stops.
    """

    wish: PointWish
    registry: Callable[[], Registry]

    @property
    def name(self) -> str:
        return self.wish.name

    def reads(self) -> str:
        return self.registry().digest(str(self._image))

    def wanted(self) -> str | Conflict:
        """The digest of the version's tag, which lies in the same repository."""
        source = self.wish.source
        assert source is not None, "an image's pointer has a source"
        if digest := self.registry().digest(str(source)):
            return digest
        why = f"{self._image} is to be moved to {source}, which is not there"
        return Conflict("no-image", why, "push that image, or mend source of [[channel.point]]")

    def waits(self, old: str, new: str) -> str:
        return ""

    def lacking(self) -> tuple[Conflict, ...]:
        why = self.registry().lacks_push(self._image)
        remedy = f"docker login {self._image.registry}, as somebody who may push there"
        return (Conflict("registry-right", why, remedy),) if why else ()

    def move(self, old: str, new: str, say: Callable[[str], None]) -> None:
        says = self.reads()
        if says == new:
            return
        if says != old:
            raise elsewhere(self.name, says, old)
        if not new:
            raise Refused(f"{self._image} named nothing before, and a tag is not taken away", "delete it by hand")
        self.registry().tag(self._image, new)
        self._look_after(new)

    def _look_after(self, new: str) -> None:
        """Uncertain where it does not say what was put there."""
        try:
            says = self.reads()
        except Unseen as error:
            raise Uncertain(error.message, AGAIN) from error
        if says != new:
            why = f"{self._image} was moved to {new[:19]}, and names {says[:19] or 'nothing'}: somebody else moves it, too"
            raise Uncertain(why, AGAIN)

    @property
    def _image(self) -> Reference:
        assert self.wish.image is not None, "an image's pointer has an image"
        return self.wish.image
