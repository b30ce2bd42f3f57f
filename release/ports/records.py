"""The records of what is released, and claims in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from release.core.model import (
    Refs,
    Release,
)
from release.core.record import Broken, Outcome, Proof, Record, Withdrawal


class Claims(Protocol):
    """What is noted of a release, and claimed for it, where others see it."""

    def fresh(self, release: Release) -> Record | None:
        """A release's record: fresh if it is its line's newest, else as far as this process knows it."""
        ...

    def latest(self, release: Release) -> Record | None:
        """The newest that this process has seen or written of a release's record; asks nobody."""
        ...

    def claim(self, record: Record, name: str, proof: Proof, over: Proof | None = None) -> bool:
        """Write a proof only where `over` is what the record says under that name now; false if somebody came first.

        Refused when the record is another release's by now.
        """
        ...


class Rival(Protocol):
    """The other side that may set the same component going: for the upstream's captain it is that component's own schedule."""

    def claimed(self, release: Release, name: str) -> Proof | None:
        """What the other side claims under that name, fresh; a claim that came to nothing has no `at`. May raise Unseen."""
        ...


class Notes(Claims, Protocol):
    """Claims, and a place for what was seen."""

    def note(self, record: Record, evidence: Mapping[str, Proof]) -> None:
        """Add evidence to a record; Refused when it is another release's by now."""
        ...


class Ledger(Notes, Protocol):
    """The records of an upstream."""

    def read(self, line: str) -> Record | None:
        """The record of one line, fresh from the remote."""
        ...

    def past(self, line: str, tag: str) -> Record | None:
        """An older release's last record, found in the history of its line."""
        ...

    def all(self, refs: Refs) -> tuple[Record | Broken, ...]:
        """The newest record of every line."""
        ...

    def begin(self, record: Record) -> None:
        """Write a new record over the one at `record.tip` ("" for none). Refused when another came first."""
        ...

    def withdraw(self, record: Record, withdrawal: Withdrawal) -> None:
        """Say in its line's newest record that a release of it is not to be taken any more; once is enough."""
        ...

    def attested(
        self, record: Record, evidence: Mapping[str, Proof], push: Callable[[tuple[str, str, str]], None]
    ) -> None:
        """Add evidence by a push of the caller's, all or none with what else it moves; `push` gets the record's own move.

        Refused when the record is another release's by now, or was given up.
        """
        ...

    def close(self, record: Record, outcome: Outcome, why: str = "") -> None:
        """Say how a release ended."""
        ...
