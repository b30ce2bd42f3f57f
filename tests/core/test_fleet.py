"""In which order the components of a fleet come."""

from __future__ import annotations

from graphlib import CycleError
from typing import Any

import msgspec
import pytest

from release.core.config import Config
from release.core.fleet import dependency_order


def config(*downstreams: dict[str, Any]) -> Config:
    tables = {"downstream": [{"repository": f"../{one['name']}.git", **one} for one in downstreams]}
    return msgspec.convert(tables, Config, strict=True)


def test_dependencies_come_first_and_the_rest_stays_as_written() -> None:
    after = {"e": ["d"], "a": [], "d": ["a", "unknown"], "c": [], "b": ["a"]}
    settings = config(*({"name": name, "after": first} for name, first in after.items()))
    order = [one.name for one in dependency_order(settings.downstream)]
    assert order == ["a", "c", "d", "b", "e"]


def test_a_long_chain_written_backwards_is_ordered() -> None:
    settings = config(*({"name": f"n{i}", "after": [f"n{i + 1}"] if i < 4999 else []} for i in range(5000)))
    assert [one.name for one in dependency_order(settings.downstream)] == [f"n{i}" for i in range(4999, -1, -1)]


def test_a_cycle_has_no_order() -> None:
    with pytest.raises(CycleError):
        dependency_order(config({"name": "one", "after": ["one"]}).downstream)
