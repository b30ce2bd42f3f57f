"""How far a version has to rise, and why: the maximum over what every source says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from release.core.api import api_reasons
from release.core.commits import Change, plain
from release.core.config import Config, Source
from release.core.dependencies import dependency_reasons
from release.core.facts import Facts
from release.core.fragments import fragment_reasons
from release.core.inheritance import upstream_reasons
from release.core.model import Level, Reason
from release.core.paths import path_reasons
from release.core.pulls import label_reasons, note_reasons
from release.core.version import Version

LEVELS: tuple[Level, ...] = ("none", "patch", "minor", "major")
OF_TYPE: Mapping[str, Level] = {"feat": "minor", "fix": "patch", "perf": "patch", "revert": "patch"}
INITIAL = "minor while major is 0 (SemVer clause 4): give 1.0.0 by --version or --bump major"

Says = Callable[[Config, Facts, Sequence[Change]], Iterator[Reason]]


def level(
    config: Config, facts: Facts, changes: Sequence[Change], *, base: Version | None
) -> tuple[Level, tuple[Reason, ...]]:
    """The bump that was called for since `base`, and each reason for one, source by source.

    Breaking is major, a feature minor, a fix a patch (SemVer clauses 6 to 8). While the major of `base` is 0, or there is
    no base, what would be major is minor (clause 4), as 1.0.0 is a person's decision.
    """
    initial = base is None or base.major == 0
    said = (reason for source in config.changes.sources for reason in SOURCES[source](config, facts, changes))
    reasons = tuple(_tempered(reason, initial) for reason in said if reason.bump != "none")
    asked = {reason.bump for reason in reasons}
    return next((known for known in reversed(LEVELS) if known in asked), "none"), reasons


def conventional(config: Config, facts: Facts, changes: Sequence[Change]) -> Iterator[Reason]:
    """What the commits say of themselves, by Conventional Commits 1.0.0; a project's own types count as it says."""
    known = {**OF_TYPE, **config.changes.types}
    for change in changes:
        bump = "major" if change.breaking else known.get(change.type, "none")
        why = "breaking" if change.breaking else f"type {change.type}" if change.type else ""
        yield Reason(change.commit[:10], plain(change.header, 200), bump, why)


SOURCES: dict[Source, Says] = {
    "conventional": conventional,
    "labels": label_reasons,
    "release-note": note_reasons,
    "fragments": fragment_reasons,
    "paths": path_reasons,
    "python-api": api_reasons,
    "dependencies": dependency_reasons,
    "upstream": upstream_reasons,
}


def _tempered(reason: Reason, initial: bool) -> Reason:
    if not initial or reason.bump != "major":
        return reason
    why = f"{reason.why}; {INITIAL}" if reason.why else INITIAL
    return msgspec.structs.replace(reason, bump="minor", why=why)
