"""Which tests play whole worlds: real commands, remotes, forges. One Python runs them all, each Python runs the others."""

from __future__ import annotations

from pathlib import Path

import pytest

WORLDS = ("cli", "examples", "laws", "sandbox")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them by the folder that they are in."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).parts[0] in WORLDS:
            item.add_marker(pytest.mark.e2e)
