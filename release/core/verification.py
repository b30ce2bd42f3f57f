"""What every file of a release has to be, by all that say something about it. Pure: names and digests in, expectations out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from release.core.forge import Asset
from release.core.images import images_of
from release.core.manifest import Fact, documents
from release.core.model import BuiltImage, PlatformImage, Release
from release.core.record import MANIFEST, Proof, Record

Source = tuple[str, Mapping[str, str]]


class Expected(msgspec.Struct, frozen=True):
    """A file by name, as it is listed (None: it is missing), and who says which SHA-256 of it.

    `extra` is set where there are lists, and none of them has it; `bad` says why its bytes are wrong whatever their digest is.
    """

    name: str
    asset: Asset | None
    digests: tuple[tuple[str, str], ...]
    extra: bool = False
    bad: str = ""

    def wrong(self, sha256: str) -> str:
        """Why bytes with this digest are not what they should be, "" if they are."""
        told = [f"{who} says {said[:12]}" for who, said in self.digests if said != sha256]
        differs = f"its bytes have sha256 {sha256[:12]}, and {', '.join(told)}" if told else ""
        return "; ".join(filter(None, (self.bad, differs)))


def expected(
    listed: tuple[Asset, ...], sources: tuple[Source, ...], bad: Mapping[str, str] | None = None
) -> tuple[Expected, ...]:
    """Every file that is listed or that a source names; what is only half uploaded is not there. `bad` is by name."""
    there = {asset.name: asset for asset in listed if asset.complete}
    names = dict.fromkeys([*there, *(name for _, digests in sources for name in digests)])
    return tuple(_expected(name, there.get(name), sources, (bad or {}).get(name, "")) for name in sorted(names))


def of_upstream(release: Release, record: Record | None, manifest: bytes | None) -> tuple[Source, ...]:
    """What manifest and record say of a release's own files; both say what sums and manifest have to be, for these follow from the artifacts."""
    facts, sources = read(manifest), list[Source]()
    if facts is None:
        sources.append(("every release", {MANIFEST: ""}))
    if record is not None:
        built = [
            (name.removeprefix("build "), proof.sha256, proof.size)
            for name, proof in record.evidence.items()
            if name.startswith("build ")
        ]
        images = images_of(record.evidence)
        known = _told(release, record.state.commit, built, images)
        sources.append(("the record", known))
        if facts is not None:  # one that lists more than was built makes nothing of that right
            told = _told(release, record.state.commit, facts, images)
            sources.insert(0, ("the manifest", {name: sha256 for name, sha256 in told.items() if name in known}))
    elif facts is not None:
        sources.append(("the manifest", {**_told(release, release.base, facts, ()), MANIFEST: ""}))
    return tuple(sources)


def unreadable(manifest: bytes | None) -> Mapping[str, str]:
    """Why a file cannot be what it is named, by name: the manifest, where it is none."""
    return {MANIFEST: "it is no manifest"} if read(manifest) is None else {}


def of_downstream(proof: Proof | None) -> tuple[Source, ...]:
    """What the record says of a downstream's files, as they were when it was seen to be out."""
    return (("the record", proof.assets),) if proof is not None and proof.assets else ()


def read(manifest: bytes | None) -> list[Fact] | None:
    """The artifacts of a manifest: name, SHA-256, size; None where it is no manifest."""
    if manifest is None:
        return None
    try:
        document: Any = msgspec.json.decode(manifest, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return [(one.name, one.sha256, one.size) for one in document.artifacts]


def images_in(manifest: bytes | None) -> tuple[BuiltImage, ...] | None:
    """The images of a manifest, None where it is no manifest."""
    if manifest is None:
        return None
    try:
        document = msgspec.json.decode(manifest, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return tuple(BuiltImage(one.name, one.digest, one.platforms, tag=one.tag) for one in document.images)


def sha256_of(text: str) -> str:
    """The digest of a document."""
    return hashlib.sha256(text.encode()).hexdigest()


class _Artifact(msgspec.Struct, frozen=True):
    name: str
    sha256: str
    size: int


class _Image(msgspec.Struct, frozen=True):
    name: str
    digest: str
    platforms: tuple[PlatformImage, ...]
    tag: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    artifacts: tuple[_Artifact, ...]
    images: tuple[_Image, ...] = ()


def _told(release: Release, commit: str, facts: list[Fact], images: Sequence[BuiltImage]) -> Mapping[str, str]:
    """The digests of artifacts, and those of the documents that follow from them."""
    made = documents(release, commit, facts, images)
    return {**{name: sha256 for name, sha256, _ in facts}, **{name: sha256_of(text) for name, text in made.items()}}


def _expected(name: str, asset: Asset | None, sources: tuple[Source, ...], bad: str) -> Expected:
    told = [(who, digests[name]) for who, digests in sources if digests.get(name)]
    told += [("the forge", asset.digest)] if asset is not None and asset.digest else []
    extra = bool(sources) and not any(name in digests for _, digests in sources)
    return Expected(name, asset, tuple(dict.fromkeys(told)), extra, bad)
