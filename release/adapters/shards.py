"""Shards on disk: a folder each, with `shard.json`, the files of a build, or an image in a layout `oci/`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from release.adapters.disk import Disk, complaining
from release.core.shards import FILE, Contents
from release.errors import Refused

LARGEST = 1 << 20  # bytes of shard.json
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~-]*")


class Shards:
    """`disk` copies the files."""

    layout = "oci"

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def fresh(self, folder: Path, shard: str) -> None:
        """Make room for a shard: what it was before goes away; Refused where something else lies there, or another shard."""
        with complaining(folder):
            there = [one.name for one in folder.iterdir()] if folder.is_dir() else []
            if there and FILE not in there:
                raise Refused(f"{folder} holds {', '.join(sorted(there)[:3])}, and is no shard", "name another folder")
            if there and (other := _shard_of(folder / FILE)) not in ("", shard):
                raise Refused(
                    f"{folder} holds the shard {other!r:.100}", "name another folder: each has one of its own"
                )
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def runs(self, file: Path) -> bool:
        """Whether a file is a program."""
        return bool(file.stat().st_mode & 0o100)

    def write(self, folder: Path, contents: Contents, files: Mapping[str, Path]) -> None:
        """Lay the files of a shard there, and `shard.json` last: where it is, all is there."""
        for name, source in files.items():
            self._disk.lay(source, folder / name)
        self._disk.write(msgspec.json.format(msgspec.json.encode(contents), indent=2).decode() + "\n", folder / FILE)

    def found(self, root: Path) -> dict[str, tuple[Path, Contents]]:
        """The shards in a folder, each in one of its own (as CI lays them), by name; a folder that is a shard itself counts.

        Refused where one cannot be read, or two are the same.
        """
        if not root.is_dir():
            raise Refused(f"{root} is no folder", "name the one that holds the folders of the shards")
        shards: dict[str, tuple[Path, Contents]] = {}
        for place in sorted([root, *(one for one in root.iterdir() if one.is_dir() and not one.is_symlink())]):
            if not (place / FILE).is_file():
                continue
            contents = _read(place / FILE)
            if contents.shard in shards:
                raise Refused(f"{place} and {shards[contents.shard][0]} are the same shard", "leave one out")
            shards[contents.shard] = (place, contents)
        return shards


def _shard_of(path: Path) -> str:
    """The shard that lies there, "" where none can be read, for that one is to be built again."""
    try:
        return _read(path).shard
    except Refused:
        return ""


def _read(path: Path) -> Contents:
    with complaining(path), path.open("rb") as file:
        text = file.read(LARGEST + 1)
    try:
        contents = msgspec.json.decode(text, type=Contents)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"{path} cannot be read: {error}", "build that shard again") from error
    for one in contents.files:
        place = path.parent / one.name
        if not _NAME.fullmatch(one.name) or one.name == FILE or place.is_symlink() or not place.is_file():
            raise Refused(f"{path} names {one.name!r:.80}, which is no file beside it", "build that shard again")
        if one.program:
            with complaining(place):
                place.chmod(0o755)
    return contents
