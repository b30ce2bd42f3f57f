"""The record of a line: what has begun there, what was seen of it, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from release.core.model import Person, Release

PREFIX = "refs/sluice/"
TAG, OUTPUT = "tag", "output"  # the steps that make a release public, by the names that their proofs have

Outcome = Literal["begun", "finished", "abandoned"]


class State(msgspec.Struct, frozen=True):
    """Where a release stands: `commit` is the release commit, `burned` the versions of the line that were given up."""

    outcome: Outcome
    commit: str
    by: Person
    at: str
    why: str = ""
    burned: tuple[str, ...] = ()


class Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of one step; each kind of step fills in its own: a commit, a file's digest, a tag, a directory.

    `node` tells apart the machines that a directory may be on.
    """

    commit: str = ""
    sha256: str = ""
    size: int = 0
    tag: str = ""
    folder: str = ""
    node: str = ""


class Broken(msgspec.Struct, frozen=True):
    """A record that is there and cannot be read, and why."""

    line: str
    why: str


class Record(msgspec.Struct, frozen=True):
    """The newest state of one line. `tip` is the commit that `refs/sluice/<line>` points at; `evidence` is by step."""

    line: str
    tip: str
    release: Release
    state: State
    evidence: Mapping[str, Proof] = {}

    @property
    def unfinished(self) -> bool:
        return self.state.outcome == "begun"

    def of(self, release: Release) -> bool:
        """Whether this is the record of that very release."""
        return self.release.decided == release.decided


def ref_of(line: str) -> str:
    """The full name of a line's ref."""
    return PREFIX + line


def given_up(record: Record) -> tuple[str, ...]:
    """The versions of a line that were abandoned."""
    own = (record.release.version,) if record.state.outcome == "abandoned" else ()
    return (*record.state.burned, *own)
