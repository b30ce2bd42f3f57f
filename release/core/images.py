"""The images of a release: what they say of it, how the record knows them, and what of them has to be out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from release.core.model import BuiltImage, ImageWish, Release
from release.core.oci import Document, normal, platform_of
from release.core.record import Proof, Record, outdated

TAGGED = "tag "
"""What the proof of an image's tag in a registry begins with; that registry and tag follow."""

_PREFIX = "org.opencontainers.image."


def step_of(wish: ImageWish) -> str:
    """The name of the step that builds an image, and of its proof in the record."""
    return f"image {wish.name}:{wish.tag}"


def noted_image(record: Record | None, wish: ImageWish) -> BuiltImage | None:
    """An image as the record of this release knows it; None for one that holds other files than the record knows by now."""
    proof = record.evidence.get(step_of(wish)) if record is not None else None
    if record is None or proof is None or not proof.digest or outdated(record.evidence, proof):
        return None
    return BuiltImage(wish.name, proof.digest, proof.platforms, proof.builder, wish.tag)


def holding(evidence: Mapping[str, Proof], file: str, sha256: str) -> dict[str, Proof]:
    """The images ("name:tag") of a record that hold a file with these bytes."""
    images = {name.removeprefix("image "): proof for name, proof in evidence.items() if name.startswith("image ")}
    return {name: proof for name, proof in images.items() if proof.assets.get(f"build {file}") == sha256}


def is_tagged(evidence: Mapping[str, Proof], image: Proof) -> bool:
    """Whether an image has its version tag somewhere already."""
    return any(name.startswith(TAGGED) and proof.digest == image.digest for name, proof in evidence.items())


def images_of(evidence: Mapping[str, Proof]) -> tuple[BuiltImage, ...]:
    """All images that a record knows, by the names in their proofs."""
    found = [
        (name.removeprefix("image ").rpartition(":"), proof)
        for name, proof in evidence.items()
        if name.startswith("image ")
    ]
    return tuple(BuiltImage(name, proof.digest, proof.platforms, proof.builder, tag) for (name, _, tag), proof in found)


def described(image: BuiltImage) -> str:
    """An image for people."""
    held = ", ".join(one.platform for one in image.platforms)
    return f"{image.digest[:19]} for {held}"


def version_said(document: Document) -> str:
    """The version that an image says it is of (`org.opencontainers.image.version`), "" for none."""
    try:
        annotations = (document.index() if document.is_index else document.manifest()).annotations
    except ValueError:
        return ""
    return annotations.get(f"{_PREFIX}version", "")


def annotations_of(release: Release, wish: ImageWish, commit: str, source: str) -> dict[str, str]:
    """What an image says of itself (image-spec, "Pre-Defined Annotation Keys"), with the labels of the configuration on top.

    `created` is the time of everything in it, not of the build: the same commit gives the same image.
    """
    own = {
        f"{_PREFIX}created": _instant(release.epoch),
        f"{_PREFIX}revision": commit,
        f"{_PREFIX}title": wish.name.rpartition("/")[2],
        f"{_PREFIX}version": release.version,
    }
    if source:
        own[f"{_PREFIX}source"] = source
    return {**own, **wish.labels}


def staging_tag(release: Release, number: int) -> str:
    """The tag that holds an image in a registry until it has its own: one a line, so that nothing piles up there.

    `number` counts the images of one name in a release. A line has one release at a time, which its record sees to.
    """
    return f"sluice-staging-{release.line}" + (f"-{number}" if number else "")


def _instant(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def lacking_platforms(document: Document, platforms: Iterable[str]) -> tuple[str, ...]:
    """Those platforms that an index does not have. A manifest is for one, and does not tell which: it lacks others."""
    if not document.is_index:
        return tuple(platforms)[1:]
    try:
        children = document.index().manifests
    except ValueError:
        return tuple(platforms)
    there = {normal(child.platform) for child in children if child.platform is not None}
    return tuple(one for one in platforms if normal(platform_of(one)) not in there)
