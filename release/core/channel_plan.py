"""What the commands about channels return: values that reports show and that JSON carries."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from release.core.channel_facts import Wait
from release.core.channel_record import MoveKind, MoveOutcome
from release.core.finding import Conflict
from release.core.model import Waiver
from release.core.plan import StepState


class ChannelStatus(msgspec.Struct, frozen=True):
    """A channel, or one line of it. `version` is null where it has none; `since` is when that arrived, `age` in seconds.

    `next` is the version that would come next, null for none, and `waits` and `conflicts` what stands before it. `held`, `moving`
    and `hand` (how it came there without a promotion) say what is so in words, "" for nothing. `type` is what to type next, ""
    for nothing.
    """

    name: str
    line: str = ""
    version: str | None = None
    tag: str | None = None
    since: str = ""
    age: float | None = None
    follows: str = ""
    next: str | None = None
    waits: tuple[Wait, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    held: str = ""
    moving: str = ""
    hand: str = ""
    type: str = ""


class ChannelList(msgspec.Struct, frozen=True):
    """Every channel, those first that others follow."""

    channels: tuple[ChannelStatus, ...]
    remarks: tuple[str, ...] = ()


class PromotionPlan(msgspec.Struct, frozen=True):
    """A move of a channel: what would happen, or what came of it. `nothing` says why there is nothing to do, `skipped` why
    the version is none of the channel's business; `next` is what to type to go on, "" for nothing.
    """

    channel: str
    kind: MoveKind = "promotion"
    line: str = ""
    version: str | None = None
    tag: str | None = None
    before: str | None = None
    commit: str | None = None
    steps: tuple[StepState, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    waits: tuple[Wait, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    skipped: str = ""
    nothing: str = ""
    next: str = ""

    @property
    def complete(self) -> bool:
        """Whether nothing of it is left to do."""
        left = any(step.state not in ("done", "skipped") for step in self.steps)
        return not self.conflicts and not self.waits and not left


class Watched(msgspec.Struct, frozen=True):
    """A version that was looked at while it soaks: `healthy` is null where nobody can tell, `told` what was seen by question.

    `held` says why the channel was held just now, "" where it was not, and `forward` what is typed to mend it, in this order.
    """

    channel: str
    version: str
    healthy: bool | None
    told: tuple[StepState, ...]
    held: str = ""
    forward: tuple[str, ...] = ()


class Promotions(msgspec.Struct, frozen=True):
    """What `channel.promote` did, or would do: channel by channel, those first that others follow."""

    channels: tuple[PromotionPlan, ...]
    watched: tuple[Watched, ...] = ()
    remarks: tuple[str, ...] = ()


class RolledBack(msgspec.Struct, frozen=True):
    """A channel that is held, and how to go forward from there. `move` is the way back, null where none was asked for.

    `forward` are commands to type, in this order; `fix` is the version that would take the bad one's place, null where it cannot be told.
    """

    channel: str
    line: str
    bad: str | None
    held: str
    fix: str | None = None
    forward: tuple[str, ...] = ()
    move: PromotionPlan | None = None
    conflicts: tuple[Conflict, ...] = ()


class Resumed(msgspec.Struct, frozen=True):
    """A channel that was held and is not any more; `was` is why it was, "" where it was not."""

    channel: str
    was: str
    taken_again: str = ""
    next: str = ""


class Approved(msgspec.Struct, frozen=True):
    """A yes that is in a channel's record: `people` are all who said so of the version, `wanted` how many it takes."""

    channel: str
    version: str
    people: tuple[str, ...]
    wanted: int


class HistoricMove(msgspec.Struct, frozen=True):
    """A move of a channel. `frm` is null for the first; `who` and `when` (ISO 8601 UTC) of what was made by hand are its
    commit's. `evidence` is by what was looked at; `violations` are the rules that it broke, waived ones included. `line` is
    "" where the channel has one version for all; `hand` says that nobody promoted it, and where it was seen. Of a move that was
    taken back, `outcome` is "returned", and its `to` is what it was begun for. `why` is what its captain said. `kind` is promotion, rollback, or, where nothing
    moved, hold or resume: `from` and `to` are then the version that this is about, null for none.
    """

    channel: str
    when: str
    who: str
    frm: str | None = msgspec.field(name="from")
    to: str | None
    evidence: Mapping[str, str]
    violations: tuple[str, ...]
    line: str = ""
    kind: str = "promotion"
    hand: str = ""
    outcome: MoveOutcome = "finished"
    why: str = ""


class ChannelHistory(msgspec.Struct, frozen=True):
    """Every move of channels, newest first."""

    moves: tuple[HistoricMove, ...]
    remarks: tuple[str, ...] = ()
