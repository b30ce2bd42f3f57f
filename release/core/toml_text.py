"""TOML of others: read in a time that grows with its length, whatever stands in it."""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_PARTS = 32
_PART = r"""(?:"[^"\n]*+"|'[^'\n]*+'|[\w-]++)[ \t]*+\.[ \t]*+"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_PART}){{{MOST_PARTS}}}")


def loads(text: str) -> dict[str, Any]:
    """What a text says; ValueError where it is no TOML, or has a key of more parts than anybody writes.

    The time of `tomllib` grows with the square of a key's parts.
    """
    if _LONG_KEY.search(text):
        raise ValueError(f"a key has more than {MOST_PARTS} parts")
    return tomllib.loads(text)
