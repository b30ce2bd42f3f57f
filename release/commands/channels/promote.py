"""Promote: which release a channel moves to, and what stands against it. What has begun is finished first."""

from __future__ import annotations

from collections.abc import Sequence

from release.app.channels import Channels
from release.commands.channels.moving import Moving, of_move
from release.commands.channels.seen import World, look
from release.core import moves
from release.core.channel_config import Channel
from release.core.channel_plan import PromotionPlan
from release.core.channel_record import Move
from release.core.channels import Offer, Verdict, astray, chosen, judged, key_of, unfit, unwaivable
from release.core.finding import Conflict
from release.core.model import Waiver
from release.core.version import Version
from release.errors import UsageError


def waivers_of(channels: Channels, waived: Sequence[tuple[str, str]]) -> tuple[Waiver, ...]:
    """Rules that a person sets aside for one move, each with the reason."""
    if wrong := unwaivable([rule for rule, _ in waived]):
        raise UsageError(f"{', '.join(wrong)} cannot be waived", "docs/rules.md says which rules of channels can be")
    return tuple(Waiver(rule, why, channels.session.who().name) for rule, why in waived)


def prepared(
    channels: Channels, to: str, version: str = "", waived: Sequence[tuple[str, str]] = (), world: World | None = None
) -> tuple[Moving, ...]:
    """What a promotion to the channel would do, on each of its lines; with a version on that one's."""
    channel, waivers = channels.named(to), waivers_of(channels, waived)
    world = world or look(channels)
    if version:
        offer = world.offer(version)
        return (on_line(world, channel, key_of(channel, offer.version), waivers, offer),)
    lines = [line for one, line in world.lines() if one.name == channel.name]
    return tuple(on_line(world, channel, line, waivers) for line in lines) or (
        nothing(channel, "", "no release is out"),
    )


def ripe(channels: Channels, world: World | None = None) -> tuple[Moving, ...]:
    """Every move that can be made now, or has begun: of each channel, those first that others follow."""
    world = world or look(channels)
    found = [on_line(world, channel, line, ()) for channel, line in world.lines()]
    return tuple(one for one in found if one.steps)


def on_line(world: World, channel: Channel, line: str, waivers: Sequence[Waiver], asked: Offer | None = None) -> Moving:
    """A move of one channel on one line: the one that has begun, else the version that was asked for, else what is ripe."""
    config, state = world.channels.session.config, world.state(channel)
    waived = [waiver.rule for waiver in waivers]
    begun = state.moves.get(line)
    if asked is None and begun is not None and begun.unfinished and (stops := stopping(world, channel, begun)):
        return against(channel, line, *stops, begun=begun)
    if asked is not None:
        if (standing := state.standing.get(line)) is not None and standing.version == asked.version.text:
            return again(world, channel, line, asked, begun, waivers)
        verdict: Verdict | None = judged(config, channel, asked, world.seen, waived)
    else:
        verdict = chosen(config, channel, line, world.seen, waived)
    if verdict is None:
        return nothing_newer(world, channel, line, waivers)
    if not verdict.ripe:
        return unripe(channel, line, verdict, waivers)
    ours = begun if begun is not None and begun.unfinished else None
    kept = ours.waivers if ours is not None else ()
    return of_move(world, channel, verdict.offer, "promotion", tuple(dict.fromkeys((*kept, *waivers))), ours)


def again(
    world: World, channel: Channel, line: str, offer: Offer, begun: Move | None, waivers: Sequence[Waiver]
) -> Moving:
    """The channel has it already; whether all of it says so is looked at again, and mended where it does not."""
    if begun is not None and begun.unfinished and begun.version != offer.version.text:
        return against(channel, line, moves.moving(channel.name, begun), begun=begun)
    if begun is None or begun.version != offer.version.text:
        return nothing(channel, line, f"{channel.name} has {offer.tag}")
    verdict = judged(world.channels.session.config, channel, offer, world.seen)
    if verdict.refusals:  # a hand has put something above it into the pointers
        return unripe(channel, line, verdict, ())
    aside = tuple(dict.fromkeys((*begun.waivers, *waivers)))
    moving = of_move(world, channel, offer, begun.kind, aside, begun)
    stops = unfit(world.channels.session.config, channel, offer, world.seen)
    return moving if moving.plan.nothing or not stops else against(channel, line, *stops, begun=begun)


def nothing_newer(world: World, channel: Channel, line: str, waivers: Sequence[Waiver]) -> Moving:
    """Nothing is above what the channel has; unless that is a slip of somebody's hand, or one of its pointers says less."""
    if stray := astray(world.channels.rules, channel, world.seen, line):
        return against(channel, line, *stray)
    if behind(world, channel, line) and (offer := world.tagged(world.state(channel).standing[line].tag)) is not None:
        return again(world, channel, line, offer, world.state(channel).moves.get(line), waivers)
    current = world.current(channel, line)
    had = f"{channel.name} has {world.channels.rules.tag(current)}" if current else f"{channel.name} has nothing yet"
    return nothing(channel, line, f"{had}, and nothing newer is out for it")


def behind(world: World, channel: Channel, line: str) -> Version | None:
    """What a pointer says that is below what the channel has by its record: somebody moved it; None where none does."""
    standing, lowest = world.state(channel).standing.get(line), world.seen.trailing.get(channel.name, {}).get(line)
    has = world.channels.rules.parse(standing.version) if standing is not None else None
    return lowest if has is not None and lowest is not None and lowest < has else None


def nothing(channel: Channel, line: str, why: str) -> Moving:
    """There is nothing to do."""
    return Moving(PromotionPlan(channel.name, line=line, nothing=why))


def unripe(channel: Channel, line: str, verdict: Verdict, waivers: Sequence[Waiver]) -> Moving:
    """The rules do not let it in, or not yet."""
    offer = verdict.offer
    return Moving(
        PromotionPlan(
            channel.name,
            line=line,
            version=offer.version.text,
            tag=offer.tag,
            commit=offer.commit,
            conflicts=verdict.refusals,
            waits=verdict.waits,
            waivers=tuple(waivers),
            skipped=verdict.skipped,
        )
    )


def stopping(world: World, channel: Channel, begun: Move) -> tuple[Conflict, ...]:
    """What keeps a move that has begun from being gone on with by a promotion. A list that is not believed says of nothing that it is gone."""
    if begun.kind == "rollback":
        return (moves.moving(channel.name, begun),)
    if world.tagged(begun.tag) is not None:
        return ()
    if world.seen.doubts:
        return world.seen.doubts
    why = f"a move of {channel.name} to {begun.tag} has begun, and that is not out any more"
    line = f" --line {begun.line}" if begun.line else ""
    back = f"invoke channel.rollback {channel.name}{line} --reason WHY"
    return (Conflict("channel-gone", why, f"see that it is out again; or take it back: {back}"),)


def against(channel: Channel, line: str, *conflicts: Conflict, begun: Move | None = None) -> Moving:
    """A person has to decide; nothing moves before."""
    if begun is None:
        return Moving(PromotionPlan(channel.name, line=line, conflicts=conflicts))
    return Moving(PromotionPlan(channel.name, begun.kind, line, begun.version, begun.tag, conflicts=conflicts))
