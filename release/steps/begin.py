"""Begin: the frozen release goes into the record, and from then on any machine can finish it."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Blocked, Conflict, Done, Finding, Pending
from release.core.model import Release
from release.core.record import Proof, Record, State, given_up, ref_of
from release.engine.step import Known, Say, Step
from release.ports import Ledger, Remote
from release.steps.commit import MakeCommit

BEGUN_ELSEWHERE = "begun-elsewhere"


@dataclass(frozen=True, eq=False)
class Begin(Step[Record]):
    """Its value is the record. The move is a compare-and-swap from `before`, so of two captains one begins."""

    release: Release
    before: str
    gates: tuple[Step[str], ...]
    commit: MakeCommit
    remote: Remote
    ledger: Ledger

    def preflight(self) -> tuple[Conflict, ...]:
        why = self.remote.refusal(self.release.base, ref_of(self.release.line))
        remedy = "ask for the right to push there, and to refs/sluice/*"
        return (Conflict("push-right", f"{self.remote.name} would not take a push: {why}", remedy),) if why else ()

    def inspect(self, known: Known) -> Finding[Record]:
        record = self.ledger.read(self.release.line)
        if record is not None and record.of(self.release):
            if record.state.outcome == "abandoned":
                why = f"{self.release.tag} was given up by {record.state.by.name}: {record.state.why}"
                return Blocked(Conflict("abandoned", why, "run the same command again: it takes the next number"))
            return Done(record, f"{record.state.outcome} by {record.state.by.name}")
        if (past := self.ledger.latest(self.release)) is not None and past.state.outcome == "finished":
            return Done(past, f"finished by {past.state.by.name}, before {record.release.tag if record else 'others'}")
        if (record.tip if record else "") == self.before:
            return Pending(f"write {self.release.tag} into {ref_of(self.release.line)}")
        tag = record.release.tag if record else "another release"
        return Blocked(
            Conflict(
                BEGUN_ELSEWHERE, f"{tag} was begun on line {self.release.line} meanwhile", "run the same command again"
            )
        )

    def apply(self, known: Known, say: Say) -> None:
        old = self.ledger.read(self.release.line)
        state = State(
            outcome="begun",
            commit=known[self.commit],
            by=self.release.author,
            at=self.release.date,
            burned=given_up(old) if old else (),
            withdrawn=old.state.withdrawn if old else (),
        )
        evidence = {gate.name: Proof(commit=known[gate]) for gate in self.gates}
        self.ledger.begin(Record(self.release.line, self.before, self.release, state, evidence))
