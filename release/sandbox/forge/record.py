"""Remembers every exchange of the API in a file, so that it can be checked against GitHub's description afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HIDDEN = ("authorization", "cookie", "proxy-authorization")
LONGEST = 1 << 20  # what is longer is no message but a file


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. `path` is without `/api/v3`; `template` is the endpoint (`/repos/{owner}/{repo}`, "" for none).

    Bodies are text, None where they were streamed or none. `upload` says that it went to the uploads' host.
    """

    method: str
    template: str
    path: str
    query: str
    request_headers: Mapping[str, str]
    request_body: str | None
    status: int
    headers: Mapping[str, str]
    body: str | None
    upload: bool = False
    fault: bool = False

    def json(self) -> Any:
        """The answer's body."""
        return None if self.body is None else json.loads(self.body)


class Record:
    """One JSON object a line; safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def add(self, exchange: Exchange) -> None:
        line = json.dumps(asdict(exchange), separators=(",", ":"))
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def read(self) -> Iterator[Exchange]:
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):  # a killed process may have left half a line
                    yield Exchange(**json.loads(line))


def shown(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by lower-case name, without what authorises."""
    return {name.lower(): "***" if name.lower() in HIDDEN else value for name, value in headers.items()}


def text(body: bytes | None) -> str | None:
    return None if body is None or len(body) > LONGEST else body.decode("utf-8", "replace")
