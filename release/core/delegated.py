"""How a component's own release ended, when we ran its command, and what that means for us."""

from __future__ import annotations

import msgspec

from release.core.finding import Blocked, Conflict, Underway
from release.core.model import DownstreamWish

# What `invoke release` ends with: see "Exit codes" in the manual. Any other command is taken at its word, too.
FINE, DECIDE, UNDERWAY = 0, 3, 4


class Ended(msgspec.Struct, frozen=True):
    """How a command ended: its exit code or minus its signal, the last lines that it said, and where all of it is kept."""

    code: int
    said: tuple[str, ...] = ()
    log: str = ""

    @property
    def words(self) -> str:
        """The end of its output, on lines of their own."""
        return "\n".join(self.said) or "it printed nothing"

    @property
    def line(self) -> str:
        """The same on one line."""
        return " | ".join(self.said) or "it printed nothing"


def todo(wish: DownstreamWish, ended: Ended | None) -> str:
    """What is to be done for its release; where the command ended well, and nothing came of it, that."""
    command = f"`{' '.join(wish.run)}`"
    if ended is not None and ended.code == FINE:
        return f"{command} ended well, and {wish.name} has no {wish.tag}; its log is {ended.log}"
    return f"{command} in a clone of {wish.branch} of {wish.name}"


def verdict(wish: DownstreamWish, ended: Ended | None) -> Underway | Blocked | None:
    """What is so after the component's own command ran, and its release is not to be seen; None where it may be run."""
    if ended is None:
        return None
    if ended.code == UNDERWAY:
        return Underway(f"{wish.name} releases {wish.tag} itself, and is not there yet: {ended.line}")
    if ended.code == DECIDE:
        why = f"{wish.name} does not release {wish.tag} before somebody decides: {ended.line}"
        return Blocked(Conflict("component-decides", why, f"decide it there; the log is {ended.log}"))
    return None


def failure(wish: DownstreamWish, ended: Ended) -> str:
    """Why a command that failed is said to have, "" for one that did not."""
    if ended.code in (FINE, DECIDE, UNDERWAY):
        return ""
    how = f"exit code {ended.code}" if ended.code > 0 else f"signal {-ended.code}"
    return f"{wish.name}: `{' '.join(wish.run)}` ended with {how}:\n{ended.words}"
