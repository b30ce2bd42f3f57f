"""Command: the project's own way to say which version a channel has, and its own way to look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from release.core.finding import Conflict
from release.core.model import Release
from release.core.promotion import PointWish
from release.errors import Refused, Uncertain, Unseen
from release.ports import Commands
from release.steps.pointing.moved import elsewhere

SECONDS = 600.0
LONGEST = 500  # characters of a value


@dataclass(frozen=True)
class CommandPointer:
    """Its value is what `shows` prints, without the blanks around it; `run` moves it.

    Both are told $SLUICE_CHANNEL, _VERSION and _TAG, and what it said and is to say in $SLUICE_OLD and $SLUICE_NEW;
    where one only looks, the former is empty. No command compares and swaps for us: it is looked at right before.
    """

    wish: PointWish
    release: Release
    commit: str
    commands: Callable[[], Commands]

    @property
    def name(self) -> str:
        return self.wish.name

    def reads(self) -> str:
        try:
            ran = self.commands().ran(
                f"show {self._log}", self.wish.shows, self.commit, self._told("", self.wish.value), self.wish.env,
                SECONDS, _unheard,
            )  # fmt: skip
        except (Refused, Uncertain) as error:
            raise Unseen(error.message, error.remedy) from error
        if ran.code != 0:
            why = f"what {self.name} says cannot be told: `{' '.join(self.wish.shows)}` ended with exit code {ran.code}"
            raise Unseen(f"{why}: {ran.tail}", "let it print the value, or nothing, and end with 0")
        value = ran.output.strip()
        if not value.isprintable() or "\ufffd" in value or len(value) > LONGEST:
            why = f"what {self.name} says is no value: `{' '.join(self.wish.shows)}` printed {value!r:.100}"
            raise Unseen(why, f"let it print up to {LONGEST} printable characters on one line")
        return value

    def wanted(self) -> str | Conflict:
        return self.wish.value

    def waits(self, old: str, new: str) -> str:
        return ""

    def lacking(self) -> tuple[Conflict, ...]:
        for run in (self.wish.shows, self.wish.run):
            if why := self.commands().missing(run, self.wish.env):
                return (Conflict("pointer-lacks", f"{self.name}: {why}", "install it, or set it"),)
        return ()

    def move(self, old: str, new: str, say: Callable[[str], None]) -> None:
        says = self.reads()
        if says == new:
            return
        if says != old:
            raise elsewhere(self.name, says, old)
        ran = self.commands().ran(
            f"move {self._log}", self.wish.run, self.commit, self._told(old, new), self.wish.env, SECONDS, say
        )
        if ran.code != 0:
            why = f"{self.name}: `{' '.join(self.wish.run)}` ended with exit code {ran.code}: {ran.tail}"
            raise Refused(why, "mend that, then run the same command again")

    def _told(self, old: str, new: str) -> Mapping[str, str]:
        return {
            "SLUICE_CHANNEL": self.wish.channel,
            "SLUICE_VERSION": self.release.version,
            "SLUICE_TAG": self.release.tag,
            "SLUICE_OLD": old,
            "SLUICE_NEW": new,
        }

    @property
    def _log(self) -> str:
        return f"{self.wish.channel} {self.name}"[:150]


def _unheard(line: str) -> None:
    """Looking is told by what was seen."""
