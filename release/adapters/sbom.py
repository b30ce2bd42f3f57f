"""The bill of materials of a release: its files, and what the project asks for at the commit, as CycloneDX 1.6 JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from release.adapters.manifests import asked
from release.core import reference as ref
from release.core.address import without_secret
from release.core.model import Release
from release.core.needs import Need
from release.core.paths import matches
from release.core.provenance import git_uri
from release.errors import ReleaseError
from release.ports import Remote

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component
    from packageurl import PackageURL

WANTS, UNREADABLE = "sluice:wants", "sluice:unreadable"
"""Our properties: how a file asks for a dependency ("go.mod: v1.2.3"), and which file could not be read, and why."""
NOBODY = UUID(int=0)
_PINNED = re.compile(r"(?:\[[^\]]*\])?===?\s*([^\s,;*]+)\s*(?:;.*)?")
_GITHUB = re.compile(r"https://github\.com/([^/\s]+)/([^/\s]+?)(?:\.git)?/?")


@dataclass
class Dependency:
    """What is asked for: `wants` are "path: range" of each file that asks."""

    name: str
    version: str = ""
    purl: PackageURL | None = None
    container: bool = False
    wants: set[str] = field(default_factory=set)


class Bills:
    """Writes SBOMs for one project: `source` is its address for everybody ("" for none), `manifests` are globs over files of
    dependencies, `tool` is our own name and version."""

    def __init__(
        self, remote: Remote, project: str, source: str, manifests: Sequence[str], tool: tuple[str, str]
    ) -> None:
        self._remote, self._project, self._source = remote, project, source
        self._manifests, self._tool = manifests, tool

    def sbom(self, release: Release, commit: str, files: Iterable[tuple[str, str]]) -> bytes:
        """The document, the same bytes for the same release. `files` are names and SHA-256 (hex)."""
        from cyclonedx.model import HashAlgorithm, HashType, Property
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.tool import ToolRepository

        purl = self._own(release, commit)
        needs, unreadable = self._needed(commit)
        root = Component(
            name=self._project, version=release.version, type=ComponentType.APPLICATION, purl=purl, bom_ref=str(purl),
            properties=[Property(name=UNREADABLE, value=text) for text in unreadable],
        )  # fmt: skip
        made = [
            Component(
                name=name, type=ComponentType.FILE, bom_ref=f"file:{name}",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
            )
            for name, digest in files
        ]  # fmt: skip
        name, version = self._tool
        tools = ToolRepository(components=[Component(name=name, version=version, type=ComponentType.APPLICATION)])
        moment = datetime.fromtimestamp(release.epoch, UTC)
        asked_for = [_component(one) for one in needs]
        bom = Bom(
            serial_number=NOBODY,
            metadata=BomMetaData(component=root, timestamp=moment, tools=tools),
            components=[*made, *asked_for],
        )
        bom.register_dependency(root, [*made, *asked_for])
        return _written(bom)

    def _own(self, release: Release, commit: str) -> PackageURL:
        from packageurl import PackageURL

        if seen := _GITHUB.fullmatch(self._source):
            return PackageURL("github", seen[1], seen[2], release.tag)
        where = {"vcs_url": f"{git_uri(self._source)}@{commit}"} if self._source else {}
        return PackageURL("generic", None, self._project, release.version, where)

    def _needed(self, commit: str) -> tuple[list[Dependency], list[str]]:
        """What the files of dependencies ask for, and those that cannot be read."""
        paths = [path for path in self._remote.tree(commit, "") if matches(self._manifests, path)]
        found: dict[str, Dependency] = {}
        unreadable: list[str] = []
        for path, content in sorted(self._remote.contents(commit, paths).items()):
            needs, why = _read(path, content or b"")
            unreadable += [f"{path}: {why}"] if why else []
            for one in filter(None, (dependency(path, need) for need in needs)):
                key = str(one.purl) if one.purl else one.name
                found.setdefault(key, one).wants.update(one.wants)
        return list(found.values()), unreadable


def dependency(path: str, need: Need) -> Dependency | None:
    """What a file asks for with its package URL, by the kind of the file; None for what nobody installs: a language, a folder."""
    if need.role == "language":
        return None
    found = _image(need) if need.role == "image" else _module(need) if path.endswith("go.mod") else _package(need)
    if found is not None:
        place = f" ({need.place})" if need.place and need.place != "replaced" else ""
        found.wants.add(f"{path}{place}: {need.wants or 'any'}")
    return found


def _package(need: Need) -> Dependency | None:
    from packageurl import PackageURL

    if not ref.is_package(need.name):  # a folder, or an address
        return Dependency(need.name) if "://" in need.name else None
    pinned = _PINNED.fullmatch(need.wants)
    version = pinned[1] if pinned else ""
    return Dependency(need.name, version, PackageURL("pypi", None, need.name, version or None))


def _module(need: Need) -> Dependency | None:
    """A Go module; its path ends in its major version from 2 on, but for what is older than modules, and for gopkg.in."""
    from packageurl import PackageURL

    module, version = need.name, need.wants
    if need.place == "replaced":
        _, module, *rest = need.wants.split()
        if not rest:  # a folder
            return None
        version = rest[0]
    elif major := re.match(r"v([0-9]+)\.", version):
        if module.startswith("gopkg.in/"):
            module = f"{module}.v{major[1]}"
        elif int(major[1]) > 1 and not version.endswith("+incompatible"):
            module = f"{module}/v{major[1]}"
    folder, _, name = module.rpartition("/")
    return Dependency(module, version, PackageURL("golang", folder or None, name, version or None))


def _image(need: Need) -> Dependency:
    """An image: in a package URL only a digest is a version."""
    from packageurl import PackageURL

    tag, _, digest = need.wants.partition("@")
    host, path = ref.split_host(need.name)
    place = ref.registry(host or ref.DOCKER_HUB)
    if place is None or not ref.is_image(path):  # an ARG without a default is in it
        return Dependency(need.name, container=True)
    where = {"repository_url": f"{place}/{ref.in_registry(place, path)}", **({"tag": tag} if tag else {})}
    purl = PackageURL("oci", None, path.rpartition("/")[2], digest or None, where)
    return Dependency(need.name, digest or tag, purl, container=True)


def _read(path: str, content: bytes) -> tuple[tuple[Need, ...], str]:
    try:
        found = asked(path, content.decode())
    except UnicodeDecodeError:
        return (), "it is not UTF-8"
    except ReleaseError as error:
        return (), without_secret(str(error))
    return found.needs, found.unreadable


def _component(one: Dependency) -> Component:
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        name=one.name,
        version=one.version or None,
        type=ComponentType.CONTAINER if one.container else ComponentType.LIBRARY,
        purl=one.purl,
        bom_ref=str(one.purl) if one.purl else f"asked:{one.name}",
        properties=[Property(name=WANTS, value=text) for text in sorted(one.wants)],
    )


def _written(bom: Bom) -> bytes:
    """The document; its serial number is of its content."""
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    def text() -> bytes:
        return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2).encode() + b"\n"

    bom.serial_number = uuid5(NAMESPACE_URL, sha256(text()).hexdigest())
    return text()
