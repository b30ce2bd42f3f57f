"""A fleet out of several files: what each of them brings, and what does not fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from release.core.address import is_local, located
from release.core.config import Component, Config, Downstream, FleetFile, Include
from release.core.finding import Conflict
from release.core.fleet import by_name
from release.core.graph_rules import drawn, near
from release.core.notation import bad_path, quoted
from release.core.requires import project_name

OWN = "release.toml"


class Part(msgspec.Struct, frozen=True):
    """What one file brings to a fleet: `where` names it for people. `requires` are of the component `of`, "" for our own files."""

    where: str
    downstream: tuple[Downstream, ...] = ()
    component: tuple[Component, ...] = ()
    of: str = ""
    requires: Mapping[str, str] = {}


def alone(config: Config) -> Config:
    """The configuration without its fleet, for whoever does not ask for it: then nothing else has to be read."""
    project = msgspec.structs.replace(config.project, fleet="", requires={})
    return msgspec.structs.replace(config, project=project, downstream=(), component=())


def own_parts(config: Config, file: FleetFile) -> tuple[Part, ...]:
    """What our own two files bring."""
    return (
        Part(OWN, config.downstream, config.component),
        Part(config.project.fleet, file.downstream, file.component),
    )


def include_conflicts(where: str, includes: Sequence[Include]) -> Iterator[Conflict]:
    """What must not be said of the files to include, before one of them is read."""
    seen: set[str] = set()
    for number, one in enumerate(includes):
        place = f"{where}: include[{number}]"
        yield from bad_path(f"{place}.file", one.file)
        if not one.path.isprintable():
            yield Conflict("bad-path", f"{place}.path holds control characters", "write a plain path")
        if one.name in seen:
            yield Conflict("duplicate-name", f"{place}: {quoted(one.name)} is included twice", "leave one out")
        seen.add(one.name)


def unknown_include(where: str, include: Include, known: Mapping[str, object]) -> Conflict:
    """An include of a component that no file has."""
    why = f"{where} includes the release.toml of {quoted(include.name)}, and there is no such downstream"
    return Conflict("include-unknown", why, near(include.name, known, "add it as a [[downstream]], or leave it out"))


def part(include: Include, parent: Downstream, config: Config, where: str, forge: str) -> Part | tuple[Conflict, ...]:
    """What a component's own release.toml brings: its downstreams are `of` it, its addresses are relative to its own.

    `forge` is the one of our project. Whoever may write that file may not thereby choose what runs on our machine, nor make us write to a folder of it.
    """
    conflicts = tuple(_not_for_others(include, config, where, forge))
    if conflicts:
        return conflicts
    own = config.project.name

    def ours(requires: Mapping[str, str]) -> dict[str, str]:
        return {(parent.name if own and name == own else name): text for name, text in requires.items()}

    downstreams = tuple(
        msgspec.structs.replace(
            one,
            of=one.of or parent.name,
            repository=beside(one.repository, parent.repository),
            requires=ours(one.requires),
        )
        for one in config.downstream
    )
    components = tuple(
        msgspec.structs.replace(one, repository=beside(one.repository, parent.repository), requires=ours(one.requires))
        for one in config.component
    )
    return Part(where, downstreams, components, parent.name, ours(config.project.requires))


def beside(repository: str, parent: str) -> str:
    """The address of a component that is written relative to another one's, itself perhaps relative to the upstream's."""
    found = located(repository, parent)
    relative = repository.startswith(("./", "../")) and parent.startswith(("./", "../"))
    return f"./{found}" if relative and not found.startswith("../") else found


class Whole(msgspec.Struct, frozen=True):
    """The configuration with its whole fleet; `places` says which file has what is "downstream[7]" there."""

    config: Config
    places: Mapping[str, str] = {}


def merged(config: Config, parts: Sequence[Part]) -> Whole | tuple[Conflict, ...]:
    """The whole fleet, or which two files do not fit together. A component that two files mean alike is one."""
    owners: dict[str, tuple[str, Downstream | Component]] = {}
    conflicts: list[Conflict] = []
    places: dict[str, str] = {}
    wanted = {each.of: each.requires for each in parts if each.of and each.requires}

    known = by_name([one for each in parts for one in each.downstream])

    def kept(one: Downstream | Component, each: Part) -> bool:
        first, other = owners.setdefault(one.name, (each.where, one))
        if first == each.where:  # twice in one file is told with its place
            return True
        if isinstance(one, Downstream) or not _same(other, one):
            back = _built_on(each.of, one.name, known) if _same(one, other) else []
            conflicts.append(_ring(one.name, back, each) if back else _clash(first, each.where, one.name))
        return False

    downstreams: list[Downstream] = []
    for each in parts:
        for number, one in enumerate(each.downstream):
            if kept(one, each):
                places[f"downstream[{len(downstreams)}]"] = _place(each.where, "downstream", number)
                downstreams.append(_with(one, wanted.get(one.name, {})))
    components: list[Component] = []
    for each in parts:
        for number, component in enumerate(each.component):
            released = each.of and component.name == project_name(config)  # what they call a component is our project
            if not released and kept(component, each):
                places[f"component[{len(components)}]"] = _place(each.where, "component", number)
                components.append(component)
    if conflicts:
        return tuple(conflicts)
    whole = msgspec.structs.replace(config, downstream=tuple(downstreams), component=tuple(components))
    return Whole(whole, places)


def placed(conflict: Conflict, places: Mapping[str, str]) -> Conflict:
    """A conflict that begins with a table's place among all, with its place in the file that has it."""
    seen = re.match(r"(?:downstream|component)\[\d+\]", conflict.why)
    place = places.get(seen[0]) if seen else None
    if seen is None or place is None:
        return conflict
    return msgspec.structs.replace(conflict, why=place + conflict.why[seen.end() :])


def _place(where: str, table: str, number: int) -> str:
    return f"{table}[{number}]" if where == OWN else f"{where}: {table}[{number}]"


def _with(one: Downstream, requires: Mapping[str, str]) -> Downstream:
    """With what its own release.toml needs besides: both have to hold."""
    if not requires:
        return one
    both = {name: f"{one.requires[name]}, {text}" if name in one.requires else text for name, text in requires.items()}
    return msgspec.structs.replace(one, requires={**one.requires, **both})


def _same(one: Downstream | Component, other: Downstream | Component) -> bool:
    """Whether two files mean the same component."""
    return one.repository == other.repository if isinstance(one, Downstream) else one == other


def _built_on(name: str, wanted: str, known: Mapping[str, Downstream]) -> list[str]:
    """A component and those that it is built on, up to the wanted one; [] where it is not built on that."""
    chain: list[str] = []
    while name in known and name not in chain:
        chain.append(name)
        if name == wanted:
            return chain
        name = known[name].of
    return []


def _ring(name: str, back: Sequence[str], each: Part) -> Conflict:
    """A component that is built on itself: the file of one that is built on it has it as a downstream."""
    names = [name, *back[:-1]]
    why = f"downstreams wait for each other: {drawn(names, lambda name, to: 'of')}, as {each.where} has {name}"
    return Conflict("cycle", why, f"take {name} out of that file, or leave the [[include]] of {each.of} out")


def _clash(first: str, second: str, name: str) -> Conflict:
    why = f"{first} and {second} both have one named {quoted(name)}"
    return Conflict("duplicate-name", why, "rename one, or leave one out: a name means one of the whole fleet")


def _not_for_others(include: Include, config: Config, where: str, forge: str) -> Iterator[Conflict]:
    for number, one in enumerate(config.downstream):
        place = f"{where}: downstream[{number}]"
        if one.trigger == "local":
            why = f'{place}.trigger is "local": a file of another repository would run a command here'
            remedy = f'list what is in it in your own fleet file, with of = "{include.name}", and leave the include out'
            yield Conflict("include-runs", why, remedy)
    tables: Sequence[tuple[str, Sequence[Downstream | Component]]] = (
        ("downstream", config.downstream),
        ("component", config.component),
    )
    named = ((f"{kind}[{number}]", one) for kind, some in tables for number, one in enumerate(some))
    for place, table in named if forge == "none" and not include.path else ():
        if is_local(table.repository):
            why = f"{where}: {place}.repository is {quoted(table.repository)}, a folder of this machine"
            yield Conflict("include-path", why, "write a URL, or a path relative to that repository (../name.git)")
    if config.project.fleet:
        why = f"{where} has a fleet file of its own ({quoted(config.project.fleet)}), which is not read"
        remedy = f'list what is in it in your own fleet file, with of = "{include.name}", and leave the include out'
        yield Conflict("include-nested", why, remedy)
