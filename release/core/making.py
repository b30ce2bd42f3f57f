"""What a release makes and publishes, with every template filled in: files, images, packages, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from packaging.version import InvalidVersion
from packaging.version import Version as Pep440Version

from release.core import reference as ref
from release.core.config import Artifact, Attest, Image, Package, Publish, seconds
from release.core.model import ArtifactWish, AttestWish, ImagePart, ImageWish, PackageWish, PublishWish
from release.core.reference import Reference
from release.core.version import render

UPLOADS = {
    "https://pypi.org/simple": "https://upload.pypi.org/legacy/",
    "https://test.pypi.org/simple": "https://test.pypi.org/legacy/",
}
"""What takes the files of a public index (https://docs.pypi.org/api/upload/)."""


def artifacts(table: Artifact, values: Mapping[str, str]) -> list[ArtifactWish]:
    """One build a platform, or one without."""
    return [_artifact(table, platform, {**values, **of_platform(platform)}) for platform in table.platforms or ("",)]


def images(tables: Sequence[Image], values: Mapping[str, str]) -> tuple[ImageWish, ...]:
    """The images that are built here, each with all that it becomes: those of its own table, and of those that only name it."""
    return tuple(_image(table, [one for one in tables if not one.file], values) for table in tables if table.file)


def package(table: Package, values: Mapping[str, str]) -> PackageWish:
    """What is uploaded to an index; the address that takes it is known for public ones."""
    place = ref.index(table.index) or table.index
    files = tuple(render(file, values) for file in table.files)
    return PackageWish(table.name, render(table.version, values), place, table.upload or UPLOADS.get(place, ""), files)


def publisher(table: Publish, values: Mapping[str, str], waits: int) -> PublishWish:
    """A command that publishes; `waits` is how many seconds it may take where the table does not say."""
    run, exists = (tuple(render(word, values) for word in words) for words in (table.run, table.exists))
    return PublishWish(table.name, run, exists, table.env, seconds(table.deadline) or waits)


def attest(table: Attest, values: Mapping[str, str]) -> AttestWish:
    """What a release says of how it was made."""
    return AttestWish(
        render(table.sbom, values), render(table.provenance, values),
        table.sign, table.key, table.public, render(table.identity, values), table.issuer,
    )  # fmt: skip


def references(texts: Sequence[str], values: Mapping[str, str]) -> tuple[Reference, ...]:
    """Images that are written `[HOST[:PORT]/]NAME:TAG` with templates; what is no image is told with the configuration."""
    found = (ref.reference(render(text, values)) for text in texts)
    return tuple(image for image in found if image is not None)


def of_platform(platform: str) -> dict[str, str]:
    """What a template may say of a platform ("os/arch", or "os/arch/variant")."""
    system, _, arch = platform.partition("/")
    return {"platform": platform, "os": system, "arch": arch.replace("/", "-")}


def distributions(name: str, version: str) -> tuple[str, ...]:
    """The files of a pure Python project: its wheel and its sdist, as the binary distribution format and PEP 625 name them."""
    try:
        version = str(Pep440Version(version))
    except InvalidVersion:
        version = re.sub(r"[^A-Za-z0-9.]+", "_", version)
    stem = f"{re.sub(r'[-_.]+', '_', name).lower()}-{version}"
    return f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"


def _artifact(table: Artifact, platform: str, values: Mapping[str, str]) -> ArtifactWish:
    def filled(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(render(text, values) for text in texts)

    name, files = render(table.name, values), filled(table.files)
    if table.kind == "python" and not files:
        files = distributions(name, values.get("version", ""))
    return ArtifactWish(
        name=name,
        run=filled(table.run),
        platform=platform,
        path=render(table.path, values),
        kind=table.kind,
        files=files,
        include=filled(table.include),
        artifacts=filled(table.artifacts),
        folder=render(table.folder, values),
    )


def _image(table: Image, named: Sequence[Image], values: Mapping[str, str]) -> ImageWish:
    also = [one for one in named if one.name == table.name]
    return ImageWish(
        name=table.name,
        tag=render(table.tag, values),
        file=table.file,
        context=table.context,
        parts=tuple(_part(table, platform, {**values, **of_platform(platform)}) for platform in table.platforms),
        builder=table.builder,
        labels={name: render(text, values) for name, text in table.labels.items()},
        secrets=table.secrets,
        targets=tuple(dict.fromkeys(target for one in (table, *also) for target in _targets(one, values))),
    )


def _targets(table: Image, values: Mapping[str, str]) -> list[Reference]:
    places = [place for text in table.registries if (place := ref.registry(text)) is not None]
    return [Reference(place, ref.in_registry(place, table.name), render(table.tag, values)) for place in places]


def _part(table: Image, platform: str, values: Mapping[str, str]) -> ImagePart:
    args = {name: render(text, values) for name, text in table.args.items()}
    return ImagePart(platform, args, tuple(render(text, values) for text in table.artifacts))
