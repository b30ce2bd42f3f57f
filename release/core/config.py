"""The shape of release.toml as frozen values. `release/config.py` reads the file into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

When = Literal["always", "candidate", "final"]


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`repository`: path or URL of the upstream's remote, with a forge `owner/name`; "" for the checkout's own (`origin`)."""

    name: str = ""
    repository: str = ""
    forge: Literal["none", "github"] = "none"
    since: str = ""


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

    scheme: Literal["semver", "semver+revision"] = "semver"
    tag: str = "v{version}"
    revision: str = ""
    candidates: tuple[str, ...] = ("alpha", "beta", "rc")
    source: Literal["changes", "file"] = "changes"
    branches: tuple[str, ...] = ("main", "master", "release-{line}")
    final_from_candidate: bool = False
    file: tuple[VersionFile, ...] = ()


class ChangeRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the meaning of a change is read."""

    sources: tuple[Literal["conventional"], ...] = ("conventional",)


class ChangelogRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`file`: the changelog kept in the repository, "" for none."""

    file: str = ""


class CommitRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`push`: a release commit goes to the branch with the tag; `none`: only the tag is made."""

    mode: Literal["push", "none"] = "none"


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`run` is a command's; `match` are globs over the names of checks, () for all; `environment` is an approval's, "" for the gate's name."""

    name: str
    run: tuple[str, ...] = ()
    kind: Literal["command", "checks", "approval"] = "command"
    match: tuple[str, ...] = ()
    environment: str = ""
    deadline: str = ""
    when: When = "always"
    lines: tuple[str, ...] = ()


class Artifact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`name` and `path` are templates; one artifact a platform ("os/arch"), or one without."""

    name: str
    run: tuple[str, ...]
    kind: Literal["command"] = "command"
    path: str = ""
    platforms: tuple[str, ...] = ()
    when: When = "always"
    lines: tuple[str, ...] = ()


class Downstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A component released in step. `repository` is a URL, a path, or a path relative to the upstream's remote (`../name.git`); with a forge `owner/name`.

    `workflow` is the file whose run must end green, `inputs` what a dispatch carries, `event` its type. `after_assets`
    (of the upstream's release) have to be out first, `assets` (of its own) must be there in the end; both are templates,
    one name for each of `platforms` where they name one. `starts_within`: after a dispatch a run has to show by then.
    """

    name: str
    repository: str
    branch: str = "main"
    tag: str = "{tag}"
    after: tuple[str, ...] = ()
    after_assets: tuple[str, ...] = ()
    trigger: Literal["tag", "release", "workflow_dispatch", "repository_dispatch"] = "tag"
    workflow: str = ""
    event: str = "release"
    inputs: Mapping[str, str] = msgspec.field(default_factory=lambda: {"tag": "{tag}"})
    assets: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    deadline: str = ""
    starts_within: str = "5m"
    per: Literal["release", "channel"] = "release"
    required: bool = True
    when: When = "always"
    lines: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    project: Project = Project()
    release: ReleaseRules = ReleaseRules()
    version: VersionRules = VersionRules()
    changes: ChangeRules = ChangeRules()
    changelog: ChangelogRules = ChangelogRules()
    commit: CommitRules = CommitRules()
    gate: tuple[Gate, ...] = ()
    artifact: tuple[Artifact, ...] = ()
    downstream: tuple[Downstream, ...] = ()


def seconds(duration: str) -> int | None:
    """A duration like "90s", "45m" or "2h" in seconds, None where it is none."""
    number, unit = duration[:-1], UNITS.get(duration[-1:])
    return int(number) * unit if unit and number.isascii() and number.isdigit() and len(number) < 7 else None
