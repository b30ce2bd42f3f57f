"""Holding a channel, and letting it go on: what the record says of it, and nothing else."""

from __future__ import annotations

import msgspec

from release.app.channels import Channels
from release.commands.adopt import asked_for
from release.core.channel_config import Channel
from release.core.channel_plan import Resumed
from release.core.channel_record import ChannelState, Hold, Mark
from release.core.version import Version
from release.errors import UsageError


def hold(channels: Channels, channel: Channel, version: Version | None, why: str, told: bool = True) -> ChannelState:
    """Nothing enters the channel from now on; the version is bad. Once is enough: what holds it already stays."""
    person, now = channels.session.who(), channels.now()

    def held(state: ChannelState) -> tuple[ChannelState, str]:
        text = version.text if version is not None else ""
        bad = {**state.bad, text: Mark(why, person, now)} if text and text not in state.bad else state.bad
        placed = state.hold or Hold(why, person, now, text, told)
        return msgspec.structs.replace(state, hold=placed, bad=bad), f"held {channel.name}: {text or 'all'}"

    return channels.ledger.change(channel.name, held).state


def alerted(channels: Channels, channel: Channel) -> None:
    """Who should know of the hold was told."""

    def told(state: ChannelState) -> tuple[ChannelState, str]:
        placed = msgspec.structs.replace(state.hold, told=True) if state.hold is not None else None
        return msgspec.structs.replace(state, hold=placed), f"told of the hold of {channel.name}"

    channels.ledger.change(channel.name, told)


def resume(channels: Channels, name: str, version: str) -> Resumed:
    """Lift the hold; with a version, take that one for good again as well."""
    channel = channels.named(name)
    channels.session.who()
    before = channels.ledger.read(name).state
    text = asked_for(channels.session, version).text if version else ""
    if text and text not in before.bad:
        known = ", ".join(before.bad) or "none"
        raise UsageError(f"{name} has nothing against {text}", f"versions that are bad there: {known}")

    def lifted(state: ChannelState) -> tuple[ChannelState, str]:
        bad = {one: mark for one, mark in state.bad.items() if one != text}
        said = f"resumed {channel.name}" + (f", with {text}" if text else "")
        return msgspec.structs.replace(state, hold=None, bad=bad), said

    channels.ledger.change(name, lifted)
    was = before.hold.why if before.hold is not None else ""
    return Resumed(name, was, text, f"invoke channel.promote --to {name}")
