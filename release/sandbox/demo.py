"""The demonstration: RKE2's fleet on a forge in a folder, with a registry and an index beside it, and captains who type what one types.

Every command is the real one, run as a process of its own, and its exit code is compared with the expected one. The
forge's workflows really run: they fetch what the upstream made, check it, and make of it what they are for.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

from release.sandbox import history
from release.sandbox.fleet import RKE2, environment, git, seed
from release.sandbox.forge import Fault, Sandbox, issues
from release.sandbox.index import PackageIndex
from release.sandbox.places import VARIABLE, places
from release.sandbox.registry import SandboxRegistry

BRANCH = "release-1.30"
OWNER = "rancher"
HISTORY = "fleet.status --since 2024-01-01"
CANDIDATE = "release --candidate --yes"
LINES = "release.plan --line 1.29 --line 1.30 --candidate"
REVISION = "v1.30.3+rke2r2"
HOUR, THURSDAY = 3600.0, 3
INDEX_TOKEN = f"pypi-{token_urlsafe(32)}"


@dataclass(frozen=True)
class Scene:
    """What is told, what happens to the world before, and what is typed where; `expected` is its exit code."""

    told: str
    clone: Path
    command: str
    expected: int = 0
    before: Callable[[], object] | None = None
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


def run(folder: Path | None = None) -> int:
    """Plays every scene in `folder` (a new temporary one without) and leaves it there: 0, or 1 at the first surprise."""
    stage = (folder or Path(tempfile.mkdtemp(prefix="sluice-demo-"))).absolute()
    if stage.exists() and any(stage.iterdir()):
        _say(f"{stage} is not empty; name a new folder")
        return 1
    with (
        SandboxRegistry(stage / "registry") as registry,
        PackageIndex(stage / "index", users={"__token__": INDEX_TOKEN}) as index,
        Sandbox(stage / "forge") as forge,
    ):
        forge.machine[VARIABLE] = places(registry, index)
        found(forge, registry, stage)
        _say(f"Four repositories with the real tags of the RKE2 fleet, on a forge of their own: {forge.url}")
        for number, scene in enumerate(scenes(stage, forge), start=1):
            code = play(number, scene)
            if code != scene.expected:
                _say(f"\nSurprise in step {number} (invoke {scene.command}): exit {code}, expected {scene.expected}.")
                _say(f"Look at it in {stage}.")
                return 1
        forge.idle()
    _say(f"\nAs told. Everything is still there to look at: {stage}")
    return 0


def found(forge: Sandbox, registry: SandboxRegistry, stage: Path) -> None:
    """Found the fleet: repositories with their history, what came of that, and the secrets that the upstream's workflow needs."""
    made = {}
    for name, remote in seed(RKE2, stage / "seed").remotes.items():
        branch = git("-C", remote, "symbolic-ref", "--short", "HEAD").strip()
        made[name] = forge.repository(
            f"{OWNER}/{name}", branch, immutable_releases=name == "rke2", push=("captain", "robot"), source=remote
        )
    history.tell(forge, registry, RKE2, made)
    forge.secret(f"{OWNER}/rke2", "RELEASE_TOKEN", forge.token("robot"))
    forge.secret(f"{OWNER}/rke2", "INDEX_TOKEN", INDEX_TOKEN)
    forge.secret(f"{OWNER}/rke2", "SIGNING_KEY", signing_key())


def signing_key() -> str:
    """The private half (PEM) of release.pub in the example. It is the same every time, and secret to nobody."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    known = sha256(b"the key of the demonstration, which keeps nothing secret").digest()
    key = Ed25519PrivateKey.from_private_bytes(known)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def scenes(stage: Path, forge: Sandbox) -> Iterator[Scene]:
    captain = clone(forge, stage / "captain", "Captain")
    night = clone(forge, stage / "night-shift", "Night Shift")
    token = forge.token("captain")
    settings = {"GITHUB_API_URL": forge.api_url, "GITHUB_SERVER_URL": forge.url, "SLUICE_GITHUB_TOKEN": token}
    settings |= forge.machine  # where the registry and the index are

    def scene(
        told: str, clone: Path, command: str, expected: int = 0, before: Callable[[], object] | None = None
    ) -> Scene:
        return Scene(told, clone, command, expected, before, settings)

    yield scene("The history, with its real holes.", captain, HISTORY)
    yield scene("Who is released, and in which order?", captain, "fleet.plan")
    yield scene("What would the next candidates of two lines be? Looking only.", captain, LINES)
    yield scene(
        "The captain pushes the tag and follows; its workflow runs `invoke release`, builds, publishes, and releases the"
        " downstreams. But while rke2-upgrade fetches rke2's binary, the forge answers 503, once.",
        captain,
        CANDIDATE,
        expected=1,
        before=lambda: forge.faults(Fault("GET", f"/{OWNER}/rke2/releases/download/*", status=503)),
    )
    yield scene("What is out, and what is not?", captain, "release.status")
    yield scene(
        "The night shift takes over in a clone of its own, with the same command: what failed runs again. Then the"
        " installer's workflow is dispatched; that is answered with 204, and nothing starts.",
        night,
        CANDIDATE,
        expected=1,
        before=lambda: forge.runner(f"{OWNER}/system-agent-installer-rke2", skip=1),
    )
    yield scene("Once more the same command: it is sent again, and this time it comes out.", night, CANDIDATE)
    yield scene(
        "It is for those who test: packages are released for them, then what they follow is moved.",
        captain,
        "channel.promote --to testing --yes",
    )
    yield scene("The candidate is good: the final is its very commit.", captain, "release --yes")
    yield scene("Is it all really out there, byte by byte?", captain, "release.verify")
    yield scene("Then it may go to latest.", captain, "channel.promote --to latest --yes")
    yield scene(
        "And to stable? Not before it has been in latest for a day.",
        captain,
        "channel.promote --to stable --yes",
        expected=4,
    )
    yield scene(
        "A working day later a schedule asks what is ripe.",
        captain,
        "channel.promote --auto --yes",
        before=lambda: forge.later(to_a_working_day(forge.clock())),
    )
    yield scene("The history again: both releases are out, with their packages.", captain, HISTORY)
    yield scene("Once more? There is nothing to do.", captain, "release --yes")
    yield scene(
        "A fix comes in, and a revision goes out: its candidate,",
        captain,
        "release --revision --candidate --yes",
        before=lambda: fixed(forge, captain),
    )
    yield scene("and its final.", captain, "release --yes")
    yield scene("It goes to latest.", captain, "channel.promote --to latest --yes")
    yield scene(
        "But it does not do well: somebody opens an issue. The schedule finds that, and holds the channel.",
        captain,
        "channel.promote --auto --yes",
        expected=3,
        before=lambda: regressed(forge),
    )
    yield scene("Nothing enters latest now, and stable is as it was.", captain, "channel.list")
    yield scene(
        "How did it all come about? What people did by hand is in there, with the rules that it broke.",
        captain,
        "channel.history",
    )


def to_a_working_day(now: float) -> float:
    """Seconds until a moment that is more than a day away, and neither on a Friday nor on a weekend (UTC)."""
    seconds = 25 * HOUR
    while datetime.fromtimestamp(now + seconds, UTC).weekday() > THURSDAY:
        seconds += HOUR
    return seconds


def fixed(forge: Sandbox, captain: Path) -> None:
    """A commit that a revision is for."""
    upstream = forge.git(f"{OWNER}/rke2").path
    git("-C", captain, "pull", "--quiet", "--ff-only", upstream, BRANCH)
    with (captain / "docs" / "etcd.md").open("a", encoding="utf-8") as file:
        file.write("\nA snapshot is never taken twice.\n")
    git("-C", captain, "commit", "--quiet", "--all", "--message", "fix: a snapshot is never taken twice")
    git("-C", captain, "push", "--quiet", upstream, BRANCH)


def regressed(forge: Sandbox) -> None:
    """An issue about the newest release."""
    upstream = forge.find(f"{OWNER}/rke2")
    issues.opened(forge, upstream, "Agents lose their node IP", f"regression/{REVISION}", "captain")


def play(number: int, scene: Scene) -> int:
    """Runs one scene with its words going straight through; the exit code."""
    if scene.before:
        scene.before()
    _say(f"\n[{number}] {scene.told}\n({scene.clone.name}) $ invoke {scene.command}")
    command = [sys.executable, "-m", "invoke", *scene.command.split(" ")]
    settings = {**environment(), **scene.settings}
    code = subprocess.run(command, cwd=scene.clone, env=settings, stdin=subprocess.DEVNULL, check=False).returncode
    _say(f"(exit {code})")
    return code


def clone(forge: Sandbox, folder: Path, name: str) -> Path:
    """A captain's clone, with an identity of its own: nothing is asked of the machine's git configuration."""
    git("clone", "--quiet", "--branch", BRANCH, "--", f"{forge.url}/{OWNER}/rke2.git", folder)
    git("-C", folder, "config", "user.name", name)
    git("-C", folder, "config", "user.email", f"{folder.name}@rke2.example")
    return folder


def _say(text: str) -> None:
    print(text, flush=True)
