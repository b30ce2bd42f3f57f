"""Promote whatever is ripe: for a schedule. What soaks is looked at first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from release.app.channels import Channels
from release.commands.channels.moving import Listener, Moving, code_of, code_of_plan, move
from release.commands.channels.promote import on_line, ripe
from release.commands.channels.seen import World, look
from release.commands.channels.watch import troubled, watch
from release.core.channel_config import Channel
from release.core.channel_plan import PromotionPlan, Promotions
from release.core.plan import worst

Progress = Callable[[Moving], AbstractContextManager[Listener]]


def planned(channels: Channels) -> tuple[Promotions, int]:
    """What would move now, and the exit code of that. Looks only."""
    world = look(channels)
    ready = ripe(channels, world)
    code = worst(code_of_plan(one) for one in ready)
    return Promotions(tuple(one.plan for one in ready), remarks=doubted(world)), code


def doubted(world: World) -> tuple[str, ...]:
    """Why nothing may be ripe: by a list of releases that cannot be right, nothing is decided."""
    return tuple(str(doubt) for doubt in world.seen.doubts)


def carried_out(channels: Channels, progress: Progress) -> tuple[Promotions, int]:
    """Look at what soaks, then move each channel that something is ripe for: what one move brings on is looked at anew."""
    with progress(Moving(PromotionPlan(""))) as listener:
        seen, remarks = watch(look(channels), listener)
    world = look(channels)
    done: list[PromotionPlan] = []
    codes: list[int] = []
    for channel, line in tuple(world.lines()):
        moving = on_line(world, channel, line, ())
        if moving.plan.nothing or not (moving.steps or halfway(world, channel, line)):
            continue
        if moving.stopped:
            done.append(moving.plan)
            codes.append(code_of(moving.plan, moving.unseen))
            continue
        with progress(moving) as listener:
            plan = move(channels, moving, listener)
        done.append(plan)
        codes.append(code_of(plan))
        world = look(channels)
    return Promotions(tuple(done), seen, (*remarks, *doubted(world))), worst([*codes, 3 if troubled(seen) else 0])


def halfway(world: World, channel: Channel, line: str) -> bool:
    """Whether a move has begun there and not ended: what keeps it from being finished is told every time."""
    move = world.state(channel).moves.get(line)
    return move is not None and move.unfinished
