"""A bill of materials as CycloneDX writes it (https://cyclonedx.org/docs/1.6/json/): what has to be in it of a release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from release.core.commits import plain
from release.core.model import Release
from release.core.provenance import differing


class _Hash(msgspec.Struct, frozen=True):
    alg: str
    content: str


class _Component(msgspec.Struct, frozen=True):
    type: str
    name: str
    version: str = ""
    hashes: tuple[_Hash, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    component: _Component


class _Bill(msgspec.Struct, frozen=True):
    bomFormat: str
    metadata: _Metadata
    components: tuple[_Component, ...] = ()


def wrong_sbom(content: bytes, release: Release, files: Mapping[str, str]) -> str:
    """What an SBOM says wrongly of a release, "" for nothing. `files` is SHA-256 (hex) by name, of all that was built."""
    try:
        bill: Any = msgspec.json.decode(content, type=_Bill)
    except (ValueError, msgspec.ValidationError) as error:
        return f"it is no CycloneDX document: {plain(str(error), 200)}"
    if bill.bomFormat != "CycloneDX":
        return f"it is a {plain(bill.bomFormat, 80)}, no CycloneDX document"
    if bill.metadata.component.version != release.version:
        return f"it is of version {plain(bill.metadata.component.version, 80)}, not of {release.version}"
    listed = [one for one in bill.components if one.type == "file"]
    if len({one.name for one in listed}) != len(listed):
        return "it lists a file twice"
    return differing({one.name: _sha256(one) for one in listed}, files)


def _sha256(component: _Component) -> str:
    return next((one.content for one in component.hashes if one.alg == "SHA-256"), "")
