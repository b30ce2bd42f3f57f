"""What says which version a channel has, and how each kind of it is moved: one file a kind."""

from __future__ import annotations

from release.core.model import Release
from release.core.promotion import PointWish
from release.errors import ConfigError
from release.ports import Forge, Pointer
from release.steps.pointing.command import CommandPointer
from release.steps.pointing.doors import PointDoors
from release.steps.pointing.file import FilePointer
from release.steps.pointing.image import ImagePointer
from release.steps.pointing.marks import LatestMark, PrereleaseMark
from release.steps.pointing.proposed_file import ProposedFile


def pointer_of(wish: PointWish, release: Release, commit: str, to: PointDoors) -> Pointer:
    """The pointer that a wish means, as a move to this release has it; commands run at `commit`. Nothing is asked yet."""
    if wish.kind == "image":
        return ImagePointer(wish, to.registry)
    if wish.kind == "command":
        return CommandPointer(wish, release, commit, to.commands)
    if wish.kind == "file":
        return _file(wish, to)
    forge = _forge(wish, to)
    return LatestMark(wish, release.tag, forge) if wish.kind == "latest" else PrereleaseMark(wish, release.tag, forge)


def _file(wish: PointWish, to: PointDoors) -> Pointer:
    remote = to.remote_at(wish.repository)
    if wish.by_pull_request:
        return ProposedFile(wish, to.project, remote, _forge(wish, to), to.person, to.now)
    return FilePointer(wish, remote, to.person, to.now)


def _forge(wish: PointWish, to: PointDoors) -> Forge:
    forge = to.forge_at(wish.repository)
    if forge is None:
        raise ConfigError(f"{wish.name} is moved on a forge, and project.forge is none", 'set project.forge = "github"')
    return forge
