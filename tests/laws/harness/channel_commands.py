"""What captains type about channels, without the words on the screen: each ends with an exit code and what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from release.app.channels import Channels
from release.commands import withdraw as withdrawing
from release.commands.channels import auto, hold, promote, rollback
from release.commands.channels.moving import Listener, Moving, code_of, move
from release.core.channel_plan import PromotionPlan
from release.core.plan import worst
from release.engine.walk import Event
from release.errors import ConflictError, ReleaseError, UsageError

Command = Callable[[Channels], "Said"]


@dataclass(frozen=True)
class Said:
    """How a command ended, the rules that it named, and its words."""

    code: int
    rules: frozenset[str] = frozenset()
    words: str = ""


def typed(command: Command, channels: Channels) -> Said:
    """As tasks do it: what is expected to go wrong is said, anything else is a bug."""
    try:
        return command(channels)
    except ConflictError as error:
        return Said(3, frozenset(one.rule for one in error.conflicts), str(error.conflicts))
    except UsageError as error:
        return Said(2, words=f"{error.message}: {error.remedy}")
    except ReleaseError as error:
        return Said(1, words=f"{type(error).__name__}: {error.message}: {error.remedy}")


def promotion(name: str, version: str = "", waived: tuple[str, ...] = ()) -> Command:
    """invoke channel.promote --to NAME --version V --waive RULE --yes"""

    def run(channels: Channels) -> Said:
        waivers = [(rule, "it has to be") for rule in waived]
        done: list[PromotionPlan] = []
        codes: list[int] = []
        for moving in promote.prepared(channels, name, version, waivers):
            idle = moving.stopped or moving.plan.nothing
            plan = moving.plan if idle else move(channels, moving, deaf)
            done.append(plan)
            codes.append(code_of(plan, moving.unseen if idle else False))
        return said(done, worst(codes))

    return run


def automatic(channels: Channels) -> Said:
    """invoke channel.promote --auto --yes"""
    promotions, code = auto.carried_out(channels, auto.planned(channels), progress)
    held = "; ".join(one.held for one in promotions.watched if one.held)
    found = said(promotions.channels, code)
    return Said(found.code, found.rules, "; ".join(filter(None, (found.words, held, *promotions.remarks))))


def back(name: str, to: str = "", downgrade: bool = False) -> Command:
    """invoke channel.rollback NAME --to V --allow-downgrade --reason WHY --yes"""

    def run(channels: Channels) -> Said:
        todo = rollback.prepared(channels, name, "", to, downgrade, "it harms")
        done = rollback.roll_back(channels, todo, deaf)
        return said([done.move], code_of(done.move)) if done.move is not None else Said(0)

    return run


def resumption(name: str, version: str = "") -> Command:
    """invoke channel.resume NAME --version V --yes"""

    def run(channels: Channels) -> Said:
        hold.resume(channels, name, version)
        return Said(0)

    return run


def withdrawal(tag: str) -> Command:
    """invoke release.withdraw --version V --reason WHY --yes"""

    def run(channels: Channels) -> Said:
        todo = withdrawing.prepared(channels.session, tag, "it eats data")
        _, conflicts = withdrawing.withdraw(channels.session, todo, deaf)
        return Said(3 if conflicts else 0, frozenset(one.rule for one in conflicts), str(conflicts))

    return run


def said(plans: Sequence[PromotionPlan], code: int) -> Said:
    """What plans say."""
    rules = {one.rule for plan in plans for one in plan.conflicts} | {one.rule for plan in plans for one in plan.waits}
    states = [
        f"{step.name} {step.state}: {step.detail}" for plan in plans for step in plan.steps if step.state != "done"
    ]
    words = [str(one) for plan in plans for one in (plan.nothing, plan.skipped, *plan.conflicts, *plan.waits) if one]
    return Said(code, frozenset(rules), "; ".join([*words, *states]))


@contextmanager
def progress(moving: Moving) -> Iterator[Listener]:
    yield deaf


def deaf(event: Event) -> None:
    """Nobody listens."""
