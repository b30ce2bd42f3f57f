"""Promote whatever is ripe: for a schedule. What soaks is looked at first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from release.app.channels import Channels
from release.commands.channels.moving import Listener, Moving, code_of, code_of_plan, move
from release.commands.channels.promote import on_line, ripe
from release.commands.channels.seen import World, look
from release.commands.channels.watch import Asked, asked, troubled, untold, watch
from release.core.channel_config import Channel
from release.core.channel_plan import PromotionPlan, Promotions
from release.core.plan import worst

Progress = Callable[[Moving], AbstractContextManager[Listener]]


@dataclass(frozen=True)
class Planned:
    """What was looked at: `told` is what would move, and how that does which soaks; `code` the exit code of a look."""

    world: World
    asked: tuple[Asked, ...]
    told: Promotions
    code: int

    @property
    def holds(self) -> bool:
        """Whether something is to be held, or what followed from a hold is not all done."""
        return bool(untold(self.world)) or any(one.why for one in self.asked)

    @property
    def idle(self) -> bool:
        """Whether nothing would be written."""
        return not self.holds and all(one.nothing for one in self.told.channels)


def planned(channels: Channels) -> Planned:
    """What would move now, and how what soaks does. Looks only."""
    world = look(channels)
    found, ready = asked(world), ripe(channels, world)
    told = Promotions(tuple(one.plan for one in ready), tuple(one.watched for one in found), doubted(world))
    sick = 3 if any(one.why for one in found) else 0
    return Planned(world, found, told, worst([*map(code_of_plan, ready), sick]))


def doubted(world: World) -> tuple[str, ...]:
    """Why nothing may be ripe: by a list of releases that cannot be right, nothing is decided."""
    return tuple(str(doubt) for doubt in world.seen.doubts)


def carried_out(channels: Channels, todo: Planned, progress: Progress) -> tuple[Promotions, int]:
    """Hold what does not do well, then move each channel that something is ripe for: what one move brings on is looked at anew."""
    with progress(Moving(PromotionPlan(""))) as listener:
        seen, remarks = watch(todo.world, todo.asked, listener)
    world = look(channels) if todo.holds else todo.world
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
