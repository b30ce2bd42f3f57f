"""Figures of a fleet as text. A rate or a percentile over few values says of how many it is."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.fleet_stats import Figures, Lead, Month, Span, Stats
from release.reports.ages import short
from release.reports.text import SOME, Line, lines, shown

FEW = 10  # values below which a percentile or a share says little
MONTHS = 24  # that are shown, the newest
COMPONENTS = 40
REST = "--format json has all"


@lines.register
def _(stats: Stats) -> Iterator[Line]:
    yield from _months(stats)
    shown_ones = stats.components[:COMPONENTS]
    for one in shown_ones:
        yield from _component(one)
    if len(stats.components) > len(shown_ones):
        rest = f"and {len(stats.components) - len(shown_ones)} more components ({REST}; --component shows one)"
        yield [(rest, "dim")]


def _months(stats: Stats) -> Iterator[Line]:
    if not stats.months:
        yield [("no release in that time", "")]
        return
    yield [("MONTH    FINALS  CANDIDATES", "dim")]
    if len(stats.months) > MONTHS:
        yield [(f"{len(stats.months) - MONTHS} older months are not shown ({REST}; --since narrows it)", "dim")]
    yield from ([(_month(one), "")] for one in stats.months[-MONTHS:])
    if stats.by_commit:
        words = f"{stats.by_commit} of them by the dates of their commits: no forge tells when they came out"
        yield [(words, "dim")]


def _month(one: Month) -> str:
    return f"{one.month}  {one.finals:>6}  {one.candidates:>10}"


def _component(one: Figures) -> Iterator[Line]:
    yield [(shown(one.name), "bold")]
    for lead in one.leads:
        yield [(f"  lead time{f' to {shown(lead.channel)}' if lead.channel else ''}: ", ""), (_lead(lead), "")]
    if one.failures is not None:
        yield [("  failures: ", ""), (_failures(one), "red" if one.failures.red else "")]
    restored = one.restored
    if restored is not None and restored.span is not None:
        yield [("  time to restore: ", ""), (_span(restored.span), "")]
    for left in restored.open[:SOME] if restored is not None else ():
        since = f" for {short(left.age)}" if left.age is not None else ""
        url = f" ({shown(left.url)})" if left.url else ""
        yield [(f"  not restored: {shown(left.tag)}{since}{url}", "bold red")]
    if restored is not None and len(restored.open) > SOME:
        yield [(f"  and {len(restored.open) - SOME} more that are not restored ({REST})", "dim")]
    for what, why in one.unknown.items():
        yield [(f"  not known, {shown(what)}: {shown(why)}", "dim")]


def _lead(lead: Lead) -> str:
    unknown = f"of {lead.unknown} more it is not known" if lead.unknown else ""
    return "; ".join(filter(None, (_span(lead.span) if lead.span is not None else "", unknown)))


def _span(span: Span) -> str:
    few = "only " if span.count < FEW else ""
    worst = f"worst {short(span.worst)} ({shown(span.worst_tag)})"
    return f"median {short(span.median)}, 90 % within {short(span.ninety)}, {worst}, of {few}{span.count}"


def _failures(one: Figures) -> str:
    found = one.failures
    if found is None or found.share is None:
        return "no run ended"
    few = "only " if found.runs < FEW else ""
    again = f"; {found.again} more were green when they were run again" if found.again else ""
    loose = f"; {found.unplaced} are dispatches for nobody knows which tag" if found.unplaced else ""
    return f"{found.red} of {few}{found.runs} runs ended red ({found.share:.0%}){again}{loose}"
