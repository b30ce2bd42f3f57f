"""Where something is made, and how it is seen that exactly that came of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from release.core.commits import plain
from release.core.model import ArtifactWish
from release.errors import Refused


@dataclass(frozen=True)
class Bench:
    """`tree` is a clone of the release commit, `output` an empty folder, `inputs` are files of other builds by name.

    `epoch` is the time of everything made, in seconds since 1970. `run` runs a command in the tree, with some variables
    more, and raises Refused where it fails; `going` raises Refused where everything is to end.
    """

    tree: Path
    output: Path
    inputs: Mapping[str, Path]
    epoch: int
    run: Callable[[Sequence[str], Mapping[str, str]], None]
    going: Callable[[], None]


def exactly(names: Sequence[str], folder: Path, what: str, remedy: str) -> dict[str, Path]:
    """The files of a folder by name, which have to be these: Refused with all that is missing and all that is too much.

    A folder, a link, a pipe or a device is no file. `what` is who should have made them, for people.
    """
    found = {entry.name: _kind(entry.stat(follow_symlinks=False).st_mode) for entry in os.scandir(folder)}
    missing = [name for name in names if found.get(name) != ""]
    more = [f"{plain(name, 100)}{kind}" for name, kind in sorted(found.items()) if kind or name not in names]
    said = [f"made no {', '.join(f'$SLUICE_OUTPUT/{name}' for name in missing)}"] if missing else []
    said += [f"made what nobody asked for: {', '.join(more)}"] if more else []
    if said:
        raise Refused(f"{what} ended well but {', and '.join(said)}", remedy)
    return {name: folder / name for name in names}


def one_file(path: str, tree: Path, what: str) -> Path:
    """The file at a path of the clone; Refused where it is none, or a link leads out of the clone."""
    made = tree / path
    if not made.is_file() or not made.resolve().is_relative_to(tree):
        raise Refused(f"{what} ended well but made no {path}", "mend the command or [[artifact]] path")
    return made


def told(wish: ArtifactWish) -> str:
    """A wish's command, for people."""
    return f"`{' '.join(wish.run)}`"


def _kind(mode: int) -> str:
    """What a thing in a folder is, "" for a file."""
    kinds = {stat.S_IFREG: "", stat.S_IFDIR: " (a folder)", stat.S_IFLNK: " (a link)", stat.S_IFIFO: " (a pipe)"}
    return kinds.get(stat.S_IFMT(mode), " (a device or a socket)")
