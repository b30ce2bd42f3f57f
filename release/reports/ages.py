"""Spans of time as a table shows them: one number and its unit."""

from __future__ import annotations

from release.core.config import UNITS


def short(seconds: float | None) -> str:
    """The largest unit that fits once, as in "34d", "7h" or "20m"; "" where nothing is known."""
    if seconds is None:
        return ""
    sign, left = ("-", -seconds) if seconds < 0 else ("", seconds)
    unit = max((unit for unit in UNITS if left >= UNITS[unit]), key=UNITS.__getitem__, default="s")
    return f"{sign}{int(left // UNITS[unit])}{unit}"
