"""What a configuration must not say of the sources of a bump: [changes], [[changes.path]], [[upstream]]."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from release.core.config import ChangeRules, Config, Source, Upstream
from release.core.finding import Conflict
from release.core.notation import bad_path, bad_pattern, quoted
from release.core.version import names_in

LONGEST_GLOB = 500


def change_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps a source from speaking, or makes it say two things."""
    changes = config.changes
    for source in _repeated(changes.sources):
        yield Conflict("duplicate-name", f'changes.sources has "{source}" twice', "leave one out")
    yield from _sources(config)
    if "fragments" in changes.sources:
        yield from bad_path("changes.fragments", changes.fragments)
    yield from _kinds(changes)
    for number, rule in enumerate(changes.path):
        if not rule.match:
            yield Conflict("bad-glob", f"changes.path[{number}].match is empty", "write a glob, or leave the rule out")
        yield from _globs(f"changes.path[{number}].match", rule.match)
    yield from _globs("changes.manifests", changes.manifests)
    yield from _packages(changes)
    for number, upstream in enumerate(config.upstream):
        yield from _upstream(f"upstream[{number}]", upstream)
    for name in _repeated(upstream.name for upstream in config.upstream):
        yield Conflict("duplicate-name", f"two upstreams are named {quoted(name)}", "rename one")


def _sources(config: Config) -> Iterator[Conflict]:
    """A source and what it reads go together: one without the other would say nothing, and nobody would see it."""
    pairs: tuple[tuple[Source, str, bool], ...] = (
        ("paths", "[[changes.path]]", bool(config.changes.path)),
        ("python-api", "changes.packages", bool(config.changes.packages)),
        ("upstream", "[[upstream]]", bool(config.upstream)),
    )
    for source, table, there in pairs:
        listed = source in config.changes.sources
        if listed and not there:
            why = f'changes.sources has "{source}", and there is no {table} for it to read'
            yield Conflict("source-without-rules", why, f"write {table}, or leave the source out")
        if there and not listed:
            why = f'there is {table}, and changes.sources has no "{source}": nothing reads it'
            yield Conflict("rules-without-source", why, f'add "{source}" to changes.sources, or leave {table} out')
    for source in ("labels", "release-note"):
        if source in config.changes.sources and config.project.forge == "none":
            why = f'changes.sources has "{source}", and without a forge there are no pull requests'
            yield Conflict("source-without-forge", why, "set project.forge, or leave the source out")


def _kinds(changes: ChangeRules) -> Iterator[Conflict]:
    """A kind is a part of a file's name, between dots; the case does not matter."""
    for kind in changes.fragment:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,49}", kind):
            remedy = 'use letters, digits, _ and -, and begin with a letter, as in feature = "minor"'
            yield Conflict("bad-kind", f"changes.fragment has {quoted(kind)}", remedy)
    for kind in _repeated(kind.lower() for kind in changes.fragment):
        yield Conflict("duplicate-name", f"changes.fragment has {quoted(kind)} twice", "leave one out")


def _globs(place: str, globs: Iterable[str]) -> Iterator[Conflict]:
    """A glob that can match no path from the root is a slip."""
    for glob in globs:
        parts = glob.split("/")
        if len(glob) > LONGEST_GLOB or not glob.isprintable() or any(part in ("", ".", "..") for part in parts):
            remedy = "write a path from the root, without / at its ends, with * in a name and ** between folders"
            yield Conflict("bad-glob", f"{place} has {quoted(glob)}, which no path of the repository matches", remedy)


def _packages(changes: ChangeRules) -> Iterator[Conflict]:
    names = []
    for package in changes.packages:
        yield from bad_path("changes.packages", package)
        names.append(name := package.rpartition("/")[2].removesuffix(".py"))
        if not name.isidentifier():
            why = f"changes.packages has {quoted(package)}, and no Python package is called {quoted(name)}"
            yield Conflict("bad-package", why, 'write the path of a package or module from the root, as in "src/foo"')
    for name in _repeated(names):
        why = f"changes.packages has two packages called {quoted(name)}: which one is meant by a name in it?"
        yield Conflict("duplicate-name", why, "leave one out")


def _upstream(place: str, upstream: Upstream) -> Iterator[Conflict]:
    if not upstream.name or not upstream.name.isprintable() or len(upstream.name) > 100:
        yield Conflict("bad-name", f"{place}.name is {quoted(upstream.name)}", "write up to 100 plain characters")
    yield from bad_path(f"{place}.path", upstream.path)
    yield from bad_pattern(f"{place}.pattern", upstream.pattern)
    if upstream.tag.count("{version}") != 1 or set(names_in(upstream.tag)) - {"version", "name"}:
        why = f"{place}.tag is {quoted(upstream.tag)}"
        yield Conflict("bad-tag", why, 'write {version} exactly once, and no other name but {name}, as in "v{version}"')
    elif upstream.scheme == "semver+revision" and not upstream.revision:
        remedy = 'name the word before its number, as in revision = "k3s" for 1.33.1+k3s1'
        yield Conflict("revision-missing", f"{place}.scheme is semver+revision, and its revision is empty", remedy)
    elif upstream.scheme != "semver+revision" and upstream.revision:
        why = (
            f"{place}.revision is {quoted(upstream.revision)}, and in the scheme {upstream.scheme} there is no revision"
        )
        yield Conflict("revision-unused", why, 'set scheme = "semver+revision" or leave revision out')


def _repeated(names: Iterable[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return tuple(name for name, count in seen.items() if count > 1)
