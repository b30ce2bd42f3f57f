"""A file with the images that a release needs: one a line, by tag or digest; `#` begins a comment."""

from __future__ import annotations

import re

import msgspec

from release.core.notation import quoted
from release.core.oci import Platform, is_digest, normal, platform_of
from release.core.reference import DOCKER_HUB, Reference, fits, in_registry, is_image, reference, registry, split_host

SHOWN = 20
"""Bad lines that are told; more of them are only counted."""

_COMMENT = re.compile(r"(^|\s)#.*")


class Named(msgspec.Struct, frozen=True):
    """An image as a line names it: `digest` ("sha256:...") is "" where it goes by its tag, the tag is "" where there is none."""

    text: str
    image: Reference
    digest: str = ""


def listed(text: str) -> tuple[tuple[Named, ...], tuple[str, ...]]:
    """The images of a file, each once, and what is wrong with its other lines, by their numbers."""
    found: dict[str, Named] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if word := _COMMENT.sub("", line).strip():
            if (one := named(word)) is not None:
                found.setdefault(word, one)
            else:
                wrong.append(f"line {number} is {quoted(word)}")
    more = [f"{len(wrong) - SHOWN} more lines"] if len(wrong) > SHOWN else []
    return tuple(found.values()), (*wrong[:SHOWN], *more)


def named(text: str) -> Named | None:
    """Read `[HOST[:PORT]/]NAME:TAG`, with `@sha256:...` after it or in place of the tag; None for anything else."""
    place, at, digest = text.partition("@")
    if not at:
        return Named(text, image) if (image := reference(place)) else None
    if not is_digest(digest):
        return None
    image = reference(place) or _untagged(place)
    return Named(text, image, digest) if image else None


def same(one: Platform, wanted: str) -> bool:
    """Whether an image is for a platform, however both are spelt."""
    return normal(one) == normal(platform_of(wanted))


def _untagged(text: str) -> Reference | None:
    host, name = split_host(text)
    place = registry(host or DOCKER_HUB)
    if place is None or not is_image(name):
        return None
    whole = in_registry(place, name)
    return Reference(place, whole, "") if fits(place, whole) else None
