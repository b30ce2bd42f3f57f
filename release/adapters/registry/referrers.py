"""What is said about an image (distribution spec 1.1, "Listing referrers"): by the API, else by an index under a tag."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from release.adapters.http import origin
from release.adapters.registry.access import Access
from release.adapters.registry.documents import below, put, read
from release.adapters.registry.door import Door
from release.adapters.registry.upload import Blob, brought
from release.core.oci import EMPTY, INDEX, Descriptor, Document, ImageManifest, Index, digest_of, written
from release.errors import Refused, Uncertain

TURNS = 5  # at the index under a tag, before we give up against others
PAGES = 50
NOTHING = b"{}"  # the content of what has the media type `EMPTY`


def listed(access: Access, door: Door, subject: str) -> tuple[Descriptor, ...]:
    """What refers to a digest; () where nothing does."""
    path, found = f"referrers/{subject}", dict[str, Descriptor]()
    for _ in range(PAGES):
        answer = access.answer(door, path, headers={"Accept": INDEX}, shape=Index)
        if answer.status == 404 and not found:
            return _tagged(access, door, subject)
        if not answer.good or answer.value is None:
            raise door.no(answer)
        found |= {one.digest: one for one in answer.value.manifests}
        if not answer.next:
            return tuple(found.values())
        if origin(answer.next) != origin(door.place.base):
            break
        path = answer.next
    raise door.error(f"the list of {door.place.registry} has no end here", "ask whoever runs the registry")


def attached(access: Access, door: Door, subject: str, kind: str, content: Path, notes: Mapping[str, str]) -> str:
    """Say something about a digest: a file of the artifact type `kind`; the digest of what says it."""
    blob = _file(door, content)
    document = _statement(access, door, subject, kind, blob, notes)
    for one in (Blob(digest_of(NOTHING), len(NOTHING), NOTHING), blob):
        brought(access, door, one)
    answer = put(access, door, document, document.digest)
    if "oci-subject" not in answer.headers:  # then the registry keeps no list of its own
        entry = msgspec.structs.replace(document.descriptor, annotations=notes, artifactType=kind)
        _enter(access, door, subject, entry)
    return document.digest


def tag(subject: str) -> str:
    """The tag that has the index for a digest ("Referrers Tag Schema")."""
    algorithm, _, encoded = subject.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"


def _enter(access: Access, door: Door, subject: str, entry: Descriptor) -> None:
    """Write something into the index under the tag, for a registry without the API. Once is enough.

    There is no compare-and-swap on tags. So it is read again after each write, until all that was ever seen in it is in it.
    """
    seen: dict[str, Any] = {}
    for _ in range(TURNS):
        index, there = _entries(access, door, subject)
        seen |= there
        if entry.digest in there and seen.keys() == there.keys():
            return
        seen.setdefault(entry.digest, msgspec.to_builtins(entry))
        content = msgspec.json.encode({**index, "manifests": list(seen.values())})
        put(access, door, Document(INDEX, content), tag(subject))
    why = f"cannot {door.doing}: somebody else writes {door.name}:{tag(subject)} again and again"
    raise Uncertain(why, "run the same command again when that has ended")


def _tagged(access: Access, door: Door, subject: str) -> tuple[Descriptor, ...]:
    document = _index(access, door, subject)
    return () if document is None else below(door, document)


def _index(access: Access, door: Door, subject: str) -> Document | None:
    document = read(access, door, tag(subject))
    if document is not None and not document.is_index:
        raise door.error(f"the tag {tag(subject)} is on something else than an index", "move that tag away")
    return document


def _entries(access: Access, door: Door, subject: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The index under the tag as others have written it, and its entries by digest."""
    document = _index(access, door, subject)
    if document is None:
        return {"schemaVersion": 2, "mediaType": INDEX}, {}
    below(door, document)  # it is what it should be
    index: dict[str, Any] = msgspec.json.decode(document.content)
    return index, {one["digest"]: one for one in index["manifests"]}


def _statement(access: Access, door: Door, subject: str, kind: str, blob: Blob, notes: Mapping[str, str]) -> Document:
    about = read(access, door, subject)
    if about is None:
        raise door.error(f"there is no {subject}", "push that first")
    config = Descriptor(EMPTY, digest_of(NOTHING), len(NOTHING))
    layer = Descriptor(kind, blob.digest, blob.size)
    return written(ImageManifest(config, (layer,), artifactType=kind, subject=about.descriptor, annotations=notes))


def _file(door: Door, path: Path) -> Blob:
    try:
        with path.open("rb") as file:
            told = hashlib.file_digest(file, "sha256").hexdigest()
            return Blob(f"sha256:{told}", file.tell(), path)
    except OSError as error:
        raise Refused(
            f"cannot {door.doing}: cannot read {path} ({error.strerror})", "mend that, then try again"
        ) from None
