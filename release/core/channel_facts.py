"""What is known when a channel is judged, and what comes of that."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from release.core.channel_record import ChannelState
from release.core.finding import Conflict
from release.core.version import Version


class Offer(msgspec.Struct, frozen=True):
    """A release that is out. `commit` is its tag's, `published` when it came out (ISO 8601 UTC), `withdrawn` why nobody
    should take it any more, "" for nothing."""

    version: Version
    tag: str
    commit: str
    published: str
    withdrawn: str = ""


class Seen(msgspec.Struct, frozen=True):
    """What was seen of the world. `now` is ISO 8601 UTC; `states` are by channel; `offers` come in any order.

    `shown`: channel -> line ("" for all) -> the version that its pointers name, as far as they name one; of several the
    highest, and of a move that is under way the new one as soon as any pointer is there. `trailing`: the same, of several the
    lowest. `doubts` say why the list of releases is not believed.
    """

    now: str
    states: Mapping[str, ChannelState]
    offers: tuple[Offer, ...]
    shown: Mapping[str, Mapping[str, Version]] = {}
    doubts: tuple[Conflict, ...] = ()
    trailing: Mapping[str, Mapping[str, Version]] = {}


class Wait(msgspec.Struct, frozen=True):
    """A rule that time or people will meet. `until` is ISO 8601 UTC, "" where nobody knows."""

    rule: str
    why: str
    until: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """What the rules say of a release for a channel. `skipped` says why it is none of the channel's business."""

    offer: Offer
    refusals: tuple[Conflict, ...] = ()
    waits: tuple[Wait, ...] = ()
    skipped: str = ""

    @property
    def ripe(self) -> bool:
        return not self.refusals and not self.waits and not self.skipped
