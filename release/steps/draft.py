"""Draft: the release on the forge before anybody sees it. A workspace: it may be changed until it is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway
from release.core.forge import PACE, Published
from release.core.model import Release
from release.core.publication import entry, ours
from release.core.record import DRAFT, Proof
from release.engine.step import Known, Say, Step
from release.errors import Refused, Uncertain
from release.ports import Forge, Ledger
from release.steps.begin import Begin


@dataclass(frozen=True, eq=False)
class Draft(Step[Published]):
    """Its value is the release as the forge has it, draft or published. The record says which one it is.

    It is found by listing, for no other way shows a draft, and by our mark. Of two that were made at the same time the
    record names one. `after` is what has to be so before it; `mine` is false where the tag's own run makes it.
    """

    release: Release
    begin: Begin
    after: tuple[Step[Any], ...]
    forge: Forge
    ledger: Ledger
    mine: bool

    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def preflight(self) -> tuple[Conflict, ...]:
        if not self.mine:
            return ()
        why = self.forge.lacks("push")
        return (Conflict("forge-right", why, "give the token the right to write contents there"),) if why else ()

    def inspect(self, known: Known) -> Finding[Published]:
        noted = self._noted()
        found = self.forge.release(noted) if noted else None
        if found is None or (found.draft and not ours(found, self.release.tag)):
            return self._unnoted(known)
        if not found.draft and found.tag != self.release.tag:
            why = f"the draft of {self.release.tag} was published as {found.tag} ({found.url or found.id})"
            remedy = f"it can be no other release any more: find out who did it, and give {self.release.tag} up (invoke release.abandon)"
            return Blocked(Conflict("release-elsewhere", why, remedy))
        if not found.draft or not self.mine or self._says(found, known):
            return Done(found, f"{'draft' if found.draft else 'release'} {found.id}")
        return Pending(f"replace what draft {found.id} says")

    def apply(self, known: Known, say: Say) -> None:
        record, noted = known[self.begin], self._noted()
        there = self.forge.release(noted) if noted else None
        wanted = entry(self.release, record.state.commit)
        if there is not None and there.draft and ours(there, self.release.tag):
            self.forge.revise(there.id, wanted)
            return
        number = self._taken_up()
        if number:
            self.forge.revise(number, wanted)
        else:
            number = self._made(known)
        before = (
            record.evidence.get(DRAFT) if (now := self.ledger.fresh(self.release)) is None else now.evidence.get(DRAFT)
        )
        if before is None or before.id == noted:
            self.ledger.claim(record, DRAFT, Proof(id=number), over=before)

    def _unnoted(self, known: Known) -> Finding[Published]:
        """No record says which one it is: a published one is a fact, a draft of ours is taken up, anybody else's stands in the way."""
        out = self.forge.published(self.release.tag)
        if out is not None:
            if ours(out, self.release.tag) or known.get(self.begin) is None:
                return Done(out, f"release {out.id}")
            return Blocked(foreign(out))
        if not self.mine:
            return Underway(f"the run of {self.release.tag} makes it")
        if self.forge.lacks("push"):
            return Pending(f"make a draft of {self.release.tag}")
        there = [one for one in self.forge.releases() if one.draft and one.tag == self.release.tag]
        theirs = next((one for one in there if not ours(one, one.tag)), None)
        if theirs is not None:
            why = f"{self.forge.name} has a draft of {self.release.tag} that somebody else made ({theirs.id})"
            return Blocked(
                Conflict("draft-foreign", why, "publish it or delete it there, then run the same command again")
            )
        return Pending(
            f"take up draft {min(one.id for one in there)}" if there else f"make a draft of {self.release.tag}"
        )

    def _taken_up(self) -> int:
        """The oldest draft of ours, 0 for none."""
        return min((one.id for one in self.forge.releases() if one.draft and ours(one, self.release.tag)), default=0)

    def _made(self, known: Known) -> int:
        try:
            self.forge.draft(entry(self.release, known[self.begin].state.commit))
        except Uncertain:
            if not self._taken_up():
                raise
        number = self._taken_up()  # of two that were made at the same time, both see the older one
        if not number:
            raise Refused(f"a draft of {self.release.tag} was made, but is not listed", "run the same command again")
        return number

    def _noted(self) -> int:
        """The id that the record says, 0 for none."""
        record = self.ledger.fresh(self.release)
        proof = record.evidence.get(DRAFT) if record is not None else None
        return proof.id if proof else 0

    def _says(self, found: Published, known: Known) -> bool:
        """Whether a draft says what it is to say; until the release has begun, nobody knows."""
        begun = known.get(self.begin)
        if begun is None:
            return True
        wanted = entry(self.release, begun.state.commit)
        return (found.tag, found.target, found.name, _unbroken(found.body), found.prerelease) == (
            wanted.tag,
            wanted.target,
            wanted.name,
            _unbroken(wanted.body),
            wanted.prerelease,
        )


def foreign(found: Published) -> Conflict:
    """A release that is out for our tag, and that we did not make."""
    why = f"{found.tag} is released already ({found.url or found.id}), and this release did not make that"
    return Conflict("release-elsewhere", why, "nothing is overwritten: find out who made it, and take the next version")


def _unbroken(body: str) -> str:
    """A body without what a forge may do to line ends."""
    return body.replace("\r\n", "\n").strip()
