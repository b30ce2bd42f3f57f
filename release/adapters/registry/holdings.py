"""What of an image is there: everything below a digest is asked for, and no blob is fetched."""

from __future__ import annotations

from release.adapters.registry.access import Access
from release.adapters.registry.documents import below, read
from release.adapters.registry.door import Door
from release.core.oci import Descriptor

SHORT = 64 << 10  # bytes of an answer that says no


class Holdings:
    """What was once seen to be there is not asked again; what was pushed is not seen."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._seen: set[tuple[str, str]] = (
            set()
        )  # repository and digest, of blobs, and of documents with all below them

    def missing(self, door: Door, digest: str) -> tuple[str, ...]:
        """The digests that are not there of a manifest or an index and of what is below it."""
        left, gone, met = [digest], dict[str, None](), {digest}
        while left:
            one = left.pop(0)
            if (door.base, one) in self._seen:
                continue
            document = read(self._access, door, one)
            if document is None:
                gone[one] = None
                continue
            fresh = {child.digest: child for child in below(door, document) if child.digest not in met}
            met |= fresh.keys()
            if document.is_index:
                left += fresh
            else:
                gone |= dict.fromkeys(key for key, child in fresh.items() if not self._there(door, child))
        if not gone:
            self._seen.add((door.base, digest))
        return tuple(gone)

    def _there(self, door: Door, blob: Descriptor) -> bool:
        """Whether a blob is there, as long as it has to be."""
        if (door.base, blob.digest) in self._seen:
            return True
        answer = self._access.answer(door, f"blobs/{blob.digest}", "HEAD")
        if answer.good:
            right = answer.headers.get("content-length", str(blob.size)) == str(blob.size)
            if right:
                self._seen.add((door.base, blob.digest))
            return right
        if answer.status == 404:
            self._gone(door, blob.digest)
            return False
        raise door.no(answer)

    def _gone(self, door: Door, digest: str) -> None:
        """A 404 to HEAD has no words that tell whose it is: only one to GET counts."""
        answer = self._access.answer(door, f"blobs/{digest}", shape=bytes, largest=SHORT)
        if answer.status != 404 or not self._access.is_registry(door, answer):
            raise door.no(answer)
