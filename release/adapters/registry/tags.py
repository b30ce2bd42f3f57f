"""The tags of a repository (distribution spec 1.1, "Listing Tags")."""

from __future__ import annotations

import msgspec

from release.adapters.http import origin
from release.adapters.registry.access import Access
from release.adapters.registry.door import Door
from release.core.reference import is_tag

PAGE, PAGES = 1000, 200


class _Tags(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] | None = None


def tags(access: Access, door: Door) -> frozenset[str]:
    """All of them, page by page as the registry links them; nothing where it says that there is no such repository."""
    path, found = f"tags/list?n={PAGE}", set[str]()
    for _ in range(PAGES):
        answer = access.answer(door, path, headers={"Accept": "application/json"}, shape=_Tags)
        if answer.status == 404 and not found and access.is_registry(door, answer):
            return frozenset()
        if not answer.good or answer.value is None:
            raise door.no(answer)
        found.update(filter(is_tag, answer.value.tags or ()))
        if not answer.next:
            return frozenset(found)
        if origin(answer.next) != origin(door.place.base):
            break
        path = answer.next
    raise door.error(f"the list of {door.place.registry} has no end here", "ask whoever runs the registry")
