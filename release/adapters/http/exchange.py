"""What is asked and what comes back: values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

READS = ("GET", "HEAD")
LARGEST = 32 << 20  # bytes of an answer that is held whole
AGAIN = "run the same command again"


@dataclass(frozen=True)
class Ask:
    """One request. `what` says it in words that go on after "cannot"; `origins` are the only places it may be sent to.

    `secret` gives the headers that open the door; they never follow to another host. `shape` is the type that a good
    answer is read as, None where its body does not matter, and `bytes` for JSON as it came, to the byte; it has `largest`
    bytes at most. `creates` says that it makes content, which servers want spaced.
    `bare`: a refusal that is not JSON is an Answer too, with no words; for servers that speak HTML, or to HEAD.
    `stays`: that it is sent elsewhere is the answer, and is not followed.
    """

    what: str
    url: str
    origins: frozenset[str]
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: Callable[[], Mapping[str, str]] = field(default=dict, repr=False)
    body: bytes | Path | None = field(default=None, repr=False)
    shape: Any = None
    largest: int = LARGEST
    creates: bool = False
    harmless: bool = False
    bare: bool = False
    stays: bool = False

    @property
    def reads(self) -> bool:
        return self.method in READS


@dataclass(frozen=True)
class Answer:
    """What a server said. `value` is the body as the shape that was asked for, `words` its own words if it says no."""

    status: int
    headers: Mapping[str, str]
    value: Any = None
    words: str = ""
    next: str = ""

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Glimpse:
    """What a server said that is no API: any status, and the beginning of any body.

    `relayed`: a proxy of ours read it on the way, so that the proxy itself may have said it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    relayed: bool = False


@dataclass(frozen=True)
class Trouble:
    """No answer. `sent`: something may have been done. `passing`: it may go better the next time."""

    why: str
    sent: bool = True
    passing: bool = True
    remedy: str = AGAIN


def refusal(held: bytes) -> str:
    """The words of an answer that says no: its message and its errors, which are objects or strings."""
    try:
        told = msgspec.json.decode(held)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(told, dict):
        return ""
    errors = told.get("errors")
    parts = [told.get("message"), *(map(_problem, errors) if isinstance(errors, list) else [errors])]
    words = ": ".join(filter(None, (" ".join(str(part).split()) for part in parts if part)))
    return "".join(c for c in words if c.isprintable())[:1000] or "it does not say why"


def colon(words: str) -> str:
    return f": {words}" if words else ""


def _problem(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    if error.get("message"):
        return str(error["message"])
    return " ".join(str(error[key]) for key in ("resource", "field", "code") if error.get(key))
