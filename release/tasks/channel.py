"""invoke channel: what users follow, moved in stages, held, and brought forward again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke import Context, task

from release.errors import UsageError
from release.tasks.run import confirmed, present, told
from release.tasks.typed import HELP, reasonable, waived

if TYPE_CHECKING:
    from release.app.channels import Channels
    from release.commands.channels.moving import Listener, Moving

OF_A_MOVE = {
    "to": "the channel to promote to",
    "version": "the release to promote (default: the newest that is ripe)",
    "auto": "every channel whose next release is ripe, after a look at what soaks; for a schedule",
    "waive": "a rule to set aside for this move (again for each)",
    "reason": "why, for --waive; it is kept in the channel's record",
}


def opened(looking: bool = False) -> Channels:
    """The channels of this checkout's upstream."""
    from release import app
    from release.app.channels import Channels

    return Channels(app.looking() if looking else app.session())


@task(name="list", default=True, help={"format": HELP["format"]}, auto_shortflags=False)
def listing(c: Context, format: str = "text") -> None:
    """Which version each channel has, what comes next, and what that waits for. Looks only."""
    from release.commands.channels.listing import listing as channels

    with told(format):
        present(channels(opened(looking=True)), format)


@task(
    help={**OF_A_MOVE, **{key: HELP[key] for key in ("yes", "format")}},
    iterable=["waive"],
    auto_shortflags=False,
)
def promote(
    c: Context,
    to: str = "",
    version: str = "",
    auto: bool = False,
    waive: Sequence[str] | None = None,
    reason: str = "",
    yes: bool = False,
    format: str = "text",
) -> None:
    """Move a channel to a release that is proved, soaked and healthy; run again after any failure, it finishes.

    Ends with 0 when all of the channel says so, or there is nothing to do; 1 when something failed, 3 when a rule or a
    person stands against it, 4 when it is not time yet. Examples:

        invoke channel.promote --to testing
        invoke channel.promote --to stable --version v1.30.2
        invoke channel.promote --auto --yes
    """
    with told(format):
        which(to, auto, version, waive)
        channels = opened()
        if auto:
            by_itself(channels, yes, format)
        else:
            into(channels, to, version, waived(waive, reason), yes, format)


@task(
    help={**OF_A_MOVE, "format": HELP["format"]},
    iterable=["waive"],
    auto_shortflags=False,
)
def plan(
    c: Context,
    to: str = "",
    version: str = "",
    auto: bool = False,
    waive: Sequence[str] | None = None,
    reason: str = "",
    format: str = "text",
) -> None:
    """What a promotion would do, and why not. Looks only."""
    from release.commands.channels import auto as automatic
    from release.commands.channels.moving import code_of_plan
    from release.commands.channels.promote import prepared
    from release.core.channel_plan import Promotions
    from release.core.plan import worst

    with told(format):
        which(to, auto, version, waive)
        channels = opened()
        if auto:
            ripe = automatic.planned(channels)
            present(ripe.told, format, ripe.code)
            return
        ready = prepared(channels, to, version, waived(waive, reason))
        code = worst(code_of_plan(one) for one in ready)
        present(Promotions(tuple(one.plan for one in ready)), format, code)


def which(to: str, auto: bool, version: str, waive: Sequence[str] | None) -> None:
    """One channel, or all that are ripe."""
    if auto == bool(to):
        raise UsageError("say what is to be promoted", "--to CHANNEL, or --auto for all that is ripe")
    if auto and (version or waive):
        raise UsageError(
            "--auto takes what is ripe by the rules", "name the channel with --to for a --version or --waive"
        )


def into(
    channels: Channels, to: str, version: str, waivers: tuple[tuple[str, str], ...], yes: bool, format: str
) -> None:
    """Plan first; then move one channel, on each of its lines that something is ripe for."""
    from release import app
    from release.commands.channels.moving import code_of, move
    from release.commands.channels.promote import prepared
    from release.core.channel_plan import Promotions
    from release.core.plan import worst
    from release.reports import console

    ready = prepared(channels, to, version, waivers)
    plan = Promotions(tuple(one.plan for one in ready))
    left = [one for one in ready if not one.stopped and not one.plan.nothing]
    if not left:
        present(plan, format, worst(code_of(one.plan, one.unseen) for one in ready))
        return
    if format == "text":
        console.show(plan, sys.stderr)
    confirmed(f"Promote {' and '.join(one.plan.tag or '' for one in left)} to {to}?", yes, app.interactive)
    done = []
    for one in ready:
        if one not in left:
            done.append(one.plan)
            continue
        with console.progress([step.name for step in one.steps]) as listener:
            done.append(move(channels, one, listener))
    present(Promotions(tuple(done)), format, worst(map(code_of, done)))


def by_itself(channels: Channels, yes: bool, format: str) -> None:
    """Plan first; then hold what does not do well, and move what is ripe."""
    from release import app
    from release.commands.channels import auto
    from release.reports import console

    @contextmanager
    def progress(moving: Moving) -> Iterator[Listener]:
        with console.progress([step.name for step in moving.steps]) as listener:
            yield listener

    planned = auto.planned(channels)
    if format == "text" and not planned.idle:
        console.show(planned.told, sys.stderr)
    if not planned.idle:
        confirmed("Promote what is ripe, and hold what does not do well?", yes, app.interactive)
    done, code = auto.carried_out(channels, planned, progress)
    present(done, format, code)


@task(
    positional=["channel"],
    help={
        "channel": "the channel to hold",
        "line": "of a channel by line: which",
        "to": "with --allow-downgrade: the version to go back to (default: the one before)",
        "allow-downgrade": "move what users follow back as well, within the minor; else the channel is held where it is",
        "reason": "why; it is kept in the channel's record",
        **{key: HELP[key] for key in ("yes", "format")},
    },
    auto_shortflags=False,
)
def rollback(
    c: Context,
    channel: str,
    line: str = "",
    to: str = "",
    allow_downgrade: bool = False,
    reason: str = "",
    yes: bool = False,
    format: str = "text",
) -> None:
    """Hold a channel because of the version that it has, and show the way forward. Nobody is downgraded unless you say so.

    A move that has begun is taken back. Examples:

        invoke channel.rollback stable --reason "agents lose their node IP"
        invoke channel.rollback stable --reason "..." --allow-downgrade --to v1.30.1
    """
    from release import app
    from release.commands.channels import rollback as back
    from release.commands.channels.moving import code_of
    from release.reports import console

    with told(format):
        if not reason.strip():
            raise UsageError("a channel is rolled back for a reason", 'say --reason "..."')
        channels = opened()
        todo = back.prepared(channels, channel, line, to, allow_downgrade, reasonable(reason))
        if format == "text":
            console.show(todo.told, sys.stderr)
        confirmed(f"Roll {channel} back?" if todo.moving else f"Hold {channel}?", yes, app.interactive)
        steps = todo.moving.steps if todo.moving is not None else ()
        with console.progress([step.name for step in steps]) as listener:
            done = back.roll_back(channels, todo, listener)
        present(done, format, code_of(done.move) if done.move is not None else 0)


@task(
    positional=["channel"],
    help={
        "channel": "the channel to let go on",
        "version": "a version that is bad there, to take for good again",
        **{key: HELP[key] for key in ("yes", "format")},
    },
    auto_shortflags=False,
)
def resume(c: Context, channel: str, version: str = "", yes: bool = False, format: str = "text") -> None:
    """Lift the hold of a channel. What was bad there stays bad, unless it is named."""
    from release import app
    from release.commands.channels.hold import resume as lift

    with told(format):
        channels = opened()
        confirmed(f"Let {channel} go on?", yes, app.interactive)
        present(lift(channels, channel, version), format)


@task(
    positional=["channel"],
    help={
        "channel": "the channel that waits for approvals",
        "version": "the release to say yes to",
        "reason": "what you looked at; it is kept in the channel's record",
        "format": HELP["format"],
    },
    auto_shortflags=False,
)
def approve(c: Context, channel: str, version: str = "", reason: str = "", format: str = "text") -> None:
    """Say yes to a release for a channel, in its record."""
    from release.commands.channels.approve import approve as say_yes

    with told(format):
        if not version:
            raise UsageError("a yes is to one version", "say --version V")
        present(say_yes(opened(), channel, version, reasonable(reason)), format)


@task(
    help={"channel": "one channel only", "format": HELP["format"]},
    auto_shortflags=False,
)
def history(c: Context, channel: str = "", format: str = "text") -> None:
    """Every move of the channels, those made by hand as well, with the rules that they broke. Looks only."""
    from release.commands.channels.history import moves

    with told(format):
        present(moves(opened(looking=True), channel), format)
