"""What every file of a release has to be, by all that say something about it. Pure: names and digests in, expectations out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from release.core.forge import Asset
from release.core.manifest import Fact, documents
from release.core.model import Release
from release.core.record import MANIFEST, Proof, Record

Source = tuple[str, Mapping[str, str]]


class Expected(msgspec.Struct, frozen=True):
    """A file by name, as it is listed (None: it is missing), and who says which SHA-256 of it.

    `extra` is set where there are lists, and none of them has it.
    """

    name: str
    asset: Asset | None
    digests: tuple[tuple[str, str], ...]
    extra: bool = False

    def wrong(self, sha256: str) -> str:
        """Why bytes with this digest are not what they should be, "" if they are."""
        told = [f"{who} says {said[:12]}" for who, said in self.digests if said != sha256]
        return f"its bytes have sha256 {sha256[:12]}, and {', '.join(told)}" if told else ""


def expected(listed: tuple[Asset, ...], sources: tuple[Source, ...]) -> tuple[Expected, ...]:
    """Every file that is listed or that a source names; what is only half uploaded is not there."""
    there = {asset.name: asset for asset in listed if asset.complete}
    names = dict.fromkeys([*there, *(name for _, digests in sources for name in digests)])
    return tuple(_expected(name, there.get(name), sources) for name in sorted(names))


def of_upstream(release: Release, record: Record | None, manifest: bytes | None) -> tuple[Source, ...]:
    """What manifest and record say of a release's own files; the sums and the manifest follow from the artifacts."""
    sources: list[Source] = []
    facts = read(manifest)
    if facts is not None:
        sources.append(("the manifest", {name: sha256 for name, sha256, _ in facts}))
        commit = record.state.commit if record is not None else release.base
        made = documents(release, commit, facts)
        told = {name: sha256_of(text) for name, text in made.items()}
        sources.append(("the manifest", told if record is not None else {**told, MANIFEST: ""}))
    else:
        sources.append(("every release", {MANIFEST: ""}))
    if record is not None:
        builds = {
            name.removeprefix("build "): proof.sha256
            for name, proof in record.evidence.items()
            if name.startswith("build ")
        }
        sources.append(("the record", builds))
    return tuple(sources)


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


def sha256_of(text: str) -> str:
    """The digest of a document."""
    return hashlib.sha256(text.encode()).hexdigest()


class _Artifact(msgspec.Struct, frozen=True):
    name: str
    sha256: str
    size: int


class _Manifest(msgspec.Struct, frozen=True):
    artifacts: tuple[_Artifact, ...]


def _expected(name: str, asset: Asset | None, sources: tuple[Source, ...]) -> Expected:
    told = [(who, digests[name]) for who, digests in sources if digests.get(name)]
    told += [("the forge", asset.digest)] if asset is not None and asset.digest else []
    extra = bool(sources) and not any(name in digests for _, digests in sources)
    return Expected(name, asset, tuple(dict.fromkeys(told)), extra)
