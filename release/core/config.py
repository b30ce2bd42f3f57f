"""The shape of release.toml as frozen values. `release/config.py` reads the file into it.

Annotations are no texts here, as they are elsewhere: msgspec would have to evaluate each of them on every start.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from release.core.channel_config import Alert, Channel
from release.core.model import Level

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

When = Literal["always", "candidate", "final"]
SchemeName = Literal["semver", "semver+revision", "pep440"]
Source = Literal[
    "conventional", "labels", "release-note", "fragments", "paths", "python-api", "dependencies", "upstream"
]
Severity = Literal["error", "warn", "off"]
BuilderName = Literal["auto", "buildx", "buildah", "podman", "embedded"]


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`repository`: path or URL of the upstream's remote, with a forge `owner/name`; "" for the checkout's own (`origin`).

    `requires`: a component's name -> the versions of it that this project works with, as in ">=1.33, <1.35".
    `fleet`: a file beside this one with more of the fleet (see FleetFile), "" for none.
    """

    name: str = ""
    repository: str = ""
    forge: Literal["none", "github"] = "none"
    since: str = ""
    requires: Mapping[str, str] = {}
    fleet: str = ""


class ReleaseRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`start`: who starts it; `output`: the directory that takes the artifacts, in a folder per tag.

    `workflow`: with a forge and `start = "tag"`, the file of the workflow that runs for the tag.
    `deadline`: how long a run waits for somebody else's turn ("90s", "45m", "2h") before it ends with exit code 4.
    """

    start: Literal["command", "tag"] = "command"
    output: str = ""
    workflow: str = "release.yml"
    deadline: str = "30m"


class VersionFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that agrees with the version: `pattern` has one group `value`; `value` is a template."""

    path: str
    pattern: str
    value: str = "{version}"


class VersionRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How versions are written, ordered and chosen. `revision` is the word before the number in the metadata."""

    scheme: SchemeName = "semver"
    tag: str = "v{version}"
    revision: str = ""
    candidates: tuple[str, ...] = ("alpha", "beta", "rc")
    source: Literal["changes", "file"] = "changes"
    branches: tuple[str, ...] = ("main", "master", "release-{line}")
    final_from_candidate: bool = False
    file: tuple[VersionFile, ...] = ()


class PathRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a change of files means: `match` are globs over paths from the root (`**` crosses folders), `why` is told."""

    match: tuple[str, ...]
    bump: Level = "patch"
    why: str = ""


class ChangeRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the meaning of a change is read. Each source may only raise the bump, and says why.

    `first_parent`: only what is on the branch itself counts, merges by what they say. `types` (of commits), `labels` (of
    pull requests) and `fragment` (kinds of fragments) add to the known words or change their bump. `fragments` is the
    folder of news fragments, `packages` the Python packages whose public names count (paths from the root, as in
    "src/foo"), `manifests` are globs over the files whose dependencies count.
    """

    sources: tuple[Source, ...] = ("conventional",)
    first_parent: bool = False
    types: Mapping[str, Level] = {}
    labels: Mapping[str, Level] = {}
    fragments: str = "changes.d"
    fragment: Mapping[str, Level] = {}
    path: tuple[PathRule, ...] = ()
    packages: tuple[str, ...] = ()
    manifests: tuple[str, ...] = (
        "requirements*.txt",
        "pyproject.toml",
        "go.mod",
        "**/go.mod",
        "Dockerfile",
        "**/Dockerfile",
    )


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this project is built on: its version stands in `path` where `pattern` has its group `value`, as a tag or a version.

    A component inherits the bump of what it is built on.
    """

    name: str
    path: str
    pattern: str
    tag: str = "v{version}"
    scheme: SchemeName = "semver"
    revision: str = ""
    candidates: tuple[str, ...] = ("alpha", "beta", "rc")


class ChangelogRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`file`: the changelog kept in the repository, "" for none. `template`: a built-in one, or a Jinja2 file (`*.j2`).

    `issues` and `compare` are addresses with {n}, and with {previous} and {tag}; "" for the forge's own, if there is one.
    """

    file: str = ""
    template: str = "keep-a-changelog"
    issues: str = ""
    compare: str = ""


class CommitRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`push`: a release commit goes to the branch with the tag; `none`: only the tag is made.

    `pull-request`: what the release writes is proposed, and what was merged is tagged.
    """

    mode: Literal["push", "none", "pull-request"] = "none"


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`run` is a command's; `match` are globs over the names of checks, () for all; `environment` is an approval's, "" for the gate's name.

    `list` is the file with the images of a gate of kind `images`, one a line, and `platforms` what each has to be there for.
    """

    name: str
    run: tuple[str, ...] = ()
    kind: Literal["command", "checks", "approval", "images"] = "command"
    match: tuple[str, ...] = ()
    environment: str = ""
    list: str = ""
    platforms: tuple[str, ...] = ()
    deadline: str = ""
    when: When = "always"
    lines: tuple[str, ...] = ()


class Artifact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one build makes: `name`, `path`, `files`, `include`, `artifacts` and `folder` are templates, filled in for each platform.

    `command`: `run` makes `path` (in the clone), else all of `files` (without any: `name`) in `$SLUICE_OUTPUT`, and nothing
    else; the files of other `artifacts` lie in `$SLUICE_INPUTS`.
    `python`: the wheel and the sdist of the project `name` in the folder `path`; a wheel that is not for every Python and
    platform has to be named in `files`. `archive`: `name` (`.tar.gz`, `.tgz`, `.tar` or `.zip`) holds what `include` names of
    the release commit (paths and globs) and the files of other `artifacts`, below `folder`.
    """

    name: str
    run: tuple[str, ...] = ()
    kind: Literal["command", "python", "archive"] = "command"
    path: str = ""
    files: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    folder: str = ""
    platforms: tuple[str, ...] = ()
    when: When = "always"
    lines: tuple[str, ...] = ()


class Attest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a release says of how it was made. `sbom` and `provenance` are names of assets (templates), "" for none.

    `sign`: `key` signs with the ed25519 key (PEM) that `key` names, a file or `env:NAME`; `sigstore` with the OIDC identity of
    the run; `auto` with that where there is one, else with the key. `public` is the file in the repository with the public
    key (PEM), `identity` and `issuer` are whose certificate a keyless signature must have.
    """

    sbom: str = ""
    provenance: str = ""
    sign: Literal["none", "auto", "key", "sigstore"] = "none"
    key: str = "env:SLUICE_SIGNING_KEY"
    public: str = ""
    identity: str = ""
    issuer: str = ""


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An image that a release makes, or only claims: `tag` is a template. What is there already is never overwritten.

    With `file`, a Dockerfile, it is built in the folder `context` of the release commit, with the files of `artifacts`
    beside what lies there, for each of `platforms`, and pushed to each of `registries`; without any it stays here.
    Without `file` it is the image of that name that another table builds; where none does, somebody else pushes it.
    `args`, `labels` and `artifacts` are templates; `secrets` (id -> "env:NAME") are for `RUN --mount=type=secret` alone.
    """

    name: str
    registries: tuple[str, ...] = ("docker.io",)
    tag: str = "{image_tag}"
    file: str = ""
    context: str = "."
    platforms: tuple[str, ...] = ("linux/amd64",)
    builder: BuilderName = "auto"
    args: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}
    artifacts: tuple[str, ...] = ()
    when: When = "always"
    lines: tuple[str, ...] = ()


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package whose version a release claims, on a Python index (its "simple" address).

    `files` are files of artifacts, or names of [[artifact]] tables for all that they make (templates), that are uploaded
    there; without any somebody else does that. `upload` is the address that takes them, "" for the one that belongs to the
    index, where that is known.
    """

    name: str
    index: str = "https://pypi.org/simple"
    version: str = "{version}"
    files: tuple[str, ...] = ()
    upload: str = ""
    when: When = "always"
    lines: tuple[str, ...] = ()


class Publish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command that makes something public after the tag, and one that looks whether it is: `exists` ends with 0 for
    "it is there", with 1 for "it is not", and with anything else where that cannot be told.

    Both run at the release commit, with the artifacts in `$SLUICE_ARTIFACTS`; `env` are the variables, tokens among them,
    that they get besides what a build gets. `run` and `exists` are templates.
    """

    name: str
    run: tuple[str, ...]
    exists: tuple[str, ...]
    env: tuple[str, ...] = ()
    deadline: str = ""
    when: When = "always"
    lines: tuple[str, ...] = ()


class Component(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody else releases, and some of this fleet need: its versions are its tags. `requires` as in Project."""

    name: str
    repository: str
    tag: str = "v{version}"
    scheme: SchemeName = "semver"
    revision: str = ""
    candidates: tuple[str, ...] = ("alpha", "beta", "rc")
    requires: Mapping[str, str] = {}


Trigger = Literal["tag", "release", "workflow_dispatch", "repository_dispatch", "local", "sync", "none"]


class Update(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a component names the version of what it is built on: `value`, a template, is written into the file `path`.

    `regex`: what the group `value` of `pattern` matches. `toml`, `yaml`, `json`: the scalar at `key`, as in
    `image.tag`, `items[0].version` or `channels[name=stable].latest`. `docker-arg`: the default of the ARG `key` of a
    Dockerfile. `go-mod`: the version that a go.mod requires of the module `key`. `helm`: in a Chart.yaml the version of the
    dependency `key`; without one, `appVersion`.
    """

    path: str
    kind: Literal["regex", "toml", "yaml", "json", "docker-arg", "go-mod", "helm"] = "regex"
    pattern: str = ""
    key: str = ""
    value: str = "{version}"


class Downstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A component released in step. `repository` is a URL, a path, or a path relative to the upstream's remote (`../name.git`); with a forge `owner/name`.

    `workflow` is the file whose run must end green, `inputs` what a dispatch carries, `event` its type. `after_assets`
    (of the upstream's release) have to be out first, `assets` (of its own) must be there in the end; both are templates,
    one name for each of `platforms` where they name one. `starts_within`: after a dispatch a run has to show by then.
    `requires`: a component's name -> the versions of it that this one works with. `images` ("owner/name:{image_tag}") and
    `packages` are what it claims.
    `of` is the component that it is built on, "" for the upstream itself: then it comes after that one, `{tag}` is that one's
    tag, and `after_assets` are of that one's release. `local` runs `run`, a template, in a clone of the component; `sync` waits
    for the component's own `fleet.sync`; `none` releases nothing, and only `update` is for it.
    `per = "channel"`: it is released by promotions, to each of `channels` (() for every one), before their pointers move.
    """

    name: str
    repository: str
    of: str = ""
    branch: str = "main"
    tag: str = "{tag}"
    after: tuple[str, ...] = ()
    after_assets: tuple[str, ...] = ()
    trigger: Trigger = "tag"
    run: tuple[str, ...] = ("invoke", "release", "--version", "{tag}", "--yes")
    workflow: str = ""
    event: str = "release"
    inputs: Mapping[str, str] = msgspec.field(default_factory=lambda: {"tag": "{tag}"})
    assets: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    requires: Mapping[str, str] = {}
    images: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    deadline: str = ""
    starts_within: str = "5m"
    per: Literal["release", "channel"] = "release"
    channels: tuple[str, ...] = ()
    required: bool = True
    update: tuple[Update, ...] = ()
    when: When = "always"
    lines: tuple[str, ...] = ()


class Include(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The downstreams that a component of the fleet has itself: those of its own release.toml come along, each `of` it.

    `name` is the component's. The file is `file` at the head of its `branch`; with `path`, relative to the fleet file, a
    checkout that lies here has it instead.
    """

    name: str
    path: str = ""
    file: str = "release.toml"


class FleetFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file with more of a fleet than fits a release.toml: tables as there, and what else is to be read."""

    include: tuple[Include, ...] = ()
    component: tuple[Component, ...] = ()
    downstream: tuple[Downstream, ...] = ()


class Sync(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For a component that looks after itself: what `fleet.sync` follows.

    `upstream` is the upstream's repository, as in Downstream. How it writes its versions, and what this component is to have of
    each, is told by its own release.toml at the head of `branch` ("" for its default one), or by the file `config` here, of the
    same shape. `name` is which of its downstreams this is, "" for the one with this repository. `last` is how many of its
    newest releases are looked at.
    """

    upstream: str = ""
    branch: str = ""
    config: str = ""
    name: str = ""
    last: int = 50


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `rules`: the name of a rule -> whether it stops a release, is only told, or is off."""

    project: Project = Project()
    release: ReleaseRules = ReleaseRules()
    version: VersionRules = VersionRules()
    changes: ChangeRules = ChangeRules()
    changelog: ChangelogRules = ChangelogRules()
    commit: CommitRules = CommitRules()
    attest: Attest = Attest()
    sync: Sync = Sync()
    rules: Mapping[str, Severity] = {}
    upstream: tuple[Upstream, ...] = ()
    gate: tuple[Gate, ...] = ()
    artifact: tuple[Artifact, ...] = ()
    image: tuple[Image, ...] = ()
    package: tuple[Package, ...] = ()
    publish: tuple[Publish, ...] = ()
    component: tuple[Component, ...] = ()
    downstream: tuple[Downstream, ...] = ()
    channel: tuple[Channel, ...] = ()
    alert: tuple[Alert, ...] = ()


def seconds(duration: str) -> int | None:
    """A duration like "90s", "45m" or "2h" in seconds, None where it is none."""
    number, unit = duration[:-1], UNITS.get(duration[-1:])
    return int(number) * unit if unit and number.isascii() and number.isdigit() and len(number) < 7 else None
