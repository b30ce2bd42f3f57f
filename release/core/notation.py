"""What may be written for a path or a pattern in a configuration, and how what was written is quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.core.finding import Conflict

LONGEST_PATTERN = 500


def bad_path(place: str, path: str) -> Iterator[Conflict]:
    """A file of the repository: relative, inside it, spelt in one way, and not git's own."""
    parts = path.split("/")
    strange = not path.isprintable() or "\\" in path or re.match(r"[A-Za-z]:|~|-", path)
    if strange or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        why = f"{place} is {quoted(path)}"
        yield Conflict("bad-path", why, "write a path inside the repository, relative to its root, as in docs/a.txt")


def bad_pattern(place: str, pattern: str) -> Iterator[Conflict]:
    """A regular expression with a group `value`, of a length that can be read."""
    if len(pattern) > LONGEST_PATTERN:
        why = f"{place} has {len(pattern)} characters"
        yield Conflict("pattern-too-long", why, f"match no more than is needed, in {LONGEST_PATTERN} at most")
        return
    try:
        groups = re.compile(pattern).groupindex
    except (re.error, RecursionError, OverflowError) as error:
        yield Conflict("bad-pattern", f"{place} is not a regular expression: {error}", "mend it")
        return
    if "value" not in groups:
        remedy = "put (?P<value>...) around what is to agree with the version"
        yield Conflict("pattern-without-value", f"{place} has no group named value", remedy)


def quoted(text: str) -> str:
    """Quoted, on one line, without control characters, not longer than a line holds."""
    shown = repr(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
