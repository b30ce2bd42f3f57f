"""What a configuration must not say of rules, of components, and of which versions work with which."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from release.core.address import holds_secret, is_remote, without_secret
from release.core.assembly import applies
from release.core.config import Component, Config
from release.core.conflicts import ALL, nearest
from release.core.finding import Conflict
from release.core.forge_rules import is_repository
from release.core.graph_rules import near, needs_contradictions
from release.core.notation import quoted, repeated
from release.core.requires import Range, parse, possible, project_name, requirements, rules_of
from release.core.version import PEP440_WORDS, Scheme, names_in, scheme


def fleet_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps [rules], [[component]] and `requires` from meaning one thing."""
    yield from _rules(config)
    bad = [conflict for number, one in enumerate(config.component) for conflict in _component(config, number, one)]
    yield from bad
    twice = list(_names(config))
    yield from twice
    if not bad and not twice and _reads(config):  # else nobody knows whose versions are meant
        yield from _requires(config)
        yield from needs_contradictions(config)


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
    for name in repeated(names):
        if name in components or asked:
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
    known = Schemes(config)
    ranges: dict[str, dict[str, list[str]]] = {}
    read: dict[tuple[str, str], Range] = {}
    for who, place, wanted in _tables(config):
        for name, text in wanted.items():
            found = read.get((name, text)) if name != who else None
            parsed = found or _range(who, f"{place}.requires.{name}", name, text, known)
            if isinstance(parsed, Conflict):
                yield parsed
                continue
            read[name, text] = parsed
            ranges.setdefault(name, {}).setdefault(text, []).append(who)
    together = _together(config) if ranges else {}
    for name, wanting in ranges.items():
        wants = [(read[name, text], people) for text, people in wanting.items()]
        yield from _disjoint(name, wants, known[name], together)


class Schemes(dict[str, Scheme]):
    """The scheme of everybody's versions, by name; each is made when it is first asked for."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.names = tuple(requirements(config))
        self._config, self._named = config, frozenset(self.names)
        self._own = {one.name: one for one in config.component}

    def __missing__(self, name: str) -> Scheme:
        own = self._own.get(name)
        made = scheme(own, own.name) if own else scheme(self._config.version, self._config.project.name)
        self[name] = made
        return made

    def knows(self, name: str) -> bool:
        return name in self._named


def _tables(config: Config) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    yield project_name(config), "project", config.project.requires
    for number, downstream in enumerate(config.downstream):
        yield downstream.name, f"downstream[{number}]", downstream.requires
    for number, component in enumerate(config.component):
        yield component.name, f"component[{number}]", component.requires


def _range(who: str, place: str, name: str, text: str, known: Schemes) -> Range | Conflict:
    if not known.knows(name):
        remedy = near(name, known.names, "add it as a [[component]], or leave it out")
        return Conflict("requires-unknown", f"{place}: nobody of the fleet is named {quoted(name)}", remedy)
    if name == who:
        return Conflict("requires-itself", f"{place}: {name} would need itself", "leave it out")
    return parse(place, text, known[name])


def _disjoint(
    name: str, wants: Sequence[tuple[Range, Sequence[str]]], rules: Scheme, together: Mapping[str, int]
) -> Iterator[Conflict]:
    """Ranges that leave no version over: one alone, or two that one release can bring together. Each with who wants it.

    A fleet repeats the same few ranges, and mostly one version is in all of them: then no two have to be compared.
    """
    sound = []
    for wanted, people in wants:
        if possible([wanted], rules):
            sound.append((wanted, people))
            continue
        for who in people:
            why = f"{who} needs {name} {wanted.text}, and no version is in that range"
            yield Conflict("requires-disjoint", why, "widen the range")
    if possible([wanted for wanted, _ in sound], rules):
        return
    for (one, some), (two, others) in itertools.combinations(sound, 2):
        if possible([one, two], rules) or (met := _meeting(some, others, together)) is None:
            continue
        who, other = met
        why = f"{who} needs {name} {one.text}, and {other} needs {name} {two.text}: no version is in both ranges"
        yield Conflict("requires-disjoint", why, "widen one of them, or let no release select both")


def _meeting(some: Sequence[str], others: Sequence[str], together: Mapping[str, int]) -> tuple[str, str] | None:
    """The first of `some` and the first of `others` that one release brings together."""
    first = {together[other]: other for other in reversed(others)}
    for who in some:
        found = next((other for releases, other in first.items() if releases & together[who]), None)
        if found is not None:
            return who, found
    return None


def _together(config: Config) -> Mapping[str, int]:
    """For everybody's name the releases that bring it along, as bits: one for each line and kind that a table tells from others.

    A release brings the project, the downstreams that it selects, and whomever these lead to; one of the lines is one that
    nobody names.
    """
    wanted = requirements(config)
    found = dict.fromkeys(wanted, 0)
    lines = dict.fromkeys(("", *(line for one in config.downstream for line in one.lines)))
    for number, (line, kind) in enumerate(itertools.product(lines, ("candidate", "final"))):
        brought = dict.fromkeys(
            (project_name(config), *(one.name for one in config.downstream if applies(one, line, kind)))
        )
        left = list(brought)
        while left:
            name = left.pop()
            found[name] |= 1 << number
            new = [needed for needed in wanted[name] if needed in wanted and needed not in brought]
            brought |= dict.fromkeys(new)
            left += new
    return found
