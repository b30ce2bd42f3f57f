"""Who depends on whom in a fleet."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import TopologicalSorter

from release.core.config import Downstream


def dependency_order(downstreams: Sequence[Downstream]) -> tuple[Downstream, ...]:
    """The downstreams, each after those it names in `after`, else as written; a cycle raises `graphlib.CycleError`."""
    named = {downstream.name: downstream for downstream in downstreams}
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(named, ()))
    for downstream in named.values():
        sorter.add(downstream.name, *(name for name in downstream.after if name in named))
    return tuple(named[name] for name in sorter.static_order())
