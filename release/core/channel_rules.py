"""What a configuration must not say of channels: names, who follows whom, when they move, what they require."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from release.core.calendar import ever_open, read_freeze, read_window, read_zone
from release.core.channel_config import Channel
from release.core.config import Config
from release.core.finding import Conflict
from release.core.graph_rules import drawn, near, ring
from release.core.health_rules import alert_contradictions, health_contradictions
from release.core.kind_rules import bad_duration
from release.core.naming import OF_A_PROMOTION
from release.core.notation import quoted, repeated
from release.core.point_rules import point_contradictions

LONGEST_NAME = 50


def channel_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps [[channel]], [[alert]] and the channels of [[downstream]] from meaning one thing."""
    for number, channel in enumerate(config.channel):
        yield from _channel(config, f"channel[{number}]", channel)
    for name in repeated(channel.name for channel in config.channel):
        yield Conflict("duplicate-name", f"two channels are named {quoted(name)}", "rename one")
    yield from _ring(config)
    yield from point_contradictions(config)
    yield from health_contradictions(config)
    yield from alert_contradictions(config)
    yield from _downstreams(config)


def _channel(config: Config, place: str, channel: Channel) -> Iterator[Conflict]:
    if not re.fullmatch(OF_A_PROMOTION["channel"], channel.name) or len(channel.name) > LONGEST_NAME:
        remedy = f"use up to {LONGEST_NAME} lower case letters, digits and -, and begin with a letter"
        yield Conflict("bad-name", f"{place}.name is {quoted(channel.name)}", remedy)
    yield from _follows(config, place, channel)
    if channel.soak:
        yield from bad_duration(f"{place}.soak", channel.soak)
    yield from bad_duration(f"{place}.deadline", channel.deadline)
    for key in ("new_minor_from_patch", "approvals"):
        if getattr(channel, key) < 0:
            yield Conflict("bad-number", f"{place}.{key} is {getattr(channel, key)}", "write 0 or more")
    yield from _calendar(place, channel)
    yield from _approval(config, place, channel)
    yield from _required(config, place, channel)


def _follows(config: Config, place: str, channel: Channel) -> Iterator[Conflict]:
    """A channel that is there, and that has whatever this one could take."""
    if not channel.follows:
        return
    named = {one.name: one for one in config.channel}
    before = named.get(channel.follows)
    if before is None:
        why = f"{place}.follows is {quoted(channel.follows)}, and there is no such channel"
        yield Conflict("follows-unknown", why, near(channel.follows, named, "name one that is there, or leave it out"))
    elif channel.accepts == "candidate" and before.accepts == "final":
        why = f"{channel.name} accepts candidates, and follows {before.name}, which no candidate gets into"
        yield Conflict("follows-narrower", why, f'set accepts = "final", or let {before.name} accept candidates')
    elif channel.scope == "line" and before.scope == "global":
        why = f"{channel.name} has a version for each line, and follows {before.name}, which no lower line gets into"
        yield Conflict("follows-narrower", why, f'set scope = "global", or let {before.name} have scope = "line"')


def _ring(config: Config) -> Iterator[Conflict]:
    graph = {one.name: (one.follows,) if one.follows else () for one in config.channel}
    if found := ring(graph):
        why = f"channels follow each other: {drawn(found, lambda name, to: 'follows')}"
        yield Conflict("follows-ring", why, "leave one `follows` out: nothing would ever get in")


def _calendar(place: str, channel: Channel) -> Iterator[Conflict]:
    wrong = [
        *_unread(f"{place}.freeze", channel.freeze, read_freeze, "bad-freeze"),
        *_unread(f"{place}.windows", channel.windows, read_window, "bad-window"),
    ]
    yield from wrong
    yield from _unread(f"{place}.timezone", (channel.timezone,), read_zone, "bad-timezone")
    if not wrong and not ever_open(channel.freeze, channel.windows):
        why = f"{place}.freeze leaves nothing of the week" + (" that is in its windows" if channel.windows else "")
        yield Conflict("never-open", why, "leave a day, or a window, in which it may move")


def _unread(place: str, texts: tuple[str, ...], read: Callable[[str], object], rule: str) -> Iterator[Conflict]:
    remedies = {
        "bad-freeze": 'write days like "fri" or "sat-sun", dates like "2026-12-20" or "2026-12-20..2027-01-06"',
        "bad-window": 'write hours with or without days, as in "mon-thu 09:00-16:00" or "22:00-02:00"',
        "bad-timezone": 'write a name of the IANA database, as in "Europe/Berlin" or "UTC"',
    }
    for text in texts:
        try:
            read(text)
        except ValueError as error:
            yield Conflict(rule, f"{place} has {quoted(text)}: {error}", remedies[rule])


def _approval(config: Config, place: str, channel: Channel) -> Iterator[Conflict]:
    if channel.approval and config.project.forge == "none":
        why = f"{place}.approval is an environment of a forge, and project.forge is none"
        yield Conflict("no-forge", why, "ask for people with approvals, or set project.forge")
    if not channel.approval.isprintable() or channel.approval != channel.approval.strip():
        why = f"{place}.approval is {quoted(channel.approval)}"
        yield Conflict("bad-name", why, "write the environment's name as GitHub shows it")


def _required(config: Config, place: str, channel: Channel) -> Iterator[Conflict]:
    """Components that a release brings out; what a promotion brings out is waited for anyway."""
    known = {one.name for one in config.downstream if one.per == "release" and one.trigger != "none"}
    named = {one.name for one in config.downstream}
    for name in channel.requires:
        if name in named - known:
            why = f"{place}.requires has {quoted(name)}, which no release brings out"
            yield Conflict("requires-unknown", why, "leave it out: what a promotion releases is waited for anyway")
        elif name not in known:
            why = f"{place}.requires has {quoted(name)}, and there is no such downstream"
            yield Conflict("requires-unknown", why, near(name, known, "name a downstream that is there"))
    for name in repeated(channel.requires):
        yield Conflict("duplicate-name", f"{place}.requires has {quoted(name)} twice", "leave one out")


def _downstreams(config: Config) -> Iterator[Conflict]:
    """Channels that a component is released to."""
    known = [channel.name for channel in config.channel]
    for number, one in enumerate(config.downstream):
        place = f"downstream[{number}].channels"
        if one.channels and one.per == "release":
            yield Conflict(
                "unused", f'{place} is of no use with per = "release"', 'leave it out, or set per = "channel"'
            )
            continue
        for name in one.channels:
            if name not in known:
                why = f"{place} has {quoted(name)}, and there is no such channel"
                yield Conflict("channel-unknown", why, near(name, known, "add it as a [[channel]], or leave it out"))
        for name in repeated(one.channels):
            yield Conflict("duplicate-name", f"{place} has {quoted(name)} twice", "leave one out")
