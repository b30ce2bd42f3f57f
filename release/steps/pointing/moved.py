"""What is told where a pointer is not where it was when the move began."""

from __future__ import annotations

from release.core.commits import plain
from release.errors import Refused

AGAIN = "run the same command again: it goes on from there"


def elsewhere(name: str, says: str, old: str) -> Refused:
    """Somebody else moved it meanwhile, and their value stays."""
    why = f"{name} says {told(says)} by now, and said {told(old)} when the move began"
    return Refused(why, "find out who moved it, then run the same command again")


def told(value: str) -> str:
    """A pointer's value, for people."""
    return plain(value, 100) or "nothing"
