"""Withdraw: nobody should take a release any more. It is said where the release is shown, and in the record; nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Blocked, Conflict, Done, Finding, Pending
from release.core.model import Release
from release.core.publication import is_withdrawn, withdrawn
from release.core.record import Record, Withdrawal
from release.engine.step import Known, Say, Step
from release.ports import Forge, Ledger


@dataclass(frozen=True, eq=False)
class NoteWithdrawal(Step[str]):
    """The record of the release's line says that it is withdrawn. Its value is the reason that stands there."""

    release: Release
    withdrawal: Withdrawal
    ledger: Ledger

    def inspect(self, known: Known) -> Finding[str]:
        record = self._record()
        if record is None:
            why = f"line {self.release.line} has no record to note it in"
            return Blocked(
                Conflict(
                    "no-record", why, f"see {self.release.tag} out first: invoke release --version {self.release.tag}"
                )
            )
        for one in record.state.withdrawn:
            if one.version == self.withdrawal.version:
                return Done(one.why, f"by {one.by.name} at {one.at}: {one.why}")
        return Pending(f"note in the record of line {self.release.line} why")

    def apply(self, known: Known, say: Say) -> None:
        record = self._record()
        assert record is not None
        self.ledger.withdraw(record, self.withdrawal)

    def _record(self) -> Record | None:
        return self.ledger.read(self.release.line)


@dataclass(frozen=True, eq=False)
class MarkWithdrawn(Step[int]):
    """The release on the forge is a prerelease with a notice on top of its notes. Its value is the release's id."""

    release: Release
    note: NoteWithdrawal
    forge: Forge

    def preflight(self) -> tuple[Conflict, ...]:
        why = self.forge.lacks("push")
        return (Conflict("forge-right", why, "give the token the right to write contents there"),) if why else ()

    def inspect(self, known: Known) -> Finding[int]:
        out = self.forge.published(self.release.tag)
        if out is None:
            why = f"{self.forge.name} has no release {self.release.tag}"
            return Blocked(Conflict("not-released", why, "nothing there can be marked; is the version right?"))
        if out.prerelease and is_withdrawn(out):
            return Done(out.id, out.url or f"release {out.id}")
        return Pending(f"mark {self.release.tag} as a prerelease, with a notice on top of its notes")

    def apply(self, known: Known, say: Say) -> None:
        out = self.forge.published(self.release.tag)
        assert out is not None
        self.forge.revise(out.id, withdrawn(out, known[self.note]))
