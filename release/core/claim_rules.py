"""What a configuration must not say of images and packages: [[image]], [[package]], a downstream's `images` and `packages`."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator

from release.core import reference as ref
from release.core.address import holds_secret, without_secret
from release.core.assembly import Selective, applies
from release.core.claims import Claim, Wish, claimed, image_of, of_downstream, of_image, of_package, package_of, wished
from release.core.config import Config, Downstream, Image, Package
from release.core.finding import Conflict
from release.core.naming import OF_A_PROMOTION
from release.core.notation import quoted
from release.core.samples import Sample, samples
from release.core.version import names_in, render

OF_A_RELEASE = ("version", "tag", "core", "major", "minor", "patch", "line", "revision", "image_tag")


def claim_contradictions(config: Config) -> Iterator[Conflict]:
    """All that cannot be claimed, or is claimed twice. Nothing of it is asked of a registry or an index."""
    if not (config.image or config.package or any(one.images or one.packages for one in config.downstream)):
        return
    for number, image in enumerate(config.image):
        yield from _image(f"image[{number}]", image)
    for number, package in enumerate(config.package):
        yield from _package(f"package[{number}]", package)
    for number, one in enumerate(config.downstream):
        yield from _downstream(f"downstream[{number}]", one)
    for place, table, wishes in _tables(config):
        yield from _versions(config, place, table, wishes)
    yield from _twice(config)


def _image(place: str, table: Image) -> Iterator[Conflict]:
    if not table.registries and not table.file:
        yield Conflict("bad-registry", f"{place}.registries is empty", 'name one, as in ["docker.io"]')
    for text in table.registries:
        if ref.registry(text) is None:
            why = f"{place} has the registry {quoted(without_secret(text))}"
            remedy = "write HOST or HOST:PORT, as in localhost:5000; what comes after a / goes into the name"
            yield Conflict("bad-registry", why, remedy)
        elif not ref.fits(text, table.name):
            why = f"{place}: registry and name have more than {ref.LONGEST_REFERENCE} characters together"
            yield Conflict("bad-image", why, "shorten the name")
    if ref.split_host(table.name)[0]:
        why = f"{place}.name is {quoted(without_secret(table.name))}, which begins with a registry"
        yield Conflict("bad-image", why, "put that into registries")
    elif not ref.is_image(table.name):
        remedy = "use lower case letters and digits, between them . _ __ or -, and / between parts; no template"
        yield Conflict("bad-image", f"{place}.name is {quoted(table.name)}", remedy)
    yield from _unknown(f"{place}.tag", table.tag, OF_A_RELEASE)
    yield from _lines(f"{place}.lines", table.lines)


def _package(place: str, table: Package) -> Iterator[Conflict]:
    if holds_secret(table.index):
        why = f"{place}.index has a password or a token in it, for everybody to read"
        yield Conflict("secret-in-config", why, "take it out and have it changed")
    elif ref.index(table.index) is None:
        why = f"{place}.index is {quoted(without_secret(table.index))}"
        remedy = "write the address that pip takes, https (http for this machine only), as in https://pypi.org/simple"
        yield Conflict("bad-index", why, remedy)
    if not ref.is_package(table.name):
        remedy = "use letters and digits, between them . _ or -; no template"
        yield Conflict("bad-package", f"{place}.name is {quoted(table.name)}", remedy)
    yield from _unknown(f"{place}.version", table.version, OF_A_RELEASE)
    yield from _lines(f"{place}.lines", table.lines)


def _downstream(place: str, one: Downstream) -> Iterator[Conflict]:
    known = (*OF_A_RELEASE, *(OF_A_PROMOTION if one.per == "channel" else ()))
    for number, text in enumerate(one.images):
        yield from _written_image(f"{place}.images[{number}]", text, known)
    for number, text in enumerate(one.packages):
        yield from _written_package(f"{place}.packages[{number}]", text, known)


def _written_image(place: str, text: str, known: Collection[str]) -> Iterator[Conflict]:
    table = image_of(text)
    if table is None or not ref.is_image(table.name) or ref.registry(table.registries[0]) is None:
        why = f"{place} is {quoted(without_secret(text))}"
        yield Conflict("bad-image", why, "write [HOST[:PORT]/]owner/name:tag, as in owner/name:{image_tag}")
    else:
        yield from _unknown(place, table.tag, known)


def _written_package(place: str, text: str, known: Collection[str]) -> Iterator[Conflict]:
    table = package_of(text)
    if table is not None and holds_secret(table.index):
        why = f"{place} has a password or a token in it, for everybody to read"
        yield Conflict("secret-in-config", why, "take it out and have it changed")
    elif table is None or not ref.is_package(table.name) or ref.index(table.index) is None:
        why = f"{place} is {quoted(without_secret(text))}"
        yield Conflict(
            "bad-package", why, "write name, name==version or https://HOST/simple#name; http is for this machine"
        )
    else:
        yield from _unknown(place, table.version, known)


def _tables(config: Config) -> Iterator[tuple[str, Selective, tuple[Wish, ...]]]:
    """Everything that wishes for something in a release: its place in the file, the table, its wishes."""
    for number, image in enumerate(config.image):
        yield f"image[{number}].tag", image, tuple(of_image("", image))
    for number, package in enumerate(config.package):
        yield f"package[{number}].version", package, tuple(of_package("", package))
    for number, one in enumerate(config.downstream):
        if one.per == "release":
            yield f"downstream[{number}]", one, tuple(of_downstream(one))


def _versions(config: Config, place: str, table: Selective, wishes: Iterable[Wish]) -> Iterator[Conflict]:
    """Every version gives something that may be claimed, and no two of them the same."""
    chosen = [one for one in samples(config, table.lines[:1]) if applies(table, one.line, one.kind)]
    for wish in {(wish.kind, wish.version): wish for wish in wishes}.values():
        if set(names_in(wish.version)) <= set(OF_A_RELEASE) and chosen:
            yield from _version(place, wish, chosen)


def _version(place: str, wish: Wish, chosen: Iterable[Sample]) -> Iterator[Conflict]:
    seen: dict[tuple[str, str, str, Hashable], Sample] = {}
    for sample in chosen:
        claim = claimed(wish, sample.values)
        if claim is None:
            yield _unfit(place, wish, sample)
            return
        if (other := seen.setdefault(claim.thing, sample)) is not sample:
            why = (
                f"{place} is {quoted(wish.version)}, which is {claim.version} for {other.version} and {sample.version}"
            )
            remedy = "what is claimed is claimed once: put " + ("{image_tag}" if wish.kind == "image" else "{version}")
            yield Conflict("version-repeats", why, f"{remedy} in it, or select fewer releases with when")
            return


def _unfit(place: str, wish: Wish, sample: Sample) -> Conflict:
    why = f"{place} is {quoted(wish.version)}, and {quoted(render(wish.version, sample.values))} is no "
    if wish.kind == "image":
        return Conflict("bad-image-tag", f"{why}tag that registries take", "use {image_tag}, which is made to fit")
    return Conflict(
        "bad-package-version", f"{why}version of PEP 440", "use {version} or {core}, and plain text around it"
    )


def _twice(config: Config) -> Iterator[Conflict]:
    """Two that claim one thing in a release that selects both."""
    told: set[tuple[str, str, str]] = set()
    tables = wished(config)
    lines = [*(line for table, _ in tables for line in table.lines), ""]
    for line in dict.fromkeys(lines):
        for sample in samples(config, (line,) if line else ()):
            seen: dict[tuple[str, str, str, Hashable], Claim] = {}
            chosen = (wish for table, some in tables if applies(table, sample.line, sample.kind) for wish in some)
            for claim in (claimed(wish, sample.values) for wish in chosen):
                if claim is None:
                    continue
                other = seen.setdefault(claim.thing, claim)
                if other is not claim and claim.thing[:3] not in told:
                    told.add(claim.thing[:3])
                    yield _claimed_twice(other, claim)


def _claimed_twice(one: Claim, other: Claim) -> Conflict:
    rule = "image-claimed-twice" if one.kind == "image" else "package-claimed-twice"
    who = (
        f"{quoted(one.owner)} claims"
        if one.owner == other.owner
        else f"{quoted(one.owner)} and {quoted(other.owner)} claim"
    )
    twice = " twice" if one.owner == other.owner else ""
    why = f"{who} one {'tag' if one.kind == 'image' else 'version'} of {one.kind} {one.place}/{one.name}{twice}"
    return Conflict(rule, why, "give each its own, leave one out, or let no release select both")


def _lines(place: str, lines: Iterable[str]) -> Iterator[Conflict]:
    for line in lines:
        major, _, minor = line.partition(".")
        if not all(part.isascii() and part.isdigit() and str(int(part[:20])) == part for part in (major, minor)):
            yield Conflict("bad-line", f"{place} has {quoted(line)}", 'write major and minor, as in "1.33"')


def _unknown(place: str, template: str, known: Collection[str]) -> Iterator[Conflict]:
    for name in names_in(template):
        if name not in known:
            why = f"{place} is {quoted(template)}, and {{{name}}} is not known there"
            yield Conflict("unknown-name", why, f"use one of {', '.join(f'{{{one}}}' for one in known)}")
