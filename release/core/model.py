"""The frozen values that travel: what was observed, and what a run wishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Kind = Literal["candidate", "final"]
Level = Literal["none", "patch", "minor", "major"]


class Person(msgspec.Struct, frozen=True):
    """A git identity."""

    name: str
    email: str


class Tag(msgspec.Struct, frozen=True):
    """A tag as a remote shows it: `commit` is the peeled object id, `date` that commit's committer date (ISO 8601 with its own offset), "" where unknown."""

    name: str
    commit: str
    date: str = ""


class Commit(msgspec.Struct, frozen=True):
    """A commit: `date` is the committer date, ISO 8601; `message` the whole message, undecodable bytes replaced."""

    id: str
    parents: tuple[str, ...]
    author: Person
    date: str
    message: str


class Reason(msgspec.Struct, frozen=True):
    """Why a version is what it is: where it was seen (a commit, a file), what it says, which bump it asks for, and by which rule."""

    source: str
    what: str
    bump: str
    why: str = ""


class Splice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Replace `content[start:end]` of the file `path` (UTF-8 text, offsets in characters at the base commit) by `text`.

    A file that does not exist at the base commit is made: start and end are 0. With `removes` the file goes away.
    """

    path: str
    start: int
    end: int
    text: str
    removes: bool = False

    def applied(self, content: str) -> str:
        return content[: self.start] + self.text + content[self.end :]


class Waiver(msgspec.Struct, frozen=True):
    """A rule that somebody set aside for one release, and why."""

    rule: str
    why: str
    by: str


class GateWish(msgspec.Struct, frozen=True):
    """What must hold of the base commit before anything begins: a command succeeds, checks are green, somebody approved.

    `deadline` is how many seconds to wait for somebody else's turn.
    """

    name: str
    run: tuple[str, ...] = ()
    kind: Literal["command", "checks", "approval"] = "command"
    match: tuple[str, ...] = ()
    environment: str = ""
    deadline: int = 1800


class ArtifactWish(msgspec.Struct, frozen=True):
    """A file a command makes at the release commit. `path` is where it lies in the clone, "" for `$SLUICE_OUTPUT/<name>`."""

    name: str
    run: tuple[str, ...]
    platform: str = ""
    path: str = ""


class DownstreamWish(msgspec.Struct, frozen=True):
    """A component to release: `tag` at the head of `branch`, after the components named in `after`.

    `repository` is as configured: a relative one is looked up beside the upstream as each clone knows it, and no
    password of anybody's address gets into a record. `deadline` and `starts_within` are in seconds.
    """

    name: str
    repository: str
    branch: str
    tag: str
    after: tuple[str, ...] = ()
    required: bool = True
    trigger: Literal["tag", "release", "workflow_dispatch", "repository_dispatch"] = "tag"
    workflow: str = ""
    event: str = ""
    inputs: Mapping[str, str] = {}
    after_assets: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    deadline: int = 1800
    starts_within: int = 300


class Release(msgspec.Struct, frozen=True):
    """What a run wishes: never what came of it. Object ids are full hex; `date` is ISO 8601 UTC, `deadline` seconds.

    What is decided once, and frozen in the record, comes first. The last eight fields are filled in by the
    configuration where a run goes on: no record tells a captain's machine what to run or where to push.
    """

    version: str
    tag: str
    line: str
    kind: Kind
    bump: str
    previous: str | None
    branch: str
    base: str
    date: str
    author: Person
    reasons: tuple[Reason, ...] = ()
    notes: str = ""
    mode: Literal["push", "none"] = "push"
    edits: tuple[Splice, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    start: Literal["command", "tag"] = "command"
    gates: tuple[GateWish, ...] = ()
    artifacts: tuple[ArtifactWish, ...] = ()
    output: str = ""
    deadline: int = 1800
    downstreams: tuple[DownstreamWish, ...] = ()
    forge: Literal["none", "github"] = "none"
    workflow: str = ""

    @property
    def decided(self) -> Release:
        """Only what was decided: two captains whose configurations differ still go on with the same release."""
        return msgspec.structs.replace(
            self,
            start="command",
            gates=(),
            artifacts=(),
            output="",
            deadline=0,
            downstreams=(),
            forge="none",
            workflow="",
        )

    @property
    def message(self) -> str:
        """What the release commit says."""
        return f"chore(release): {self.tag}\n"


class Head(msgspec.Struct, frozen=True):
    """Where a checkout stands: `branch` is "" when detached, `dirty` the paths that are not as committed.

    `lacks` says what of its history is not here and how to get it: a clone made with --depth or --filter.
    """

    commit: str
    branch: str
    dirty: tuple[str, ...] = ()
    lacks: tuple[str, str] | None = None


class Refs(msgspec.Struct, frozen=True):
    """What a remote shows: branch -> commit, tag -> peeled commit, line -> tip of its record."""

    heads: Mapping[str, str]
    tags: Mapping[str, str]
    records: Mapping[str, str]
