"""What a test may set for a repository's runner, to play a forge on which nothing starts, or not yet."""

from __future__ import annotations

from release.sandbox.forge.events import DISPATCHES
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

DEFAULT: Json = {"starts": True, "hold": False, "skip": 0}


def of(world: World, repo: int) -> Json:
    """`starts`, `hold` and `skip` of a repository."""
    found = world.store.find("switch", "runner", repo) or {}
    return {name: found.get(name, value) for name, value in DEFAULT.items()}


def set_for(world: World, full_name: str, said: Json) -> None:
    """Change some; None leaves one as it is."""
    with world.store.transaction():
        repo = world.find(full_name)["id"]
        known = {name: value for name, value in said.items() if value is not None}
        world.store.put("switch", "runner", of(world, repo) | known, repo)


def admits(world: World, repo: int, event: str) -> bool:
    """Whether an event starts runs here; a dispatch that is skipped is counted."""
    now = of(world, repo)
    if event in DISPATCHES and now["skip"]:
        world.store.put("switch", "runner", now | {"skip": now["skip"] - 1}, repo)
        return False
    return bool(now["starts"])
