"""Which number a component gets that a promotion releases, and its wish with the number filled in.

Until that is known, `{n}` stands in its tag and in whatever else names it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import msgspec

from release.core.model import DownstreamWish, UpdateWish
from release.core.reference import Reference, reference
from release.core.version import render

HOLE = "{n}"
_NUMBER = r"(?P<n>0|[1-9][0-9]{0,8})"


def numbered_by(wish: DownstreamWish, wishes: Mapping[str, DownstreamWish]) -> DownstreamWish:
    """The component whose number one has: its own, or that of the one it is built on, whose tag its templates name.

    `wishes` are the components of one promotion, by name.
    """
    while wish.of in wishes:
        wish = wishes[wish.of]
    return wish


def number_of(wish: DownstreamWish, tags: Collection[str]) -> int:
    """The highest number that these tags of its repository have for it, which is adopted; the first is 0.

    Only what git shows as the very tag counts: ".01" is nobody's.
    """
    return max((number for tag in tags if (number := number_in(wish, tag)) is not None), default=0)


def number_in(wish: DownstreamWish, tag: str) -> int | None:
    """The number that a tag has where it is one for this wish, else None."""
    seen = _pattern(wish.tag).fullmatch(tag)
    return int(seen.groupdict().get("n", "0")) if seen else None


def filled(wish: DownstreamWish, number: int) -> DownstreamWish:
    """The wish with its number wherever it is named."""
    values = {"n": str(number)}

    def each(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(render(text, values) for text in texts)

    return msgspec.structs.replace(
        wish,
        branch=render(wish.branch, values),
        tag=render(wish.tag, values),
        run=each(wish.run),
        updates=tuple(_update(update, values) for update in wish.updates),
        inputs={name: render(text, values) for name, text in wish.inputs.items()},
        after_assets=each(wish.after_assets),
        assets=each(wish.assets),
        images=tuple(msgspec.structs.replace(image, tag=render(image.tag, values)) for image in wish.images),
    )


def open_references(texts: Sequence[str], values: Mapping[str, str]) -> tuple[Reference, ...]:
    """Images that are written `[HOST[:PORT]/]NAME:TAG` with templates, `{n}` left in their tags."""
    found = []
    for text in texts:
        if (image := reference(render(text, {**values, "n": "0"}))) is not None:
            found.append(msgspec.structs.replace(image, tag=render(text, values).rpartition(":")[2]))
    return tuple(found)


def _update(wish: UpdateWish, values: Mapping[str, str]) -> UpdateWish:
    path, key, value = (render(text, values) for text in (wish.path, wish.key, wish.value))
    return msgspec.structs.replace(wish, path=path, key=key, value=value)


def _pattern(tag: str) -> re.Pattern[str]:
    """What the tags look like that a wish may get: the same number wherever {n} stands."""
    first, *others = map(re.escape, tag.split(HOLE))
    middle = _NUMBER + "(?P=n)".join(others) if others else ""
    return re.compile(first + middle)
