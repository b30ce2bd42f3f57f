"""Watch: whether what soaks in a channel does well. What does not is held there, and people are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from release.app.channels import Channels
from release.commands.channels import rollback
from release.commands.channels.hold import alerted, hold
from release.commands.channels.moving import Listener, release_of
from release.commands.channels.seen import World
from release.commands.plan import states
from release.core.channel_config import Channel
from release.core.channel_plan import Watched
from release.core.channels import Offer, takes
from release.core.finding import Blocked, Done
from release.core.news import News
from release.core.promoting import promotion_of
from release.core.promotion import HealthWish
from release.engine.step import Step
from release.engine.walk import Findings
from release.errors import ConflictError
from release.steps.given import Whole
from release.steps.health import HealthCheck


@dataclass(frozen=True)
class Soaking:
    """A version that a channel has, and that others wait for: `questions` are asked of it."""

    channel: Channel
    line: str
    offer: Offer
    questions: tuple[HealthWish, ...]


def soaking(world: World) -> Iterator[Soaking]:
    """Every version that soaks: it stands in a channel, and one that follows that has not had it yet."""
    config = world.channels.session.config
    for channel, line in world.lines():
        standing = world.state(channel).standing.get(line)
        offer = world.tagged(standing.tag) if standing is not None else None
        if offer is None or offer.version.text in world.state(channel).bad:
            continue
        waiting = [
            one
            for one in config.channel
            if one.follows == channel.name
            and offer.version.text not in world.state(one).arrivals
            and takes(one, offer.version)
        ]
        asking = [channel, *waiting] if waiting else []
        wishes = [promotion_of(config, one, offer, "", "promotion", (), 0).health for one in asking]
        questions = tuple(dict.fromkeys(question for each in wishes for question in each))
        if questions:
            yield Soaking(channel, line, offer, questions)


@dataclass(frozen=True)
class Asked:
    """What soaks, how it does, and why it is unhealthy, "" where it is not or nobody can tell."""

    soaking: Soaking
    watched: Watched
    why: str = ""


def asked(world: World) -> tuple[Asked, ...]:
    """How all that soaks does. Looks only."""
    return tuple(asked_of(world, one) for one in soaking(world))


def asked_of(world: World, one: Soaking) -> Asked:
    """Ask how it does."""
    channels = world.channels
    release = release_of(channels, one.offer)
    steps: list[Step[Any]] = [
        HealthCheck(f"health {wish.name}", release, wish, one.offer.commit, channels.healths) for wish in one.questions
    ]
    with channels.session.engine() as engine:
        looked = engine.look([*steps, Whole("watch", tuple(steps))])
        found: Findings = {step: looked[step] for step in steps}
    no = [str(finding.conflict.why) for finding in found.values() if isinstance(finding, Blocked)]
    well = all(isinstance(finding, Done) for finding in found.values())
    healthy = False if no else True if well else None
    found_so = Watched(one.channel.name, one.offer.version.text, healthy, states(steps, found))
    return Asked(one, found_so, "; ".join(no))


def watch(world: World, found: tuple[Asked, ...], listener: Listener) -> tuple[tuple[Watched, ...], tuple[str, ...]]:
    """Hold what was found to be unhealthy, and tell people. Where nobody can tell, nothing is done."""
    seen: list[Watched] = []
    remarks: list[str] = []
    for one in found:
        told, more = act(world, one, listener) if one.why else (one.watched, ())
        seen.append(told)
        remarks += more
    return tuple(seen), (*remarks, *unended(world, listener))


def act(world: World, asked: Asked, listener: Listener) -> tuple[Watched, tuple[str, ...]]:
    """Hold the channel; go back by itself only where that is configured."""
    channels, one, why = world.channels, asked.soaking, asked.why
    hold(channels, one.channel, one.offer.version, why, told=False)
    remarks = ended(channels, one.channel, (one.line,), one.offer.version.text, why, listener)
    onward = rollback.forward(world, one.channel, one.line, one.offer.version, why).forward
    return msgspec.structs.replace(asked.watched, held=why, forward=onward), remarks


def unended(world: World, listener: Listener) -> tuple[str, ...]:
    """Holds of ours after which somebody stopped before all of it was done: it is done now."""
    found: list[str] = []
    for channel in untold(world):
        state = world.state(channel)
        assert state.hold is not None, "what is not held has nobody to be told"
        held = state.hold
        lines = tuple(line for line, one in state.standing.items() if one.version == held.version)
        found += ended(world.channels, channel, lines, held.version, held.why, listener)
    return tuple(found)


def untold(world: World) -> tuple[Channel, ...]:
    """Channels with a hold of ours that is not all done."""
    every = world.channels.session.config.channel
    return tuple(one for one in every if (held := world.state(one).hold) is not None and not held.told)


def ended(
    channels: Channels, channel: Channel, lines: tuple[str, ...], version: str, why: str, listener: Listener
) -> tuple[str, ...]:
    """What follows from a hold of ours: people are told, the channel goes back where that is configured, and the hold says so.

    What could not be delivered is told here, and sent again next time.
    """
    news = News("health", channel.name, version, f"{channel.name} is held", why, channels.now())
    failed = tuple(channels.alerts.send(news))
    went = [said for line in lines for said in went_back(channels, channel, line, why, listener)]
    if not failed:
        alerted(channels, channel)
    return (*failed, *went)


def went_back(channels: Channels, channel: Channel, line: str, reason: str, listener: Listener) -> tuple[str, ...]:
    """Move the channel back within its minor, where it is to; why not, where that cannot be."""
    if channel.unhealthy != "rollback":
        return ()
    try:
        todo = rollback.prepared(channels, channel.name, line, "", True, reason)
        done = rollback.roll_back(channels, todo, listener).move
    except ConflictError as error:
        return tuple(f"{channel.name} stays where it is: {conflict}" for conflict in error.conflicts)
    return (f"{channel.name} went back to {done.tag}",) if done is not None and done.complete else ()


def troubled(seen: tuple[Watched, ...]) -> bool:
    """Whether something was held just now."""
    return any(one.held for one in seen)
