"""Given: what a part of the path starts from, and does not make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from release.core.finding import Done, Finding, Pending
from release.core.model import Refs, Release
from release.core.record import Broken, Outcome, Proof, Record, Withdrawal
from release.engine.step import Known, Say, Step
from release.errors import Refused

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Given(Step[T], Generic[T]):
    """A value that is known: the record of a release, the commit that its tag is on."""

    value: T

    def inspect(self, known: Known) -> Finding[T]:
        return Done(self.value)

    def apply(self, known: Known, say: Say) -> None:
        refuse()


@dataclass(frozen=True, eq=False)
class Whole(Step[None]):
    """The end of a part of the path: all of it is made."""

    parts: tuple[Step[Any], ...]

    def inspect(self, known: Known) -> Finding[None]:
        missing = [part.name for part in self.parts if known.get(part) is None]
        return Pending(f"make {', '.join(missing)}") if missing else Done(None)

    def apply(self, known: Known, say: Say) -> None:
        refuse()


@dataclass
class Notebook:
    """A ledger of one run's own: it begins as a record is, and what is noted in it nobody else sees."""

    record: Record
    _lock: Lock = field(default_factory=Lock)

    def read(self, line: str) -> Record | None:
        return self.record

    def fresh(self, release: Release) -> Record | None:
        return self.record

    def past(self, line: str, tag: str) -> Record | None:
        return None

    def latest(self, release: Release) -> Record | None:
        return self.record

    def all(self, refs: Refs) -> tuple[Record | Broken, ...]:
        return (self.record,)

    def begin(self, record: Record) -> None:
        refuse()

    def note(self, record: Record, evidence: Mapping[str, Proof]) -> None:
        with self._lock:
            known = {**self.record.evidence, **evidence}
            self.record = msgspec.structs.replace(self.record, evidence=known)

    def claim(self, record: Record, name: str, proof: Proof, over: Proof | None = None) -> bool:
        refuse()

    def withdraw(self, record: Record, withdrawal: Withdrawal) -> None:
        refuse()

    def attested(
        self, record: Record, evidence: Mapping[str, Proof], push: Callable[[tuple[str, str, str]], None]
    ) -> None:
        refuse()

    def close(self, record: Record, outcome: Outcome, why: str = "") -> None:
        refuse()


def refuse() -> NoReturn:
    """A part of the path writes no record."""
    raise Refused("a part of the path writes no record", "run the whole: invoke release")
