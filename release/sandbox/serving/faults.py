"""What goes wrong on purpose: a plan of faults, counted in the store so that a restart changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Literal

from release.sandbox.serving.store import Store

WRITES = ("POST", "PATCH", "PUT", "DELETE")
FETCHES = "/git-upload-pack"


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    `method` is a verb, `*`, or `write` (POST, PATCH, PUT, DELETE and pushes). `path` is a glob over the path (of a forge
    without `/api/v3`); `*` goes over slashes. `nth` counts the calls that fit, from 1; 0 is every one. With `every` it
    comes again after so many more, for ever. `when` is before or after it took effect. Then one of: `status` (with `headers` and `body`), `reset` (TCP), `cut` (the answer's body
    breaks off after n bytes), `delay` (seconds), `html` (an error page), `limit`, `kill` (a pid file: SIGKILL; what still
    listens is answered with 500, or `status`), `redirect`.
    `starter` lets an upload leave an empty asset in state `starter` behind, whatever else it answers.
    """

    method: str = "*"
    path: str = "*"
    nth: int = 1
    when: Literal["before", "after"] = "before"
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    reset: bool = False
    cut: int = -1
    delay: float = 0
    html: bool = False
    limit: Literal["", "primary", "secondary"] = ""
    kill: str = ""
    redirect: str = ""
    starter: bool = False
    every: int = 0

    def fits(self, method: str, path: str) -> bool:
        return self._verb(method, path) and fnmatchcase(path, self.path)

    def _verb(self, method: str, path: str) -> bool:
        if self.method == "write":
            return method in WRITES and not path.endswith(FETCHES)
        return self.method in ("*", method)


NAMES = {one.name for one in fields(Fault)}


def plan(store: Store, faults: Iterable[Fault]) -> None:
    """Add to the plan; calls are counted from now on, across restarts."""
    with store.transaction():
        for fault in faults:
            store.add("fault", asdict(fault) | {"seen": 0})


def forget(store: Store) -> None:
    """Nothing goes wrong any more."""
    with store.transaction():
        for fault in store.all("fault"):
            store.remove(fault["id"])


def due(store: Store, method: str, path: str) -> list[Fault]:
    """The faults whose turn it is with this call; it is counted."""
    found = []
    with store.transaction():
        for stored in store.all("fault"):
            fault = Fault(**{name: value for name, value in stored.items() if name in NAMES})
            if not fault.fits(method, path):
                continue
            seen = stored["seen"] + 1
            store.change(stored["id"], seen=seen)
            if fault.nth in (0, seen) or (fault.every and seen > fault.nth and (seen - fault.nth) % fault.every == 0):
                found.append(fault)
    return found
