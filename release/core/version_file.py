"""What a version file says."""

from __future__ import annotations

import re


def value_in(pattern: str, text: str | None) -> str | None:
    """What the pattern's group `value` finds in a file's text, the first time; None where there is no file or no place."""
    match = re.search(pattern, text, re.MULTILINE) if text is not None else None
    return match["value"] if match else None
