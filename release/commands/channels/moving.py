"""A move of a channel to a release: looked at, step by step, and carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from release.app.channels import Channels
from release.commands.adopt import asked_for
from release.commands.channels.seen import World
from release.commands.downstream import tagged
from release.commands.plan import states
from release.core.channel_config import Channel
from release.core.channel_plan import PromotionPlan
from release.core.channel_record import Move, MoveKind
from release.core.channels import Offer, key_of
from release.core.finding import Blocked, Done, Failed
from release.core.model import Release, Waiver
from release.core.plan import exit_code
from release.core.promoting import promotion_of
from release.core.promotion import Promotion
from release.engine.step import Step
from release.engine.walk import Event, Findings
from release.steps.instances import instance_steps, numbered
from release.steps.promotion import promotion_path
from release.steps.proved import proofs_of

Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Moving:
    """A move that was looked at: the plan, and what is needed to carry it out. Without steps there is nothing to carry out."""

    plan: PromotionPlan
    steps: Sequence[Step[Any]] = ()
    found: Findings = field(default_factory=dict)

    @property
    def stopped(self) -> bool:
        """Whether it must not begin, or go on, before a person has decided."""
        begun = any(step.name == "begin" and isinstance(self.found[step], Done) for step in self.steps)
        return not self.steps or (not begun and (bool(self.plan.conflicts) or self.unseen))

    @property
    def unseen(self) -> bool:
        """Whether some part of the world could not be looked at."""
        return any(isinstance(found, Failed) and not found.seen for found in self.found.values())


def of_move(
    world: World,
    channel: Channel,
    offer: Offer,
    kind: MoveKind,
    waivers: tuple[Waiver, ...],
    begun: Move | None,
    why: str = "",
) -> Moving:
    """Look at every step of a move; one that has `begun` keeps what was said of it."""
    channels = world.channels
    line = key_of(channel, offer.version)
    before = begun.before if begun is not None else stood(world, channel, line, offer)
    promotion = promotion_of(
        channels.session.config, channel, offer, before, kind, waivers, world.releases, begun.why if begun else why
    )
    return walked(world, channel, release_of(channels, offer), promotion, begun)


def move(channels: Channels, moving: Moving, listener: Listener) -> PromotionPlan:
    """Carry a move out; what came of it."""
    session = channels.session
    with session.journal() as journal, session.engine(journal, listener) as engine:
        found = engine.reach(moving.steps, moving.found)
    conflicts = tuple(finding.conflict for finding in found.values() if isinstance(finding, Blocked))
    done = msgspec.structs.replace(moving.plan, steps=states(moving.steps, found), conflicts=conflicts, nothing="")
    if done.complete:
        return done
    return msgspec.structs.replace(done, next=f"invoke channel.promote --to {done.channel} --version {done.tag}")


def release_of(channels: Channels, offer: Offer) -> Release:
    """A release that is out, with all that it wished."""
    session = channels.session
    return tagged(session, session.observed(asked_for(session, offer.tag)), offer.tag)


def code_of_plan(moving: Moving) -> int:
    """The exit code of what was only looked at: only what stops it counts."""
    if moving.unseen:
        return 1
    return 3 if moving.plan.conflicts else 4 if moving.plan.waits else 0


def code_of(plan: PromotionPlan, unseen: bool = False) -> int:
    """A plan's exit code."""
    if unseen:
        return 1
    if plan.conflicts and not plan.steps:
        return 3
    code = exit_code([step.state for step in plan.steps], plan.conflicts)
    return code or (4 if plan.waits and not plan.conflicts else 0)


def stood(world: World, channel: Channel, line: str, offer: Offer) -> str:
    """The version that a release takes the place of, "" for none: by the record, or what somebody wrote before there was one."""
    standing = world.state(channel).standing.get(line)
    if standing is not None:
        return standing.version
    current = world.current(channel, line)
    return current.text if current is not None and current != offer.version else ""


def walked(world: World, channel: Channel, release: Release, wish: Promotion, begun: Move | None) -> Moving:
    """The path of a move, as it was found."""
    channels = world.channels
    promotion = numbered(channels.session.doors(), wish, begun)
    steps = path(channels, channel, release, promotion)
    with channels.session.engine() as engine:
        found = engine.look(steps)
        conflicts = engine.preflight(steps, found)
    plan = PromotionPlan(
        channel.name,
        promotion.kind,
        promotion.line,
        promotion.version,
        promotion.tag,
        promotion.before or None,
        promotion.commit,
        states(steps, found),
        conflicts,
        waivers=promotion.waivers,
    )
    if all(isinstance(found[step], Done) for step in steps if not step.means):
        plan = msgspec.structs.replace(plan, nothing=f"{channel.name} has {promotion.tag}, and all of it says so")
    return Moving(plan, steps, found)


def path(channels: Channels, channel: Channel, release: Release, promotion: Promotion) -> list[Step[Any]]:
    """The whole path of a move."""
    doors = channels.doors(release, promotion.commit)
    claims = channels.claims(channel.name, promotion.line)
    return promotion_path(
        doors,
        release,
        promotion,
        proofs_of(doors.doors, release, channel, promotion.points),
        lambda begin: instance_steps(doors.doors, release, promotion, begin, claims),
    )
