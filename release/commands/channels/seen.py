"""What was seen of the world before anything is promoted: releases, records of channels, and what pointers say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from release.app.channels import Channels
from release.app.session import NOBODY
from release.commands.adopt import asked_for
from release.core.channel_config import Channel
from release.core.channel_record import ChannelState, Move
from release.core.channels import Offer, Seen, current, doubts, key_of, lines_of, ordered
from release.core.images import version_said
from release.core.model import Refs, Release
from release.core.promoting import promotion_of
from release.core.promotion import PointWish
from release.core.record import Record
from release.core.references.order import version_in
from release.core.version import Version
from release.errors import Missing, UsageError


@dataclass(frozen=True)
class World:
    """`seen` is what the rules judge by, `releases` how many were listed."""

    channels: Channels
    refs: Refs
    seen: Seen
    releases: int

    def offer(self, text: str) -> Offer:
        """The release that a person named; it has to be out."""
        wanted = asked_for(self.channels.session, text)
        found = next((one for one in self.seen.offers if one.version == wanted), None)
        if found is None:
            tag = self.channels.rules.tag(wanted)
            there = "is tagged, and not published" if tag in self.refs.tags else "is not there"
            raise UsageError(
                f"{tag} {there}: no channel can have it", f"release it first: invoke release --version {tag}"
            )
        return found

    def tagged(self, tag: str) -> Offer | None:
        """The release with this tag, if it is out."""
        return next((one for one in self.seen.offers if one.tag == tag), None)

    def state(self, channel: Channel) -> ChannelState:
        """Where a channel stands by its record."""
        return self.seen.states[channel.name]

    def current(self, channel: Channel, line: str) -> Version | None:
        """The version that a channel has."""
        return current(self.channels.rules, channel, self.seen, line)

    def lines(self) -> Iterator[tuple[Channel, str]]:
        """Every channel with each of its lines, those first that others follow."""
        for channel in ordered(self.channels.session.config.channel):
            for line in lines_of(channel, self.seen):
                yield channel, line


def look(channels: Channels) -> World:
    """Ask the upstream for its refs, the forge for its releases, each channel's record, and the pointers that name versions."""
    session, config = channels.session, channels.session.config
    if not config.channel:
        raise UsageError("release.toml has no [[channel]]", 'write one: [[channel]] name = "stable"')
    refs = session.refs(session.remote, session.repository)
    offers = tuple(offered(channels, refs))
    states = {one.name: channels.ledger.read(one.name).state for one in config.channel}
    now = channels.now()
    versions = [version for tag in refs.tags if (version := channels.rules.of_tag(tag)) is not None]
    doubt = doubts(offers, versions, states.values(), on_forge=session.forge is not None)
    first = Seen(now, states, offers, {}, doubt)
    names = {one.name: dict(named(channels, one, first)) for one in config.channel}
    shown, trailing = (
        {name: {line: pick(found) for line, found in lines.items()} for name, lines in names.items()}
        for pick in (max, min)
    )
    return World(channels, refs, Seen(now, states, offers, shown, doubt, trailing), len(offers))


def offered(channels: Channels, refs: Refs) -> Iterator[Offer]:
    """Every release that is out: by the forge where there is one, else by its tag."""
    session = channels.session
    withdrawn = {
        one.version: one.why
        for record in session.ledger.all(refs)
        if isinstance(record, Record)
        for one in record.state.withdrawn
    }
    versions = {tag: version for tag in refs.tags if (version := channels.rules.of_tag(tag)) is not None}
    for tag, published in came_out(channels, refs, versions):
        version = versions[tag]
        yield Offer(version, tag, refs.tags[tag], published, withdrawn.get(version.text, ""))


def came_out(channels: Channels, refs: Refs, versions: Mapping[str, Version]) -> Iterator[tuple[str, str]]:
    """Tags of releases that are out, with the time; a tag says when its commit was made, and no more."""
    session = channels.session
    if (lists := session.lists(session.repository)) is not None:
        for tag, one in lists.releases("", ()).items():
            if tag in versions:
                yield tag, one.at
        return
    tags = {tag: refs.tags[tag] for tag in versions}
    session.remote.bring([f"refs/tags/{tag}" for tag in tags], list(dict.fromkeys(tags.values())))
    for found in session.remote.dates(tags):
        if found.date:
            yield found.name, found.date


def named(channels: Channels, channel: Channel, seen: Seen) -> Iterator[tuple[str, list[Version]]]:
    """The versions that a channel's pointers name, by line, as far as they name any."""
    newest = max(seen.offers, key=lambda one: one.version, default=None)
    for line in lines_of(channel, seen):
        offer = max(
            (one for one in seen.offers if key_of(channel, one.version) == line),
            key=lambda one: one.version,
            default=newest,
        )
        found = [] if offer is None else list(said(channels, channel, offer))
        begun = seen.states[channel.name].moves.get(line)
        if begun is not None and begun.outcome != "finished":
            found += arriving(channels, channel, begun, seen)
        if begun is None and offer is not None:
            found += unrecorded(channels, channel, offer)
        if found:
            yield line, found


def said(
    channels: Channels, channel: Channel, offer: Offer, kinds: Collection[str] = ("file", "latest")
) -> Iterator[Version]:
    """The versions that pointers of these kinds name: files and marks do so at the cost of a look, images do not."""
    config, rules = channels.session.config, channels.rules
    promotion = promotion_of(config, channel, offer, "", "promotion", (), 0)
    for wish in promotion.points:
        if wish.kind in kinds:
            text = spoken(channels, wish, offer)
            version = version_in(rules, wish.template, text) if text else None
            if version is not None:
                yield version


def unrecorded(channels: Channels, channel: Channel, offer: Offer) -> Iterator[Version]:
    """What the other pointers say, for a channel of which no record tells what it has: commands, and what images say they are of."""
    yield from said(channels, channel, offer, ("command",))
    promotion = promotion_of(channels.session.config, channel, offer, "", "promotion", (), 0)
    for image in (wish.image for wish in promotion.points if wish.image is not None):
        document = channels.session.registry.document(image)
        version = channels.rules.requested(version_said(document)) if document is not None else None
        if version is not None:
            yield version


def spoken(channels: Channels, wish: PointWish, offer: Offer) -> str:
    """What a pointer says. A place that is not there says nothing: who moves that one is told, and no other channel waits."""
    try:
        return channels.pointer(wish, bare(offer), offer.commit).reads()
    except Missing:
        return ""


def arriving(channels: Channels, channel: Channel, begun: Move, seen: Seen) -> list[Version]:
    """The version of a move that is under way, as soon as one of its pointers is there: who follows that one has it.

    Of a move that was taken back, a pointer that said nothing before stayed there.
    """
    offer = next((one for one in seen.offers if one.tag == begun.tag), None)
    if offer is None:
        return []
    moved = {one.pointer: one for one in begun.pointers if one.old != one.new and (begun.unfinished or not one.old)}
    promotion = promotion_of(channels.session.config, channel, offer, "", "promotion", (), 0)
    for wish in promotion.points:
        if wish.name in moved and spoken(channels, wish, offer) == moved[wish.name].new:
            return [offer.version]
    return []


def bare(offer: Offer) -> Release:
    """A release as far as its tag tells: enough to read a pointer by."""
    version = offer.version
    return Release(
        version.text, offer.tag, version.line, version.kind, "", None, "", offer.commit, offer.published, NOBODY
    )
