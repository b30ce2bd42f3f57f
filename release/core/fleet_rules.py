"""What a configuration must not say of rules, of components, and of which versions work with which."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from release.core.address import holds_secret, is_remote, without_secret
from release.core.assembly import applies
from release.core.config import Component, Config
from release.core.conflicts import ALL, nearest
from release.core.finding import Conflict
from release.core.forge_rules import is_repository
from release.core.notation import quoted
from release.core.requires import Range, parse, possible, project_name, requirements, rules_of
from release.core.version import PEP440_WORDS, Scheme, names_in


def fleet_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps [rules], [[component]] and `requires` from meaning one thing."""
    yield from _rules(config)
    bad = [conflict for number, one in enumerate(config.component) for conflict in _component(config, number, one)]
    yield from bad
    twice = list(_names(config))
    yield from twice
    if not bad and not twice and _reads(config):  # else nobody knows whose versions are meant
        yield from _requires(config)
        yield from _ring(config)


def _rules(config: Config) -> Iterator[Conflict]:
    known = {rule.name: rule for rule in ALL}
    for name in config.rules:
        if name not in known:
            yield Conflict("unknown-rule", f"rules has {quoted(name)}, and there is no such rule", nearest(name))
        elif known[name].safety:
            why = f"rules has {name}, which cannot be set: {known[name].summary}"
            yield Conflict("fixed-rule", why, f"leave it out; where it speaks: {known[name].remedy}")


def _component(config: Config, number: int, one: Component) -> Iterator[Conflict]:
    place = f"component[{number}]"
    if not one.name.isprintable() or not 0 < len(one.name) <= 100 or one.name != one.name.strip():
        yield Conflict("bad-name", f"{place}.name is {quoted(one.name)}", "write up to 100 plain characters")
    yield from _repository(config, place, one.repository)
    if one.tag.count("{version}") != 1 or set(names_in(one.tag)) - {"version", "name"}:
        why = f"{place}.tag is {quoted(one.tag)}"
        yield Conflict("bad-tag", why, 'write {version} exactly once, and no other name but {name}, as in "v{version}"')
    if one.scheme == "semver+revision" and not one.revision:
        remedy = 'name the word before its number, as in revision = "k3s" for 1.33.1+k3s1'
        yield Conflict("revision-missing", f"{place}.scheme is semver+revision, and its revision is empty", remedy)
    if one.scheme != "semver+revision" and one.revision:
        why = f"{place}.revision is {quoted(one.revision)}, and in the scheme {one.scheme} there is none to be named"
        yield Conflict("revision-unused", why, 'set scheme = "semver+revision" or leave revision out')
    for word in one.candidates:
        if not (word.isascii() and word.isalpha()) or (one.scheme == "pep440" and word not in PEP440_WORDS):
            yield Conflict("bad-candidate", f"{place}.candidates has {quoted(word)}", 'use letters only, as in "rc"')


def _repository(config: Config, place: str, repository: str) -> Iterator[Conflict]:
    shown = quoted(without_secret(repository))
    if holds_secret(repository):
        why = f"{place}.repository has a password or a token in it, for everybody to read"
        remedy = "take it out and have it changed; a credential helper gives it to git (git help credentials)"
        yield Conflict("secret-in-config", why, remedy)
    elif not is_remote(repository):
        yield Conflict("bad-repository", f"{place}.repository is {shown}", "write a URL or a path")
    elif config.project.forge == "github" and not is_repository(repository):
        yield Conflict("bad-repository", f"{place}.repository is {shown}, and the forge is GitHub", "write owner/name")


def _names(config: Config) -> Iterator[Conflict]:
    """A name in `requires` has to mean one of the fleet."""
    names = [project_name(config), *(one.name for one in config.downstream), *(one.name for one in config.component)]
    components = {one.name for one in config.component}
    asked = any(requirements(config).values())
    for name in dict.fromkeys(names):
        if names.count(name) > 1 and (name in components or asked):
            why = (
                f"two of the fleet are named {quoted(name)}: the project, downstreams and components share their names"
            )
            yield Conflict("duplicate-name", why, "rename one")


def _reads(config: Config) -> bool:
    """Whether the project's own versions can be read at all; if not, that is a conflict of its own."""
    try:
        rules_of(config, project_name(config))
    except ValueError:
        return False
    return config.version.scheme != "semver+revision" or bool(config.version.revision)


def _requires(config: Config) -> Iterator[Conflict]:
    ranges: dict[str, list[tuple[str, Range]]] = {}
    for who, place, wanted in _tables(config):
        for name, text in wanted.items():
            found = _range(config, who, f"{place}.requires.{name}", name, text)
            if isinstance(found, Conflict):
                yield found
            else:
                ranges.setdefault(name, []).append((who, found))
    together = _together(config)
    for name, known in ranges.items():
        yield from _disjoint(name, known, rules_of(config, name), together)


def _tables(config: Config) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    yield project_name(config), "project", config.project.requires
    for number, downstream in enumerate(config.downstream):
        yield downstream.name, f"downstream[{number}]", downstream.requires
    for number, component in enumerate(config.component):
        yield component.name, f"component[{number}]", component.requires


def _range(config: Config, who: str, place: str, name: str, text: str) -> Range | Conflict:
    known = requirements(config)
    if name not in known:
        near = nearest(name, list(known)) if known else ""
        remedy = near if near.startswith("did you mean") else "add it as a [[component]], or leave it out"
        return Conflict("requires-unknown", f"{place}: nobody of the fleet is named {quoted(name)}", remedy)
    if name == who:
        return Conflict("requires-itself", f"{place}: {name} would need itself", "leave it out")
    return parse(place, text, rules_of(config, name))


def _disjoint(
    name: str, known: list[tuple[str, Range]], rules: Scheme, together: Collection[frozenset[str]]
) -> Iterator[Conflict]:
    """Ranges that leave no version over: one alone, or two that one release can bring together."""
    empty = [who for who, wanted in known if not possible([wanted], rules)]
    for who, wanted in known:
        if who in empty:
            why = f"{who} needs {name} {wanted.text}, and no version is in that range"
            yield Conflict("requires-disjoint", why, "widen the range")
    for (who, one), (other, two) in itertools.combinations(known, 2):
        meet = any({who, other} <= names for names in together)
        if meet and not {who, other}.intersection(empty) and not possible([one, two], rules):
            why = f"{who} needs {name} {one.text}, and {other} needs {name} {two.text}: no version is in both ranges"
            yield Conflict("requires-disjoint", why, "widen one of them, or let no release select both")


def _together(config: Config) -> tuple[frozenset[str], ...]:
    """The names that a release brings together, for each line and kind that a table tells from others.

    They are the project, the downstreams that the release selects, and whomever these lead to; "" stands for a line that
    nobody names.
    """
    wanted = requirements(config)
    lines = dict.fromkeys(("", *(line for one in config.downstream for line in one.lines)))
    found = []
    for line, kind in itertools.product(lines, ("candidate", "final")):
        names = [project_name(config), *(one.name for one in config.downstream if applies(one, line, kind))]
        for name in names:  # grows
            names += [needed for needed in wanted[name] if needed in wanted and needed not in names]
        found.append(frozenset(names))
    return tuple(found)


def _ring(config: Config) -> Iterator[Conflict]:
    """Who comes after somebody, or needs somebody, cannot come before that one. Rings of `after` alone are told elsewhere."""
    after = {one.name: one.after for one in config.downstream}
    if _cycle({name: set(names) for name, names in after.items()}):
        return
    needed = requirements(config)
    graph = {name: {*after.get(name, ()), *wanted} & needed.keys() - {name} for name, wanted in needed.items()}
    if ring := _cycle(graph):
        order = list(needed)
        start = ring.index(min(ring, key=order.index))
        names = [*ring[start:], *ring[:start]]
        drawn = [
            f"{name} {'needs' if to in needed[name] else 'after'} {to}"
            for name, to in itertools.pairwise([*names, names[0]])
        ]
        why = f"the fleet waits for itself: {' -> '.join([*names, names[0]])} ({', '.join(drawn)})"
        yield Conflict("cycle", why, "take one `after` or `requires` out of the ring")


def _cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """The names of a ring, each before the one that it waits for; [] where there is none."""
    try:
        TopologicalSorter({name: sorted(waits) for name, waits in graph.items()}).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))[:-1]
    return []
