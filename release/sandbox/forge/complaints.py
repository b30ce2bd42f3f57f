"""How GitHub says that something is wrong, for faults that leave the words to the server."""

from __future__ import annotations

import time
from typing import Any

from release.sandbox.forge.answers import DOCUMENTATION
from release.sandbox.forge.limits import SECONDARY
from release.sandbox.serving.breakage import Words

PRIMARY = "API rate limit exceeded for user ID 1."


def error(status: int, body: Any) -> Any:
    """The JSON body of an error; `body` is what the fault says of it, None for nothing."""
    if body is None:
        body = {"message": "Server Error" if status >= 500 else "Not Found"}
    return {"documentation_url": DOCUMENTATION, "status": str(status), **body} if isinstance(body, dict) else body


def limited(kind: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body where a limit is reached: `primary` or `secondary`."""
    if kind == "secondary":
        return 403, {"Retry-After": "60"}, {"message": SECONDARY}
    headers = {
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Used": "5000",
        "X-RateLimit-Reset": str(int(time.time()) + 60),
        "X-RateLimit-Resource": "core",
    }
    return 403, headers, {"message": PRIMARY}


WORDS = Words(error, limited)
