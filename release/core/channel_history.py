"""How a channel came to where it is: what was promoted, from its record, and what was moved by hand, from files' own past.

What a file came to say is explained by a recorded move that was to let it say so, in that time; each once. All else was
done by hand, and everything was before the first record: it is told with the rules that it broke.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from math import inf

import msgspec

from release.core.channel_config import Channel
from release.core.channel_plan import HistoricMove
from release.core.channel_record import Entry, Hold, Move
from release.core.model import Person
from release.core.moments import instant, utc
from release.core.references.order import version_in
from release.core.spoken import Spoken
from release.core.version import Scheme, Version

SKEW = 600.0
"""So many seconds may the clocks of those differ who write records and files."""
NO_VERSION = "not-a-version"
LONGEST = 300
"""So much is told of a text that is no version."""

Judge = Callable[[Version | None, Version, str], Sequence[str]]
"""The rules that a move from one version (None for nothing yet) to another at a time (ISO 8601) broke."""


class PointerPast(msgspec.Struct, frozen=True):
    """What a file pointer said, newest first. `template` is what its value is made of, as in `channel_config.Point`."""

    pointer: str
    template: str
    said: Iterable[Spoken]


def history(
    rules: Scheme, channel: Channel, entries: Iterable[Entry], files: Iterable[PointerPast], broken: Judge
) -> tuple[HistoricMove, ...]:
    """Every move of a channel, newest first; `entries` are those of its record, newest first.

    A recorded move's violations are the rules that were waived in it. `when` is when it ended, as far as it did.
    """
    told = _Told(channel)
    moves = tuple(recorded(told.through(entries)))
    explained = _Explained(moves)
    by_hand = [
        _dated(_by_hand(channel, change, broken) for change in _changes(rules, past) if not explained.takes(change))
        for past in files
    ]
    promoted = _dated(_promoted(channel, move) for move in moves)
    held = _dated(told.events)
    return tuple(move for _, move in merge(promoted, held, _together(merge(*by_hand, key=_newest)), key=_newest))


def recorded(entries: Iterable[Entry]) -> Iterator[Move]:
    """Each move that a record tells of, newest first, as it was in the end."""
    seen: set[int] = set()
    for entry in entries:
        for move in sorted(entry.state.moves.values(), key=lambda move: move.number, reverse=True):
            if move.number not in seen:
                seen.add(move.number)
                yield move


class _Told:
    """What a record says besides of its moves: when the channel was held, and when it was let go on; newest first."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.events: list[HistoricMove] = []

    def through(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The entries, newest first, as they come."""
        newer: Entry | None = None
        for entry in entries:
            if newer is not None:
                self._between(newer, entry.state.hold)
            newer = entry
            yield entry
        if newer is not None:
            self._between(newer, None)

    def _between(self, newer: Entry, before: Hold | None) -> None:
        now = newer.state.hold
        if now is not None and (before is None or before.at != now.at):
            self.events.append(self._event("hold", now, now.by, now.at, now.why))
        elif now is None and before is not None:
            self.events.append(self._event("resume", before, newer.by, newer.at, ""))

    def _event(self, kind: str, hold: Hold, who: Person, when: str, why: str) -> HistoricMove:
        version = hold.version or None
        return HistoricMove(
            channel=self._channel.name,
            when=when,
            who=_who(who),
            frm=version,
            to=version,
            evidence={},
            violations=(),
            kind=kind,
            why=why,
        )


class _Change(msgspec.Struct, frozen=True):
    """A file says something else from a commit on. `old` is what it said before, `last` the last version that it named."""

    pointer: str
    now: Spoken
    old: str | None
    version: Version | None
    was: Version | None
    last: Version | None


def _changes(rules: Scheme, past: PointerPast) -> list[_Change]:
    """Newest first."""
    found: list[_Change] = []
    old: str | None = None
    was: Version | None = None
    last: Version | None = None
    for now in reversed(list(past.said)):
        if now.says == old:
            continue
        version = version_in(rules, past.template, now.says) if now.says is not None else None
        found.append(_Change(past.pointer, now, old, version, was, last))
        old, was, last = now.says, version, version or last
    return found[::-1]


class _Explained:
    """What recorded moves were to let pointers say, and when: each explains one change for each of its pointers.

    A move that is taken back explains the way back as well.
    """

    def __init__(self, moves: Iterable[Move]) -> None:
        self._left: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for move in moves:
            for one in move.pointers:
                self._left.setdefault((one.old, one.new), []).append(_span(move))
                if move.outcome in ("returning", "returned"):
                    self._left.setdefault((one.new, one.old), []).append(_span(move))

    def takes(self, change: _Change) -> bool:
        """Whether a move explains this, one that explained nothing of the kind yet."""
        spans = self._left.get((change.old or "", change.now.says or ""), [])
        when = instant(change.now.when)
        found = next((span for span in spans if when is not None and span[0] <= when <= span[1]), None)
        if found is not None:
            spans.remove(found)
        return found is not None


def _span(move: Move) -> tuple[float, float]:
    """From when to when a move may have moved pointers; one that goes on has no end yet."""
    begun, ended = instant(move.at), instant(move.ended)
    return (
        -inf if begun is None else begun - SKEW,
        inf if ended is None else ended + SKEW,
    )


def _promoted(channel: Channel, move: Move) -> HistoricMove:
    return HistoricMove(
        channel=channel.name,
        when=move.ended or move.at,
        who=_who(move.by),
        frm=move.before or None,
        to=move.version,
        evidence={**move.seen, **_released(move)},
        violations=tuple(dict.fromkeys(waiver.rule for waiver in move.waivers)),
        line=move.line,
        kind=move.kind,
        outcome=move.outcome,
        why=move.why,
    )


def _released(move: Move) -> Mapping[str, str]:
    """The components that the move released, as far as it saw them out: each by its tag."""
    steps = {f"downstream {name}": tag for name, tag in move.instances.items()}
    return {step: tag for step, tag in steps.items() if step in move.proofs}


def _by_hand(channel: Channel, change: _Change, broken: Judge) -> HistoricMove:
    now, line = change.now, (change.version or change.last) if channel.scope == "line" else None
    return HistoricMove(
        channel=channel.name,
        when=utc(now.when),
        who=_who(now.who),
        frm=_told(change.was, change.old),
        to=_told(change.version, now.says),
        evidence={"commit": now.commit},
        violations=_broken(change, broken),
        line=line.line if line is not None else "",
        hand=change.pointer,
    )


def _broken(change: _Change, broken: Judge) -> tuple[str, ...]:
    """A file that says nothing breaks no rule; what stood before it said nothing is what a later one is held against."""
    if change.version is not None:
        return tuple(broken(change.last, change.version, change.now.when))
    return (NO_VERSION,) if change.now.says is not None else ()


def _told(version: Version | None, says: str | None) -> str | None:
    if version is not None or says is None:
        return version.text if version is not None else None
    return says if len(says) <= LONGEST else f"{says[:LONGEST]}…"


def _who(person: Person) -> str:
    return f"{person.name} <{person.email}>"


def _dated(moves: Iterable[HistoricMove]) -> list[tuple[float, HistoricMove]]:
    """Moves of one source, newest first: their order is known, whatever the clocks said. What has no time goes with the one after it."""
    dated: list[tuple[float, HistoricMove]] = []
    latest = inf
    for move in moves:
        when = instant(move.when)
        latest = latest if when is None else when
        dated.append((latest, move))
    return dated


def _newest(dated: tuple[float, HistoricMove]) -> float:
    return -dated[0]


def _together(dated: Iterable[tuple[float, HistoricMove]]) -> list[tuple[float, HistoricMove]]:
    """What one commit did to several pointers alike is one move."""
    found: dict[tuple[str, str | None, str | None, str], tuple[float, HistoricMove]] = {}
    for when, move in dated:
        key = (move.evidence["commit"], move.frm, move.to, move.line)
        if key in found:
            when, known = found[key]
            move = msgspec.structs.replace(known, hand=f"{known.hand}, {move.hand}")
        found[key] = when, move
    return list(found.values())
