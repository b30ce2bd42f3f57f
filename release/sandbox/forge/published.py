"""Which release is what: who sees it, what it is called without a tag, which one is the latest."""

from __future__ import annotations

import hashlib

from release.sandbox.forge.answers import missing
from release.sandbox.forge.calls import Call
from release.sandbox.serving.store import Json


def seen(call: Call) -> Json:
    """The release in the path, if the caller may see it."""
    found = call.document("release", "release_id")
    if found["draft"] and not call.may("contents", "write"):
        raise missing()
    return found


def newest(found: list[Json]) -> Json | None:
    """The latest release: the one that was flagged last, else by the date of its commit."""
    out = [one for one in found if not one["draft"] and not one["prerelease"]]
    flagged = [one for one in out if one["make_latest"] == "true"]
    legacy = [one for one in out if one["make_latest"] == "legacy"]
    if flagged and (not legacy or max(one["flagged"] for one in flagged) > max(one["flagged"] for one in legacy)):
        return max(flagged, key=lambda one: one["flagged"])
    return max(flagged + legacy, key=lambda one: (one["created_at"], one["id"]), default=None)


def untagged(release: Json) -> str:
    """The name that stands for a draft without a tag."""
    return f"untagged-{hashlib.sha1(str(release['id']).encode()).hexdigest()[:20]}"
