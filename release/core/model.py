"""The frozen values that travel: what was observed, and what a run wishes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from release.core.reference import Reference

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
    """What must hold of the base commit before anything begins: a command succeeds, checks are green, somebody approved,
    images can be pulled.

    `deadline` is how many seconds to wait for somebody else's turn. `list` is the path of a file with images.
    """

    name: str
    run: tuple[str, ...] = ()
    kind: Literal["command", "checks", "approval", "images"] = "command"
    match: tuple[str, ...] = ()
    environment: str = ""
    deadline: int = 1800
    list: str = ""
    platforms: tuple[str, ...] = ()


class ArtifactWish(msgspec.Struct, frozen=True):
    """One build at the release commit, and the exact `files` that it makes; one without any makes `name`.

    `kind` is what makes them. `path`: where a command's one file lies in the clone, "" for `$SLUICE_OUTPUT`; the folder of
    a Python project. `include` (of the commit) and `artifacts` (files of other builds) are what an archive holds below `folder`.
    """

    name: str
    run: tuple[str, ...] = ()
    platform: str = ""
    path: str = ""
    kind: Literal["command", "python", "archive"] = "command"
    files: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    folder: str = ""

    @property
    def makes(self) -> tuple[str, ...]:
        """The names of the files that it makes."""
        return self.files or (self.name,)


class AttestWish(msgspec.Struct, frozen=True):
    """What a release says of how it was made: names of assets, "" for none, and how the provenance is signed (see Attest)."""

    sbom: str = ""
    provenance: str = ""
    sign: Literal["none", "auto", "key", "sigstore"] = "none"
    key: str = ""
    public: str = ""
    identity: str = ""
    issuer: str = ""


class ImagePart(msgspec.Struct, frozen=True):
    """An image for one platform ("os/arch" or "os/arch/variant"): `artifacts` are files of builds that lie in its context."""

    platform: str
    args: Mapping[str, str] = {}
    artifacts: tuple[str, ...] = ()


class ImageWish(msgspec.Struct, frozen=True):
    """An image index to build from `file` in `context` (paths from the root of the release commit), named `name:tag` here.

    `targets` are what it becomes in registries; none: it stays in the layout under `.release/oci`.
    `labels` are those of the configuration; what the release says of itself comes with them.
    """

    name: str
    tag: str
    file: str
    context: str
    parts: tuple[ImagePart, ...]
    builder: Literal["auto", "buildx", "buildah", "podman", "embedded"] = "auto"
    labels: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}
    targets: tuple[Reference, ...] = ()

    @property
    def platforms(self) -> tuple[str, ...]:
        """What it is built for."""
        return tuple(part.platform for part in self.parts)


class PlatformImage(msgspec.Struct, frozen=True):
    """An image of one platform: its manifest's digest ("sha256:..."), and the bytes of it, of its configuration and its layers."""

    platform: str
    digest: str
    size: int


class BuiltImage(msgspec.Struct, frozen=True):
    """An image index as it was made: its digest, what it holds, and which builder made it. `tag` is "" in old manifests."""

    name: str
    digest: str
    platforms: tuple[PlatformImage, ...]
    builder: str = ""
    tag: str = ""


class PackageWish(msgspec.Struct, frozen=True):
    """Files of builds to upload to a Python index: `index` is its "simple" address, `upload` what takes them."""

    name: str
    version: str
    index: str
    upload: str
    files: tuple[str, ...]


class PublishWish(msgspec.Struct, frozen=True):
    """A command that publishes, and one that looks whether it did; `deadline` in seconds."""

    name: str
    run: tuple[str, ...]
    exists: tuple[str, ...]
    env: tuple[str, ...] = ()
    deadline: int = 1800


class UpdateWish(msgspec.Struct, frozen=True):
    """A value to write into a file of a component; see `config.Update`.

    `template` is what the value was made of, `place` what path and key were, "" where that is the same for every release.
    """

    path: str
    kind: Literal["regex", "toml", "yaml", "json", "docker-arg", "go-mod", "helm"]
    value: str
    pattern: str = ""
    key: str = ""
    template: str = ""
    place: str = ""


class DownstreamWish(msgspec.Struct, frozen=True):
    """A component to release: `tag` at the head of `branch`, after the components named in `after`.

    `repository` is as configured: a relative one is looked up beside the upstream as each clone knows it, and no
    password of anybody's address gets into a record. `deadline` and `starts_within` are in seconds. `images` have to be
    there in the end, each for all of `platforms`. `of` is the component that it is built on, "" for the upstream; `run` is the
    command of the trigger `local`.
    """

    name: str
    repository: str
    branch: str
    tag: str
    of: str = ""
    after: tuple[str, ...] = ()
    required: bool = True
    trigger: Literal["tag", "release", "workflow_dispatch", "repository_dispatch", "local", "sync", "none"] = "tag"
    run: tuple[str, ...] = ()
    updates: tuple[UpdateWish, ...] = ()
    workflow: str = ""
    event: str = ""
    inputs: Mapping[str, str] = {}
    after_assets: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    images: tuple[Reference, ...] = ()
    platforms: tuple[str, ...] = ()
    deadline: int = 1800
    starts_within: int = 300


class Release(msgspec.Struct, frozen=True):
    """What a run wishes: never what came of it. Object ids are full hex; `date` is ISO 8601 UTC, `deadline` seconds.

    What is decided once, and frozen in the record, comes first; `made` is the date of what is built, which for a release
    that writes nothing is its commit's, "" in old records. From `start` on the fields are filled in by the configuration
    where a run goes on: no record tells a captain's machine what to run or where to push.
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
    mode: Literal["push", "none", "pull-request"] = "push"
    edits: tuple[Splice, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    made: str = ""
    start: Literal["command", "tag"] = "command"
    gates: tuple[GateWish, ...] = ()
    artifacts: tuple[ArtifactWish, ...] = ()
    output: str = ""
    deadline: int = 1800
    downstreams: tuple[DownstreamWish, ...] = ()
    forge: Literal["none", "github"] = "none"
    workflow: str = ""
    images: tuple[ImageWish, ...] = ()
    packages: tuple[PackageWish, ...] = ()
    publishers: tuple[PublishWish, ...] = ()
    attest: AttestWish = AttestWish()

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
            images=(),
            packages=(),
            publishers=(),
            attest=AttestWish(),
        )

    @property
    def epoch(self) -> int:
        """SOURCE_DATE_EPOCH: the time that everything built is said to be of, in seconds since 1970, UTC."""
        return int(datetime.fromisoformat(self.made or self.date).timestamp())

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files that its builds make."""
        return tuple(file for wish in self.artifacts for file in wish.makes)

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
