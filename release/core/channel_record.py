"""The record of a channel: which version it has, how it got there, what holds it. `refs/sluice/channels/<name>` has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from release.core.model import Person, Waiver
from release.core.record import PREFIX, Proof

FOLDER = f"{PREFIX}channels/"
ARRIVALS = 500
"""So many of the newest arrivals a record keeps; what came before is in its history."""

MoveKind = Literal["promotion", "rollback"]
MoveOutcome = Literal["begun", "returning", "finished", "returned"]


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which version a channel has, since when (ISO 8601 UTC), and the version that it took the place of, "" for none."""

    version: str
    tag: str
    at: str
    before: str = ""


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """Nothing enters the channel, and why. `version` is the one that this is about, "" for none in particular.

    `told` is false as long as nobody was alerted who should be.
    """

    why: str
    by: Person
    at: str
    version: str = ""
    told: bool = True


class Mark(msgspec.Struct, frozen=True):
    """A version that is not taken on from this channel, and not into it, and why."""

    why: str
    by: Person
    at: str


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody's yes to a version."""

    version: str
    by: Person
    at: str
    why: str = ""


class Moved(msgspec.Struct, frozen=True):
    """A pointer of a move, by its name: what it said before, "" where it said nothing, and what it is to say."""

    pointer: str
    old: str
    new: str


class Move(msgspec.Struct, frozen=True, omit_defaults=True):
    """One move of a channel to a version: begun, then its pointers one after the other, then finished; or else returning,
    its pointers back one after the other, then returned.

    `number` counts the moves of the channel from 1. `line` is "" where the channel has one version for all lines.
    `commit` is the one that the release's tag is on. `before` is the version that the channel had, "" for none. `instances`: the tag
    that each component gets which promotions release, by name. `proofs` are claims and proofs by step (as in Record), `seen` what
    proved that it may be, in words, by step.
    """

    number: int
    kind: MoveKind
    line: str
    version: str
    tag: str
    commit: str
    before: str
    by: Person
    at: str
    pointers: tuple[Moved, ...] = ()
    instances: Mapping[str, str] = {}
    waivers: tuple[Waiver, ...] = ()
    seen: Mapping[str, str] = {}
    proofs: Mapping[str, Proof] = {}
    outcome: MoveOutcome = "begun"
    ended: str = ""
    why: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether some of its pointers may say the new version, and others the old one."""
        return self.outcome in ("begun", "returning")


class ChannelState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a channel stands. `standing` and `moves` (the newest move each) are by line, "" for all lines.

    `arrivals`: version -> when it first arrived, oldest first. `bad`: versions that were rolled back or found unhealthy here.
    `releases` is the largest number of releases that was seen so far, or the one that a person said is all there are, and
    `counted` (ISO 8601 UTC) when that was; `number` is that of the newest move.
    """

    standing: Mapping[str, Standing] = {}
    arrivals: Mapping[str, str] = {}
    moves: Mapping[str, Move] = {}
    hold: Hold | None = None
    bad: Mapping[str, Mark] = {}
    approvals: tuple[Approval, ...] = ()
    releases: int = 0
    counted: str = ""
    number: int = 0


class ChannelRecord(msgspec.Struct, frozen=True):
    """The newest state of a channel. `tip` is the commit that its ref points at, "" where there is none yet."""

    name: str
    tip: str = ""
    state: ChannelState = ChannelState()


class Entry(msgspec.Struct, frozen=True):
    """A commit of a channel's history: the state as it was then, who wrote it, and what they said."""

    state: ChannelState
    by: Person
    at: str
    message: str


def ref_of_channel(name: str) -> str:
    """The full name of a channel's ref."""
    return FOLDER + name
