"""The crash law: a client killed at any moment is made good by running the same command again.

The client is a real process, killed with SIGKILL by what lies in `harness/`: a `git` on PATH that kills it before or
after the n-th git command that writes, and a `sitecustomize` that kills it at its n-th change of the disk. Half of the
reruns are made in a fresh clone, a day later. The world must end as that of a release that nobody disturbed.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.world import CONFIG, Answer, World, made

pytestmark = pytest.mark.slow

HARNESS = Path(__file__).parent / "harness"
KILLED = -9
SHARDS = 2
# In the smaller world of a tag one thing happens at a time: after the n-th is before the next.
AROUND = [("command", "before"), ("command", "after"), ("laptop", "after"), ("job", "after")]
BOUND = 400
COMMAND = CONFIG.replace("{output}", "../out")
TAG = """\
[project]
name = "demo"

[commit]
mode = "push"

[changelog]
file = "CHANGELOG.md"

[release]
output = "../out"
start = "tag"

[[artifact]]
name = "app.txt"
run = ["sh", "-c", "printf '%s' \\"$SLUICE_VERSION\\" > \\"$SLUICE_OUTPUT/app.txt\\""]

[[downstream]]
name = "first"
repository = "../first.git"
"""


@dataclass(frozen=True)
class Death:
    """Where a client dies: at the n-th `what`, `git` or `disk`; `when` is before or after it, for git."""

    what: str
    n: int
    when: str = "before"

    def settings(self, world: World) -> dict[str, str]:
        """The environment of a client that dies there, and with n = 0 of one that does not."""
        count = world.folder / "count"
        count.mkdir()
        git = shutil.which("git", path=world.environment["PATH"])
        assert git is not None
        settings = {"TMPDIR": str(world.folder / "tmp"), "LAW_COUNT": str(count)}
        if self.what == "git":
            path = f"{HARNESS / 'bin'}:{world.environment['PATH']}"
            return {**settings, "PATH": path, "LAW_REAL_GIT": git, "LAW_WHEN": self.when, "LAW_GIT": str(self.n)}
        path = f"{HARNESS / 'python'}:{world.environment['PYTHONPATH']}"
        return {**settings, "PYTHONPATH": path, "LAW_ROOT": str(world.folder), "LAW_DISK": str(self.n)}

    def moment(self, world: World) -> str:
        """What the client was about to do, or had just done."""
        place = world.folder / "count" / str(self.n)
        told = place.read_text().strip() if place.exists() else "nothing"
        return re.sub(r"^--git-dir \S+ |--work-tree \S+ |-c \S+ ", "", told)


def later(world: World) -> dict[str, str]:
    """The environment of a client that runs a day later."""
    path = f"{HARNESS / 'python'}:{world.environment['PYTHONPATH']}"
    return {"PYTHONPATH": path, "LAW_DAYS": "1"}


def captain(world: World, name: str) -> Path:
    """A clone; its captain is always the same person."""
    clone = world.clone(name)
    world.git(clone, "config", "user.name", "Captain")
    world.git(clone, "config", "user.email", "captain@example.org")
    return clone


def by_command(world: World, clone: Path, env: dict[str, str]) -> Answer:
    """A captain releases."""
    return world.invoke(clone, "release", "--yes", env=env)


def by_tag(world: World, clone: Path, env: dict[str, str]) -> Answer:
    """The workflow of the tag goes on with it."""
    return world.invoke(clone, "release", "--yes", env={**env, "GITHUB_REF": "refs/tags/v0.1.0"})


WORKFLOW = """\
#!/bin/sh
while read -r old new ref; do
    case $ref in refs/tags/*) ;; *) continue ;; esac
    unset GIT_DIR GIT_QUARANTINE_PATH LAW_GIT LAW_DISK
    cd ../../ && git clone --quiet "$OLDPWD" job && cd job || exit 1
    git remote set-url origin "file://$OLDPWD/remotes/upstream.git"
    git config user.name Captain && git config user.email captain@example.org
    GITHUB_REF=$ref {python} -m invoke release --yes >../job.log 2>&1 || echo "the job failed" >>../job.log
done
"""


@dataclass(frozen=True)
class Story:
    """How a release is made in a world, and what comes of it when nobody disturbs. It is always told at the same place."""

    seed: Path
    stage: World
    run: Callable[[World, Path, dict[str, str]], Answer]
    undisturbed: dict[str, Any] = field(default_factory=dict)

    def told(self, world: World, clone: Path, env: dict[str, str]) -> Answer:
        """Release."""
        return self.run(world, clone, {"TMPDIR": str(world.folder / "tmp"), **env})

    def world(self) -> World:
        """The world just before the release."""
        shutil.rmtree(self.stage.folder, ignore_errors=True)
        shutil.copytree(self.seed, self.stage.folder / "remotes", symlinks=True)
        for name in ("home", "tmp"):
            (self.stage.folder / name).mkdir()
        return self.stage


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Story]:
    """Each story is told once, when it is first asked for."""
    told: dict[str, Story] = {}

    def tell(name: str) -> Story:
        if name not in told:
            folder = tmp_path_factory.mktemp(name)
            stage = made(folder / "stage", COMMAND if name == "command" else TAG)
            if name == "laptop":
                workflow(stage)
            if name == "job":
                landed(stage)
            story = Story(folder / "seed", stage, by_tag if name == "job" else by_command)
            (stage.folder / "remotes").rename(story.seed)
            world = story.world()
            clone = captain(world, "captain")
            answer = story.told(world, clone, {})
            assert answer.code == 0, answer
            story.undisturbed.update(outcome(world, clone))
            told[name] = story
        return told[name]

    return tell


def workflow(world: World) -> None:
    """Give the upstream a forge's way: whoever pushes a tag has started that tag's job; here it ends before the push does."""
    world.refuse("upstream", WORKFLOW.replace("{python}", sys.executable), hook="post-receive")


def landed(world: World) -> None:
    """A laptop pushed the tag and was closed; the job has not begun."""
    clone = captain(world, "laptop")
    hook = world.refuse("upstream", '#!/bin/sh\ngrep -q refs/tags/ && kill -9 "$LAPTOP"\nexit 0\n', "post-receive")
    (world.folder / "tmp").mkdir()
    env = {"TMPDIR": str(world.folder / "tmp")}
    done = world.shell(clone, 'LAPTOP=$$ exec "$PYTHON" -m invoke release --yes', env)
    hook.unlink()
    assert done.code == KILLED, done
    assert "refs/tags/v0.1.0" in world.refs()
    shutil.rmtree(clone)


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize(("name", "when"), AROUND)
def test_a_client_killed_around_any_git_command_that_writes_is_made_good_by_the_next_run(
    stories: Callable[[str], Story], name: str, when: str, shard: int
) -> None:
    story = stories(name)
    assert endured(story, lambda n: Death("git", n, when), shard, SHARDS)


@pytest.mark.parametrize("shard", range(SHARDS * 2))
def test_a_client_killed_at_any_change_of_the_disk_is_made_good_by_the_next_run(
    stories: Callable[[str], Story], shard: int
) -> None:
    story = stories("command")
    assert endured(story, lambda n: Death("disk", n), shard, SHARDS * 2)


def endured(story: Story, death: Callable[[int], Death], shard: int, shards: int) -> list[int]:
    """Die at every n of this shard until there is no n-th; returns those at which the client died."""
    died: list[int] = []
    problems: list[str] = []
    for n in range(shard + 1, BOUND, shards):
        fatal = death(n)
        world = story.world()
        killed, wrong = survived(story, world, fatal)
        if wrong:
            problems.append(f"{fatal} {fatal.moment(world)}: {wrong}")
        if not killed:
            assert not problems, "\n\n".join(problems)
            return died
        died.append(n)
    raise AssertionError(f"still dying at {BOUND}")


def survived(story: Story, world: World, death: Death) -> tuple[bool, str]:
    """Whether the client was killed there, and what is wrong after the next run."""
    clone = captain(world, "captain")
    first = story.told(world, clone, death.settings(world))
    if first.code == 0:  # there is no n-th
        return False, different(story.undisturbed, outcome(world, clone))
    assert first.code == KILLED, (death, first)
    seen = versions(world)
    elsewhere = (death.n + (death.when == "after")) % 2 == 0
    if elsewhere:
        clone = captain(world, "elsewhere")
    again = story.told(world, clone, later(world) if elsewhere else {})
    if again.code != 0:
        return True, f"the next run ended with {again.code}: {again.out}{again.err}"
    now = versions(world)
    moved = {name: (commit, now.get(name)) for name, commit in seen.items() if now.get(name) != commit}
    return True, f"tags moved: {moved}" if moved else different(story.undisturbed, outcome(world, clone))


def versions(world: World) -> dict[tuple[str, str], str]:
    """Every tag of every remote."""
    refs = world.every_ref()
    return {(where, name): commit for where in refs for name, commit in refs[where].items() if "/tags/" in name}


def different(wanted: Any, found: Any, where: str = "") -> str:
    """Where two outcomes differ, "" if they do not."""
    if wanted == found:
        return ""
    if isinstance(wanted, dict) and isinstance(found, dict):
        parts = (
            different(wanted.get(key), found.get(key), f"{where}.{key}") for key in sorted({*wanted, *found}, key=str)
        )
        return "\n".join(part for part in parts if part)
    return f"{where} is {found!r}, and was {wanted!r} when nobody disturbed"


def outcome(world: World, clone: Path) -> dict[str, Any]:
    """What came of a release: all that others see, and the captain's checkout. Days and the ids that depend on them are words."""
    refs = world.every_ref()
    commit = refs["upstream.git"]["refs/tags/v0.1.0"]
    date, seconds = world.git(world.remote(), "log", "-1", "--format=%aI %at", commit).split()

    def plain(text: str) -> str:
        text = text.replace(commit, "COMMIT").replace(commit[:10], "COMMIT").replace(date[:10], "DAY")
        return re.sub(r"/[a-z]+/\.\./out/", "/out/", text)

    form = "--format=%(refname) %(objecttype) %(contents)%(taggername)%(taggeremail)"
    found: dict[str, Any] = {}
    for where in sorted(refs):
        remote = world.folder / "remotes" / where
        found[where] = {
            "refs": {name: plain(at) for name, at in refs[where].items() if not name.startswith("refs/sluice/")},
            "records": sorted(name for name in refs[where] if name.startswith("refs/sluice/")),
            "tags": plain(world.git(remote, "for-each-ref", form, "refs/tags")),
            "dates": {
                line == seconds
                for line in world.git(remote, "for-each-ref", "--format=%(taggerdate:unix)", "refs/tags").splitlines()
                if line
            },
        }
    upstream = world.remote()
    tree = world.git(upstream, "ls-tree", "-r", "main").splitlines()
    found["tree"] = [line for line in tree if not line.endswith("CHANGELOG.md")]
    found["changelog"] = plain(world.git(upstream, "show", "main:CHANGELOG.md"))
    found["history"] = world.git(upstream, "log", "--format=%an %ae %cn %ce%n%B", "main")
    found["record"] = record(world, plain)
    found["output"] = {
        str(path.relative_to(world.output)): plain(path.read_text())
        for path in sorted(world.output.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    found["checkout"] = {
        "head": plain(world.git(clone, "rev-parse", "HEAD")),
        "tag": plain(world.git(clone, "rev-parse", "--verify", "--quiet", "refs/tags/v0.1.0^{commit}", check=False)),
        "status": world.git(clone, "status", "--porcelain"),
    }
    return found


def record(world: World, plain: Callable[[str], str]) -> dict[str, Any]:
    """The record as it ended: how, with which evidence, and that it was begun and finished once."""
    upstream, ref = world.remote(), "refs/sluice/0.1"
    state = msgspec.json.decode(world.git(upstream, "show", f"{ref}:state.json"))
    evidence = msgspec.json.decode(plain(world.git(upstream, "show", f"{ref}:evidence.json")))
    for chosen in ("sha256", "node"):  # the manifest's, which holds the commit; a random name of the clone
        (evidence.get("output") or {}).pop(chosen, None)
    told = world.git(upstream, "log", "--first-parent", "--format=%s", ref).splitlines()
    words = sorted(line for line in told if line.startswith(("begun", "finished", "abandoned")))
    return {"outcome": state["outcome"], "commit": plain(state["commit"]), "evidence": evidence, "words": words}
