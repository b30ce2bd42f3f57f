"""One repository of a registry, and what somebody wants there: what is asked for, and what a no means."""

from __future__ import annotations

from dataclasses import dataclass

from release.adapters.http import Answer
from release.adapters.registry.place import Place
from release.core.commits import plain
from release.errors import Refused, ReleaseError, Unseen

FIRST = "an image's first repository may have to be made"


class Denied(Refused):
    """The registry knows us not, or not well enough for a write."""


@dataclass(frozen=True)
class Door:
    """`doing` goes on after "cannot", as in "look at ghcr.io/a/b:1"; with `pushes` it is opened for writing.

    `sources` are other repositories of that registry, to be read.
    """

    place: Place
    name: str
    doing: str
    pushes: bool = False
    sources: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        return f"{self.place.base}{self.name}/"

    @property
    def scopes(self) -> tuple[str, ...]:
        """The rights to ask for (https://distribution.github.io/distribution/spec/auth/scope/), and no more than those."""
        actions = "pull,push" if self.pushes else "pull"
        return f"repository:{self.name}:{actions}", *(f"repository:{one}:pull" for one in self.sources)

    def error(self, why: str, remedy: str) -> ReleaseError:
        """What could not be done: Refused where it is a write, else Unseen."""
        return (Refused if self.pushes else Unseen)(f"cannot {self.doing}: {why}", remedy)

    def no(self, answer: Answer) -> ReleaseError:
        """No is not absent: whoever may not look is told the same of what is there and of what is not."""
        words = f": {plain(answer.words, 300)}" if answer.words else ""
        if answer.status in (401, 403):
            why = f"{self.place.registry} does not let us ({answer.status}{words})"
            remedy = f"run `docker login {self.place.account}` as somebody who may; {FIRST}"
            return Denied(f"cannot {self.doing}: {why}", remedy) if self.pushes else self.error(why, remedy)
        if answer.status == 404 and self.pushes and answer.words:
            return self.error(f"{self.place.registry} answered 404{words}", FIRST)
        if answer.status == 413:
            why = f"{self.place.registry} takes nothing that is so large (413{words})"
            return self.error(why, "make it smaller, or ask whoever runs the registry for its limit")
        remedy = "see whether that is a registry, then run the same command again"
        return self.error(f"{self.place.registry} answered {answer.status}{words}", remedy)
