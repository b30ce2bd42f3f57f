"""How PyPI says that something is wrong: a page, and the sentence in the status line, too."""

from __future__ import annotations

from html import escape
from typing import Any

from aiohttp import web

from release.sandbox.serving.breakage import Words


class Problem(Exception):
    """Raised by a handler: an error answer with a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message

    def answer(self) -> web.Response:
        reason = self.message.encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")
        text = f"<html>\n<head><title>{self.status}</title></head>\n<body>\n<h1>{escape(self.message)}</h1>\n</body>\n</html>\n"
        return web.Response(status=self.status, reason=reason, text=text, content_type="text/html")


def _error(status: int, body: Any) -> Any:
    return {"message": "Server Error" if status >= 500 else "Not Found"} if body is None else body


def _limited(kind: str) -> tuple[int, dict[str, str], Any]:
    return 429, {"Retry-After": "60"}, {"message": "Too many requests"}


WORDS = Words(_error, _limited)
