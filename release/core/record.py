"""The record of a line: what has begun there, what was seen of it, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from release.core.model import Person, PlatformImage, Release

PREFIX = "refs/sluice/"
# Steps by the names that their proofs have: what makes a release public, and the draft that becomes one.
TAG, OUTPUT, DRAFT, RELEASE = "tag", "output", "draft", "release"
MANIFEST = "release.json"

Outcome = Literal["begun", "finished", "abandoned"]


class Withdrawal(msgspec.Struct, frozen=True):
    """A release of the line that nobody should take any more, and why."""

    version: str
    why: str
    by: Person
    at: str


class State(msgspec.Struct, frozen=True):
    """Where a release stands: `commit` is the release commit, `burned` the versions of the line that were given up.

    `withdrawn` are releases of the line, this one or older ones.
    """

    outcome: Outcome
    commit: str
    by: Person
    at: str
    why: str = ""
    burned: tuple[str, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()


class Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of one step; each kind of step fills in its own: a commit, a file's digest, a tag, a directory.

    `node` tells apart the machines that a directory may be on. `id` is a number that the forge gave: of a release, of a
    workflow's run. `assets` are SHA-256 digests by name, `images` digests by reference. A claim has `at`, when it was made by the forge's clock, and
    `attempt`, counted from 1; one that came to nothing has no `at`. Of an image `digest` is its index's, `platforms` what it
    holds and `builder` what made it. What was built says by `assets` what it was made of, by the names of those proofs.
    """

    commit: str = ""
    sha256: str = ""
    size: int = 0
    tag: str = ""
    folder: str = ""
    node: str = ""
    id: int = 0
    at: str = ""
    attempt: int = 0
    assets: Mapping[str, str] = {}
    images: Mapping[str, str] = {}
    digest: str = ""
    platforms: tuple[PlatformImage, ...] = ()
    builder: str = ""


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


def outdated(evidence: Mapping[str, Proof], proof: Proof) -> bool:
    """Whether something that a file or an image was made of was made again since, and came out as something else."""
    noted = ((evidence.get(name), made) for name, made in proof.assets.items())
    return any(one is not None and (one.sha256 or one.digest) != made for one, made in noted)


def ref_of(line: str) -> str:
    """The full name of a line's ref."""
    return PREFIX + line


def given_up(record: Record) -> tuple[str, ...]:
    """The versions of a line that were abandoned."""
    own = (record.release.version,) if record.state.outcome == "abandoned" else ()
    return (*record.state.burned, *own)
