"""What a forge shows of a repository: releases, assets, runs, checks, deployments. Values only."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

PACE = 30.0  # seconds at most between two looks at what a forge does: it counts requests


class Asset(msgspec.Struct, frozen=True):
    """A file of a release. `size` is in bytes, `digest` its SHA-256 in hex, "" where the forge does not say.

    `complete` is false for what a broken upload left behind (GitHub's state `starter`): empty, and safe to delete.
    """

    id: int
    name: str
    size: int
    digest: str = ""
    complete: bool = True


class Published(msgspec.Struct, frozen=True):
    """A release on a forge, drafts included. `target` is the branch or commit that it names, `at` when it was published (ISO 8601 UTC, "" for a draft)."""

    id: int
    tag: str
    name: str
    body: str
    target: str
    draft: bool
    prerelease: bool
    immutable: bool = False
    at: str = ""
    url: str = ""
    assets: tuple[Asset, ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """What a release on a forge is to say. `target` is a full commit id."""

    tag: str
    target: str
    name: str
    body: str
    prerelease: bool


class Run(msgspec.Struct, frozen=True):
    """One run of a workflow. `workflow` is its file (`.github/workflows/release.yml`), `title` what the run is called.

    `branch` is the branch or tag that it ran for, `commit` its head; `conclusion` is "" until `status` is "completed".
    `attempt` counts from 1. `created` and `updated` are ISO 8601 UTC; a run that has ended was updated last when it did.
    """

    id: int
    workflow: str
    event: str
    branch: str
    commit: str
    title: str
    status: str
    conclusion: str
    attempt: int
    created: str
    url: str = ""
    updated: str = ""

    @property
    def ended(self) -> bool:
        return self.status == "completed"

    @property
    def green(self) -> bool:
        return self.ended and self.conclusion == "success"


def passed(since: str, now: str) -> float:
    """Seconds between two moments, ISO 8601."""
    return (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()


class Check(msgspec.Struct, frozen=True):
    """A check run or a commit status: `run` is the id of the workflow run that it belongs to, 0 for none."""

    name: str
    state: Literal["green", "red", "pending"]
    detail: str = ""
    run: int = 0


class Environment(msgspec.Struct, frozen=True):
    """A deployment environment. `reviewers` are the logins that may approve; `teams` says that there are teams as well."""

    name: str
    reviewers: tuple[str, ...] = ()
    teams: bool = False


class Deployment(msgspec.Struct, frozen=True):
    """A request to deploy a commit to an environment, and its newest status ("" for none yet) by whom."""

    id: int
    commit: str
    environment: str
    task: str
    state: str = ""
    by: str = ""
    url: str = ""


class Proposed(msgspec.Struct, frozen=True):
    """A pull request from a branch of the repository itself. `head` is the newest commit of that branch, as far as the
    forge knows, and `merge` what its merge brought to the base branch last: the merge, the squash or the last of the
    rebased commits, "" for none.
    """

    number: int
    title: str
    body: str
    open: bool
    head: str
    merge: str = ""
    url: str = ""
