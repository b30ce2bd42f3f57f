"""Which rules a move of a channel broke, as far as that can be told afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from release.core.channel_config import Channel
from release.core.channel_history import Judge
from release.core.channel_plan import HistoricMove
from release.core.channels import violations
from release.core.moments import instant
from release.core.version import Version


def hindsight(
    channel: Channel,
    followed: Sequence[HistoricMove] | None,
    published: Mapping[str, str],
    withdrawn: Mapping[str, str],
) -> Judge:
    """A judge of moves of a channel.

    `followed` are the moves of the channel that it follows, None where it follows none or nobody knows any. `published` and
    `withdrawn`: version -> when that was (ISO 8601).
    """
    came = arrivals(followed or ())
    begins = min((when for one in followed or () if (when := instant(one.when)) is not None), default=None)

    def broken(before: Version | None, after: Version, when: str) -> tuple[str, ...]:
        since = published.get(after.text)
        if channel.follows:
            moment = instant(when)
            known = begins is not None and moment is not None and moment >= begins
            since = came.get(after.text, "" if known else None)
        return violations(channel, before, after, when, since=since, withdrawn=withdrawn.get(after.text, ""))

    return broken


def arrivals(moves: Iterable[HistoricMove]) -> dict[str, str]:
    """When each version first came to a channel; one that was on its way only never came."""
    came: dict[str, str] = {}
    for move in moves:
        if move.to is None or move.outcome != "finished":
            continue
        when, known = instant(move.when), instant(came.get(move.to))
        if when is not None and (known is None or when < known):
            came[move.to] = move.when
    return came
