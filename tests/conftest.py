"""Which tests play whole worlds: real commands, remotes, forges. One Python runs them all, each Python runs the others."""

from __future__ import annotations

from pathlib import Path

import pytest

WORLDS = ("cli", "examples", "laws", "sandbox")
PEERS = (
    "test_buildx.py",
    "test_embedded_beside_buildah.py",
    "test_engines.py",
    "test_health_prometheus.py",
    "test_python.py",
)
"""What runs other people's programs for long, which do not care which Python asks them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them by the folder that they are in."""
    here = Path(__file__).parent
    for item in items:
        world = item.path.is_relative_to(here) and item.path.relative_to(here).parts[0] in WORLDS
        if world or item.path.name in PEERS:
            item.add_marker(pytest.mark.e2e)
