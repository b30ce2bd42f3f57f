"""Rules about what a bump is read from: what would be missed."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.commits import plain
from release.core.conflicts.rule import Proposal
from release.core.finding import Conflict
from release.core.fragments import kinds, unknown_fragments
from release.core.inheritance import unread_upstreams


def upstream_unread(proposal: Proposal) -> Iterator[Conflict]:
    """The version of what a project is built on is found where [[upstream]] says, or its bump would be missed."""
    if "upstream" not in proposal.config.changes.sources:
        return
    for why in unread_upstreams(proposal.config, proposal.history.files):
        yield Conflict("upstream-unread", why, "mend the file, or path and pattern of [[upstream]]")


def fragment_unknown(proposal: Proposal) -> Iterator[Conflict]:
    """A news fragment of an unknown kind may be a slip in the name of a breaking change."""
    if "fragments" not in proposal.config.changes.sources:
        return
    for path in unknown_fragments(proposal.config, proposal.history.fragments):
        known = ", ".join(kinds(proposal.config))
        yield Conflict(
            "fragment-unknown", f"{plain(path, 200)} is a news fragment of no known kind", f"known are {known}"
        )
