"""List: which version each channel has, what comes next, and what that waits for. Looks only."""

from __future__ import annotations

from release.app.channels import Channels
from release.commands.channels.promote import behind
from release.commands.channels.seen import World, look
from release.core.channel_config import Channel
from release.core.channel_plan import ChannelList, ChannelStatus
from release.core.channels import astray, chosen
from release.core.moments import age
from release.core.version import Version


def listing(channels: Channels) -> ChannelList:
    """Every channel, line by line where it has lines."""
    world = look(channels)
    remarks = tuple(str(doubt) for doubt in world.seen.doubts)
    return ChannelList(tuple(status(world, channel, line) for channel, line in world.lines()), remarks)


def status(world: World, channel: Channel, line: str) -> ChannelStatus:
    """One channel, or one line of it."""
    config, state, rules = world.channels.session.config, world.state(channel), world.channels.rules
    standing, move = state.standing.get(line), state.moves.get(line)
    verdict = chosen(config, channel, line, world.seen)
    current = world.current(channel, line)
    moving = f"to {move.tag}, begun by {move.by.name} at {move.at}" if move is not None and move.unfinished else ""
    since = standing.at if standing is not None and current is not None and standing.version == current.text else ""
    return ChannelStatus(
        name=channel.name,
        line=line,
        version=current.text if current is not None else None,
        tag=rules.tag(current) if current is not None else None,
        since=since,
        age=age(since, world.seen.now),
        follows=channel.follows,
        next=verdict.offer.version.text if verdict is not None else None,
        waits=verdict.waits if verdict is not None else (),
        conflicts=verdict.refusals if verdict is not None else astray(rules, channel, world.seen, line),
        held=state.hold.why if state.hold is not None else "",
        moving=moving,
        hand=by_hand(world, channel, line, current) if current is not None and not moving else "",
        type=to_type(channel, bool(moving), state.hold is not None, verdict is not None and verdict.ripe),
    )


def by_hand(world: World, channel: Channel, line: str, current: Version) -> str:
    """That pointers of a channel say something without a promotion, and what to type; "" where they say what was promoted."""
    if (low := behind(world, channel, line)) is not None:
        mend = f"invoke channel.promote --to {channel.name} --version {world.channels.rules.tag(current)}"
        return f"a pointer says {low}, and no promotion brought that there; to see which: {mend}"
    if any(one.version == current.text for one in world.state(channel).standing.values()):
        return ""
    tag = world.channels.rules.tag(current)
    if world.tagged(tag) is None:
        return "its pointers say so, and no such release is out"
    take = f"invoke channel.promote --to {channel.name} --version {tag}"
    return f"its pointers say so, and no promotion brought it there; to take it into the record: {take}"


def to_type(channel: Channel, moving: bool, held: bool, ripe: bool) -> str:
    """What a captain types next, "" for nothing."""
    if moving or (ripe and not held):
        return f"invoke channel.promote --to {channel.name}"
    return f"invoke channel.resume {channel.name}" if held else ""
