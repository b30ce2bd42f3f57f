"""The commit that moves a channel's value in a file, and the pull request that asks for it: branch, words, marks."""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec

from release.core.commits import plain
from release.core.own_branch import code, hidden, part
from release.core.promotion import PointWish

PREFIX = "sluice/channel/"
LONGEST = 70  # characters of a name or a value in a line that people read: three of them fit into a title of 256
_MARK = re.compile(r"<!-- sluice channel (\S{1,4000}) (\S{1,4000}) -->")
_CLAIM = re.compile(
    r"\nChannel-Move: (\S{1,4000} \S{1,4000})\nChannel-Onto: ([0-9a-f]{64})\nChannel-Tree: ([0-9a-f]{40,64})\n*$"
)


class Claim(msgspec.Struct, frozen=True):
    """What a commit of ours says of itself: the move, the SHA-256 of the file that it was made for, and its tree."""

    move: str
    onto: str
    tree: str


def branch_for(project: str, wish: PointWish) -> str:
    """The branch that asks for a value: one for each project, channel and place."""
    place = sha256("\0".join((wish.branch, wish.path, wish.key)).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{PREFIX}{part(project)}/{part(wish.channel)}/{place[:12]}"


def title(wish: PointWish, new: str) -> str:
    """What the pull request is called, and the first line of the commit."""
    return f"chore(channels): {plain(wish.channel, LONGEST)}/{plain(wish.key, LONGEST)} to {plain(new, LONGEST)}"


def message(wish: PointWish, old: str, new: str) -> str:
    """What a commit says that moves the value; its trailers name the channel and the move."""
    return f"{title(wish, new)}\n\nChannel: {part(wish.channel)}\nChannel-Move: {move(old, new)}\n"


def asking(wish: PointWish, old: str, new: str, onto: str, tree: str = "") -> str:
    """What a commit says that asks for a move. Without a tree it is a draft, by which that is found out."""
    return f"{message(wish, old, new)}Channel-Onto: {onto}\nChannel-Tree: {tree}\n"


def claimed(text: str) -> Claim | None:
    """What a commit's message claims, None for somebody else's."""
    found = _CLAIM.search(text)
    return Claim(*found.groups()) if found else None


def move(old: str, new: str) -> str:
    """A move in one line that any two others differ from; "%" stands for nothing."""
    return f"{_word(old)} {_word(new)}"


def body(project: str, wish: PointWish, old: str, new: str) -> str:
    """What the pull request says, and the mark by which any machine knows it. What files said is nobody's markup."""
    lines = (
        f"The channel {code(wish.channel)} of {code(project)} moves to {code(new)} when this is merged.",
        "",
        f"- {code(f'{wish.path} {wish.key}')}: {code(new)}, was {code(old) if old else 'nothing'}",
        "",
        "Closed without a merge, it is not opened again for this move.",
        "",
        f"<!-- sluice channel {hidden(move(old, new))} -->",
        "",
    )
    return "\n".join(lines)


def marked(text: str) -> str:
    """The move in the mark of a pull request of ours, "" for none; ours closes the description."""
    found = _MARK.findall(text)
    return " ".join(found[-1]).replace("-%2D", "--") if found else ""


def _word(value: str) -> str:
    """A value as one word of ASCII; different ones stay different, and "%" stands for nothing."""
    return re.sub(r"[^!-$&-~]", lambda seen: "".join(f"%{byte:02X}" for byte in seen[0].encode()), value) or "%"
