"""Tells those who listen what happened in a repository: a push, a release, a dispatch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

DISPATCHES = ("workflow_dispatch", "repository_dispatch")


@dataclass(frozen=True)
class Event:
    """`name` is the `on:` of a workflow. `ref` is full (`refs/tags/v1`), `sha` a full commit id ("" when deleted).

    `payload` is the webhook's. `by_workflow` says that it was made with a workflow's own GITHUB_TOKEN.
    """

    repository: str
    name: str
    ref: str
    sha: str
    actor: str
    payload: dict[str, Any] = field(default_factory=dict)
    by_workflow: bool = False

    @property
    def starts_workflows(self) -> bool:
        """What a workflow's own token does starts no further workflow, dispatches excepted."""
        return not self.by_workflow or self.name in DISPATCHES


Listener: TypeAlias = Callable[[Event], None]


class Events:
    """The listeners are called in the thread that emits, after what happened is stored; they must not wait for anything."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)
