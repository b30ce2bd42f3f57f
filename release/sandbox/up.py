"""A world to work with: a forge, a registry and a package index, served until they are ended, and what to put into one's environment."""

from __future__ import annotations

import shlex
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from release.sandbox.forge import Sandbox
from release.sandbox.index import PackageIndex
from release.sandbox.places import VARIABLE, places
from release.sandbox.registry import SandboxRegistry

USER = "captain"


def run(folder: Path | None, port: int, repositories: Sequence[str]) -> int:
    """Serves `folder` (a new temporary one without) on loopback, the forge on `port`. A repository is `owner/name`, or `owner/name=PATH` to begin as a copy of one."""
    place = (folder or Path(tempfile.mkdtemp(prefix="sluice-forge-"))).absolute()
    signal.signal(signal.SIGTERM, _ended)
    try:
        with (
            Sandbox(place, port) as forge,
            SandboxRegistry(place / "registry") as registry,
            PackageIndex(place / "index") as index,
        ):
            there = places(registry, index)
            forge.machine[VARIABLE] = there
            for repository in repositories:
                _found(forge, repository)
            _told(forge, place, there)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except (ValueError, OSError) as error:
        print(f"error: {error}", flush=True)
        return 2


def _found(forge: Sandbox, wanted: str) -> None:
    name, _, source = wanted.partition("=")
    if source and not Path(source).exists():
        raise ValueError(f"{source} is not there; name a repository to copy")
    forge.repository(name, "main", push=(USER,), source=Path(source) if source else None)


def _told(forge: Sandbox, place: Path, there: str) -> None:
    """What one needs to know, in a form that a shell reads."""
    print(f"# a forge, a registry and a package index on loopback; their state is in {place}; Ctrl-C ends them")
    print(f"export GITHUB_API_URL={forge.api_url}")
    print(f"export GITHUB_SERVER_URL={forge.url}")
    print(f"export {VARIABLE}={shlex.quote(there)}")
    print(f"export SLUICE_GITHUB_TOKEN={forge.token(USER)}", flush=True)


def _ended(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
