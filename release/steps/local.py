"""A component that releases itself: its own command, run in a throwaway clone of its branch."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.delegated import failure, todo, verdict
from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway
from release.core.model import DownstreamWish
from release.core.record import Proof, Record
from release.engine.step import Known, Say
from release.errors import Refused
from release.ports import Delegates, Remote
from release.steps.downstream import ReleaseDownstream
from release.steps.trigger import Trigger

CONFIGURATION = "release.toml"


@dataclass(frozen=True)
class ByLocal(Trigger):
    """The component's own release, which has a record of its own: of two that run it at once, one goes on with the other's."""

    remote: Remote
    delegates: Delegates

    itself = True

    def preflight(self) -> tuple[Conflict, ...]:
        return unfit(self.wish, self.remote, self.delegates)

    def pending(self, record: Record | None) -> str:
        return todo(self.wish, self.delegates.ended(self.wish))

    def left(self) -> str:
        return unfinished(self.wish, self.delegates)

    def holds(self) -> Underway | Blocked | None:
        return verdict(self.wish, self.delegates.ended(self.wish))

    def pull(self, record: Record | None, say: Say) -> None:
        run(self.wish, self.delegates, say)


@dataclass(frozen=True, eq=False)
class RunDownstream(ReleaseDownstream):
    """The same without a forge: what is seen of it is its tag."""

    delegates: Delegates

    @property
    def deadline(self) -> float:
        return self.wish.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        return unfit(self.wish, self.remote, self.delegates)

    def inspect(self, known: Known) -> Finding[Proof]:
        found, ended = super().inspect(known), self.delegates.ended(self.wish)
        left = unfinished(self.wish, self.delegates) if isinstance(found, Done) else todo(self.wish, ended)
        if isinstance(found, Blocked) or not left:
            return found
        return verdict(self.wish, ended) or Pending(left)

    def apply(self, known: Known, say: Say) -> None:
        run(self.wish, self.delegates, say)


def unfinished(wish: DownstreamWish, delegates: Delegates) -> str:
    """What is to be done where its tag is out, and its own record has it in flight: more may come after the tag there."""
    return f"{todo(wish, None)}, which goes on: its own record is not finished" if delegates.unfinished(wish) else ""


def run(wish: DownstreamWish, delegates: Delegates, say: Say) -> None:
    """Run the command to its end; Refused where it failed. What came of it is looked at, not believed."""
    ended = delegates.release(wish, say)
    if why := failure(wish, ended):
        raise Refused(why, f"the log is {ended.log}; mend that there, then run the same command again")


def unfit(wish: DownstreamWish, remote: Remote, delegates: Delegates) -> tuple[Conflict, ...]:
    """Why a component cannot release itself here."""
    found = []
    head = remote.tip(wish.branch)
    if not head:
        why = f"{wish.name} has no branch {wish.branch} on {remote.name}"
        found.append(Conflict("no-branch", why, "mend [[downstream]] branch"))
    elif remote.modes(head, (CONFIGURATION,)).get(CONFIGURATION, "")[:3] != "100":
        why = f"{wish.name} has no {CONFIGURATION} at the head of {wish.branch}, and is to release itself"
        found.append(Conflict("no-configuration", why, 'write one there, or choose another trigger than "local"'))
    if missing := delegates.missing(wish.run):
        why = f"{wish.name} is released by `{missing}`, which is not on PATH"
        found.append(Conflict("tool-missing", why, "install it, or mend [[downstream]] run"))
    return tuple(found)
