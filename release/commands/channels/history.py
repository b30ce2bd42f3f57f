"""History: every move of the channels, from their records, and those that people made by hand in the files that users follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from release.app.channels import Channels
from release.commands.channels.seen import offered
from release.core.channel_config import Channel
from release.core.channel_hindsight import hindsight
from release.core.channel_history import PointerPast, history
from release.core.channel_plan import ChannelHistory, HistoricMove
from release.core.channels import Offer, ordered
from release.core.model import Refs
from release.core.moments import instant
from release.core.promoting import promotion_of
from release.core.record import Record
from release.core.spoken import spoken
from release.errors import UsageError


def moves(channels: Channels, name: str) -> ChannelHistory:
    """The moves of one channel, or of all of them, newest first."""
    session, config = channels.session, channels.session.config
    if not config.channel:
        raise UsageError("release.toml has no [[channel]]", 'write one: [[channel]] name = "stable"')
    if name:
        channels.named(name)
    refs = session.refs(session.remote, session.repository)
    offers = tuple(offered(channels, refs))
    published = {one.version.text: one.published for one in offers}
    withdrawn = withdrawals(channels, refs)
    told: dict[str, tuple[HistoricMove, ...]] = {}
    for channel in ordered(config.channel):
        judge = hindsight(channel, told.get(channel.follows), published, withdrawn)
        entries = channels.ledger.history(channel.name)
        told[channel.name] = history(channels.rules, channel, entries, pasts(channels, channel, offers), judge)
    found = [one for moved in told.values() for one in moved if name in ("", one.channel)]
    found.sort(key=lambda one: instant(one.when) or 0.0, reverse=True)
    return ChannelHistory(tuple(found))


def withdrawals(channels: Channels, refs: Refs) -> Mapping[str, str]:
    """Version -> when it was withdrawn."""
    records = channels.session.ledger.all(refs)
    return {one.version: one.at for record in records if isinstance(record, Record) for one in record.state.withdrawn}


def pasts(channels: Channels, channel: Channel, offers: tuple[Offer, ...]) -> Iterator[PointerPast]:
    """What each file that a channel points with said over time; of a channel by line, the file of each line."""
    seen: set[tuple[str, str, str, str]] = set()
    for offer in newest_of_lines(channel, offers):
        for wish in promotion_of(channels.session.config, channel, offer, "", "promotion", (), 0).points:
            place = (wish.repository, wish.branch, wish.path, wish.key)
            if wish.kind == "file" and place not in seen:
                seen.add(place)
                changes = channels.remote_at(wish.repository).file_history(wish.branch, wish.path)
                yield PointerPast(wish.name, wish.template, spoken(wish.path, wish.key, changes))


def newest_of_lines(channel: Channel, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """A release to fill templates in with: any for a channel of all lines, else the newest of each line."""
    lines = {
        offer.version.line if channel.scope == "line" else "": offer
        for offer in sorted(offers, key=lambda one: one.version.key)
    }
    return tuple(lines.values())
