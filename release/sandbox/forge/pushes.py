"""What a change of refs means: who may make it, and what is told afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from release.sandbox.forge import shapes
from release.sandbox.forge.auth import Actor
from release.sandbox.forge.events import Event
from release.sandbox.forge.git import Commit
from release.sandbox.forge.protection import NULL
from release.sandbox.forge.urls import Urls
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

Change: TypeAlias = tuple[str, str, str]  # ref, old, new
MOST_TAGS = 3
WHO = {"classic": "a Personal Access Token", "fine": "a Personal Access Token"}


def policy(world: World, urls: Urls, repository: Json, actor: Actor) -> Json:
    """What decides about this caller's changes of refs; see `protection`."""
    published = [one for one in world.store.all("release", repository["id"]) if one["immutable"] and not one["draft"]]
    return {
        "login": actor.login,
        "who": WHO.get(actor.kind, "a GitHub App"),
        "rules": world.store.all("rule", repository["id"]),
        "locked": {f"refs/tags/{one['tag_name']}": "This tag belongs to an immutable release." for one in published},
        "burned": {
            f"refs/tags/{one['tag']}": "This tag was used by an immutable release and cannot be used again."
            for one in world.store.all("burned", repository["id"])
        },
        "custom_refs": repository["custom_refs"],
        "workflows": actor.may(repository, "workflows", "write"),
        "rules_url": urls.html(repository["full_name"], "rules"),
    }


def announce(world: World, urls: Urls, repository: Json, actor: Actor, changes: Sequence[Change]) -> None:
    """A push event for every branch and tag; more than three tags at once make none for tags, other refs never do."""
    tags = [ref for ref, _, _ in changes if ref.startswith("refs/tags/")]
    for ref, old, new in changes:
        if ref.startswith("refs/heads/") or (ref in tags and len(tags) <= MOST_TAGS):
            _announce(world, urls, repository, actor, (ref, old, new))


def _announce(world: World, urls: Urls, repository: Json, actor: Actor, change: Change) -> None:
    ref, old, new = change
    git = world.git(repository["full_name"])
    head = git.commit_of(new) if new != NULL else ""
    created, deleted = old == NULL, new == NULL
    forced = not created and not deleted and ref.startswith("refs/heads/") and not git.contains(head, old)
    since = [] if created or deleted or forced else git.log(head, f"^{old}", limit=20)
    commits = [_commit(urls, repository, one) for one in git.commits([head, *reversed(since)] if head else [])]
    payload = {
        "ref": ref,
        "before": old,
        "after": new,
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": None,
        "compare": urls.html(repository["full_name"], "compare", f"{old[:12]}...{new[:12]}"),
        "head_commit": commits[0] if commits else None,
        "commits": commits[1:],
        "pusher": {"name": actor.login},
        "repository": shapes.minimal_repository(urls, world, repository),
        "sender": shapes.user(urls, world, actor.login),
    }
    world.emit(Event(repository["full_name"], "push", ref, head, actor.login, payload, actor.by_workflow))


def _commit(urls: Urls, repository: Json, found: Commit) -> Json:
    return {
        "id": found.sha,
        "tree_id": found.tree,
        "message": found.message,
        "timestamp": found.committer.date,
        "url": urls.html(repository["full_name"], "commit", found.sha),
        "author": {"name": found.author.name, "email": found.author.email},
        "committer": {"name": found.committer.name, "email": found.committer.email},
    }
