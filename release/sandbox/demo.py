"""The demonstration: RKE2's fleet in a folder, and two captains who type what one types.

Every command is the real one, run as a process of its own, and its exit code is compared with the expected one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from release.sandbox.fleet import RKE2, environment, git, seed

BRANCH = "release-1.30"
CLOSED = "system-agent-installer-rke2"
HISTORY = "fleet.status --since 2024-01-01"
HOOK = "#!/bin/sh\necho 'remote is read-only for maintenance' >&2\nexit 1\n"


@dataclass(frozen=True)
class Scene:
    """What is told, what happens to the world before, and what is typed where; `expected` is its exit code."""

    told: str
    clone: Path
    command: str
    expected: int = 0
    before: Callable[[], object] | None = None


def run(folder: Path | None = None) -> int:
    """Plays every scene in `folder` (a new temporary one without) and leaves it there: 0, or 1 at the first surprise."""
    stage = (folder or Path(tempfile.mkdtemp(prefix="sluice-demo-"))).absolute()
    if stage.exists() and any(stage.iterdir()):
        _say(f"{stage} is not empty; name a new folder")
        return 1
    remotes = seed(RKE2, stage).remotes
    _say(f"Four repositories with the real tags of the RKE2 fleet lie in {stage / 'remotes'}.")
    for number, scene in enumerate(scenes(stage, remotes["rke2"], remotes[CLOSED]), start=1):
        code = play(number, scene)
        if code != scene.expected:
            _say(f"\nSurprise in step {number} (invoke {scene.command}): exit {code}, expected {scene.expected}.")
            _say(f"Look at it in {stage}.")
            return 1
    _say(f"\nAs told. Everything is still there to look at: {stage}")
    return 0


def scenes(stage: Path, upstream: Path, closed: Path) -> Iterator[Scene]:
    captain = clone(upstream, stage / "captain", "Captain")
    night = clone(upstream, stage / "night-shift", "Night Shift")
    hook = closed / "hooks" / "pre-receive"

    yield Scene("The history, with its real holes.", captain, HISTORY)
    yield Scene("What would a candidate be? Looking only.", captain, "release.plan --candidate")
    yield Scene(
        f"{CLOSED} closes for maintenance, and nobody told the captain.",
        captain,
        "release --candidate --yes",
        expected=1,
        before=lambda: refuse(hook),
    )
    yield Scene("What is out, and what is not?", captain, "release.status")
    yield Scene(
        "Maintenance is over. The night shift takes over in a clone of its own, with the same command.",
        night,
        "release --candidate --yes",
        before=hook.unlink,
    )
    yield Scene("The candidate is good: the final is its very commit.", captain, "release --yes")
    yield Scene("Is it all really out there?", captain, "release.verify")
    yield Scene(
        "The history again: both releases are out, and packaging waits for its promotion to a channel.",
        captain,
        HISTORY,
    )
    yield Scene("Once more? There is nothing to do.", captain, "release --yes")


def play(number: int, scene: Scene) -> int:
    """Runs one scene with its words going straight through; the exit code."""
    if scene.before:
        scene.before()
    _say(f"\n[{number}] {scene.told}\n({scene.clone.name}) $ invoke {scene.command}")
    command = [sys.executable, "-m", "invoke", *scene.command.split(" ")]
    code = subprocess.run(command, cwd=scene.clone, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode
    _say(f"(exit {code})")
    return code


def clone(upstream: Path, folder: Path, name: str) -> Path:
    """A captain's clone, with an identity of its own: nothing is asked of the machine's git configuration."""
    git("clone", "--quiet", "--branch", BRANCH, "--", upstream, folder)
    git("-C", folder, "config", "user.name", name)
    git("-C", folder, "config", "user.email", f"{folder.name}@rke2.example")
    return folder


def refuse(hook: Path) -> None:
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK, encoding="utf-8")
    hook.chmod(0o755)


def _say(text: str) -> None:
    print(text, flush=True)
