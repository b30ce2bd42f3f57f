"""A channel's value in a file of some repository: the place where it stands, and the edit after which it says another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from release.core.finding import Conflict
from release.core.model import Splice, UpdateWish
from release.core.references import looked

FileKind = Literal["yaml", "json", "toml"]
KINDS: Mapping[str, FileKind] = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}
NULLS = ("null", "Null", "NULL", "~")
"""What stands in YAML and JSON where a value is yet to come."""
REMEDIES: Mapping[str, str] = {
    "update-ambiguous": "name the place so that only one is meant",
    "update-unreadable": "mend the file and commit it",
    "update-refused": "write it there by hand as a text on one line",
}


class Spot(msgspec.Struct, frozen=True):
    """What the place says, "" for nothing yet, and the edit after which it says what is wanted; None if it does."""

    says: str
    edit: Splice | None


def kind_of(path: str) -> FileKind | None:
    """What a file is by its ending; None for what no pointer can be in."""
    return KINDS.get(PurePosixPath(path).suffix.lower())


def spot(path: str, key: str, value: str, content: bytes | None) -> Spot | Conflict:
    """The scalar at a key of a file, which is to be `value`; `content` is None where there is no plain file."""
    kind = kind_of(path)
    if kind is None:
        why = f"{path!r:.200} is no YAML, JSON or TOML by its ending"
        return Conflict("update-unreadable", why, "mend path of [[channel.point]]")
    said, conflicts = looked((UpdateWish(path, kind, value, key=key),), {path: content})
    if conflicts:
        return _of_a_pointer(conflicts[0])
    says = "" if said[0].says in NULLS else said[0].says
    return Spot(says, said[0].edit)


def _of_a_pointer(conflict: Conflict) -> Conflict:
    """The same, as it is told to somebody who has pointers, and no updates."""
    if conflict.rule == "update-missing":
        remedy = "write it there by hand first, or mend path or key of [[channel.point]]"
        return Conflict("pointer-missing", conflict.why, remedy)
    return msgspec.structs.replace(conflict, remedy=REMEDIES[conflict.rule])
