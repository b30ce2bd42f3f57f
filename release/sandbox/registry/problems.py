"""How a registry says that something is wrong (distribution spec 1.1, "Error codes")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from release.sandbox.serving.breakage import Words


class Problem(Exception):
    """Raised by a handler: an error answer."""

    def __init__(
        self, status: int, code: str, message: str, detail: Any = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.body = told(code, message, detail)
        self.headers = headers or {}

    def answer(self) -> web.Response:
        return web.json_response(self.body, status=self.status, headers=dict(self.headers))


def told(code: str, message: str, detail: Any = None) -> Any:
    """The one JSON form of errors."""
    return {"errors": [{"code": code, "message": message, "detail": detail}]}


def _error(status: int, body: Any) -> Any:
    if body is not None:
        return body
    return told("UNKNOWN", "unknown error") if status >= 500 else told("UNSUPPORTED", "the operation is unsupported")


def _limited(kind: str) -> tuple[int, dict[str, str], Any]:
    return 429, {"Retry-After": "60"}, told("TOOMANYREQUESTS", "too many requests")


WORDS = Words(_error, _limited)
