"""Going back: within a minor, to what was there and is fit. Across a minor there is only a way forward."""

from __future__ import annotations

from collections.abc import Iterator

from release.core import moves
from release.core.channel_config import Channel
from release.core.channel_facts import Offer, Seen
from release.core.channels import places
from release.core.channels.case import Case, case_of
from release.core.channels.refusals import sound, standing
from release.core.config import Config
from release.core.finding import Conflict
from release.core.version import Version, scheme


def judged_back(config: Config, channel: Channel, line: str, target: Offer | None, seen: Seen) -> tuple[Conflict, ...]:
    """What keeps a line of a channel from going back to a release; `target` is None where nobody knows of one to go back to.

    The way back of a move that is half done is judged as any other: what users may have by now is what its pointers show.
    """
    rules = scheme(config.version, config.project.name)
    stands = places.current(rules, channel, seen, line)
    if stands is None:
        why = f"{channel.name}{_of(line)} has no version to go back from"
        return (Conflict("rollback-nothing", why, f"invoke channel.promote --to {channel.name}"),)
    if target is None:
        why = f"{channel.name} has {stands}, and no earlier version of {stands.line} was there that is out and fit"
        return (Conflict("rollback-nothing", why, _onward(stands)),)
    case = case_of(config, channel, target, seen)
    return (*_move(case, line), *_below(case, stands), *_arrived(case), *sound(case), *standing(case))


def default_back(config: Config, channel: Channel, line: str, seen: Seen) -> str | None:
    """The version that a line of a channel goes back to where nobody names one: the highest below that was there, of the
    same minor, and is out and fit. None where there is none.
    """
    fit = [
        offer.version
        for offer in seen.offers
        if places.key_of(channel, offer.version) == line and not judged_back(config, channel, line, offer, seen)
    ]
    move = places.unfinished(channel, seen, line)
    if move is not None and any(version.text == move.before for version in fit):
        return move.before
    best = places.highest(fit)
    return best.text if best is not None else None


def _move(case: Case, line: str) -> Iterator[Conflict]:
    """One way back at a time."""
    move = places.unfinished(case.channel, case.seen, line)
    if move is not None and move.kind == "rollback" and move.version != case.version.text:
        yield moves.moving(case.channel.name, move)


def _below(case: Case, stands: Version) -> Iterator[Conflict]:
    """Below what is there, and of its minor: what runs a newer minor cannot read its own data with an older one."""
    name, version = case.channel.name, case.version
    if version.line != stands.line:
        why = (
            f"{name} has {stands}, and {version} is of another minor: who follows {name} would be downgraded across one"
        )
        yield Conflict("rollback-minor", why, _onward(stands))
    elif _returns(case):
        return
    elif not version < stands:
        why = f"{name} has {stands}, and {version} is not below that"
        yield Conflict("rollback-forward", why, f"invoke channel.promote --to {name} --version {version}")


def _returns(case: Case) -> bool:
    """Whether it is what the channel has by its record, while a move away from it is not finished."""
    move = case.move
    return move is not None and move.kind == "promotion" and move.before == case.version.text


def _arrived(case: Case) -> Iterator[Conflict]:
    state, text = case.state, case.version.text
    if text not in state.arrivals and all(one.version != text for one in state.standing.values()):
        why = f"{case.version} was never in {case.channel.name} by its record: nobody has seen it do well there"
        yield Conflict(
            "rollback-unknown", why, f"invoke channel.history --channel {case.channel.name} tells what was there"
        )


def _onward(stands: Version) -> str:
    return f"go forward: release and promote what comes after {stands}"


def _of(line: str) -> str:
    return f" ({line})" if line else ""
