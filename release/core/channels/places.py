"""Which channels there are, in which order, by which lines each is looked at, and what stands there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from release.core.channel_config import Channel
from release.core.channel_facts import Offer, Seen
from release.core.channel_record import ChannelState, Move
from release.core.version import Scheme, Version


def ordered(channels: Iterable[Channel]) -> tuple[Channel, ...]:
    """Channels, each after the one that it follows, else as in the file. What is in a ring comes last."""
    left = list(channels)
    found: list[Channel] = []
    while left:
        waiting = {one.name for one in left}
        first = next((one for one in left if one.follows not in waiting), left[0])
        found.append(first)
        left.remove(first)
    return tuple(found)


def followed(channel: Channel, channels: Iterable[Channel]) -> tuple[Channel, ...]:
    """The channels that a version has been in before it gets to this one, the nearest first."""
    named = {one.name: one for one in channels}
    found: list[Channel] = []
    while (before := named.pop(channel.follows, None)) is not None:
        found.append(before)
        channel = before
    return tuple(found)


def key_of(channel: Channel, version: Version) -> str:
    """The line by which a channel keeps a version, "" where it has one for all lines."""
    return version.line if channel.scope == "line" else ""


def lines_of(channel: Channel, seen: Seen) -> tuple[str, ...]:
    """The lines that a channel is to be looked at for, the newest first; ("",) where it has one version for all lines."""
    if channel.scope == "global":
        return ("",)
    state = state_of(channel, seen)
    offered = (offer.version.line for offer in seen.offers if takes(channel, offer.version))
    lines = {*offered, *state.standing, *state.moves, *seen.shown.get(channel.name, ())}
    return tuple(sorted((line for line in lines if _numbers(line)), key=_numbers, reverse=True))


def takes(channel: Channel, version: Version) -> bool:
    """Whether a version is as mature as the channel wants it."""
    return version.final or channel.accepts == "candidate"


def state_of(channel: Channel, seen: Seen) -> ChannelState:
    """A channel's record, an empty one where it has none."""
    return seen.states.get(channel.name, ChannelState())


def unfinished(channel: Channel, seen: Seen, line: str) -> Move | None:
    """The move of a line that was begun and has not ended."""
    move = state_of(channel, seen).moves.get(line)
    return move if move is not None and move.unfinished else None


def misplaced(channel: Channel, seen: Seen) -> tuple[Move, ...]:
    """Moves that have begun and not ended, of a time at which the channel had another scope: no line is theirs now."""
    moves = state_of(channel, seen).moves.items()
    return tuple(one for line, one in moves if one.unfinished and (line == "") != (channel.scope == "global"))


def recorded(rules: Scheme, channel: Channel, seen: Seen, line: str) -> Version | None:
    """What stands there by the channel's record."""
    standing = state_of(channel, seen).standing
    read = {key: version for key, one in standing.items() if (version := rules.parse(one.version)) is not None}
    return _at(channel, read, line)


def current(rules: Scheme, channel: Channel, seen: Seen, line: str) -> Version | None:
    """What users of a channel get, None for nothing: the higher of what its record and its pointers say."""
    shown = _at(channel, seen.shown.get(channel.name, {}), line)
    return highest(one for one in (recorded(rules, channel, seen, line), shown) if one is not None)


def by_hand(rules: Scheme, channel: Channel, seen: Seen, line: str) -> Version | None:
    """What pointers name that is above what the channel's record knows of, though it has one: somebody moved them."""
    was, now = recorded(rules, channel, seen, line), current(rules, channel, seen, line)
    move = unfinished(channel, seen, line)
    ours = move is not None and now is not None and move.version == now.text
    return now if was is not None and now != was and not ours else None


def stray(rules: Scheme, channel: Channel, seen: Seen, line: str, asked: Version | None = None) -> Version | None:
    """What somebody wrote into a pointer that is no release which is out; `asked` is. A slip may be above everything.

    Nothing is told by a list of releases that is not believed: what is not in it may be out.
    """
    hand = by_hand(rules, channel, seen, line)
    known = {asked, *(offer.version for offer in seen.offers)}
    return hand if not seen.doubts and hand not in known else None


def unreadable(rules: Scheme, channel: Channel, seen: Seen, line: str) -> tuple[str, ...]:
    """What stands there by the record and is no version of the scheme: it could be above everything."""
    standing = state_of(channel, seen).standing
    mine = (one for key, one in standing.items() if key == line or channel.scope == "global")
    return tuple(one.version for one in mine if rules.parse(one.version) is None)


def highest(versions: Iterable[Version]) -> Version | None:
    """The highest version, None of none."""
    return max(versions, key=lambda version: version.key, default=None)


def newest_first(offers: Collection[Offer]) -> list[Offer]:
    """Releases from the highest version to the lowest, the same way in whatever order they come."""
    return sorted(offers, key=lambda offer: (offer.version.key, offer.version.text), reverse=True)


def _at(channel: Channel, versions: Mapping[str, Version], line: str) -> Version | None:
    """The version of a line. One whose scope was changed has what it kept the other way: nothing goes back for that."""
    if line in versions:
        return versions[line]
    return highest(one for one in versions.values() if channel.scope == "global" or one.line == line)


def _numbers(line: str) -> tuple[int, ...]:
    parts = line.split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else ()
