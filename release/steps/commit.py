"""The release commit: an object, made without touching anybody's checkout."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from release.core.finding import Done, Finding, Pending
from release.core.model import Release
from release.engine.step import Known, Say, Step
from release.ports import Ledger, Remote, Shelf


@dataclass(frozen=True, eq=False)
class MakeCommit(Step[str]):
    """Its value is the commit's id. Once begun, the record carries it; until then it can be made again, and is the same."""

    release: Release
    remote: Remote
    ledger: Ledger
    shelf: Shelf

    means = True

    def inspect(self, known: Known) -> Finding[str]:
        if self.release.mode == "none":
            return Done(self.release.base, f"{self.release.base[:10]}, nothing is written")
        record = self.ledger.latest(self.release)
        if record is not None:
            return Done(record.state.commit, f"{record.state.commit[:10]}, by the record")
        made = self.shelf.recall(*self._key)
        if made and self.remote.ancestor(self.release.base, made):
            return Done(made, made[:10])
        return Pending(f"write {', '.join(edit.path for edit in self.release.edits)}")

    def apply(self, known: Known, say: Say) -> None:
        release = self.release
        made = self.remote.commit(release.base, release.edits, release.message, release.author, release.date)
        self.shelf.remember(made, *self._key)

    @property
    def _key(self) -> tuple[str, ...]:
        return ("commits", msgspec.json.encode(self.release.decided).decode())
