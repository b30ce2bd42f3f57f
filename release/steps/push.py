"""Push: an image in a registry by its digest, under a tag that nobody follows; and then its version tag, which is a fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway, compare
from release.core.forge import PACE
from release.core.images import described
from release.core.model import Release
from release.core.record import Proof, Record
from release.core.reference import Reference
from release.engine.step import Known, Say, Step
from release.ports import Images, Ledger, Registry
from release.steps.image import BuildImage, image_of


@dataclass(frozen=True, eq=False)
class PushImage(Step[str]):
    """Everything of an image in one registry. Its value is the digest of the index there.

    `staging` is a workspace: what it names may change until the release is public. That somebody else made the version's
    tag meanwhile is seen here, before anything is public.
    """

    release: Release
    target: Reference
    staging: str
    build: BuildImage
    ledger: Ledger
    images: Images
    registry: Registry

    means = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        why = self.registry.lacks_push(self.target) if self.build.mine else ""
        return (Conflict("registry-right", why, f"run `docker login {self.target.registry}`"),) if why else ()

    def inspect(self, known: Known) -> Finding[str]:
        image = image_of(self.build, known, self.ledger.latest(self.release))
        if not self.build.mine:
            waits = f"the run of {self.release.tag} pushes it"
            return Done(image.digest, described(image)) if image and self._there(image.digest) else Underway(waits)
        if image is None:
            return Pending(f"push it to {self.target.registry}/{self.target.name}")
        if (found := self.registry.digest(str(self.target))) not in ("", image.digest):
            return Blocked(taken(self.target, found, image.digest))
        if self._there(image.digest):
            return Done(
                image.digest, f"{described(image)}, as {self.target.registry}/{self.target.name}:{self.staging}"
            )
        return Pending(f"push {image.digest[:19]} to {self.target.registry}/{self.target.name}")

    def apply(self, known: Known, say: Say) -> None:
        self.registry.push(self.images.layout, known[self.build].digest, self._staged, say)

    def _there(self, digest: str) -> bool:
        return self.registry.digest(str(self._staged)) == digest and not self.registry.missing(self._staged, digest)

    @property
    def _staged(self) -> Reference:
        return msgspec.structs.replace(self.target, tag=self.staging)


@dataclass(frozen=True, eq=False)
class TagImage(Step[str]):
    """The version tag of an image in one registry, after the tag in git. Its value is the digest that it names.

    `said` is what has been said about the image there before anybody looks at it. Of a release that no record tells of,
    what is there can only be compared with what is built.
    """

    release: Release
    target: Reference
    begin: Step[Record]
    land: Step[str]
    build: BuildImage
    push: PushImage
    said: tuple[Step[Any], ...]
    ledger: Ledger
    registry: Registry

    public = True
    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def inspect(self, known: Known) -> Finding[str]:
        record = self.ledger.latest(self.release)
        image, found = image_of(self.build, known, record), self.registry.digest(str(self.target))
        if found and record is None and known.get(self.land) is not None:
            return Done(found, f"{found[:19]}, as it was found")
        if not self.build.mine and (image is None or found != image.digest):
            return Underway(f"the run of {self.release.tag} tags it")
        if found and image is None and record is not None and not record.tip:
            return Pending(f"build it, and compare it with {self.target}")
        wanted = image.digest if image is not None else ""
        foreign = taken(self.target, found, wanted)
        finding = compare(found or None, before=None, after=wanted, pending=f"tag it {self.target}", foreign=foreign)
        return Done(wanted, f"{wanted[:19]}") if isinstance(finding, Done) else finding

    def apply(self, known: Known, say: Say) -> None:
        self.registry.tag(self.target, known[self.push])
        self.ledger.note(known[self.begin], {self.name: Proof(digest=known[self.push])})


def taken(target: Reference, found: str, wanted: str) -> Conflict:
    """Somebody else's image under a version's tag; `wanted` is the digest of ours, "" while nobody knows it."""
    why = f"{target} is {found[:19]}, not {wanted[:19] or 'ours'}"
    return Conflict(
        "image-differs", why, "a version tag is never moved: find out who made it, and take the next version"
    )
