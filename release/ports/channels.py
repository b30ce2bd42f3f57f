"""Channels: their records, what users follow, and whether a release does well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from release.core.channel_record import ChannelRecord, ChannelState, Entry
from release.core.finding import Conflict
from release.core.model import Release
from release.core.promotion import HealthWish, Reading

Change = Callable[[ChannelState], tuple[ChannelState, str]]
"""A new state and what its commit says; the same state where there is nothing to write. May raise Refused."""


class ChannelLedger(Protocol):
    """The records of an upstream's channels. What reads may raise Unseen, what writes Refused or Uncertain as well."""

    def read(self, name: str) -> ChannelRecord:
        """A channel's record, fresh from the remote; an empty one where there is none yet."""
        ...

    def latest(self, name: str) -> ChannelRecord:
        """The newest that this process has seen or written; asks only where it has seen none."""
        ...

    def change(self, name: str, change: Change) -> ChannelRecord:
        """Compare and swap: `change` is asked again about the newer state where somebody else was faster."""
        ...

    def history(self, name: str) -> Iterator[Entry]:
        """Every state that a channel's record had, newest first; never held whole."""
        ...


class Pointer(Protocol):
    """Something that says which version a channel has. Values are texts: a digest, a tag, what a file says."""

    @property
    def name(self) -> str:
        """The one of its PointWish."""
        ...

    def reads(self) -> str:
        """What it says now, "" where it says nothing yet. Unseen where that cannot be told."""
        ...

    def wanted(self) -> str | Conflict:
        """What it is to say for the version, found out where that takes a look (an image's digest)."""
        ...

    def waits(self, old: str, new: str) -> str:
        """Whose turn it is while it says `old` still (a pull request that is open), "" for nobody's. Looks only."""
        ...

    def lacking(self) -> tuple[Conflict, ...]:
        """Why it could not be moved by us: rights, tools. Nothing is written."""
        ...

    def move(self, old: str, new: str, say: Callable[[str], None]) -> None:
        """Let it say `new` where it says `old` ("" for nothing); Refused where it says anything else by now."""
        ...


class Healths(Protocol):
    """Asks whether a release does well."""

    def lacking(self, wish: HealthWish) -> tuple[Conflict, ...]:
        """What keeps it from being asked: a program that is not here."""
        ...

    def reading(self, wish: HealthWish, release: Release, commit: str, say: Callable[[str], None]) -> Reading:
        """The answer. What cannot be told is a Reading that says so, never an error."""
        ...
