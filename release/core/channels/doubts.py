"""A list of releases that cannot be right is not believed: an outage has made the newest release look like an old one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from release.core.channel_facts import Offer
from release.core.channel_record import ChannelState
from release.core.channels.places import newest_first
from release.core.finding import Conflict
from release.core.moments import instant
from release.core.notation import quoted
from release.core.version import Version

SHOWN = 3  # versions that a message names; of more it tells how many


def doubts(
    offers: Collection[Offer], tags: Collection[Version], states: Iterable[ChannelState], on_forge: bool
) -> tuple[Conflict, ...]:
    """Why the list of releases that are out is not believed. `tags` are the versions that git shows tags of, `states` the
    records of all channels, of which the newest count is the one that holds: who said in one channel that there are fewer has
    said it for all; `on_forge` says that the list is a forge's, which can be empty while there are tags.
    """
    known = tuple(states)
    most = max(((instant(state.counted) or 0.0, state.releases) for state in known), default=(0.0, 0))[1]
    return tuple(Conflict("shrunken-list", why, _REMEDY) for why in _reasons(offers, tags, known, most, on_forge))


_REMEDY = (
    "look at the releases of the forge, and run the same command again when they are all there; "
    "if some were deleted on purpose, say so: --waive shrunken-list --reason WHY"
)


def _reasons(
    offers: Collection[Offer],
    tags: Collection[Version],
    states: Collection[ChannelState],
    most: int,
    on_forge: bool,
) -> Iterator[str]:
    standing = {one.version for state in states for one in state.standing.values()}
    if not offers and tags and on_forge:
        yield f"no release is listed, and git shows tags of {len(tags)} versions"
    if len(offers) < most:
        newest = f", and the newest is {newest_first(offers)[0].version}" if offers else ""
        yield f"{len(offers)} releases are listed{newest}, and there were {most} before"
    listed = {offer.version.text for offer in offers}
    if missing := sorted(standing - listed):
        named = ", ".join(map(quoted, missing[:SHOWN])) + (
            f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        )
        yield f"{len(offers)} releases are listed, and what a channel has is not among them: {named}"
