"""What proves that all of a release is out: its files, its images, its components."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from release.core.channel_config import Channel
from release.core.finding import Finding
from release.core.images import noted_image
from release.core.model import DownstreamWish, Release
from release.core.promotion import PointWish
from release.core.record import Proof, Record
from release.core.reference import Reference
from release.engine.step import Known, Step
from release.ports import Shown
from release.steps import downstream_path, shown_of
from release.steps.doors import Doors
from release.steps.prove_assets import ProveAssets, ProveFolder
from release.steps.prove_downstream import ProveDownstream
from release.steps.prove_image import ProveImage


def proofs_of(
    doors: Doors, release: Release, channel: Channel, points: tuple[PointWish, ...] = ()
) -> tuple[Step[str], ...]:
    """The steps that look whether a release is fit for a channel; none of them acts.

    Of the components only those count that the release cannot do without, or that the channel requires. The images that
    `points` are to name count, too, whoever pushed them.
    """
    record, shown = doors.ledger.latest(release), shown_of(doors, release)
    wanted = needed(release, channel)
    made = (*own_images(doors, release, record, shown), *their_images(doors, release, record, wanted))
    images = {one.name: one for one in made}
    for one in pointed(doors, release, points):
        images.setdefault(one.name, one)
    files = ProveAssets if doors.forge is not None else ProveFolder
    assets = (files("proof assets", release, record, shown),) if shown is not None else ()
    return (*assets, *images.values(), *components(doors, release, wanted))


def needed(release: Release, channel: Channel) -> tuple[DownstreamWish, ...]:
    """The components that have to be out before a channel takes a release; what releases nothing is none of them."""
    return tuple(
        wish
        for wish in release.downstreams
        if wish.trigger != "none" and (wish.required or wish.name in channel.requires)
    )


def own_images(doors: Doors, release: Release, record: Record | None, shown: Shown | None) -> Iterator[ProveImage]:
    """Those that the release made, in each registry."""
    remedy = f"push it again: invoke release --version {release.tag}; or promote another version"
    for wish in release.images:
        noted = noted_image(record, wish)
        told = (("the record", noted.digest),) if noted is not None else ()
        for image in wish.targets:
            name = f"proof image {image}"
            yield ProveImage(name, release, image, wish.platforms, told, doors.registry, remedy, shown, wish.name)


def their_images(
    doors: Doors, release: Release, record: Record | None, wishes: tuple[DownstreamWish, ...]
) -> Iterator[ProveImage]:
    """Those that components made of it."""
    for wish in wishes:
        remedy = (
            f"have it made again by {wish.name}: invoke release.downstream --version {release.tag} --only {wish.name}"
        )
        proof = record.evidence.get(f"downstream {wish.name}") if record is not None else None
        for image in wish.images:
            digest = proof.images.get(str(image)) if proof is not None else None
            told = (("the record", digest),) if digest else ()
            yield ProveImage(f"proof image {image}", release, image, wish.platforms, told, doors.registry, remedy)


def pointed(doors: Doors, release: Release, points: tuple[PointWish, ...]) -> Iterator[ProveImage]:
    """Those that a channel's tags are to name, for whatever they are for."""
    sources: tuple[Reference, ...] = tuple(wish.source for wish in points if wish.source is not None)
    for image in sources:
        yield ProveImage(f"proof image {image}", release, image, (), (), doors.registry, "push what is missing")


def components(doors: Doors, release: Release, wishes: tuple[DownstreamWish, ...]) -> Iterator[ProveDownstream]:
    """Each component as the release's own path sees it."""
    steps = {step.name: step for step in downstream_path(doors, release, ())}
    for wish in wishes:
        step = steps[f"downstream {wish.name}"]
        yield ProveDownstream(f"proof downstream {wish.name}", release, wish, partial(seen, step))


def seen(step: Step[Proof]) -> Finding[Proof]:
    """What a step finds by itself, whatever is found of what it needs."""
    return step.inspect(Known(step, {}))
