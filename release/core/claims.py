"""What a release and its downstreams claim: image tags and package versions, and whether somebody has them already.

A claim is made once: what a registry or an index holds under that name is not written over.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from packaging.version import InvalidVersion
from packaging.version import Version as Pep440Version

from release.core import reference as ref
from release.core.assembly import Selective, applies
from release.core.commits import plain
from release.core.config import Config, Downstream, Image, Package
from release.core.finding import Conflict
from release.core.version import Scheme, Version, render

PYPI = "https://pypi.org/simple"
_PACKAGE = re.compile(r"(?:(?P<index>[^#]*)#)?(?P<name>[^#=]*)(?:==(?P<version>.*))?", re.DOTALL)


class Hidden(msgspec.Struct, frozen=True):
    """What could not be seen of a claim, and what to do about it."""

    why: str
    remedy: str


class Claim(msgspec.Struct, frozen=True):
    """One tag of one image, or one version of one package, and who wants to make it.

    `owner` is a downstream's name, or the project's. `place` is a registry (`docker.io`, `localhost:5000`) or an index's
    address, `name` what is there, `version` an image's tag or a package's version. All are spelt as they are compared.
    """

    owner: str
    kind: Literal["image", "package"]
    place: str
    name: str
    version: str

    def __str__(self) -> str:
        """For people; of an image, what `docker pull` takes, and what `Registry.digest` is asked for."""
        if self.kind == "image":
            return f"{self.place}/{self.name}:{self.version}"
        return f"{self.name} {self.version} on {self.place}"

    @property
    def thing(self) -> tuple[str, str, str, Hashable]:
        """What is claimed, whoever claims it: equal for two claims of which only one can be made.

        Under PEP 440 `1.0` and `1.0.0` are one version.
        """
        version = Pep440Version(self.version) if self.kind == "package" else self.version
        return self.kind, self.place, self.name, version


class Wish(msgspec.Struct, frozen=True):
    """A claim before its version is known: `version` is a template."""

    owner: str
    kind: Literal["image", "package"]
    place: str
    name: str
    version: str


def claims(config: Config, line: str, kind: str, values: Mapping[str, str]) -> tuple[Claim, ...]:
    """All that a release of this line ("1.33") and kind ("candidate", "final") claims, in the order of the file.

    `values` is what templates may say (`template_values`). A downstream that a promotion releases claims nothing here.
    A configuration that contradicts itself (`claim_contradictions`) may claim less than it says.
    """
    wishes = (wish for table, some in wished(config) if applies(table, line, kind) for wish in some)
    return tuple(claim for wish in wishes if (claim := claimed(wish, values)) is not None)


def wished(config: Config) -> tuple[tuple[Selective, tuple[Wish, ...]], ...]:
    """Every table that a release may select, in the order of the file, with what it wishes for."""
    owner = config.project.name or "the upstream"
    downstreams = (one for one in config.downstream if one.per == "release")
    return (
        *((table, tuple(of_image(owner, table))) for table in config.image),
        *((table, tuple(of_package(owner, table))) for table in config.package),
        *((one, tuple(of_downstream(one))) for one in downstreams),
    )


def of_image(owner: str, table: Image) -> Iterator[Wish]:
    """One wish for each registry of an [[image]]."""
    for text in table.registries:
        place = ref.registry(text)
        if place is not None and ref.is_image(table.name):
            yield Wish(owner, "image", place, ref.in_registry(place, table.name), table.tag)


def of_package(owner: str, table: Package) -> Iterator[Wish]:
    """The wish of a [[package]]."""
    place = ref.index(table.index)
    if place is not None and ref.is_package(table.name):
        yield Wish(owner, "package", place, ref.package(table.name), table.version)


def of_downstream(one: Downstream) -> Iterator[Wish]:
    """The wishes of a downstream: its images, then its packages."""
    for text in one.images:
        if (image := image_of(text)) is not None:
            yield from of_image(one.name, image)
    for text in one.packages:
        if (package := package_of(text)) is not None:
            yield from of_package(one.name, package)


def image_of(text: str) -> Image | None:
    """`[HOST[:PORT]/]NAME:TAG` with a template for the tag, as a table; None where there is no tag."""
    host, path = ref.split_host(text)
    name, colon, tag = path.partition(":")
    return Image(name, (host or ref.DOCKER_HUB,), tag) if colon and tag else None


def package_of(text: str) -> Package | None:
    """`[INDEX#]NAME[==VERSION]` with a template for the version, as a table; None for anything else."""
    seen = _PACKAGE.fullmatch(text)
    if not seen or seen["index"] == "" or seen["version"] == "":
        return None
    return Package(seen["name"], seen["index"] or PYPI, seen["version"] or "{version}")


def claimed(wish: Wish, values: Mapping[str, str]) -> Claim | None:
    """A wish with its version; None where that is no tag that registries take, or no version of PEP 440."""
    text = render(wish.version, values)
    if wish.kind == "image":
        return Claim(wish.owner, "image", wish.place, wish.name, text) if ref.is_tag(text) else None
    try:
        return Claim(wish.owner, "package", wish.place, wish.name, str(Pep440Version(text)))
    except InvalidVersion:
        return None


def taken_conflicts(wanted: Iterable[Claim], found: Mapping[Claim, str | Hidden]) -> Iterator[Conflict]:
    """What stands against claims: `found` is the digest of an image, or the version as an index has it.

    "" is certainly free. Hidden, and a claim that was not looked for, could not be seen, which is never taken for free.
    """
    for claim in wanted:
        there = found.get(claim)
        if there is None or isinstance(there, Hidden):
            yield unseen(claim, there)
        elif there:
            yield taken(claim, there)


def taken(claim: Claim, there: str) -> Conflict:
    """Somebody has what is claimed; `there` is what is there: a digest, or a version."""
    if claim.kind == "image":
        why = f"{_whose(claim)}image {claim} exists, with the digest {plain(there, 200)}"
        remedy = "a tag is never moved: choose the next version, or have the tag deleted by whoever made it"
        return Conflict("image-taken", why, remedy)
    why = f"{_whose(claim)}package {claim} exists, as {plain(there, 200)}"
    return Conflict(
        "package-taken", why, "an index takes a version once, and a deleted one never again: choose the next"
    )


def unseen(claim: Claim, hidden: Hidden | None = None) -> Conflict:
    """It could not be told whether a claim is free."""
    why = f"it cannot be told whether {_whose(claim)}{claim.kind} {claim} is free"
    if hidden is not None:
        return Conflict("claim-unseen", f"{why}: {hidden.why}", hidden.remedy)
    remedy = f"run `docker login {claim.place}`, or try again later" if claim.kind == "image" else "try again later"
    return Conflict("claim-unseen", why, remedy)


def shared_image_tag(scheme: Scheme, version: Version, existing: Iterable[Version]) -> Iterator[Conflict]:
    """A version whose image tag another one has: registries know no "+", so 1.0.0+r1 and 1.0.0-r1 are one tag there."""
    tag = scheme.image_tag(version)
    for other in existing:
        if other != version and scheme.image_tag(other) == tag:
            why = f"{version.text} and {other.text}, which exists, both have the image tag {tag}"
            yield Conflict("image-tag-shared", why, "choose a version that differs in more than + and -")


def _whose(claim: Claim) -> str:
    return f"{claim.owner}'s " if claim.owner != "the upstream" else ""
