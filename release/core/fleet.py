"""Who depends on whom in a fleet: what a component of a component inherits, and in which order they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter

import msgspec

from release.core.config import Config, Downstream, When

LONGEST_TEMPLATE = 500
"""What is composed of the templates of a chain gets no longer than this."""


def resolved(config: Config) -> Config:
    """The configuration with everything filled in that `of` means, once, so that nobody else has to know.

    A component that is built on another comes after it, and only where that one is released (`when`, `lines`); a release
    that can do without that one can do without it, too; and where its templates say {tag}, they mean that one's tag.
    `of` stays as it is. What contradicts itself (a ring, an unknown name) is left as written: `graph_contradictions` tells of it.
    """
    if not any(one.of for one in config.downstream):
        return config
    named = by_name(config.downstream)
    made: dict[str, Downstream] = {}
    for name in _parents_first(named):
        one = named[name]
        made[name] = _built_on(one, made[one.of]) if one.of in made else _after(one)
    whole = tuple(made[one.name] if named[one.name] is one else _after(one) for one in config.downstream)
    return msgspec.structs.replace(config, downstream=whole)


def by_name(downstreams: Sequence[Downstream]) -> dict[str, Downstream]:
    """The downstreams by their names; of two with one name the first."""
    named: dict[str, Downstream] = {}
    for one in downstreams:
        named.setdefault(one.name, one)
    return named


def dependency_order(downstreams: Sequence[Downstream]) -> tuple[Downstream, ...]:
    """The downstreams, each after those it names in `after`, else as written; a cycle raises `graphlib.CycleError`."""
    named, sorter = _sorter(downstreams)
    return tuple(named[name] for name in sorter.static_order())


def waves(downstreams: Sequence[Downstream]) -> tuple[tuple[Downstream, ...], ...]:
    """The downstreams in groups: all of one can go together, when those before are out. A cycle raises `graphlib.CycleError`."""
    named, sorter = _sorter(downstreams)
    written = {name: number for number, name in enumerate(named)}
    sorter.prepare()
    found = []
    while ready := sorter.get_ready():
        found.append(tuple(named[name] for name in sorted(ready, key=written.__getitem__)))
        sorter.done(*ready)
    return tuple(found)


def sound(template: str) -> bool:
    """Whether a tag's template may stand for {tag} in others: it identifies a release once, and is not without end."""
    return template.count("{tag}") + template.count("{version}") == 1 and len(template) <= LONGEST_TEMPLATE


def together(one: When, other: When) -> When | None:
    """When both apply, None for never."""
    if one == other or other == "always":
        return one
    return other if one == "always" else None


def _sorter(downstreams: Sequence[Downstream]) -> tuple[dict[str, Downstream], TopologicalSorter[str]]:
    named = {downstream.name: downstream for downstream in downstreams}
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(named, ()))
    for downstream in named.values():
        sorter.add(downstream.name, *(name for name in downstream.after if name in named))
    return named, sorter


def _parents_first(named: Mapping[str, Downstream]) -> Iterator[str]:
    """All names, each after the one it is `of`; a ring is entered somewhere."""
    done: set[str] = set()
    for name in named:
        chain: dict[str, None] = {}
        while name in named and name not in done and name not in chain:
            chain[name] = None
            name = named[name].of
        done.update(chain)
        yield from reversed(chain)


def _built_on(one: Downstream, parent: Downstream) -> Downstream:
    lines = tuple(line for line in one.lines if line in parent.lines) if one.lines and parent.lines else ()
    whole = msgspec.structs.replace(
        _after(one),
        when=together(one.when, parent.when) or one.when,
        lines=lines or one.lines or parent.lines,
        required=one.required and parent.required,
    )
    apart = parent.per == "channel" and one.per == "release"  # which is refused
    if parent.tag == "{tag}" or apart or not sound(parent.tag):
        return whole
    dispatched = one.trigger in ("workflow_dispatch", "repository_dispatch")

    def filled(text: str) -> str:
        return text.replace("{tag}", parent.tag)

    def each(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(map(filled, texts))

    return msgspec.structs.replace(
        whole,
        branch=filled(one.branch),
        tag=filled(one.tag),
        run=each(one.run) if one.trigger == "local" else one.run,
        inputs={name: filled(text) for name, text in one.inputs.items()} if dispatched else one.inputs,
        after_assets=each(one.after_assets),
        assets=each(one.assets),
        images=each(one.images),
        packages=each(one.packages),
        update=tuple(
            msgspec.structs.replace(
                update, path=filled(update.path), key=filled(update.key), value=filled(update.value)
            )
            for update in one.update
        ),
    )


def _after(one: Downstream) -> Downstream:
    """With the one that it is built on among those that it comes after."""
    if not one.of or one.of in one.after:
        return one
    return msgspec.structs.replace(one, after=(one.of, *one.after))
