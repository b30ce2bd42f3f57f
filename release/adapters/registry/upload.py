"""Brings one blob into a repository: by looking, by mounting, else by sending it (distribution spec, "Pushing blobs").

A blob is sent in one PUT, straight from its file. What broke off is sent anew from its beginning, in a new upload: blobs
are by digest, so that nobody sees half of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from release.adapters.http import Answer, origin
from release.adapters.registry.access import Access
from release.adapters.registry.documents import same
from release.adapters.registry.door import Door
from release.core.commits import plain
from release.core.reference import host_of, is_loopback
from release.errors import ReleaseError, Uncertain

TRIES = 3
GONE = (404, 416)  # of an upload: forgotten, or somewhere else than we are


@dataclass(frozen=True)
class Blob:
    """A file or a few bytes, and what they have to be: `size` in bytes."""

    digest: str
    size: int
    content: Path | bytes


def brought(access: Access, door: Door, blob: Blob, source: str = "") -> str:
    """How a blob came there: "" where it was there, "mounted" from the repository `source`, or "sent".

    Refused where the registry does not take it, Uncertain where it broke off each time.
    """
    for left in reversed(range(TRIES)):
        if there(access, door, blob.digest):
            return ""
        at = _mounted(access, door, blob, source) if source else ""
        if at is None:
            return "mounted"
        try:
            if _sent(access, door, blob, at or begun(access, door), not left):
                return "sent"
        except Uncertain:
            if not left:
                raise
    raise AssertionError("the last try says why")


def there(access: Access, door: Door, digest: str) -> bool:
    """Whether a blob is in the repository; whoever wants to send it if it is not needs no proof that it is not."""
    answer = access.answer(door, f"blobs/{digest}", "HEAD")
    if answer.good or answer.status == 404:
        return answer.good
    raise door.no(answer)


def begun(access: Access, door: Door) -> str:
    """Begin an upload; its address."""
    answer = access.answer(door, "blobs/uploads/", "POST", body=b"", harmless=True)
    if answer.status != 202:
        raise door.no(answer)
    return location(door, answer)


def location(door: Door, answer: Answer) -> str:
    """Where an upload goes on, by a registry's `Location`: relative, on the registry, or on a host that is safe."""
    told = answer.headers.get("location", "")
    url = _joined(door.base + "blobs/uploads/", told)
    parts = urlsplit(url) if url else None
    if parts is None or parts.username is not None or not told.isprintable() or " " in told or not _safe(door, url):
        why = f"{door.place.registry} sends an upload to {plain(told, 200)!r}, which is not safe"
        raise door.error(why, "ask whoever runs the registry: it may not know that it is reached by https")
    return urlunsplit(parts._replace(fragment=""))


def _mounted(access: Access, door: Door, blob: Blob, source: str) -> str | None:
    """Take a blob over from another repository: None where that is done, else the upload that began instead, or ""."""
    asking = replace(door, sources=(source,))
    query = urlencode({"mount": blob.digest, "from": source})
    try:
        answer = access.answer(asking, f"blobs/uploads/?{query}", "POST", body=b"", harmless=True)
    except ReleaseError:  # it is a short cut: what refuses it does not have to refuse the way itself
        return ""
    if answer.status == 201:
        same(door, answer, blob.digest)
        return None
    return location(door, answer) if answer.status == 202 else ""


def _sent(access: Access, door: Door, blob: Blob, at: str, last: bool) -> bool:
    """Send a blob to an upload; False where that upload is gone, and another one may go better."""
    parts = urlsplit(at)
    query = "&".join(filter(None, (parts.query, urlencode({"digest": blob.digest}))))
    url = urlunsplit(parts._replace(query=query))
    answer = access.answer(door, url, "PUT", body=blob.content, headers={"Content-Type": "application/octet-stream"})
    if answer.status in GONE and not last:
        return False
    if not answer.good:
        raise door.no(answer)
    same(door, answer, blob.digest)
    return True


def _safe(door: Door, url: str) -> bool:
    """The registry itself, or https, or this machine from this machine."""
    if origin(url) in ("", origin(door.place.base)) or url.startswith("https://"):
        return bool(origin(url))
    here = is_loopback(host_of(urlsplit(url).netloc)) and is_loopback(host_of(door.place.host))
    return url.startswith("http://") and here


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url) if url else ""
    except ValueError:
        return ""
