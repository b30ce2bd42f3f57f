"""What a move of a channel wishes, with every template filled in: the frozen values that its steps are built from."""

from __future__ import annotations

import msgspec

from release.core.channel_config import HealthKind
from release.core.channel_record import MoveKind
from release.core.model import DownstreamWish, Waiver
from release.core.reference import Reference


class PointWish(msgspec.Struct, frozen=True):
    """A pointer and what it is to say; `name` is unique within its `channel`. See `channel_config.Point`.

    `image` is moved to what `source` is, both of one repository in one registry. `kind` "prerelease" is the release's own
    mark, "latest" the repository's. `template` is what `value` was made of: by it what a pointer says is read back.
    """

    name: str
    kind: str
    image: Reference | None = None
    source: Reference | None = None
    repository: str = ""
    branch: str = ""
    path: str = ""
    key: str = ""
    value: str = ""
    template: str = ""
    channel: str = ""
    by_pull_request: bool = False
    run: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    env: tuple[str, ...] = ()


class HealthWish(msgspec.Struct, frozen=True):
    """A question about a release; see `channel_config.Health`. `deadline` is in seconds.

    `own_label`: the label names the release, so that it need not be there before the first issue.
    """

    name: str
    kind: HealthKind
    run: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    url: str = ""
    status: int = 200
    contains: str = ""
    query: str = ""
    above: float = float("-inf")
    below: float = float("inf")
    samples: str = ""
    at_least: float = 1.0
    workflow: str = ""
    repository: str = ""
    label: str = ""
    own_label: bool = False
    most: int = 0
    deadline: int = 60


class Reading(msgspec.Struct, frozen=True):
    """An answer, and what was seen, in words. `healthy` is None where nobody can tell."""

    healthy: bool | None
    words: str


class Promotion(msgspec.Struct, frozen=True):
    """A move of a channel as it is wished; what comes of it is in the channel's record.

    `line`, `before`, `commit` are as in Move. `instances` are the components that this promotion releases, with their tags
    as far as they are known before it begins: {n} is left in them. `points` come in the order in which they are moved.
    `environment` is the approval's, "" for none, `approvals` the number of people. `releases` is how many releases were seen,
    `deadline` how many seconds to wait for people.
    """

    channel: str
    kind: MoveKind
    line: str
    version: str
    tag: str
    commit: str
    before: str
    points: tuple[PointWish, ...] = ()
    health: tuple[HealthWish, ...] = ()
    instances: tuple[DownstreamWish, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    environment: str = ""
    approvals: int = 0
    releases: int = 0
    deadline: int = 60
    why: str = ""
