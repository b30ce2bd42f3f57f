"""A value by a regular expression with a group `value`: for every file that has no kind of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from release.core.finding import Conflict
from release.core.model import UpdateWish
from release.core.references.leaf import Leaf, Unfit, the_one


def leaves(wish: UpdateWish, text: str) -> list[Leaf]:
    """All that the pattern finds; `^` and `$` are the ends of lines. A carriage return is the line's, never the value's."""
    found = []
    for one in re.finditer(wish.pattern, text, re.MULTILINE):
        if (value := one["value"]) is not None:
            says, start = value.removesuffix("\r"), one.start("value")
            found.append(Leaf(("value",), says, start, start + len(says)))
    return found


def chosen(wish: UpdateWish, found: Sequence[Leaf]) -> Leaf:
    """The only one."""
    return the_one(found, f"what the pattern {wish.pattern!r:.80} finds")


def written(wish: UpdateWish, raw: str, leaf: Leaf) -> str:
    """The value, as it is. It may not reach over the line that it stands in."""
    if "\n" in raw:
        raise Unfit(Conflict("update-refused", "has several lines where the pattern finds its value", "match less"))
    return wish.value
