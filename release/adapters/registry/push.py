"""Brings an image from an OCI layout into a repository: blobs at once, then documents, children first, then the tag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Lock

from release.adapters.builders.layout import Layout, below
from release.adapters.registry.access import Access
from release.adapters.registry.documents import put
from release.adapters.registry.door import Door
from release.adapters.registry.upload import Blob, brought
from release.core.oci import Descriptor, Document
from release.errors import Refused

AT_ONCE = 4  # blobs


class Known:
    """Which repositories have a blob, as this process brought it there: what is in one can be mounted from it."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._lock = Lock()

    def source(self, door: Door, digest: str) -> str:
        """Another repository of the same registry that has a blob, "" if none is known."""
        with self._lock:
            return min(self._names[door.place.base, digest] - {door.name}, default="")

    def learn(self, door: Door, digest: str) -> None:
        with self._lock:
            self._names[door.place.base, digest].add(door.name)


def pushed(access: Access, door: Door, known: Known, layout: Path, digest: str, say: Callable[[str], None]) -> Document:
    """Everything below a digest, and itself, by digest; the document of that digest."""
    documents = _documents(Layout(layout), digest)
    _bring(access, door, known, _blobs(Layout(layout), documents), say)
    for document in documents:
        if not access.answer(door, f"manifests/{document.digest}", "HEAD").good:
            put(access, door, document, document.digest)
    return documents[-1]


def _documents(layout: Layout, digest: str) -> list[Document]:
    """A manifest or an index and what is below it, children first, each once."""
    document = layout.document(digest)
    if document is None:
        raise Refused(f"{layout.folder} has no image {digest}", "run the same command again: it is built anew")
    found: dict[str, Document] = {}
    for child in below(document) if document.is_index else ():
        found |= {one.digest: one for one in _documents(layout, child.digest)}
    return [*found.values(), document]


def _blobs(layout: Layout, documents: list[Document]) -> list[Blob]:
    """Configurations and layers, each once, the largest first; what lies elsewhere is not ours to send."""
    found = {one.digest: one for document in documents if not document.is_index for one in below(document)}
    blobs = [_blob(layout, one) for one in found.values() if not one.urls]
    return sorted(blobs, key=lambda one: (-one.size, one.digest))


def _blob(layout: Layout, wanted: Descriptor) -> Blob:
    if layout.size(wanted.digest) != wanted.size:
        why = f"{layout.folder} has no {wanted.digest} of {wanted.size} bytes"
        raise Refused(why, "delete that folder, then run the same command again: it is built anew")
    return Blob(wanted.digest, wanted.size, layout.path(wanted.digest))


def _bring(access: Access, door: Door, known: Known, blobs: list[Blob], say: Callable[[str], None]) -> None:
    """Several at once; after the first that fails none begins."""

    def bring(blob: Blob) -> str:
        source = known.source(door, blob.digest)
        how = brought(access, door, blob, source)
        known.learn(door, blob.digest)
        return f"{how} from {source}" if how == "mounted" else how

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sluice-blobs") as threads:
        going = {threads.submit(bring, blob): blob for blob in blobs}
        try:
            for done in as_completed(going):
                if how := done.result():
                    say(f"{going[done].digest[:19]} ({_size(going[done].size)}) {how}")
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size} bytes"
