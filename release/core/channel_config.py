"""The shape of [[channel]] in release.toml: what users follow, and when a release gets there. See `core/config.py`."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Accepts = Literal["candidate", "final"]
Scope = Literal["global", "line"]
PointKind = Literal["image", "file", "release", "command"]
HealthKind = Literal["command", "http", "prometheus", "workflow", "issues"]


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that says which version a channel has, and that users follow. Texts are templates unless said otherwise.

    `image`: the tag `image` ("owner/name:stable") in each of `registries` (() for those that [[image]] pushes that name to,
    else the one it names) is moved to what the tag `source` of that name is there. `file`: the scalar at `key` of the YAML,
    JSON or TOML file `path` (by its ending) on `branch` of `repository` ("" for the upstream) is made `value`, by a
    commit or a pull request. `release`: the release on the forge is no prerelease any more, and with `latest` it gets
    the mark of the latest. `command`: `run` moves it; `shows` prints what it says now, which is to be `value` in the end,
    and nothing where it says nothing yet; `env` (no templates) are the variables that both get. `name` tells pointers of one kind apart,
    "" for a name made of what they are.
    """

    kind: PointKind
    name: str = ""
    image: str = ""
    registries: tuple[str, ...] = ()
    source: str = "{image_tag}"
    repository: str = ""
    branch: str = "main"
    path: str = ""
    key: str = ""
    value: str = "{tag}"
    mode: Literal["commit", "pull-request"] = "commit"
    latest: bool = True
    run: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    env: tuple[str, ...] = ()


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question whether a release does well; what nobody can tell is not healthy. Texts are templates; a `url` may be `env:NAME`.
    `name` tells questions of one channel apart, "" for that of its kind.

    `command`: `run` ends with 0 for healthy, with 1 for unhealthy, and with anything else where it cannot tell; `env` are
    variables that it gets. `http`: `url` answers with `status`, and its first 64 KiB hold `contains`. `prometheus`: the
    server at `url` answers `query` with one number that is over `above` and under `below`, and `samples`, a query as well,
    with at least `at_least` ("" counts the series of `query` itself). `workflow`: the newest run of that file in
    `repository` ("" for the upstream) for the release's commit or tag is green. `issues`: no more than `most` issues with
    the label `label` are open in `repository`.
    """

    kind: HealthKind
    name: str = ""
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
    most: int = 0
    deadline: str = "1m"


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A channel. `accepts` is the least maturity: what takes candidates takes finals, too.

    `scope`: a global channel has one version, and a lower line never gets it; of a channel by line each line has its own.
    `follows`: the channel that a version has to be in first, and `soak` for how long ("24h", "7d"); without one since it was
    published. `new_minor_from_patch`: the first version of a new minor that is taken has at least this patch number.
    `freeze`: days ("fri") and dates ("2026-12-20", "2026-12-20..2027-01-06") on which nothing moves; `windows`: when something may,
    as in "mon-thu 09:00-16:00", () for any time; both in `timezone` (an IANA name). `approval`: an environment of the forge
    whose reviewers say yes; `approvals`: how many people have to say so by `channel.approve`. `requires`: downstreams that have to be out
    though they are not `required`. `unhealthy`: whether a release that turns out unhealthy here is only held,
    or the channel goes back by itself, within its minor. `deadline`: how long a promotion waits for people.
    """

    name: str
    accepts: Accepts = "final"
    scope: Scope = "global"
    follows: str = ""
    soak: str = ""
    new_minor_from_patch: int = 0
    freeze: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    timezone: str = "UTC"
    approval: str = ""
    approvals: int = 0
    requires: tuple[str, ...] = ()
    unhealthy: Literal["hold", "rollback"] = "hold"
    deadline: str = "1m"
    point: tuple[Point, ...] = ()
    health: tuple[Health, ...] = ()


class Alert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told what a person should know. `url` is an address, or `env:NAME` for the variable that has it.

    `webhook` gets a JSON document, `slack` what Slack's incoming webhooks take. A value of `headers` may be `env:NAME` as
    well. `on`: which kinds of news, () for all.
    """

    kind: Literal["webhook", "slack"]
    url: str
    on: tuple[Literal["health"], ...] = ()
    headers: Mapping[str, str] = {}
