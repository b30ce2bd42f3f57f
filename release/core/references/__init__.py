"""Where files of a component name the version of what it is built on, and how another one is written there.

Only the value itself is written: a file keeps its format, its comments, its line ends and its byte order mark. After that
the file is read once more, and has to say that value there, and everything else as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import msgspec

from release.core.finding import Conflict
from release.core.model import Splice, UpdateWish
from release.core.references import docker_arg, go_mod, helm, json_key, regex, toml_key, yaml_key
from release.core.references.leaf import Leaf, Unfit, is_whole

LONGEST_FILE = 1_000_000
"""A file of more bytes is not read: nobody keeps references in one."""
BOM = "\ufeff"


class Format(Protocol):
    """One kind of update."""

    def leaves(self, wish: UpdateWish, text: str) -> list[Leaf]:
        """The values of a file, in the order of its text."""
        ...

    def chosen(self, wish: UpdateWish, found: Sequence[Leaf]) -> Leaf:
        """The one that is meant."""
        ...

    def written(self, wish: UpdateWish, raw: str, leaf: Leaf) -> str:
        """What has to stand in its place."""
        ...


FORMATS: Mapping[str, Format] = {
    "regex": regex,
    "toml": toml_key,
    "yaml": yaml_key,
    "json": json_key,
    "docker-arg": docker_arg,
    "go-mod": go_mod,
    "helm": helm,
}


class Said(msgspec.Struct, frozen=True):
    """What a file says where a wish looks, and the edit after which it says what is wished; None if it does."""

    wish: UpdateWish
    says: str
    edit: Splice | None


def looked(
    wishes: Sequence[UpdateWish], files: Mapping[str, bytes | None]
) -> tuple[tuple[Said, ...], tuple[Conflict, ...]]:
    """What the files say, wish by wish, and all that keeps them from being written."""
    said: list[Said] = []
    conflicts: list[Conflict] = []
    for wish in wishes:
        found = _text(wish.path, files.get(wish.path))
        one = found if isinstance(found, Conflict) else _said(wish, found)
        if isinstance(one, Conflict):
            conflicts.append(one)
        else:
            said.append(one)
    conflicts += _overlaps([one.edit for one in said if one.edit is not None])
    return tuple(said), tuple(dict.fromkeys(conflicts))


def edits(said: Sequence[Said]) -> tuple[Splice, ...]:
    """All edits, each once."""
    return tuple(dict.fromkeys(one.edit for one in said if one.edit is not None))


def edited(wish: UpdateWish, text: str) -> Splice | Conflict | None:
    """The edit after which a file's text says what is wished; None if it does, and why where it cannot."""
    one = _said(wish, text)
    return one if isinstance(one, Conflict) else one.edit


def _text(path: str, content: bytes | None) -> str | Conflict:
    if content is None:
        return Conflict(
            "update-missing", f"{path} is not there, or is no plain file", "mend [[downstream.update]] path"
        )
    if len(content) > LONGEST_FILE:
        return Conflict("update-unreadable", f"{path} has {len(content):,} bytes", f"{LONGEST_FILE:,} are read at most")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return Conflict("update-unreadable", f"{path} is not UTF-8", "save it as UTF-8 and commit it")


def _said(wish: UpdateWish, text: str) -> Said | Conflict:
    skip = len(BOM) if text.startswith(BOM) else 0
    body = text[skip:]
    form = FORMATS[wish.kind]
    try:
        before = form.leaves(wish, body)
        leaf = form.chosen(wish, before)
        if leaf.says == wish.value and (leaf.kind == "text" or is_whole(leaf.kind, wish.value)):
            return Said(wish, leaf.says, None)
        edit = Splice(wish.path, leaf.start, leaf.end, form.written(wish, body[leaf.start : leaf.end], leaf))
        _prove(form, wish, edit.applied(body), _shifted(before, leaf, edit, wish.value))
    except Unfit as unfit:
        return msgspec.structs.replace(unfit.conflict, why=f"{wish.path} {unfit.conflict.why}")
    return Said(wish, leaf.says, msgspec.structs.replace(edit, start=edit.start + skip, end=edit.end + skip))


def _shifted(before: Sequence[Leaf], chosen: Leaf, edit: Splice, value: str) -> list[Leaf]:
    """What the file has to say in the end: that value there, and all else as before."""
    by = len(edit.text) - (edit.end - edit.start)
    kind = "whole" if is_whole(chosen.kind, value) else "text"
    wanted = []
    for leaf in before:
        if leaf is chosen:
            wanted.append(msgspec.structs.replace(leaf, says=value, end=leaf.end + by, kind=kind))
        elif leaf.start >= chosen.end:
            wanted.append(msgspec.structs.replace(leaf, start=leaf.start + by, end=leaf.end + by))
        else:
            wanted.append(leaf)
    return wanted


def _prove(form: Format, wish: UpdateWish, text: str, wanted: Sequence[Leaf]) -> None:
    """That the written file says so, and that the next look finds it in the same place."""
    try:
        seen = form.leaves(wish, text)
        holds = seen == list(wanted) and form.chosen(wish, seen).says == wish.value
    except Unfit:
        holds = False
    if not holds:
        why = f"would not say {wish.value!r:.80}, and all else as before, once that is written"
        raise Unfit(Conflict("update-refused", why, "mend [[downstream.update]] pattern, key or value"))


def _overlaps(found: Sequence[Splice]) -> list[Conflict]:
    """Edits of one place that do not agree."""
    ordered = sorted(dict.fromkeys(found), key=lambda edit: (edit.path, edit.start, edit.end))
    remedy = "leave one of [[downstream.update]] out, or give both the same value"
    return [
        Conflict("update-overlap", f"{one.path} gets two values in the same place", remedy)
        for one, other in pairwise(ordered)
        if one.path == other.path and other.start < max(one.end, one.start + 1)
    ]
