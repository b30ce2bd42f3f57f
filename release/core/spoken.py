"""What one place of a file said over time: a channel's value in a file of some repository, version of the file by version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from release.core.file_change import FileChange
from release.core.model import Person, UpdateWish
from release.core.pointed import NULLS, FileKind, kind_of
from release.core.references import BOM, FORMATS, yaml_key
from release.core.references.leaf import Leaf, Unfit


class Spoken(msgspec.Struct, frozen=True):
    """What the place says from a commit on, None for nothing. `who` is its author, `when` its committer date (ISO 8601)."""

    commit: str
    who: Person
    when: str
    says: str | None


def spoken(path: str, key: str, changes: Iterable[FileChange]) -> Iterator[Spoken]:
    """The value at a key of a YAML, JSON or TOML file (by its ending), change by change.

    Where the file or the key is not there, or cannot be read, nothing is said: it is the past, and nobody can mend it.
    """
    kind = kind_of(path)
    for change in changes:
        says = _says(path, kind, key, change.content) if kind is not None and change.content is not None else None
        yield Spoken(change.commit, change.who, change.when, says)


def _says(path: str, kind: FileKind, key: str, content: bytes) -> str | None:
    wish = UpdateWish(path, kind, "", key=key)
    try:
        text = content.decode().removeprefix(BOM)
        # Whether another value could be written there is not the question.
        leaves = [msgspec.structs.replace(leaf, fixed="") for leaf in _leaves(wish, text)]
        leaf = FORMATS[kind].chosen(wish, leaves)
    except (UnicodeDecodeError, Unfit):
        return None
    nothing = not leaf.says or (leaf.kind == "other" and leaf.says in NULLS)
    return None if nothing else leaf.says


def _leaves(wish: UpdateWish, text: str) -> list[Leaf]:
    return yaml_key.read_only(text) if wish.kind == "yaml" else FORMATS[wish.kind].leaves(wish, text)
