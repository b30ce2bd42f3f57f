"""What lists of a component show: evidence that it is out, as far as a few requests can tell."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from release.core.forge import Published, Run


class Listed(msgspec.Struct, frozen=True):
    """One component, by lists of its tags, releases, runs and image tags.

    `tags` and `heads` are name -> peeled commit. `releases` are those that are out, by tag, with their assets; `runs` those of
    its workflow, newest first, and all of them since `runs_since` ("" for all that matter). `images` are the tags that a
    registry has, by repository ("docker.io/owner/name"). `strangers` are commits of tags that are not in the history of the
    branch. Each is None where it was not asked for or could not be seen; then `errors` has the reason, under the field's
    name. Of images those repositories that could not be seen are left out.
    """

    tags: Mapping[str, str] | None = None
    heads: Mapping[str, str] | None = None
    releases: Mapping[str, Published] | None = None
    runs: tuple[Run, ...] | None = None
    images: Mapping[str, frozenset[str]] | None = None
    strangers: frozenset[str] | None = None
    errors: Mapping[str, str] = {}
    runs_since: str = ""
