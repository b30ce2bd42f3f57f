"""Which rules a move broke that happened: moves by hand ask nobody."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.calendar import closed
from release.core.channel_config import Channel
from release.core.channels.refusals import enters, skips
from release.core.config import seconds
from release.core.moments import between, instant
from release.core.version import Version


def violations(
    channel: Channel,
    before: Version | None,
    after: Version | None,
    at: str,
    *,
    since: str | None = None,
    withdrawn: str = "",
) -> tuple[str, ...]:
    """The names of the rules that a move of a channel at a time (ISO 8601) broke, by facts alone; what is not known breaks none.

    `before` and `after` are None where the pointer named no version. `since`: when `after` came to the channel that this one
    follows, or came out where it follows none; "" for never, None for not known. `withdrawn`: when it was withdrawn, "" for
    never.
    """
    if after is None or after == before:
        return ()
    return (
        *_direction(channel, before, after),
        *_maturity(channel, before, after),
        *_moment(channel, at),
        *(("withdrawn-version",) if _not_after(withdrawn, at) else ()),
        *_soaked(channel, at, since),
    )


def _direction(channel: Channel, before: Version | None, after: Version) -> Iterator[str]:
    if before is None:
        return
    if not after > before:
        yield "backward-move"
    if channel.scope == "global" and (after.major, after.minor) < (before.major, before.minor):
        yield "lower-line"
    if channel.scope == "global" and skips(before, after):
        yield "minor-skip"


def _maturity(channel: Channel, before: Version | None, after: Version) -> Iterator[str]:
    if channel.accepts == "final" and not after.final:
        yield "channel-accepts"
    forward = before is None or after > before
    if forward and enters(before, after) and after.patch < channel.new_minor_from_patch:
        yield "new-minor"


def _moment(channel: Channel, at: str) -> Iterator[str]:
    try:
        if closed(channel.freeze, channel.windows, channel.timezone, at) is not None:
            yield "frozen"
    except ValueError:  # git lets a commit be of any time: nobody can tell what the calendar said
        return


def _soaked(channel: Channel, at: str, since: str | None) -> Iterator[str]:
    if since is None or instant(at) is None:
        return
    there = _not_after(since, at)
    if channel.follows and not there:
        yield "not-followed"
    passed = between(since, at)
    if passed is not None and passed < (seconds(channel.soak) or 0):
        yield "soak"


def _not_after(one: str, other: str) -> bool:
    """Whether a time that is known is not after another."""
    passed = between(one, other)
    return passed is not None and passed >= 0
