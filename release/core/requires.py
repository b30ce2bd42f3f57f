"""Which versions of each other the components of a fleet work with: ranges, and who needs what of whom.

A range is clauses between commas, and all of them have to hold: `>=1.33, <1.35`. The operators are those of PEP 440
(`==`, `!=`, `>=`, `<=`, `>`, `<`, `~=`, and `==1.33.*`), the versions are the needed component's own:

* `1`, `1.33` and `1.33.2` are compared with X.Y.Z alone, with 0 for what is not written: `>1.33` holds for 1.33.1, and
  `==1.33.1` for each of its revisions.
* A whole version of the component's scheme, with a revision or as a candidate, is compared by the scheme's precedence.
* A candidate is judged as the final that it leads to: 1.35.0-rc.1 is not below 1.35. Ranges tell which releases work
  together, and a candidate that would only do before its final does is no use to anybody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Literal

import msgspec

from release.core.assembly import applies
from release.core.config import Component, Config, Downstream
from release.core.finding import Conflict
from release.core.naming import versions_in
from release.core.notation import quoted
from release.core.version import Scheme, Version, scheme

Operator = Literal["~=", "==", "!=", ">=", "<=", ">", "<"]
Core = tuple[int, int, int]

LONGEST_RANGE = 200
EXAMPLE = 'write clauses between commas, as in ">=1.33, <1.35", "==1.33.*" or "~=1.33"'
COMPARE = {"==": eq, "!=": ne, ">=": ge, "<=": le, ">": gt, "<": lt}

_CLAUSE = re.compile(r"(?P<operator>~=|==|!=|>=|<=|>|<)[ \t]*(?P<operand>[^ \t]+)")
_NUMBER = r"(?:0|[1-9][0-9]{0,17})"
_NUMBERS = re.compile(rf"(?P<numbers>{_NUMBER}(?:\.{_NUMBER}){{0,2}})(?P<any>\.\*)?")


class Clause(msgspec.Struct, frozen=True):
    """One condition: `numbers` are one to three, and with `any` only the beginning; or else `version` is a whole one."""

    operator: Operator
    numbers: tuple[int, ...] = ()
    any: bool = False
    version: Version | None = None


class Range(msgspec.Struct, frozen=True):
    """Conditions that all have to hold. `text` is as it was written."""

    text: str
    clauses: tuple[Clause, ...]


class Need(msgspec.Struct, frozen=True):
    """Somebody needs a component: `chain` are the names from the project to who needs it, `name` what, `text` the range."""

    chain: tuple[str, ...]
    name: str
    text: str


def parse(place: str, text: str, rules: Scheme) -> Range | Conflict:
    """Read a range, strictly; a Conflict says what is wrong with it, and where. `rules` are the needed component's."""
    if len(text) > LONGEST_RANGE or not text.strip():
        what = "is empty" if not text.strip() else f"has {len(text)} characters"
        return Conflict("bad-range", f"{place} {what}", EXAMPLE)
    clauses: list[Clause] = []
    start = 0
    for part in text.split(","):
        clause = _clause(part.strip(" \t"), rules)
        if isinstance(clause, str):
            at = start + len(part) - len(part.lstrip(" \t")) + 1
            return Conflict("bad-range", f"{place} is {quoted(text)}, and at character {at} {clause}", EXAMPLE)
        clauses.append(clause)
        start += len(part) + 1
    return Range(text.strip(), tuple(clauses))


def admits(wanted: Range, version: Version, rules: Scheme) -> bool:
    """Whether a version is in a range; a candidate is if its final is."""
    final = leads_to(version, rules)
    return all(_holds(clause, final) for clause in wanted.clauses)


def possible(ranges: Collection[Range], rules: Scheme) -> bool:
    """Whether there can be a final version that is in all of these ranges.

    The least one is 0.0.0, or where some clause begins to hold: nothing else has to be looked at.
    """
    clauses = [clause for one in ranges for clause in one.clauses]
    starts = [*_made(rules, (0, 0, 0)), *(start for clause in clauses for start in _starts(clause, rules))]
    return any(all(_holds(clause, start) for clause in clauses) for start in starts)


def leads_to(version: Version, rules: Scheme) -> Version:
    """The final that a candidate leads to; a final is its own."""
    if version.final:
        return version
    return rules.make(_core(version), revision=version.revision)


# Who needs whom


def project_name(config: Config) -> str:
    """What the project is called among its fleet."""
    return config.project.name or "the upstream"


def requirements(config: Config) -> dict[str, Mapping[str, str]]:
    """Everybody's name -> what it needs: the project's first, then as the tables are written."""
    of_downstreams = {one.name: one.requires for one in config.downstream}
    of_components = {one.name: one.requires for one in config.component}
    return {project_name(config): config.project.requires, **of_downstreams, **of_components}


def in_step(config: Config, line: str, kind: str) -> tuple[Downstream, ...]:
    """The downstreams that a release of this line and kind releases: their version is its own."""
    return tuple(one for one in config.downstream if one.per == "release" and applies(one, line, kind))


def needs(config: Config, line: str, kind: str) -> Iterator[Need]:
    """All that a release of this line and kind needs, over everybody that it leads to; shortest chains first."""
    wanted = requirements(config)
    project = project_name(config)
    chains: dict[str, tuple[str, ...]] = {project: (project,)}
    chains |= {one.name: (project, one.name) for one in in_step(config, line, kind)}
    waiting = list(chains)
    for name in waiting:  # grows: breadth first
        for needed, text in wanted[name].items():
            yield Need(chains[name], needed, text)
            if needed in wanted and needed not in chains:
                chains[needed] = (*chains[name], needed)
                waiting.append(needed)


def outside(config: Config, line: str, kind: str) -> tuple[Downstream | Component, ...]:
    """Those whose newest version matters: they are needed, and this release does not release them."""
    ours = {project_name(config), *(one.name for one in in_step(config, line, kind))}
    named: dict[str, Downstream | Component] = {one.name: one for one in config.component}
    named |= {one.name: one for one in config.downstream}
    wanted = dict.fromkeys(need.name for need in needs(config, line, kind) if need.name not in ours)
    return tuple(named[name] for name in wanted if name in named)


def rules_of(config: Config, name: str) -> Scheme:
    """The scheme of somebody's versions: a component's own; everybody else goes by the project's."""
    own = next((one for one in config.component if one.name == name), None)
    return scheme(own, own.name) if own else scheme(config.version, config.project.name)


def newest(config: Config, one: Downstream | Component, tags: Collection[str]) -> tuple[str, Version] | None:
    """The tag and version of somebody's newest final, by precedence; None where there is none."""
    rules = rules_of(config, one.name)
    if isinstance(one, Downstream):
        known = dict(versions_in(one.tag, rules, tags))
    else:
        known = {tag: version for tag in tags if (version := rules.of_tag(tag)) is not None}
    finals = [(version, tag) for tag, version in sorted(known.items()) if version.final]
    if not finals:
        return None
    version, tag = max(finals, key=lambda pair: pair[0].key)
    return tag, version


def _clause(part: str, rules: Scheme) -> Clause | str:
    """A clause, or what is wrong with it."""
    seen = _CLAUSE.fullmatch(part)
    if not part:
        return "there is no clause"
    if not seen:
        return f"{quoted(part)} is no operator with a version"
    operator: Operator = seen["operator"]  # type: ignore[assignment]
    plain = _NUMBERS.fullmatch(seen["operand"])
    if plain:
        numbers = tuple(map(int, plain["numbers"].split(".")))
        if plain["any"] and operator not in ("==", "!="):
            return f"{quoted(part)} has .* after another operator than == and !="
        if operator == "~=" and len(numbers) < 2:
            return f"{quoted(part)} leaves no number to begin with: ~= takes two or three"
        return Clause(operator, numbers, bool(plain["any"]))
    version = rules.parse(seen["operand"])
    if version is None:
        return f"{quoted(seen['operand'])} is no version of scheme {rules.rules.scheme}"
    if operator == "~=":
        return f"{quoted(part)} has more than numbers, and ~= takes numbers only"
    return Clause(operator, version=version)


def _holds(clause: Clause, final: Version) -> bool:
    if clause.version is not None:
        return bool(COMPARE[clause.operator](final.key, clause.version.key))
    core, numbers = _core(final), clause.numbers
    if clause.any:
        return (core[: len(numbers)] == numbers) == (clause.operator == "==")
    if clause.operator == "~=":
        return core >= _padded(numbers) and core[: len(numbers) - 1] == numbers[:-1]
    return bool(COMPARE[clause.operator](core, _padded(numbers)))


def _starts(clause: Clause, rules: Scheme) -> Iterator[Version]:
    """The least finals at which a clause may begin to hold."""
    if clause.version is None:
        major, minor, patch = _padded(clause.numbers)
        for core in ((major, minor, patch), (major, minor, patch + 1), (major, minor + 1, 0), (major + 1, 0, 0)):
            yield from _made(rules, core)
        return
    final = leads_to(clause.version, rules)
    yield final
    if rules.revisions != "none":
        yield from _made(rules, _core(final), final.revision + 1)
    major, minor, patch = _core(final)
    yield from _made(rules, (major, minor, patch + 1))


def _made(rules: Scheme, core: Core, revision: int | None = None) -> Iterator[Version]:
    """A final, if the scheme can write it: numbers end somewhere."""
    first = 1 if rules.revisions == "always" else 0
    try:
        yield rules.make(core, revision=first if revision is None else revision)
    except ValueError:
        return


def _core(version: Version) -> Core:
    return version.major, version.minor, version.patch


def _padded(numbers: tuple[int, ...]) -> Core:
    major, minor, patch = (*numbers, 0, 0)[:3]
    return major, minor, patch
