"""TOML of others: read in a time that grows with its length, whatever stands in it."""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_PARTS = 32
_PART = r"""(?:"[^"\n]*+"|'[^'\n]*+'|[\w-]++)[ \t]*+\.[ \t]*+"""
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*+(?P<key>(?:{_PART}){{{MOST_PARTS}}})", re.MULTILINE)
"""Where a key may begin, and more parts than anybody writes; nothing is looked at more than a few times."""


def loads(text: str) -> dict[str, Any]:
    """What a text says; ValueError where it is no TOML, or has a key of more parts than anybody writes.

    The time of `tomllib` grows with the square of a key's parts.
    """
    if seen := _LONG_KEY.search(text):
        start = seen.start("key")
        line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        raise ValueError(f"a key has more than {MOST_PARTS} parts (at line {line}, column {column})")
    return tomllib.loads(text)
