"""What a change of files means, by globs over their paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from functools import lru_cache
from itertools import pairwise

from release.core.commits import Change, plain
from release.core.config import Config
from release.core.facts import Facts
from release.core.model import Reason

SHOWN = 3
"""So many paths are named by a reason; the others are counted."""


def path_reasons(config: Config, facts: Facts, changes: Sequence[Change]) -> Iterator[Reason]:
    """One reason for each of [[changes.path]] that has a changed file, in the order of the configuration."""
    for rule in config.changes.path:
        if found := [path for path in facts.paths if matches(rule.match, path)]:
            why = plain(rule.why) or f"path {' or '.join(rule.match)}"
            yield Reason(plain(found[0], 200), _named(found), rule.bump, why)


def matches(globs: Iterable[str], path: str) -> bool:
    """Whether one of the globs covers a path from the root.

    `*` is any run of characters in the name of a folder or file, `?` is one of them; `**` between slashes is any number
    of folders, none too, and at the end all that is below. Every other character is itself, brackets as well.
    """
    parts = path.split("/")
    return any(_is(glob[-1], parts[-1]) and _covers(glob, parts) for glob in map(_parts, globs))


def _covers(glob: Sequence[re.Pattern[str] | None], parts: Sequence[str]) -> bool:
    """Where in the glob each part of the path can lead, all ways at once: no way is tried twice."""
    places = _onward(glob, {0})
    for part in parts:
        stay = {place for place in places if place < len(glob) and glob[place] is None}
        steps = {place + 1 for place in places - stay if place < len(glob) and _is(glob[place], part)}
        if not (places := _onward(glob, stay | steps)):
            return False
    return len(glob) in places


def _is(name: re.Pattern[str] | None, part: str) -> bool:
    return name is not None and name.match(part) is not None


def _onward(glob: Sequence[re.Pattern[str] | None], places: set[int]) -> set[int]:
    """With the place behind each `**`, as it can be no folder at all; no two of them are neighbours."""
    return places | {place + 1 for place in places if place < len(glob) and glob[place] is None}


@lru_cache(maxsize=512)
def _parts(glob: str) -> tuple[re.Pattern[str] | None, ...]:
    """A pattern for each name, None for `**`; at the end that is any folders and a name in them.

    What `translate` makes looks at a name once, whatever the number of stars.
    """
    names = [name for before, name in pairwise(["", *glob.split("/")]) if (before, name) != ("**", "**")]
    if names[-1] == "**":
        names.append("*")
    return tuple(None if name == "**" else re.compile(translate(name.replace("[", "[[]"))) for name in names)


def _named(paths: Sequence[str]) -> str:
    shown = ", ".join(plain(path, 100) for path in paths[:SHOWN])
    return f"{shown} and {len(paths) - SHOWN} more" if len(paths) > SHOWN else shown
