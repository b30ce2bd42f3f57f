"""A gate: a command that must succeed at the base commit before anything begins."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.finding import Conflict, Done, Finding, Pending
from release.core.model import GateWish, Release
from release.core.record import Proof
from release.engine.step import Known, Say, Step
from release.ports import Ledger, Shelf, Workshop


@dataclass(frozen=True, eq=False)
class Gate(Step[str]):
    """Its value is the commit at which it passed; the record keeps it, and this machine's cache until there is one."""

    release: Release
    wish: GateWish
    ledger: Ledger
    workshop: Workshop
    shelf: Shelf

    means = True

    def preflight(self) -> tuple[Conflict, ...]:
        program = self.workshop.missing(self.wish.run)
        if not program:
            return ()
        return (
            Conflict(
                "tool-missing",
                f"{self.name} runs {program}, which is not on PATH",
                f"install {program}, or mend [[gate]] run",
            ),
        )

    def inspect(self, known: Known) -> Finding[str]:
        if self.shelf.recall(*self._key) == "passed":
            return Done(self.release.base, f"passed at {self.release.base[:10]}")
        record = self.ledger.latest(self.release)
        if record is not None and record.evidence.get(self.name) == Proof(commit=self.release.base):
            return Done(self.release.base, f"passed at {self.release.base[:10]}, by the record")
        return Pending(f"run {short(self.wish.run)} at {self.release.base[:10]}")

    def apply(self, known: Known, say: Say) -> None:
        env = {
            "SLUICE_VERSION": self.release.version,
            "SLUICE_TAG": self.release.tag,
            "SLUICE_COMMIT": self.release.base,
        }
        self.workshop.gate(self.wish.name, self.wish.run, self.release.base, env, say)
        self.shelf.remember("passed", *self._key)

    @property
    def _key(self) -> tuple[str, ...]:
        return ("gates", self.release.base, self.wish.name, "\0".join(self.wish.run))


def short(run: tuple[str, ...]) -> str:
    """A command as one shows it."""
    shown = " ".join(run)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
