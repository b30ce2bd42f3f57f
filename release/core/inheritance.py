"""What a project inherits from what it is built on: the bump from the upstream's old version to its new one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from release.core.commits import Change, plain
from release.core.config import Config, Upstream
from release.core.facts import Facts
from release.core.model import Level, Reason
from release.core.version import Version, scheme

LONGEST_TEXT = 1_000_000
"""Only so many characters of a file are searched."""


class Read(msgspec.Struct, frozen=True):
    """The upstream's version in a text: `line` from 1, `said` as it stands there; `version` None where it is none, or there is nothing."""

    version: Version | None
    said: str = ""
    line: int = 0


def upstream_files(config: Config) -> tuple[str, ...]:
    """The files in which the versions of all upstreams stand, each once."""
    return tuple(dict.fromkeys(one.path for one in config.upstream))


def upstream_reasons(config: Config, facts: Facts, changes: Sequence[Change]) -> Iterator[Reason]:
    """A reason for each upstream whose version is another now, or cannot be compared and stands in a file that changed."""
    for one in config.upstream:
        before, after = facts.before.get(one.path), facts.after.get(one.path)
        if before == after:
            continue
        old, new = read(one, before), read(one, after)
        if old.version is None or new.version is None:
            where, what = plain(one.path, 200), f"{one.name}: {_seen(old)} before, {_seen(new)} now"
            yield Reason(where, what, "patch", "the version of the upstream cannot be compared")
        elif old.version != new.version:
            bump, why = _step(old.version, new.version)
            what = f"{one.name} from {old.said} to {new.said}"
            yield Reason(f"{plain(one.path, 200)}:{new.line}", what, bump, why)


def unread_upstreams(config: Config, after: Mapping[str, str | None]) -> tuple[str, ...]:
    """For each upstream whose version cannot be read at the commit to release, what is so: its bump would be missed."""
    found = ((one, read(one, after.get(one.path))) for one in config.upstream)
    return tuple(
        f"upstream {one.name}: {plain(one.path, 200)} has {_seen(seen)}" for one, seen in found if not seen.version
    )


def read(upstream: Upstream, text: str | None) -> Read:
    """The first place in the text where the pattern has its group `value`, read as a tag or a version.

    The pattern is the project's own, with `^` and `$` at the ends of lines: how long it takes is for it to see to.
    """
    seen = re.search(upstream.pattern, text[:LONGEST_TEXT], re.MULTILINE) if text is not None else None
    value = (seen["value"] or "") if seen else ""
    if seen is None or text is None or not value:
        return Read(None)
    line = text.count("\n", 0, seen.start("value")) + 1
    return Read(scheme(upstream, upstream.name).requested(value), plain(value, 100), line)


def _seen(found: Read) -> str:
    if found.version:
        return found.version.text
    return f'"{found.said}", which is no version of it' if found.said else "no version"


def _step(old: Version, new: Version) -> tuple[Level, str]:
    """A way back is told and is a patch: which of this project's promises it touches, nobody knows but a person."""
    if new < old:
        return "patch", "upstream went back: look whether users lose anything"
    if new.major != old.major:
        return "major", "major of the upstream"
    if new.minor != old.minor:
        return "minor", "minor of the upstream"
    if new.patch != old.patch:
        return "patch", "patch of the upstream"
    return "patch", "revision or candidate of the upstream"
