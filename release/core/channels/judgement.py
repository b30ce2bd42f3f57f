"""Which release a channel takes next, and what stands before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime

from release.core.calendar import closed
from release.core.channel_config import Channel
from release.core.channel_facts import Offer, Seen, Verdict, Wait
from release.core.channels import places
from release.core.channels.case import Case, case_of
from release.core.channels.refusals import REFUSALS, held, sound, standing
from release.core.config import Config, seconds
from release.core.finding import Conflict
from release.core.moments import instant
from release.core.version import Version, scheme

WAIVABLE = ("soak", "frozen", "new-minor", "minor-skip", "shrunken-list", "pointer-moved")
"""The rules that a person may set aside for one move, and says why."""
TO_FINISH = ("rolled-back", "withdrawn-version")
"""Those for a move that has begun alone: where it can be taken back no more, a person may decide to finish it."""


def unwaivable(names: Iterable[str]) -> tuple[str, ...]:
    """Those of some names that nobody can waive for a move of a channel."""
    return tuple(name for name in names if name not in (*WAIVABLE, *TO_FINISH))


def judged(config: Config, channel: Channel, offer: Offer, seen: Seen, waived: Collection[str] = ()) -> Verdict:
    """What the rules say of a release for a channel, all at once; `waived` are names of WAIVABLE and TO_FINISH.

    A move that has begun keeps what was waived for it, and once users can see some of it, no freeze leaves it half done.
    """
    case = case_of(config, channel, offer, seen)
    if skipped := _skipped(case):
        return Verdict(offer, skipped=skipped)
    aside = {*waived, *case.waived}.intersection((*WAIVABLE, *(TO_FINISH if case.begun else ())))
    refusals = tuple(one for rule in REFUSALS for one in rule(case) if one.rule not in aside)
    waits = tuple(one for rule in (_soak, _frozen) for one in rule(case) if one.rule not in aside)
    return Verdict(offer, refusals, waits)


def unfit(config: Config, channel: Channel, offer: Offer, seen: Seen) -> tuple[Conflict, ...]:
    """Why nothing of a channel is moved to a release, though the channel has it already by its record."""
    case = case_of(config, channel, offer, seen)
    return (*held(case), *sound(case), *standing(case))


def chosen(config: Config, channel: Channel, line: str, seen: Seen, waived: Collection[str] = ()) -> Verdict | None:
    """The release that a channel takes next of a line, None where nothing is above what it has.

    What has begun is finished first, and what somebody wrote into the pointers is judged as any other. Then the newest
    that is ripe; without any, the newest that only has to wait; without that the newest, with what stands against it. A
    candidate whose final is out is nobody's next release.
    """
    rules = scheme(config.version, config.project.name)
    stands, move = places.current(rules, channel, seen, line), places.unfinished(channel, seen, line)
    begun, hand = move.version if move is not None else "", places.by_hand(rules, channel, seen, line)
    if places.stray(rules, channel, seen, line) is not None:
        stands = places.recorded(rules, channel, seen, line)
    finals = {(one.version.release, one.version.revision) for one in seen.offers if one.version.final}

    def comes(version: Version) -> bool:
        superseded = not version.final and (version.release, version.revision) in finals
        higher = stands is None or version > stands or version == hand
        return version.text == begun or (not superseded and higher)

    above = [
        offer
        for offer in seen.offers
        if places.takes(channel, offer.version)
        and places.key_of(channel, offer.version) == line
        and comes(offer.version)
    ]
    verdicts = [judged(config, channel, offer, seen, waived) for offer in places.newest_first(above)]
    if going_on := [one for one in verdicts if one.offer.version.text == begun]:
        return going_on[0]
    mine = [one for one in verdicts if not one.skipped]
    ripe = (one for one in mine if one.ripe)
    waiting = (one for one in mine if not one.refusals)
    return next(ripe, None) or next(waiting, None) or next(iter(mine), None)


def _skipped(case: Case) -> str:
    """Why a release is none of the channel's business, "" where it is."""
    stands, version, name = case.stands, case.version, case.channel.name
    if stands is None:
        return ""
    if stands == version:
        return f"{name} has {version} already"
    if case.channel.scope == "global" and (version.major, version.minor) < (stands.major, stands.minor):
        return f"{version} is of a lower line than {stands}, which {name} has: a lower line never takes its place"
    return ""


def _soak(case: Case) -> Iterator[Wait]:
    """Since it came to the channel before, by that one's record, else since it came out. What is yet to come has not soaked,
    and neither has what somebody wrote into a channel that has a record: nobody knows since when it is there.
    """
    channel, soak = case.channel, seconds(case.channel.soak) or 0
    if not soak:
        return
    since, where = _since(case)
    began, now = instant(since), instant(case.seen.now)
    if began is None or now is None:
        why = f"{case.version} has to soak for {channel.soak} before {channel.name}, and nobody knows since when it is {where}"
        ask = f": invoke channel.promote --to {channel.follows} --version {case.version}" if channel.follows else ""
        yield Wait("soak", why + ask)
    elif now < began + soak:
        why = (
            f"{case.version} is {where} since {_written(began)}, and has to be for {channel.soak} before {channel.name}"
        )
        yield Wait("soak", why, _written(began + soak))


def _since(case: Case) -> tuple[str, str]:
    """When the soak began, and where it takes place."""
    follows, text = case.channel.follows, case.version.text
    state = case.seen.states.get(follows) if follows else None
    if state is not None:
        times = [one.at for one in state.standing.values() if one.version == text]
        if arrival := state.arrivals.get(text) or next(iter(times), ""):
            return arrival, f"in {follows}"
        if state.standing:
            return "", f"in {follows}"
    return case.offer.published, "out"


def _frozen(case: Case) -> Iterator[Wait]:
    """Freeze days and windows, but for what users can see half done."""
    channel = case.channel
    shut = closed(channel.freeze, channel.windows, channel.timezone, case.seen.now)
    if shut is not None and not (case.begun and case.there):
        yield Wait("frozen", f"{channel.name} is closed: {shut.why}", shut.until)


def _written(moment: float) -> str:
    """ISO 8601 UTC of seconds since 1970, "" for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""
