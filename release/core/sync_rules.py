"""What a configuration must not say of the upstream that a component follows."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.address import holds_secret, is_remote, without_secret
from release.core.config import Config, Sync
from release.core.finding import Conflict
from release.core.forge_rules import is_repository
from release.core.notation import bad_path, quoted

MOST = 1000
"""Releases that one look takes: a page of a forge has a hundred."""


def sync_contradictions(config: Config) -> Iterator[Conflict]:
    """All that keeps [sync] from meaning one upstream."""
    sync = config.sync
    if not sync.upstream:
        if sync != Sync():
            yield Conflict(
                "sync-nobody", "sync says how to follow, and not whom", "set sync.upstream, or leave [sync] out"
            )
        return
    yield from _upstream(sync.upstream, config.project.forge)
    if not 1 <= sync.last <= MOST:
        yield Conflict("bad-number", f"sync.last is {sync.last}", f"write a number from 1 to {MOST}")
    if sync.config:
        yield from bad_path("sync.config", sync.config)
        if sync.config == "release.toml":
            why = "sync.config is this very file, which is not the upstream's"
            yield Conflict("sync-itself", why, "keep what the upstream's would say in another one")
        if sync.branch:
            why = "sync has a branch, where the upstream's release.toml is, and a config in its place"
            yield Conflict("sync-both", why, "leave one out")
    if sync.branch and not sync.branch.isprintable():
        yield Conflict("bad-branch", f"sync.branch is {quoted(sync.branch)}", "write a branch's name")


def _upstream(upstream: str, forge: str) -> Iterator[Conflict]:
    shown = quoted(without_secret(upstream))
    if holds_secret(upstream):
        why = "sync.upstream has a password or a token in it, for everybody to read"
        remedy = "take it out and have it changed; a credential helper gives it to git (git help credentials)"
        yield Conflict("secret-in-config", why, remedy)
    elif forge == "github" and not is_repository(upstream):
        yield Conflict("bad-repository", f"sync.upstream is {shown}, and the forge is GitHub", "write owner/name")
    elif not is_remote(upstream):
        yield Conflict("bad-repository", f"sync.upstream is {shown}", "write a URL or a path")
