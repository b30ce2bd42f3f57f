"""Lists of components as a forge and registries give them, for whoever judges them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from release.core.config import Config
from release.core.evidence import Listed
from release.core.fleet_status import Status, status
from release.core.fleet_window import Wanted
from release.core.forge import Asset, Published, Run
from release.core.model import Tag
from release.core.record import Proof

NOW = "2026-03-01T00:00:00+00:00"
DAY = 86400
RELEASES = ("v1.0.0-rc.1", "v1.0.0", "v1.1.0")
UPSTREAM = tuple(Tag(name, f"{n}" * 40, f"2026-01-0{n + 1}T12:00:00+01:00") for n, name in enumerate(RELEASES))
HOME = Listed()


def settings(*downstreams: Mapping[str, Any], **tables: Any) -> Config:
    """A fleet on a forge; each downstream has a workflow, unless it says something else."""
    fleet = [{"repository": f"acme/{one['name']}", "workflow": "release.yml", **one} for one in downstreams]
    return msgspec.convert({"project": {"name": "app"}, **tables, "downstream": fleet}, Config, strict=True)


def published(tag: str, at: str = "2026-01-10T00:00:00+00:00", *assets: Asset) -> Published:
    return Published(1, tag, tag, "", "main", draft=False, prerelease=False, at=at, assets=assets)


def asset(name: str, digest: str = "", complete: bool = True) -> Asset:
    return Asset(1, name, 10, digest, complete)


def run(branch: str, conclusion: str = "success", number: int = 1, **more: Any) -> Run:
    """A run of the workflow; without a conclusion it goes on."""
    status, at = "completed" if conclusion else "in_progress", "2026-01-10T00:00:00+00:00"
    told = {
        "event": "release",
        "title": "Release",
        "attempt": 1,
        "created": at,
        "url": f"https://forge/{number}",
        **more,
    }
    return Run(
        number,
        ".github/workflows/release.yml",
        branch=branch,
        commit="c" * 40,
        status=status,
        conclusion=conclusion,
        **told,
    )


def listed(*tags: str, **lists: Any) -> Listed:
    """A component with these tags, each with a published release and a green run, unless a list says something else."""
    whole: dict[str, Any] = {
        "releases": {tag: published(tag) for tag in tags},
        "runs": tuple(run(tag, number=n) for n, tag in enumerate(tags, 1)),
        "strangers": frozenset(),
    }
    return Listed(tags={tag: commit(tag) for tag in tags}, **{**whole, **lists})


def commit(tag: str) -> str:
    return tag.encode().hex().ljust(40, "0")[:40]


def judged(
    config: Config,
    found: Mapping[str, Listed],
    proved: Mapping[str, Mapping[str, Proof]] | None = None,
    home: Listed = HOME,
    upstream: tuple[Tag, ...] = UPSTREAM,
    **wanted: Any,
) -> Status:
    fleet = status(config, upstream, home, found, proved or {}, NOW, Wanted(**wanted))
    assert isinstance(fleet, Status), fleet
    return fleet
