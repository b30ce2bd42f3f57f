"""One release before one channel: what its rules look at."""

from __future__ import annotations

import msgspec

from release.core.channel_config import Channel
from release.core.channel_facts import Offer, Seen
from release.core.channel_record import ChannelState, Move
from release.core.channels import places
from release.core.config import Config
from release.core.version import Scheme, Version, scheme


class Case(msgspec.Struct, frozen=True):
    """A release that is to get into a channel. `line` is the channel's for it, `stands` what it would take the place of, `move` what
    has begun on that line and has not ended.
    """

    config: Config
    rules: Scheme
    channel: Channel
    offer: Offer
    seen: Seen
    line: str
    stands: Version | None
    move: Move | None

    @property
    def version(self) -> Version:
        return self.offer.version

    @property
    def state(self) -> ChannelState:
        return places.state_of(self.channel, self.seen)

    @property
    def begun(self) -> bool:
        """Whether it is on its way already."""
        move = self.move
        forth = move is not None and move.kind == "promotion" and move.outcome == "begun"
        return forth and move is not None and move.version == self.version.text

    @property
    def waived(self) -> frozenset[str]:
        """The rules that were set aside when it was begun."""
        return frozenset(waiver.rule for waiver in self.move.waivers) if self.move and self.begun else frozenset()

    @property
    def there(self) -> bool:
        """Whether some of the pointers name it already."""
        return places.current(self.rules, self.channel, self.seen, self.line) == self.version

    @property
    def trails(self) -> Version | None:
        """What a pointer names that is behind all others, and behind what the channel has; None where none is."""
        lowest = self.seen.trailing.get(self.channel.name, {}).get(self.line)
        behind = lowest is not None and self.stands is not None and lowest < self.stands
        return lowest if behind else None

    @property
    def before(self) -> tuple[Channel, ...]:
        """The channels that it has to have been in, the nearest first."""
        return places.followed(self.channel, self.config.channel)


def case_of(config: Config, channel: Channel, offer: Offer, seen: Seen) -> Case:
    """A release before a channel. Pointers that name it already, or what is not out, take nothing away from what the record says."""
    rules = scheme(config.version, config.project.name)
    line = places.key_of(channel, offer.version)
    stands = places.current(rules, channel, seen, line)
    if stands == offer.version or places.stray(rules, channel, seen, line, offer.version) is not None:
        stands = places.recorded(rules, channel, seen, line)
    return Case(config, rules, channel, offer, seen, line, stands, places.unfinished(channel, seen, line))
