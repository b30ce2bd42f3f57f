"""Manifests and indexes in a registry: read to the byte, and put (distribution spec, "Pulling" and "Pushing manifests").

They are read with GET, not with HEAD: the usual answer is "there is none", and only a body tells a registry's 404 from
that of something on the way to it.
"""

from __future__ import annotations

import hashlib

import msgspec

from release.adapters.decoding import decoded
from release.adapters.http import Answer
from release.adapters.registry.access import Access
from release.adapters.registry.door import Door
from release.core.commits import plain
from release.core.oci import LARGEST, MANIFESTS, Descriptor, Document, ImageManifest, Index, is_digest
from release.errors import Refused, ReleaseError

DIGEST = "docker-content-digest"


class _Said(msgspec.Struct, frozen=True):
    schema: int = msgspec.field(name="schemaVersion")
    mediaType: str = ""


def named(access: Access, door: Door, tag: str) -> str:
    """The digest of what a tag names, as the registry tells it, else of its bytes; "" where there is nothing."""
    answer = _got(access, door, tag)
    if answer is None:
        return ""
    told = answer.headers.get(DIGEST, "")
    return told if is_digest(told) else _digest("sha256", answer.value)


def read(access: Access, door: Door, name: str) -> Document | None:
    """What a tag or a digest names, compared with the digest; None where there is nothing."""
    answer = _got(access, door, name)
    if answer is None:
        return None
    told = name if is_digest(name) else answer.headers.get(DIGEST, "")
    if is_digest(told) and _digest(told.partition(":")[0], answer.value) != told:
        why = f"the bytes that {door.place.registry} sends for {name} are not those of {told}"
        raise door.error(why, "ask whoever runs the registry, or look at what stands between")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    said = decoded(answer.value, _Said).mediaType
    if kind not in MANIFESTS or said not in ("", kind):
        why = f"{name} is said to be {plain(kind, 100)!r}{f' and to be {plain(said, 100)!r}' if said else ''}"
        raise door.error(why, "only images and indexes of OCI and Docker (schema 2) are known here")
    return Document(kind, answer.value)


def below(door: Door, document: Document) -> tuple[Descriptor, ...]:
    """What a document of a registry names and what has to be there for it: not what lies elsewhere (`urls`)."""
    try:
        if document.is_index:
            found = decoded(document.content, Index).manifests
        else:
            manifest = decoded(document.content, ImageManifest)
            found = manifest.config, *manifest.layers
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _broken(door, document) from None
    if not all(is_digest(one.digest) for one in found):
        raise _broken(door, document)
    return tuple(one for one in found if not one.urls)


def put(access: Access, door: Door, document: Document, name: str) -> Answer:
    """Store a document under its digest, or under a tag; Refused where it is stored as something else.

    By digest it can be sent again when an answer is lost. A tag that somebody else may have moved meanwhile cannot.
    """
    answer = access.answer(
        door, f"manifests/{name}", "PUT", body=document.content, headers={"Content-Type": document.media_type},
        harmless=is_digest(name),
    )  # fmt: skip
    if not answer.good:
        raise door.no(answer)
    same(door, answer, document.digest)
    return answer


def same(door: Door, answer: Answer, digest: str) -> None:
    """Refused where a registry says that it has stored something else than this digest."""
    told = answer.headers.get(DIGEST, "")
    if is_digest(told) and told.partition(":")[0] == digest.partition(":")[0] and told != digest:
        why = f"cannot {door.doing}: {door.place.registry} stored {digest} as {told}"
        raise Refused(why, "what is on the way changes bytes: ask whoever runs the registry")


def _got(access: Access, door: Door, name: str) -> Answer | None:
    headers = {"Accept": ", ".join(MANIFESTS)}
    answer = access.answer(door, f"manifests/{name}", headers=headers, shape=bytes, largest=LARGEST)
    if answer.good and isinstance(answer.value, bytes):
        _understood(door, answer.value)
        return answer
    if answer.status == 404 and access.is_registry(door, answer):
        return None
    raise door.no(answer)


def _understood(door: Door, content: bytes) -> None:
    try:
        decoded(content, _Said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        why = f"the answer of {door.place.registry} is not what it should be: no manifest"
        raise door.error(why, "see whether that is a registry, then run the same command again") from None


def _broken(door: Door, document: Document) -> ReleaseError:
    return door.error(f"{document.digest} is no {document.media_type}", "push it again")


def _digest(algorithm: str, content: bytes) -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
