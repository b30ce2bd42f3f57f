"""Asks at doors, with what opens them; where a key is too old, it is renewed, and the same is asked once more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from release.adapters.http import Answer, Ask, Http, origin
from release.adapters.registry.door import Door
from release.adapters.registry.keys import Keys
from release.errors import ReleaseError


class Access:
    """What is not on the origin of its registry gets nothing that opens anything."""

    def __init__(self, http: Http, keys: Keys) -> None:
        self._http, self._keys = http, keys
        self._roots: set[str] = set()  # of registries that showed to be some

    def answer(self, door: Door, path: str, method: str = "GET", **how: Any) -> Answer:
        """Ask below a repository, or at a whole address; `how` is as Ask has it. Raises as Http.answer does."""
        ask = _ask(door, path, method, how)
        used = self._known(door, ask)
        answer = self._http.answer(_opened(ask, used))
        if answer.status == 401 and (fresh := self._renewed(door, ask, answer, used)):
            return self._http.answer(_opened(ask, fresh))
        return answer

    def pieces(self, door: Door, path: str) -> Iterator[bytes]:
        """A body in pieces; what is said instead of one is raised as `door.no` has it."""
        ask = _ask(door, path, "GET", {})
        used = self._known(door, ask)
        try:
            yield from self._body(ask, used)
        except _Instead as instead:
            fresh = self._renewed(door, ask, instead.answer, used) if instead.answer.status == 401 else ""
            answer = instead.answer
        else:
            return
        if not fresh:
            raise door.no(answer)
        try:
            yield from self._body(ask, fresh)
        except _Instead as instead:
            raise door.no(instead.answer) from None

    def is_registry(self, door: Door, answer: Answer) -> bool:
        """Whether a 404 is a registry's word: in its form, and from a place that answers as one at `/v2/`."""
        return bool(answer.words) and self.is_root(door)

    def is_root(self, door: Door) -> bool:
        """Whether the root of the API answers as the spec has it ("Determining Support")."""
        if door.place.base not in self._roots:
            root = self._http.answer(_ask(door, door.place.base, "GET", {"headers": {"Accept": "application/json"}}))
            if root.status not in (200, 401):
                return False
            self._roots.add(door.place.base)
        return True

    def _body(self, ask: Ask, opening: str) -> Iterator[bytes]:
        with closing(self._http.pieces(_opened(ask, opening), _Instead)) as pieces:  # type: ignore[type-var]
            yield from pieces

    def _known(self, door: Door, ask: Ask) -> str:
        return self._keys.known(door) if _ours(door, ask) else ""

    def _renewed(self, door: Door, ask: Ask, answer: Answer, used: str) -> str:
        """Another key than the one that was used, "" where there is none."""
        if not _ours(door, ask):
            return ""
        fresh = self._keys.renewed(door, answer.headers.get("www-authenticate", ""), used)
        return fresh if fresh != used else ""


class _Instead(ReleaseError):
    """An answer that is not the body."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"it answered {answer.status}")
        self.answer = answer


def _ask(door: Door, path: str, method: str, how: dict[str, Any]) -> Ask:
    url = path if "://" in path else f"{door.base}{path}"
    return Ask(door.doing, url, frozenset({origin(url)}), method, bare=True, **how)


def _opened(ask: Ask, opening: str) -> Ask:
    return replace(ask, secret=lambda: {"Authorization": opening} if opening else {})


def _ours(door: Door, ask: Ask) -> bool:
    return origin(ask.url) == origin(door.place.base)
