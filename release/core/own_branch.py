"""What branches of ours are called, and how others' words stand in what we write there."""

from __future__ import annotations

import re

from release.core.commits import plain


def part(name: str) -> str:
    """A name as one part of a branch's (git-check-ref-format(1)); different names stay different."""
    safe = re.sub(r"[^A-Za-z0-9_.-]", lambda seen: "".join(f"%{byte:02X}" for byte in seen[0].encode()), name)
    safe = re.sub(r"\.(?=\.|lock$|$)|^\.", "%2E", safe)
    return safe or "%"


def code(text: str) -> str:
    """A text as code in Markdown, where nothing of it is markup, a link or a mention."""
    return f"`{plain(text.replace('`', ' '), 100).replace('<!--', '<! --') or ' '}`"


def hidden(text: str) -> str:
    """A version, or a part of a branch's name, as it may stand in a comment of HTML, where `--` ends one."""
    return text.replace("--", "-%2D")
