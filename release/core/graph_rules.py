"""What a configuration must not say of who comes after whom: rings, names that nobody has, components that never come."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from release.core.config import Config, Downstream
from release.core.finding import Conflict
from release.core.fleet import LONGEST_TEMPLATE, by_name, together
from release.core.notation import quoted
from release.core.requires import requirements


def graph_contradictions(downstreams: Sequence[Downstream]) -> Iterator[Conflict]:
    """All that keeps `of` and `after` from being an order. The downstreams are resolved: see `fleet.resolved`."""
    named = by_name(downstreams)
    for one in downstreams:
        if len(one.tag) > LONGEST_TEMPLATE:
            why = f"the tag of downstream {quoted(one.name)} is written with more than {LONGEST_TEMPLATE} characters"
            yield Conflict("bad-tag", why, "shorten it, or that of the one that it is of")
        if one.of:
            yield from _of(one, named.get(one.of), named)
        for name in one.after:
            if name != one.of:
                yield from _after(one, name, named.get(name), named)
    after = {name: one.after for name, one in named.items()}
    if found := ring(after):
        why = drawn(found, lambda name, to: "of" if named[name].of == to else "after")
        remedy = "take one `of` or `after` out of the ring"
        yield Conflict("cycle", f"downstreams wait for each other: {why}", remedy)


def needs_contradictions(config: Config) -> Iterator[Conflict]:
    """Who comes after somebody, or needs somebody, cannot come before that one. Rings without a need are told elsewhere."""
    named = by_name(config.downstream)
    after = {name: one.after for name, one in named.items()}
    if ring(after):
        return
    needed = requirements(config)
    graph = {
        name: [to for to in dict.fromkeys((*after.get(name, ()), *wanted)) if to in needed and to != name]
        for name, wanted in needed.items()
    }

    def edge(name: str, to: str) -> str:
        if to in needed[name]:
            return "needs"
        return "of" if named[name].of == to else "after"

    if found := ring(graph):
        why = f"the fleet waits for itself: {drawn(found, edge)}"
        yield Conflict("cycle", why, "take one `of`, `after` or `requires` out of the ring")


def ring(graph: Mapping[str, Collection[str]]) -> list[str]:
    """The names of a ring, each before the one that it waits for, the first in the graph's order first; [] where there is none."""
    try:
        known = {name: [to for to in waits if to in graph] for name, waits in graph.items()}
        TopologicalSorter(known).prepare()
    except CycleError as error:
        found = list(reversed(error.args[1]))[:-1]  # graphlib gives each before the one that waits for it
        order = {name: number for number, name in enumerate(graph)}
        start = found.index(min(found, key=order.__getitem__))
        return [*found[start:], *found[:start]]
    return []


def drawn(names: Sequence[str], edge: Callable[[str, str], str]) -> str:
    """A ring as arrows, and what each of them says."""
    closed = [*names, names[0]]
    said = (f"{name} {edge(name, to)} {to}" for name, to in itertools.pairwise(closed))
    return f"{' -> '.join(closed)} ({', '.join(said)})"


def near(name: str, known: Collection[str], otherwise: str) -> str:
    """What was meant by a name that nobody has."""
    found = difflib.get_close_matches(name[:100], list(known), n=1)
    return f"did you mean {found[0]}?" if found else otherwise


def _of(one: Downstream, parent: Downstream | None, named: Mapping[str, Downstream]) -> Iterator[Conflict]:
    who = f"downstream {one.name} is of {quoted(one.of)}"
    if parent is None:
        remedy = near(one.of, named, "name a downstream that is there; leave it out for the upstream itself")
        yield Conflict("of-unknown", f"{who}, and there is no such downstream", remedy)
        return
    if parent.per == "channel" and one.per == "release":
        why = f"{who}, which a promotion releases: there is no tag of it to begin with"
        yield Conflict("of-channel", why, 'set per = "channel" for it too, or let it be of another')
    apart = one.lines and parent.lines and set(one.lines).isdisjoint(parent.lines)
    if together(one.when, parent.when) is None or apart:
        why = f"{who}, and no release selects both"
        yield Conflict("of-never", why, "mend their `when` and `lines`, or leave it out")
    if parent.trigger == "none" and (one.after_assets or one.tag != "{tag}"):
        why = f"{who}, which releases nothing, and waits for its assets or its tag"
        yield Conflict("of-nothing", why, "let it be of the component that does release")


def _after(one: Downstream, name: str, other: Downstream | None, named: Mapping[str, Downstream]) -> Iterator[Conflict]:
    if other is None:
        why = f"downstream {one.name} comes after {quoted(name)}, and there is no such downstream"
        yield Conflict("after-unknown", why, near(name, named, "name one that is there, or leave it out"))
    elif other.per == "channel" and one.per == "release":
        why = f"downstream {one.name} comes after {name}, which a promotion releases: it would wait for ever"
        yield Conflict("after-channel", why, f'leave {name} out of its after, or set per = "channel" for it too')
