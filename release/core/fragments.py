"""News fragments: one small file for each change that users should hear of, named as towncrier names them.

`<issue>.<kind>[.<number>][.<ending>]`, or `+<anything>.<kind>...` for a change without an issue, in a folder or below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from release.core.commits import Change, plain
from release.core.config import Config
from release.core.facts import Facts
from release.core.model import Level, Reason, Splice

OF_KIND: Mapping[str, Level] = {
    "breaking": "major",
    "removal": "major",
    "removed": "major",
    "added": "minor",
    "changed": "minor",
    "deprecated": "minor",
    "feature": "minor",
    "bugfix": "patch",
    "fixed": "patch",
    "security": "patch",
    "doc": "none",
    "misc": "none",
}
"""Towncrier's own kinds and those of Keep a Changelog. What is deprecated is minor by SemVer clause 7."""


class Name(msgspec.Struct, frozen=True):
    """What a fragment's name says: `issue` is as written, "" for none; `kind` is lowercased, "" for an unknown one."""

    issue: str
    kind: str


def fragment_reasons(config: Config, facts: Facts, changes: Sequence[Change]) -> Iterator[Reason]:
    """A reason for each fragment. One of an unknown kind asks for a patch, so that it is not lost, and says so."""
    known = kinds(config)
    for fragment in facts.fragments:
        name = named(config, fragment.path)
        if name is None:
            continue
        where, what = plain(fragment.path, 200), _first_line(fragment.text)
        if name.kind:
            yield Reason(where, what or where, known[name.kind], f"fragment of the kind {name.kind}")
        else:
            yield Reason(where, what or where, "patch", "fragment of no known kind: perhaps more than a patch")


def kinds(config: Config) -> dict[str, Level]:
    """Each kind of fragment and the bump that it asks for: the built-in ones, then what the project adds or changes."""
    return {**OF_KIND, **{kind.lower(): bump for kind, bump in config.changes.fragment.items()}}


def named(config: Config, path: str) -> Name | None:
    """What the name of a fragment says; None for a path that is no fragment: elsewhere, hidden, a README, a template.

    As with towncrier the last part that is a kind counts, but not the first part, so `fix-1.2.feature.3.md` is of the
    kind "feature" for the issue "fix-1.2".
    """
    base = path.rpartition("/")[2]
    if not path.startswith(f"{config.changes.fragments}/") or _is_aside(base):
        return None
    known, parts = kinds(config), base.split(".")
    place = next((place for place in range(len(parts) - 1, 0, -1) if parts[place].lower() in known), 0)
    if place == 0:
        return Name("", "")
    issue = "" if base.startswith("+") else ".".join(parts[:place]).strip()
    return Name(issue, parts[place].lower())


def unknown_fragments(config: Config, paths: Iterable[str]) -> tuple[str, ...]:
    """Those paths that lie where fragments lie and whose kind is unknown: perhaps a slip in the name of a breaking change."""
    return tuple(path for path in paths if (name := named(config, path)) and not name.kind)


def used_fragments(config: Config, paths: Iterable[str]) -> tuple[str, ...]:
    """Those paths that are fragments of a known kind: a release tells them, and then they may go."""
    return tuple(path for path in paths if (name := named(config, path)) and name.kind)


def removals(paths: Iterable[str]) -> tuple[Splice, ...]:
    """The edits that take these files away in the release commit."""
    return tuple(Splice(path, 0, 0, "", removes=True) for path in paths)


def _is_aside(base: str) -> bool:
    """What lies beside fragments and is none: README, .gitkeep, template.md, _template.rst, changelog.md.j2."""
    lowered = base.lower()
    return (
        base.startswith((".", "_"))
        or lowered.split(".")[0] in ("readme", "template")
        or lowered.endswith((".j2", ".jinja", ".jinja2"))
    )


def _first_line(text: str) -> str:
    """Its first line that says anything, without the mark of a list."""
    line = next((line for line in text[:10_000].splitlines() if line.strip()), "")
    return plain(line.strip().removeprefix("- ").removeprefix("* "), 200)
