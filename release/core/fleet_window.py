"""Which part of a fleet is asked about: a time, lines, a kind, components; and the upstream's releases in it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from release.core.config import Config, Downstream
from release.core.finding import Conflict
from release.core.forge import Published
from release.core.model import Kind, Tag
from release.core.naming import LONGEST_TAG
from release.core.version import Scheme, Version, scheme


class Wanted(msgspec.Struct, frozen=True):
    """What is asked about; all of it where nothing is named.

    `since` and `until` ("YYYY-MM-DD", both inclusive) are compared with the calendar date that git prints for the
    upstream's commit (`%cs`), in its own time zone. Without `since`, releases before `project.since` are history.
    """

    since: str = ""
    until: str = ""
    lines: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    kind: Kind | None = None

    def takes(self, version: Version) -> bool:
        """Whether a version is of a line and of the kind that are asked about."""
        return self.kind in (None, version.kind) and (not self.lines or version.line in self.lines)


EVERYTHING = Wanted()


class Upstream(msgspec.Struct, frozen=True):
    """The upstream's tags: by name, the version of each release (by precedence), those asked about, and what is no version.

    A release has a version for a name, and is on a commit: a tag without a date is malformed, whatever its name.
    """

    rules: Scheme
    tags: Mapping[str, Tag]
    versions: Mapping[str, Version]
    window: tuple[str, ...]
    malformed: tuple[str, ...]

    def came_out(self, release: str, releases: Mapping[str, Published] | None) -> str:
        """When a release was brought out, as far as that is known (ISO 8601): by its forge, else by its commit."""
        published = (releases or {}).get(release)
        return (published.at if published is not None else "") or self.tags[release].date


def asked(config: Config, wanted: Wanted) -> tuple[Downstream, ...]:
    """The components whose tags have to be looked at: those asked about, and all that they are built on."""
    named = {one.name: one for one in config.downstream}
    left = list(wanted.components or named)
    needed: set[str] = set()
    while left:
        name = left.pop()
        if name in named and name not in needed:
            needed.add(name)
            left += [named[name].of] if named[name].of else []
    return tuple(one for one in config.downstream if one.name in needed)


def window(config: Config, tags: Sequence[Tag], wanted: Wanted) -> Upstream | Conflict:
    """Sort the upstream's tags out, and find those that are asked about."""
    days = _days(config, tags, wanted)
    if isinstance(days, Conflict):
        return days
    rules = scheme(config.version, config.project.name)
    named = {tag.name: tag for tag in tags}
    read = {name: _version(name, rules) if named[name].date else None for name in sorted(named)}
    good = sorted(((name, version) for name, version in read.items() if version), key=lambda pair: pair[1])
    since, until = days
    inside = tuple(
        name
        for name, version in good
        if since <= calendar(named[name]) <= (until or "9999-99-99") and wanted.takes(version)
    )
    return Upstream(rules, named, dict(good), inside, tuple(name for name, version in read.items() if not version))


def calendar(tag: Tag) -> str:
    """The day of a tag's commit, where it was made."""
    return tag.date[:10]


def _days(config: Config, tags: Sequence[Tag], wanted: Wanted) -> tuple[str, str] | Conflict:
    since, until = wanted.since, wanted.until
    for name, day in (("since", since), ("until", until)):
        if day and not _is_day(day):
            return Conflict("bad-date", f"{name} is {day[:60]!r}, which is not a date", "write it as YYYY-MM-DD")
    if since and until and since > until:
        return Conflict("empty-window", f"since {since} is after until {until}", "exchange them")
    if since or not config.project.since:
        return since, until
    first = first_day(config.project.since, tags)
    return first if isinstance(first, Conflict) else (first, until)


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def first_day(tag: str, tags: Iterable[Tag]) -> str | Conflict:
    """The calendar date on which the fleet's history ends and its expectations begin."""
    found = next((one for one in tags if one.name == tag), None)
    if found is None:
        return Conflict("since-unknown", f"project.since is {tag}, and the upstream has no such tag", "name one it has")
    if not found.date:
        why = f"project.since is {tag}, and that tag is on no commit: it has no date"
        return Conflict("since-unknown", why, "name a tag of a commit, or say --since YYYY-MM-DD")
    return calendar(found)


def _version(name: str, rules: Scheme) -> Version | None:
    return rules.of_tag(name) if len(name) <= LONGEST_TAG else None
