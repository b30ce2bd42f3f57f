"""Verify: every byte that a release made public, fetched and compared. These steps look, and never act."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Done, Failed, Finding
from release.core.forge import Asset
from release.core.model import DownstreamWish, Release
from release.core.record import MANIFEST, Proof, Record
from release.core.verification import Expected, expected, of_downstream, of_upstream, unreadable
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Shown
from release.steps.assets import fetched

LIMIT = 16 * 1024 * 1024  # bytes of a document; a larger one is none


@dataclass(frozen=True, eq=False)
class Listing(Step[tuple[Expected, ...]]):
    """What one repository has of a release, and what it should have. `wish` is None for the upstream."""

    release: Release
    record: Record | None
    wish: DownstreamWish | None
    forge: Shown

    def inspect(self, known: Known) -> Finding[tuple[Expected, ...]]:
        tag = self.wish.tag if self.wish is not None else self.release.tag
        out = self.forge.published(tag)
        if out is None:
            return Failed(f"{self.forge.name} has no release {tag}")
        listed = self.forge.assets(out.id)
        if self.wish is None:
            manifest = manifest_among(self.forge, listed)
            found = expected(listed, of_upstream(self.release, self.record, manifest), unreadable(manifest))
        else:
            found = expected(listed, of_downstream(self._proof(self.wish)))
        return Done(found, f"{len(listed)} assets")

    def apply(self, known: Known, say: Say) -> None:
        raise Refused("a verification only looks")

    def _proof(self, wish: DownstreamWish) -> Proof | None:
        return self.record.evidence.get(f"downstream {wish.name}") if self.record is not None else None


def manifest_of(forge: Shown, tag: str) -> bytes | None:
    """The manifest of a release that is out, None where it has none."""
    out = forge.published(tag)
    return manifest_among(forge, forge.assets(out.id)) if out is not None else None


def manifest_among(forge: Shown, listed: tuple[Asset, ...]) -> bytes | None:
    """The manifest among the assets of a release, None where there is none, or one that is too large."""
    return content_of(forge, next((one for one in listed if one.name == MANIFEST), None))


def content_of(forge: Shown, asset: Asset | None) -> bytes | None:
    """A document's bytes, None where it is not there, or too large for one."""
    if asset is None or not asset.complete or asset.size > LIMIT:
        return None
    content = b""
    for piece in forge.download(asset.id):
        content += piece
        if len(content) > LIMIT:
            return None
    return content


@dataclass(frozen=True, eq=False)
class VerifyAsset(Step[str]):
    """One file's bytes against all that say something about them. Its value is their SHA-256."""

    wanted: Expected
    forge: Shown

    def inspect(self, known: Known) -> Finding[str]:
        wanted = self.wanted
        if wanted.asset is None:
            whose = ", ".join(dict.fromkeys(who for who, _ in wanted.digests)) or "every release"
            return Failed(f"missing: {whose} has it")
        if wanted.extra:
            return Failed("extra: no list has it")
        sha256 = fetched(self.forge, wanted.asset)
        if wrong := wanted.wrong(sha256):
            return Failed(wrong)
        *others, last = (who for who, _ in wanted.digests) if wanted.digests else ("nobody else",)
        by = f"{', '.join(others)} and {last} say" if others else f"{last} says"
        return Done(sha256, f"{wanted.asset.size} bytes, sha256 {sha256[:12]}, as {by}")

    def apply(self, known: Known, say: Say) -> None:
        raise Refused("a verification only looks")
