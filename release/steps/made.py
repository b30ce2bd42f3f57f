"""What a release makes before anybody sees it: files, images, and what is said of them; the steps, each after what it needs."""

from __future__ import annotations

from typing import Any

from release.core import provenance
from release.core.images import staging_tag, step_of
from release.core.model import ArtifactWish, Release
from release.core.record import Record
from release.core.reference import Reference
from release.engine.step import Step
from release.steps.attach import Attach
from release.steps.attest import MakeProvenance, MakeSbom
from release.steps.build import Build, Making
from release.steps.doors import Doors
from release.steps.image import BuildImage
from release.steps.push import PushImage, TagImage
from release.steps.supply import Supply

PROVENANCE, SBOM = "application/vnd.dsse.envelope.v1+json", "application/vnd.cyclonedx+json"
"""The artifact types of what lies beside an image."""


def builds_of(doors: Doors, release: Release, begin: Step[Record], tag: tuple[Step[Any], ...]) -> tuple[Making, ...]:
    """The builds of the configuration, each after those that it is made of."""
    made: dict[str, Build] = {}
    left = list(release.artifacts)
    while left:
        ready = [wish for wish in left if all(name in made for name in wish.artifacts)]
        assert ready, "artifacts that are made of each other are refused with the configuration"
        for wish in ready:
            parts = tuple(dict.fromkeys(made[name] for name in wish.artifacts))
            made |= dict.fromkeys(wish.makes, _build(doors, release, wish, begin, tag, parts))
        left = [wish for wish in left if wish not in ready]
    return tuple(dict.fromkeys(made[name] for name in release.files))


def images_of(
    doors: Doors, release: Release, begin: Step[Record], tag: tuple[Step[Any], ...], builds: tuple[Making, ...]
) -> tuple[BuildImage, ...]:
    """The images, each after the files that lie in its context."""
    makers = {name: build for build in builds for name in build.makes}
    supply, mine = supply_of(doors, release), doors.mine(release.start)
    steps = []
    for wish in release.images:
        parts = tuple(dict.fromkeys(makers[name] for part in wish.parts for name in part.artifacts))
        steps.append(
            BuildImage(
                step_of(wish), release, wish, begin, tag, parts, doors.ledger, supply,
                doors.images, doors.registry, doors.source, mine,
            )
        )  # fmt: skip
    return tuple(steps)


def said_of(
    doors: Doors,
    release: Release,
    begin: Step[Record],
    tag: tuple[Step[Any], ...],
    builds: tuple[Making, ...],
    images: tuple[BuildImage, ...],
) -> tuple[Making, ...]:
    """What a release says of itself: the bill of materials, then the provenance, which is about that one too."""
    common = release, begin, tag, doors.ledger, doors.shelf, supply_of(doors, release), doors.mine(release.start)
    said: tuple[Making, ...] = ()
    if name := release.attest.sbom:
        said = (MakeSbom(f"build {name}", *common, builds, doors.bills),)
    if name := release.attest.provenance:
        making = provenance.Making(
            doors.source or doors.remote.name, doors.builder or provenance.SOMEBODY, doors.invocation
        )
        held = (*builds, *said)
        said = (
            *said,
            MakeProvenance(f"build {name}", *common, held, images, making, doors.signatures, doors.remote),
        )
    return said


def pushes_of(doors: Doors, release: Release, images: tuple[BuildImage, ...]) -> tuple[PushImage, ...]:
    """Each image to each registry that it goes to."""
    return tuple(
        _push(doors, release, build, target, _number(images, build))
        for build in images
        for target in build.wish.targets
    )


def attached_of(
    doors: Doors, release: Release, pushes: tuple[PushImage, ...], files: tuple[Making, ...]
) -> tuple[Attach, ...]:
    """What lies beside each image in its registry: the provenance, and the SBOM."""
    makers = {name: making for making in files for name in making.makes}
    return tuple(
        Attach(
            f"attach {file} to {push.target}", release, push.target, kind, file, push, makers[file],
            doors.ledger, supply_of(doors, release), doors.registry,
        )
        for push in pushes
        for file, kind in said_beside(release)
        if file in makers
    )  # fmt: skip


def said_beside(release: Release) -> tuple[tuple[str, str], ...]:
    """What lies beside each image: the name of a file, and its artifact type."""
    both = (release.attest.provenance, PROVENANCE), (release.attest.sbom, SBOM)
    return tuple((file, kind) for file, kind in both if file)


def tags_of(
    doors: Doors,
    release: Release,
    begin: Step[Record],
    land: Step[str],
    pushes: tuple[PushImage, ...],
    attached: tuple[Attach, ...],
) -> tuple[TagImage, ...]:
    """The version tag of each image in each registry."""
    return tuple(
        TagImage(
            f"tag {push.target}", release, push.target, begin, land, push.build, push,
            tuple(one for one in attached if one.push is push), doors.ledger, doors.registry,
        )
        for push in pushes
    )  # fmt: skip


def supply_of(doors: Doors, release: Release) -> Supply:
    """Where the bytes of what was built are."""
    return Supply(release, doors.ledger, doors.shelf, doors.forge)


def _build(
    doors: Doors,
    release: Release,
    wish: ArtifactWish,
    begin: Step[Record],
    tag: tuple[Step[Any], ...],
    parts: tuple[Making, ...],
) -> Build:
    supply, mine = supply_of(doors, release), doors.mine(release.start)
    return Build(
        f"build {wish.name}", release, begin, tag, doors.ledger, doors.shelf, supply, mine, wish, parts, doors.workshop
    )


def _push(doors: Doors, release: Release, build: BuildImage, target: Reference, number: int) -> PushImage:
    staging = staging_tag(release, number)
    return PushImage(f"push {target}", release, target, staging, build, doors.ledger, doors.images, doors.registry)


def _number(images: tuple[BuildImage, ...], build: BuildImage) -> int:
    """Which of the images of its name an image is."""
    return [one for one in images if one.wish.name == build.wish.name].index(build)
