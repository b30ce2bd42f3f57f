"""What differences in a Python package's public names call for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from release.core.commits import Change, plain
from release.core.config import Config
from release.core.facts import Facts
from release.core.model import Level, Reason
from release.core.reasons import weightiest

OF_DIFFERENCE: Mapping[str, tuple[Level, str]] = {
    "removed": ("major", "a public name is gone (SemVer clause 8)"),
    "narrowed": ("major", "a use that worked may not work any more (SemVer clause 8)"),
    "added": ("minor", "users can do more (SemVer clause 7)"),
}


def api_reasons(config: Config, facts: Facts, changes: Sequence[Change]) -> Iterator[Reason]:
    """A reason for each difference, the breaking ones first; a great many are told in part."""
    return weightiest(
        Reason(
            plain(one.name, 200),
            plain(f"{one.what} ({one.path})" if one.path else one.what, 300),
            *OF_DIFFERENCE[one.kind],
        )
        for one in facts.api
    )
