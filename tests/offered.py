"""Releases, records of channels, and what was seen of them, written shortly: for tests of the rules of channels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from release.core.channel_config import Channel
from release.core.channel_record import ChannelState, Hold, Mark, Move, MoveKind, MoveOutcome, Standing
from release.core.channels import Offer, Seen
from release.core.config import Config
from release.core.model import Person, Waiver
from release.core.version import Version, scheme

CAPTAIN = Person("Captain", "captain@example.org")
RKE2 = {"scheme": "semver+revision", "revision": "rke2r"}
RULES = scheme(msgspec.convert({"version": RKE2}, Config).version)
NOW = "2026-11-24T12:00:00+00:00"
"""A Tuesday."""
LONG_AGO = "2026-11-02T12:00:00+00:00"


def version(text: str) -> Version:
    """Of "1.33.4", of "1.33.4-rc1", of "v1.33.4+rke2r2"."""
    found = RULES.requested(text) or RULES.parse(f"{text}+rke2r1")
    assert found is not None, text
    return found


def offer(text: str, published: str = LONG_AGO, withdrawn: str = "") -> Offer:
    """A release that is out."""
    one = version(text)
    return Offer(one, RULES.tag(one), "c" * 40, published, withdrawn)


def config(*channels: Mapping[str, Any]) -> Config:
    """A configuration with channels."""
    return msgspec.convert({"version": RKE2, "channel": list(channels)}, Config, strict=True)


def channel_of(config: Config, name: str) -> Channel:
    return next(one for one in config.channel if one.name == name)


def stands(
    text: str = "", *, line: str = "", at: str = LONG_AGO, arrivals: Mapping[str, str] | None = None, **more: Any
) -> ChannelState:
    """The record of a channel that has a version ("" for none), and had others before; `arrivals` by version, shortly written."""
    came = {version(one).text: when for one, when in (arrivals or {}).items()}
    if not text:
        return ChannelState(arrivals=came, **more)
    one = version(text)
    standing = {line: Standing(one.text, RULES.tag(one), at)}
    return ChannelState(standing, {**came, **({} if one.text in came else {one.text: at})}, **more)


def held(why: str = "agents lose their address", about: str = "") -> Hold:
    return Hold(why, CAPTAIN, LONG_AGO, version(about).text if about else "")


def bad(*texts: str) -> dict[str, Mark]:
    return {version(text).text: Mark("crashes", CAPTAIN, LONG_AGO) for text in texts}


def move(
    text: str,
    before: str = "",
    *,
    line: str = "",
    kind: MoveKind = "promotion",
    outcome: MoveOutcome = "begun",
    waived: Iterable[str] = (),
) -> Move:
    """A move of a channel."""
    one = version(text)
    waivers = tuple(Waiver(rule, "it has to be", "Captain") for rule in waived)
    old = version(before).text if before else ""
    return Move(
        1, kind, line, one.text, RULES.tag(one), "c" * 40, old, CAPTAIN, LONG_AGO, waivers=waivers, outcome=outcome
    )


def seen(
    states: Mapping[str, ChannelState],
    offers: Iterable[Offer | str] = (),
    *,
    now: str = NOW,
    shown: Mapping[str, Mapping[str, str]] | None = None,
    **more: Any,
) -> Seen:
    """The world; `shown` by channel and line."""
    names = {one: {line: version(text) for line, text in said.items()} for one, said in (shown or {}).items()}
    out = tuple(offer(one) if isinstance(one, str) else one for one in offers)
    return Seen(now, states, out, names, **more)
