"""What GitHub's answers look like, as far as they are read: anything else is no answer."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


class Rights(msgspec.Struct, frozen=True):
    push: bool = False


class About(msgspec.Struct, frozen=True):
    """A repository."""

    id: int
    full_name: str
    private: bool
    archived: bool = False
    permissions: Rights | None = None


class Installed(msgspec.Struct, frozen=True):
    """Some of the repositories that an installation's token is for."""

    repositories: tuple[About, ...]


class AssetShape(msgspec.Struct, frozen=True):
    id: int
    name: str
    size: int
    state: str
    digest: str | None = None


class ReleaseShape(msgspec.Struct, frozen=True):
    id: int
    tag_name: str
    target_commitish: str
    draft: bool
    prerelease: bool
    html_url: str
    upload_url: str
    name: str | None = None
    body: str | None = None
    immutable: bool = False
    published_at: str | None = None
    assets: tuple[AssetShape, ...] = ()


class Pointed(msgspec.Struct, frozen=True):
    sha: str
    type: str


class RefShape(msgspec.Struct, frozen=True):
    """A ref, or an annotated tag: something that points at an object."""

    object: Pointed


class Compared(msgspec.Struct, frozen=True):
    status: str


class RunShape(msgspec.Struct, frozen=True):
    id: int
    path: str
    event: str
    head_sha: str
    display_title: str
    created_at: str
    html_url: str
    status: str | None = None
    conclusion: str | None = None
    head_branch: str | None = None
    run_attempt: int = 1
    updated_at: str | None = None


class RunsShape(msgspec.Struct, frozen=True):
    workflow_runs: tuple[RunShape, ...]


class Started(msgspec.Struct, frozen=True):
    workflow_run_id: int = 0


class JobShape(msgspec.Struct, frozen=True):
    id: int
    name: str
    status: str
    conclusion: str | None = None


class JobsShape(msgspec.Struct, frozen=True):
    jobs: tuple[JobShape, ...]


class Output(msgspec.Struct, frozen=True):
    title: str | None = None


class Maker(msgspec.Struct, frozen=True):
    """The App that a check run is of."""

    slug: str | None = None


class CheckShape(msgspec.Struct, frozen=True):
    id: int
    name: str
    status: str
    conclusion: str | None = None
    details_url: str | None = None
    output: Output | None = None
    app: Maker | None = None


class ChecksShape(msgspec.Struct, frozen=True):
    check_runs: tuple[CheckShape, ...]


class StatusShape(msgspec.Struct, frozen=True):
    id: int
    context: str
    state: str
    description: str | None = None
    target_url: str | None = None


class StatusesShape(msgspec.Struct, frozen=True):
    statuses: tuple[StatusShape, ...]


class Account(msgspec.Struct, frozen=True):
    login: str = ""


class LabelShape(msgspec.Struct, frozen=True):
    name: str


class Named(msgspec.Struct, frozen=True):
    full_name: str


class Base(msgspec.Struct, frozen=True):
    """Where a pull request went."""

    repo: Named | None = None


class PullShape(msgspec.Struct, frozen=True):
    """A pull request, in a list or alone. Who opened it may be gone."""

    number: int
    title: str
    updated_at: str
    body: str | None = None
    user: Account | None = None
    labels: tuple[LabelShape, ...] = ()
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    base: Base | None = None


class Reviewer(msgspec.Struct, frozen=True):
    type: str = ""
    reviewer: Account | None = None


class Rule(msgspec.Struct, frozen=True):
    type: str
    reviewers: tuple[Reviewer, ...] = ()


class EnvironmentShape(msgspec.Struct, frozen=True):
    name: str
    protection_rules: tuple[Rule, ...] = ()


class DeploymentShape(msgspec.Struct, frozen=True):
    id: int
    sha: str
    environment: str
    task: str


class DeploymentStatus(msgspec.Struct, frozen=True):
    id: int
    state: str
    creator: Account | None = None
    log_url: str | None = None
    target_url: str | None = None


class Installation(msgspec.Struct, frozen=True):
    id: int
    permissions: dict[str, str] = {}
    suspended_at: str | None = None


class Granted(msgspec.Struct, frozen=True):
    token: str
    expires_at: str
    permissions: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Granted(expires_at={self.expires_at!r})"


def moment(told: str | None) -> str:
    """A time as we write it: ISO 8601, UTC, whole seconds; "" for none."""
    if not told:
        return ""
    try:
        time = datetime.fromisoformat(told)
    except ValueError:
        return ""
    return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC).isoformat(timespec="seconds")
