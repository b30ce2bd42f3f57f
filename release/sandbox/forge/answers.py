"""What a handler gives back: an answer, or a problem in GitHub's form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body (None: no body at all)."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A list that goes out page by page; `total` wraps it as GitHub does: `{"total_count": n, total: [...]}`."""

    items: Sequence[Any]
    total: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    batch: Any = None  # called with the page itself, for what is made more cheaply all at once
    shape: Any = None  # called with each item of the page that goes out: what is not shown is not made


class Problem(Exception):
    """Raised by a handler: an error answer. `errors` is a list of objects or of strings: GitHub gives both."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Any] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    def answer(self) -> Answer:
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = list(self.errors)
        body |= {"documentation_url": DOCUMENTATION, "status": str(self.status)}
        return Answer(body, self.status, self.headers)


def missing() -> Problem:
    """404, for what is not there and for what the caller may not see: they look the same."""
    return Problem(404, "Not Found")


def invalid(resource: str, name: str, code: str, message: str = "") -> Problem:
    """422 with one object: `code` is missing, missing_field, invalid, already_exists or custom (which has a message)."""
    error = {"resource": resource, "code": code, "field": name}
    return Problem(422, "Validation Failed", [error | {"message": message} if message else error])


def refused(message: str) -> Problem:
    """422 with a sentence only."""
    return Problem(422, message)


# What may be in a name of a repository or a login: they become folders.
NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
