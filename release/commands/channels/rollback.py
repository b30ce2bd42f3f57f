"""Roll back: hold a channel, and say how to go forward. What users follow goes back only where that is asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from shlex import quote

import msgspec

from release.app.channels import Channels
from release.commands.channels.hold import hold
from release.commands.channels.moving import Listener, Moving, move, of_move, release_of
from release.commands.channels.seen import World, bare, look
from release.commands.plan import states
from release.core import moves
from release.core.aim import own_branch
from release.core.channel_config import Channel
from release.core.channel_plan import PromotionPlan, RolledBack
from release.core.channel_record import Move
from release.core.channels import Offer, default_back, followed, judged_back, lines_of, takes
from release.core.finding import Conflict
from release.core.numbering import Rise, next_version
from release.core.promoting import promotion_of
from release.core.version import Scheme, Version
from release.errors import ConflictError, UsageError
from release.steps.promotion import return_path


@dataclass(frozen=True)
class Backing:
    """What is to be done: hold the channel because of `bad`, and the way back, if there is to be one."""

    channel: Channel
    line: str
    bad: Version | None
    reason: str
    told: RolledBack
    moving: Moving | None = None


def prepared(
    channels: Channels, name: str, line: str, to: str, downgrade: bool, reason: str, world: World | None = None
) -> Backing:
    """Look; ConflictError says all that stands against it."""
    channel = channels.named(name)
    channels.session.who()
    world = world or look(channels)
    line = line_of(world, channel, line)
    begun = world.state(channel).moves.get(line)
    if begun is not None and begun.unfinished:
        on = begun.kind == "rollback" and begun.outcome == "begun" and downgrade
        return (
            gone_on(world, channel, line, begun, to)
            if on
            else taken_back(world, channel, line, begun, downgrade, reason)
        )
    bad = world.current(channel, line)
    if begun is not None and went_back(world, channel, line, begun, to):
        return as_it_is(world, channel, line, begun)
    if bad is None:
        why = f"{name} has no version{f' of {line}' if line else ''} to go back from"
        conflict = Conflict("rollback-nothing", why, "invoke channel.list shows what it has")
        raise ConflictError((conflict,))
    if not downgrade and to:
        why = f"{name} would go back to {to}, and everybody who follows it with it"
        raise ConflictError(
            (Conflict("rollback-downgrade", why, "say --allow-downgrade, or leave --to out and go forward"),)
        )
    told = forward(world, channel, line, bad, reason)
    if not downgrade:
        return Backing(channel, line, bad, reason, told)
    moving = back_to(world, channel, target(world, channel, line, to), reason)
    return Backing(channel, line, bad, reason, msgspec.structs.replace(told, move=moving.plan), moving)


def roll_back(channels: Channels, todo: Backing, listener: Listener) -> RolledBack:
    """Hold first: nobody else follows meanwhile. Then the way back."""
    if todo.bad is not None:
        hold(channels, todo.channel, todo.bad, todo.reason)
    if todo.moving is None:
        return todo.told
    done = move(channels, todo.moving, listener)
    done = msgspec.structs.replace(done, next=again(todo) if done.next else "")
    return msgspec.structs.replace(todo.told, move=done)


def again(todo: Backing) -> str:
    """What is typed to go on."""
    line = f" --line {todo.line}" if todo.line else ""
    return f"invoke channel.rollback {todo.channel.name}{line} --allow-downgrade --reason {quote(todo.reason)}"


def line_of(world: World, channel: Channel, line: str) -> str:
    """The line that is meant."""
    known = lines_of(channel, world.seen)
    if channel.scope == "global":
        if line:
            raise UsageError(f"{channel.name} has one version for all lines", "leave --line out")
        return ""
    if not line:
        raise UsageError(f"{channel.name} has a version for each line", f"say --line: {', '.join(known) or 'none yet'}")
    return line


def target(world: World, channel: Channel, line: str, to: str) -> Offer:
    """The release to go back to, if the rules let it."""
    name = to or default_back(world.channels.session.config, channel, line, world.seen)
    offer = world.offer(name) if name else None
    conflicts = judged_back(world.channels.session.config, channel, line, offer, world.seen)
    if conflicts:
        raise ConflictError(conflicts)
    assert offer is not None, "what there is nothing of is refused"
    return offer


def back_to(world: World, channel: Channel, offer: Offer, reason: str) -> Moving:
    """The way back, looked at: a move like any other."""
    moving = of_move(world, channel, offer, "rollback", (), None, reason)
    if moving.stopped and moving.plan.conflicts:
        raise ConflictError(moving.plan.conflicts)
    return moving


def gone_on(world: World, channel: Channel, line: str, begun: Move, to: str) -> Backing:
    """The way back has begun already: it is finished, as it was begun."""
    offer = world.tagged(begun.tag)
    if offer is None or (to and world.offer(to) != offer):
        raise ConflictError((moves.moving(channel.name, begun),))
    moving = of_move(world, channel, offer, "rollback", begun.waivers, begun)
    return Backing(
        channel,
        line,
        None,
        begun.why,
        RolledBack(channel.name, line, begun.before, begun.why, move=moving.plan),
        moving,
    )


def went_back(world: World, channel: Channel, line: str, last: Move, to: str) -> bool:
    """Whether the channel has gone back and is held there, so that the same command again has nothing to do."""
    state, current = world.state(channel), world.current(channel, line)
    there = current is not None and current.text == last.version and last.before in state.bad
    meant = not to or world.offer(to).version.text == last.version
    return state.hold is not None and last.kind == "rollback" and last.outcome == "finished" and there and meant


def as_it_is(world: World, channel: Channel, line: str, last: Move) -> Backing:
    """What was done already, and still is the way forward."""
    state, bad = world.state(channel), world.channels.rules.parse(last.before)
    why = state.hold.why if state.hold is not None else ""
    words = f"{channel.name} went back from {last.before} to {last.version} at {last.ended}; to go on back, say --to V"
    done = PromotionPlan(
        channel.name, "rollback", line, last.version, last.tag, last.before, last.commit, nothing=words
    )
    told = forward(world, channel, line, bad, why) if bad is not None else RolledBack(channel.name, line, None, why)
    return Backing(channel, line, None, why, msgspec.structs.replace(told, move=done))


def forward(world: World, channel: Channel, line: str, bad: Version, reason: str) -> RolledBack:
    """How to go forward from a bad version: the next one of its line, through the channels that come before, into this one."""
    rules, config = world.channels.rules, world.channels.session.config
    taken = [one for tag in world.refs.tags if (one := rules.of_tag(tag)) is not None]
    fix = mending(rules, bad, taken)
    text, tag = (fix.text, rules.tag(fix)) if isinstance(fix, Version) else (None, "")
    before = [one for one in reversed(followed(channel, config.channel)) if takes(one, bad)]
    typed = (
        *released_by(world, bad),
        *(promote_line(one, tag) for one in before),
        f"invoke channel.resume {channel.name}",
        promote_line(channel, tag),
    )
    return RolledBack(channel.name, line, bad.text, reason, text, typed)


def mending(rules: Scheme, bad: Version, taken: Collection[Version]) -> Version | Conflict:
    """The version that mends a bad one: its next candidate; else what comes after the newest of its line, a revision where each
    version has one, a patch where not."""
    if not bad.final:
        core = (bad.major, bad.minor, bad.patch)
        return next_version(rules, previous=None, level="none", stage=bad.stage, taken=taken, core=core)
    level: Rise = "revision" if rules.revisions == "always" else "patch"
    newest = max([bad, *(one for one in taken if one.final and one.line == bad.line)])
    return next_version(rules, previous=newest, level=level, stage="", taken=taken, core=None)


def released_by(world: World, bad: Version) -> tuple[str, ...]:
    """What is typed to release it, once the mend is on its branch."""
    config = world.channels.session.config
    where = f" --line {bad.line}" if own_branch(config, world.refs, bad.line) else ""
    again = " --revision" if world.channels.rules.revisions == "always" else ""
    rise = again or ("" if config.version.source == "file" else " --bump patch")
    if not bad.final:
        return (f"invoke release{where} --candidate",)
    if config.version.final_from_candidate:
        return (f"invoke release{where}{rise} --candidate", f"invoke release{where}")
    return (f"invoke release{where}{rise}",)


def promote_line(channel: Channel, tag: str) -> str:
    return f"invoke channel.promote --to {channel.name}" + (f" --version {tag}" if tag else "")


def taken_back(world: World, channel: Channel, line: str, begun: Move, downgrade: bool, reason: str) -> Backing:
    """A move that has begun is taken back: every pointer says again what it said before."""
    channels = world.channels
    offer = world.tagged(begun.tag)
    release = release_of(channels, offer) if offer is not None else None
    version = channels.rules.parse(begun.version)
    stand_in = offer or Offer(version, begun.tag, begun.commit, "") if version is not None else None
    if stand_in is None:
        why = f"the move of {channel.name} that has begun is to {begun.version}, which is no version here"
        raise ConflictError((Conflict("channel-unreadable", why, "was [version] changed? take it as it was then"),))
    promotion = promotion_of(
        channels.session.config, channel, stand_in, begun.before, begun.kind, begun.waivers, 0, reason
    )
    known = release or bare(stand_in)
    steps = return_path(channels.doors(known, begun.commit), known, promotion, begun)
    with channels.session.engine() as engine:
        found = engine.look(steps)
        conflicts = engine.preflight(steps, found)
    plan = PromotionPlan(
        channel.name, "rollback", line, begun.before or None, None, begun.version, None, states(steps, found), conflicts
    )
    moving = Moving(plan, steps, found)
    refuse_halves(world, channel, begun, moving, downgrade)
    told = RolledBack(channel.name, line, None, "", move=plan)
    return Backing(channel, line, None, reason, told, moving)


def refuse_halves(world: World, channel: Channel, begun: Move, moving: Moving, downgrade: bool) -> None:
    """What users may have followed already is taken from them only where that is asked for, and within the minor."""
    moved = sum(one.name.startswith("return ") and one.state == "pending" for one in moving.plan.steps)
    if not moved or begun.kind == "rollback":  # whose way back is forward
        return
    rules = world.channels.rules
    before, version = rules.parse(begun.before), rules.parse(begun.version)
    finish = f"finish it: {promote_line(channel, begun.tag)}"
    if before is not None and version is not None and before.line != version.line:
        why = f"{moved} of the pointers of {channel.name} say {begun.tag} already, and {before} is of another minor"
        whatever = "bad or withdrawn as it may be: --waive rolled-back --waive withdrawn-version --reason WHY"
        raise ConflictError((Conflict("rollback-minor", why, f"{finish}; {whatever}"),))
    if not downgrade:
        why = f"{moved} of the pointers of {channel.name} say {begun.tag} already: who follows them has it"
        raise ConflictError((Conflict("rollback-downgrade", why, f"{finish}; or say --allow-downgrade"),))
