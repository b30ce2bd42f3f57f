"""Channels, their moves, holds and approvals as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from release.core.channel_facts import Wait
from release.core.channel_plan import (
    Approved,
    ChannelList,
    ChannelStatus,
    PromotionPlan,
    Promotions,
    Resumed,
    RolledBack,
    Watched,
)
from release.reports.ages import short
from release.reports.text import Line, conflicts, failures, lines, shown, steps

HEADS = ("CHANNEL", "VERSION", "SINCE", "AGE", "NEXT")
WIDEST = 40  # characters of a cell that its column makes room for
HEALTH = {True: ("healthy", "bold green"), False: ("unhealthy", "bold red"), None: ("nobody can tell", "bold yellow")}


@lines.register
def _(found: ChannelList) -> Iterator[Line]:
    """A row a channel, or a line of it; below it what stands before its next version."""
    rows = [_row(one) for one in found.channels]
    wide = [max(len(head), *(min(len(row[n]), WIDEST) for row in rows)) for n, head in enumerate(HEADS)] if rows else []
    if not rows:
        yield [("there is no channel: [[channel]] in release.toml names them", "")]
    else:
        yield [(in_columns(HEADS, wide), "dim")]
    for one, row in zip(found.channels, rows, strict=True):
        name, rest = in_columns(row[:1], wide), in_columns(row[1:], wide[1:])
        yield [(name if not rest else f"{name:<{wide[0]}}  ", "bold"), (rest, "")]
        yield from _before_the_next(one)
    yield from _remarks(found.remarks)


@lines.register
def _(plan: PromotionPlan) -> Iterator[Line]:
    yield _head(plan)
    for waiver in plan.waivers:
        yield [
            ("waived ", "bold magenta"),
            (f"[{shown(waiver.rule)}] ", "dim"),
            (f"by {shown(waiver.by)}: {shown(waiver.why)}", ""),
        ]
    yield from steps(plan.steps)
    yield from failures(plan.steps)
    yield from waits(plan.waits)
    yield from conflicts(plan.conflicts)
    if plan.skipped:
        yield [("skipped: ", "dim"), (shown(plan.skipped), "")]
    if plan.next:
        yield [("not finished; to go on, here or in any other clone: ", ""), (shown(plan.next), "bold")]
    if plan.nothing:
        yield [("nothing to do: ", "bold green"), (shown(plan.nothing), "")]


@lines.register
def _(found: Promotions) -> Iterator[Line]:
    for number, plan in enumerate(found.channels):
        if number:
            yield [("", "")]
        yield from lines(plan)
    for watched in found.watched:
        yield from lines(watched)
    if not found.channels:
        yield [("nothing to do: ", "bold green"), ("no channel has a release that is ripe for it", "")]
    yield from _remarks(found.remarks)


@lines.register
def _(watched: Watched) -> Iterator[Line]:
    word, style = HEALTH[watched.healthy]
    yield [(shown(watched.version), "bold"), (f"  in {shown(watched.channel)}: ", ""), (word, style)]
    yield from steps(watched.told)
    yield from failures(watched.told)
    if watched.held:
        yield [("  held: ", "bold red"), (shown(watched.held), "")]
        yield from forward(watched.forward)


@lines.register
def _(back: RolledBack) -> Iterator[Line]:
    if back.held:
        yield [
            (of_line(back.channel, back.line), "bold"),
            (" on hold, and nothing enters it: ", ""),
            (shown(back.held), ""),
        ]
    if back.bad is not None:
        yield [("  the bad one: ", ""), (shown(back.bad), "bold red")]
    if back.move is not None:
        yield from lines(back.move)
    yield from conflicts(back.conflicts)
    if back.fix is not None:
        yield [("  the fix: ", ""), (shown(back.fix), "bold green")]
    yield from forward(back.forward)


@lines.register
def _(resumed: Resumed) -> Iterator[Line]:
    if resumed.was:
        yield [(shown(resumed.channel), "bold"), (" goes on; it was held: ", ""), (shown(resumed.was), "")]
    else:
        yield [(shown(resumed.channel), "bold"), (" was not held", "")]
    if resumed.taken_again:
        yield [("  ", ""), (shown(resumed.taken_again), "bold"), (" may be taken again", "")]
    if resumed.next:
        yield [("  next: ", "dim"), (shown(resumed.next), "bold")]


@lines.register
def _(approved: Approved) -> Iterator[Line]:
    count = (
        f"{len(approved.people)} of {approved.wanted}"
        if approved.wanted
        else f"{len(approved.people)}, of none that it takes"
    )
    enough = len(approved.people) >= approved.wanted
    yield [
        (shown(approved.version), "bold"),
        (f" for {shown(approved.channel)}: ", ""),
        (f"{count} said yes", "green" if enough else "yellow"),
        (f": {', '.join(map(shown, approved.people))}" if approved.people else "", ""),
    ]


def forward(typed: Sequence[str]) -> Iterator[Line]:
    """What is typed to mend what a channel has."""
    if typed:
        yield [("the way forward:", "")]
        yield from ([(f"  {number}. ", "dim"), (shown(one), "bold")] for number, one in enumerate(typed, 1))


def waits(found: Sequence[Wait]) -> Iterator[Line]:
    """What time or people will meet, and when."""
    for wait in found:
        until = f"; not before {shown(wait.until)}" if wait.until else ""
        yield [("waits ", "bold cyan"), (f"[{shown(wait.rule)}] ", "dim"), (f"{shown(wait.why)}{until}", "")]


def of_line(channel: str, line: str) -> str:
    """A channel, or one line of it."""
    return shown(f"{channel} {line}" if line else channel)


def in_columns(cells: Sequence[str], wide: Sequence[int]) -> str:
    """Cells one below the other's; no blanks at the end."""
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, wide, strict=False)).rstrip()


def _row(one: ChannelStatus) -> tuple[str, ...]:
    version = shown(one.tag or one.version or "nothing yet")
    return of_line(one.name, one.line), version, shown(one.since[:10]), short(one.age), shown(one.next or "")


def _before_the_next(one: ChannelStatus) -> Iterator[Line]:
    told: list[Line] = []
    if one.held:
        told.append([("held: ", "bold red"), (shown(one.held), "")])
    if one.moving:
        told.append([("moving: ", "bold cyan"), (shown(one.moving), "")])
    if one.hand:
        told.append([("by hand: ", "bold yellow"), (shown(one.hand), "")])
    left = [conflict for conflict in one.conflicts if not (one.held and conflict.rule == "channel-held")]
    told += [*waits(one.waits), *conflicts(left)]
    if one.type:
        told.append([("next: ", "dim"), (shown(one.type), "bold")])
    yield from ([("  ", ""), *line] for line in told)


def _head(plan: PromotionPlan) -> Line:
    where = of_line(plan.channel, plan.line)
    if plan.version is None:
        return [(where, "bold")]
    word = "into" if plan.kind == "promotion" else "back in"
    after = f", after {shown(plan.before)}" if plan.before else ""
    commit = f", at {shown(plan.commit[:10])}" if plan.commit else ""
    return [(shown(plan.tag or plan.version), "bold"), (f"  {word} ", ""), (where, "bold"), (f"{after}{commit}", "")]


def _remarks(remarks: Sequence[str]) -> Iterator[Line]:
    yield from ([(f"note: {shown(remark)}", "")] for remark in remarks)
