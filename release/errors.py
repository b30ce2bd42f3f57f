"""ReleaseError and its few kinds. Each says what is so, then what to do; only `tasks` catches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from release.core.finding import Conflict


class ReleaseError(Exception):
    """Something that ends a command: `message` is what is so, `remedy` what to do about it ("" for nothing).

    `after` is in how many seconds the same may be tried again, where that is known: what was asked has met a limit, and
    nothing of it was done. 0 for everything else.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str = "", *, after: float = 0.0) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy
        self.after = after

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class ConfigError(ReleaseError):
    """The configuration cannot be read. `problems` holds every single one, so that all can be mended at once."""

    exit_code = 2

    def __init__(self, message: str, remedy: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy)
        self.args = (message, remedy, problems)
        self.problems = problems or (str(self),)


class UsageError(ReleaseError):
    """The command was not typed as it has to be."""

    exit_code = 2


class ConflictError(ReleaseError):
    """A person has to decide, and nothing was written: all conflicts at once."""

    exit_code = 3

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        super().__init__("\n".join(map(str, conflicts)))
        self.args = (conflicts,)
        self.conflicts = conflicts


class Refused(ReleaseError):
    """Certainly not done."""


class Uncertain(ReleaseError):
    """Perhaps done: the answer was lost. Look again, do not repeat."""


class Unseen(ReleaseError):
    """The world could not be looked at: never to be taken for absent."""


class Missing(ReleaseError):
    """What was to be read was seen not to be there; a person makes it, as the conflict says."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.why, conflict.remedy)
        self.args = (conflict,)
        self.conflict = conflict
