"""What a configuration must not say of images that are built: [[image]] with a `file`. What images claim has rules of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from release.core import making
from release.core import reference as ref
from release.core.assembly import applies
from release.core.config import Config, Image
from release.core.finding import Conflict
from release.core.model import ImageWish
from release.core.notation import OF_A_PLATFORM, VALUES, bad_path, bad_platforms, meet, quoted, repeated, unknown_names
from release.core.oci import normal, platform_of
from release.core.samples import samples

GIVEN = ("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT")
"""Build arguments that the platform gives (https://docs.docker.com/reference/dockerfile/, "Automatic platform ARGs")."""

BUILDS = ("context", "platforms", "builder", "args", "labels", "secrets", "artifacts")
"""Keys that only an image that is built here has."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?")
_SECRET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


def image_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps the images of a release from being built, each under a name of its own."""
    found = [one for number, table in enumerate(config.image) for one in _image(f"image[{number}]", table)]
    yield from found
    yield from _same(config.image)
    if not found:
        yield from _together(config)


# One table.


def _image(place: str, table: Image) -> Iterator[Conflict]:
    if not table.file:
        yield from _claimed_only(place, table)
        return
    yield from bad_path(f"{place}.file", table.file)
    if table.context != ".":
        yield from bad_path(f"{place}.context", table.context)
    yield from _platforms(f"{place}.platforms", table.platforms)
    yield from _arguments(place, table)
    yield from _labels(place, table)
    yield from _secrets(place, table)
    for text in table.artifacts:
        yield from unknown_names(f"{place}.artifacts", text, (*VALUES, *OF_A_PLATFORM))


def _claimed_only(place: str, table: Image) -> Iterator[Conflict]:
    plain = Image(table.name)
    for key in BUILDS:
        if getattr(table, key) != getattr(plain, key):
            why = f"{place} has no file, so that it is not built here, and {key} is of no use"
            yield Conflict("unused", why, f'leave {key} out, or name a Dockerfile, as in file = "Dockerfile"')


def _platforms(place: str, platforms: Sequence[str]) -> Iterator[Conflict]:
    if not platforms:
        yield Conflict("no-platform", f"{place} is empty", 'name one, as in ["linux/amd64"]')
    wrong = tuple(bad_platforms(place, platforms))
    yield from wrong
    for name in () if wrong else repeated(normal(platform_of(one)) for one in platforms):
        yield Conflict("duplicate-name", f"{place} has {name} twice", "leave one out")


def _arguments(place: str, table: Image) -> Iterator[Conflict]:
    for name, text in table.args.items():
        if not _VARIABLE.fullmatch(name):
            why = f"{place}.args has {quoted(name)}"
            yield Conflict("bad-variable", why, "use letters, digits and _, and do not begin with a digit")
        if name in GIVEN:
            why = f"{place}.args has {name}, which the platform gives"
            yield Conflict("reserved-name", why, "leave it out, or give it another name")
        yield from _text(f"{place}.args.{name}", text)
        yield from unknown_names(f"{place}.args.{name}", text, (*VALUES, *OF_A_PLATFORM))


def _labels(place: str, table: Image) -> Iterator[Conflict]:
    for name, text in table.labels.items():
        if not _LABEL.fullmatch(name):
            why = f"{place}.labels has {quoted(name)}"
            yield Conflict("bad-label", why, "use letters and digits, between them . _ / or -, as in org.example.name")
        yield from _text(f"{place}.labels.{name}", text)
        yield from unknown_names(f"{place}.labels.{name}", text, VALUES)


def _text(place: str, text: str) -> Iterator[Conflict]:
    if not text.isprintable():
        yield Conflict("bad-text", f"{place} holds control characters", "write plain text on one line")


def _secrets(place: str, table: Image) -> Iterator[Conflict]:
    if table.secrets and table.builder == "embedded":
        why = f'{place} has secrets, and builder = "embedded" runs nothing that could read one'
        yield Conflict("unused", why, "leave them out, or take another builder")
    for name, text in table.secrets.items():
        if not _SECRET.fullmatch(name):
            why = f"{place}.secrets has {quoted(name)}"
            yield Conflict("bad-name", why, "use letters, digits and ._-, as the id in RUN --mount=type=secret,id=...")
        head, _, variable = text.partition(":")
        if head != "env" or not _VARIABLE.fullmatch(variable):
            # What stands there may be the secret itself: it is not told.
            why = f"{place}.secrets.{name} does not name a variable"
            yield Conflict("bad-secret", why, 'write env: and its name, as in "env:NPM_TOKEN", never the secret itself')


# Several tables.


def _same(tables: Sequence[Image]) -> Iterator[Conflict]:
    """One name and tag is one image of a release."""
    built = [table for table in tables if table.file]
    for number, one in enumerate(built):
        if any((one.name, one.tag) == (other.name, other.tag) and meet(one, other) for other in built[:number]):
            why = f"two of [[image]] build {quoted(f'{one.name}:{one.tag}')}"
            yield Conflict("duplicate-name", why, "give each a name or a tag of its own, or let no release select both")


def _together(config: Config) -> Iterator[Conflict]:
    """What is wrong in the first release that might be and has something wrong."""
    named = [*(one.lines for one in config.image), *(one.lines for one in config.artifact)]
    lines = ("", *dict.fromkeys(line for some in named for line in some))
    for sample in (one for line in lines for one in samples(config, (line,) if line else ())):
        chosen = [one for one in config.image if one.file and applies(one, sample.line, sample.kind)]
        builds = [one for one in config.artifact if applies(one, sample.line, sample.kind)]
        made = {file for one in builds for wish in making.artifacts(one, sample.values) for file in wish.makes}
        if found := tuple(_unmade(making.images(chosen, sample.values), made)):
            yield from found
            return


def _unmade(wishes: Sequence[ImageWish], made: set[str]) -> Iterator[Conflict]:
    for wish in wishes:
        for name in dict.fromkeys(name for part in wish.parts for name in part.artifacts if name not in made):
            why = f"image {wish.name} needs {quoted(name)}, which no [[artifact]] makes for such a release"
            yield Conflict(
                "no-such-artifact", why, "name a file as it is built, with {os} and {arch} where it has them"
            )
        if not ref.is_tag(wish.tag) and not wish.targets:
            why = f"image {wish.name} has the tag {quoted(wish.tag)}, which is none"
            yield Conflict("bad-image-tag", why, "use {image_tag}, which is made to fit")
