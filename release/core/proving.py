"""Whether all files of a release are out, by what a forge lists of them: names and digests, no bytes."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.commits import plain
from release.core.forge import Asset
from release.core.manifest import document_names
from release.core.model import Release
from release.core.record import MANIFEST, Record
from release.core.verification import Expected, expected, of_upstream, read, unreadable

LONGEST = 100
"""So much of a file's name is told: it is whatever somebody uploaded."""


def files_of(
    release: Release, record: Record | None, listed: tuple[Asset, ...], manifest: bytes | None
) -> tuple[Expected, ...]:
    """Every file that is there, or should be, by record and manifest. `manifest` are the bytes of that file, None for none.

    A release of a time before there were either is known by what the configuration names alone: its files and their sums.
    What only leaves with a release that has a record may be there, and is not asked for.
    """
    if record is not None or read(manifest) is not None:
        return expected(listed, of_upstream(release, record, manifest), unreadable(manifest))
    spare = {MANIFEST, release.attest.sbom, release.attest.provenance}
    named = {name: "" for name in (*release.files, *document_names(release)) if name not in spare}
    rest = tuple(one for one in listed if one.name not in spare)
    return expected(rest, (("the configuration", named),) if named else ())


def faults(files: tuple[Expected, ...]) -> Iterator[str]:
    """What is wrong with each of them, in words that follow the name of the release."""
    for one in files:
        name = plain(one.name, LONGEST)
        if one.asset is None:
            yield f"lacks {name}"
        elif one.extra:
            yield f"has {name}, which nobody made for it"
        elif wrong := one.wrong(_sha256(one)):
            yield f"has another {name}: {wrong}"


def by_digest(files: tuple[Expected, ...]) -> int:
    """How many of them are known by their digest, and not by name alone: the forge says one, and somebody else the same."""
    return sum(one.asset is not None and bool(one.asset.digest) and len(one.digests) > 1 for one in files)


def _sha256(one: Expected) -> str:
    """The digest of what is there, as the forge says it; where it does not say, all others have at least to agree."""
    told = next((digest for _, digest in one.digests), "")
    return (one.asset.digest if one.asset is not None else "") or told
