"""Releases on a forge that a law disturbs: told once in peace, and then in a copy of the world just before."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from release.sandbox.forge import Fault, Sandbox
from tests.forge import Client, serving
from tests.forged import CAPTAIN, ON, TAG_OF, Fleet, empty, seed
from tests.laws.harness.clients import Clients
from tests.world import TASKS, Answer

VERSION, TAG, LINE = "0.1.0", "v0.1.0", "0.1"
REVIEWER = "boss"
HOME = """\
[project]
name = "app"
repository = "acme/app"
forge = "github"

[commit]
mode = "push"

[changelog]
file = "CHANGELOG.md"

[release]
deadline = "30s"
"""
CHECKS = """
[[gate]]
name = "ci"
kind = "checks"
deadline = "5s"
"""
APPROVAL = """
[[gate]]
name = "qa"
kind = "approval"
deadline = "1s"
"""
ARTIFACT = """
[[artifact]]
name = "app.txt"
run = ["sh", "-c", "printf '%s' \\"$SLUICE_VERSION\\" > \\"$SLUICE_OUTPUT/app.txt\\""]
"""
DOWNSTREAM = """
[[downstream]]
name = "{name}"
repository = "acme/{name}"
trigger = "{trigger}"
workflow = "release.yml"
deadline = "40s"
starts_within = "2s"
"""
FLEET = {"first": "release", "second": "workflow_dispatch", "third": "repository_dispatch", "fourth": "tag"}
# A release of its own, as a small component makes it; who was released from outside has one already.
WORKFLOW = """\
name: release
run-name: release {tag}
on:
{on}
permissions:
  contents: write
jobs:
  publish:
    runs-on: ubuntu-24.04
    steps:
      - run: '{run}'
        env:
          TAG: {tag}
          TOKEN: ${{{{ github.token }}}}
          MAKE: |
            import http.client, json, os
            api, path = os.environ["GITHUB_API_URL"].removeprefix("http://").split("/", 1)
            there = http.client.HTTPConnection(api, timeout=30)
            body = json.dumps({{"tag_name": os.environ["TAG"], "make_latest": "false"}})
            headers = {{"Authorization": "Bearer " + os.environ["TOKEN"], "User-Agent": "make", "Content-Type": "application/json"}}
            there.request("POST", f"/{{path}}/repos/{{os.environ['GITHUB_REPOSITORY']}}/releases", body, headers)
            assert there.getresponse().status == 201
"""
# What runs for a tag of the upstream, and goes well the second time.
FAILS_ONCE = """\
name: release
on:
  push:
    tags: ['v*']
jobs:
  release:
    runs-on: ubuntu-24.04
    steps:
      - run: test "$GITHUB_RUN_ATTEMPT" -gt 1
"""
MAKES = 'python -I -S -c "$MAKE"'
UNSETTLED = ("id", "at", "node", "attempt")  # of a proof: what the forge or chance chose


@dataclass(frozen=True)
class Plot:
    """What a story is about: the upstream's release.toml, and how each downstream is set going."""

    config: str
    downstreams: dict[str, str] = field(default_factory=dict)
    checked: bool = False
    approved: bool = False
    workflow: str = ""


def downstreams(**more: str) -> str:
    """The tables of the fleet, each with further keys."""
    tables = (DOWNSTREAM.replace("{name}", name).replace("{trigger}", how) for name, how in FLEET.items())
    return "".join(f"{table}{more.get(name, '')}\n" for name, table in zip(FLEET, tables, strict=True))


PLOTS = {
    "home": Plot(HOME + CHECKS + ARTIFACT, checked=True),
    "approval": Plot(HOME + APPROVAL, approved=True),
    "fleet": Plot(HOME + downstreams(), FLEET),
    "whole": Plot(HOME + CHECKS + ARTIFACT + downstreams(), FLEET, checked=True),
    "tagged": Plot(HOME + 'start = "tag"\n', workflow=FAILS_ONCE),
}


@dataclass
class Stage:
    """One copy of the world, served."""

    fleet: Fleet
    clients: Clients
    plot: Plot

    @property
    def forge(self) -> Sandbox:
        return self.fleet.forge

    @property
    def folder(self) -> Path:
        return self.fleet.world.folder

    def captain(self, name: str) -> Path:
        """A clone; its captain is always the same person."""
        clone = self.fleet.clone(name)
        self.fleet.world.git(clone, "config", "user.name", "Captain")
        self.fleet.world.git(clone, "config", "user.email", "captain@example.org")
        return clone

    def release(self, clone: Path, *words: str) -> Answer:
        """Release; who is asked for approval gives it once the command has ended, and then it is typed again."""
        answer = self.clients.invoke(clone, "release", "--yes", *words)
        if self.plot.approved and answer.code == 4 and self.approved():
            return self.clients.invoke(clone, "release", "--yes", *words)
        return answer

    def approved(self) -> bool:
        """Whether the reviewer was asked, and not before; his word on all that he was asked."""
        repo = self.forge.find("acme/app")["id"]
        asked = self.forge.store.all("deployment", repo)
        said = {one["deployment"] for one in self.forge.store.all("deployment_status", repo)}
        client = Client(self.forge, self.forge.token(REVIEWER))
        new = [one["id"] for one in asked if one["id"] not in said]
        for number in new:
            client.post(f"/repos/acme/app/deployments/{number}/statuses", state="success")
        client.close()
        return bool(new)

    def fired(self) -> bool:
        """Whether the fault's turn came."""
        return any(one["nth"] and one["seen"] >= one["nth"] for one in self.forge.store.all("fault"))


@dataclass(frozen=True)
class Story:
    """`folder` keeps the world as it was just before, in `seed`; `undisturbed` is what came of it in peace."""

    plot: Plot
    folder: Path
    token: str
    undisturbed: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def staged(self, name: str) -> Iterator[Stage]:
        """The world just before the release, in a folder that is gone afterwards."""
        folder = self.folder / name
        world = empty(folder)
        (folder / "tmp").mkdir()
        (folder / "said").mkdir()
        shutil.copytree(self.folder / "seed", folder / "forge", symlinks=True)
        with serving(folder / "forge") as forge:
            fleet = Fleet(world, forge, self.token)
            environment = {**world.environment, **fleet.settings, "TMPDIR": str(folder / "tmp")}
            yield Stage(fleet, Clients(folder / "said", environment), self.plot)
            forge.idle(60)
        shutil.rmtree(folder)

    def counted(self, faults: dict[str, Fault]) -> None:
        """Release in peace: what came of it, and how many calls of each kind there were."""
        with self.staged("peace") as stage:
            stage.forge.faults(*faults.values())
            clone = stage.captain("captain")
            answer = stage.release(clone)
            assert answer.code == 0, answer
            self.calls.update(zip(faults, (one["seen"] for one in stage.forge.store.all("fault")), strict=True))
            stage.forge.idle(60)
            self.undisturbed.update(outcome(stage, clone))


def told(plot: str, folder: Path, faults: dict[str, Fault]) -> Story:
    """A story that was told in peace; `faults` say by name which calls are to be counted."""
    story = seeded(plot, folder)
    story.counted(faults)
    return story


def seeded(plot: str, folder: Path) -> Story:
    """A story that is about to begin."""
    made = PLOTS[plot]
    world = empty(folder / "seeding")
    with serving(folder / "seed") as forge:
        files = {"release.toml": made.config, "tasks.py": TASKS, "app.txt": "app\n"}
        if made.workflow:
            files[".github/workflows/release.yml"] = made.workflow
        seed(world, forge, "app", files)
        for name, trigger in made.downstreams.items():
            run = "true" if trigger == "release" else MAKES
            text = WORKFLOW.format(on=ON[trigger], tag=TAG_OF, run=run)
            seed(world, forge, name, {".github/workflows/release.yml": text})
        token = forge.token(CAPTAIN)
        if made.checked:
            head = world.git(forge.git("acme/app").path, "rev-parse", "main")
            client = Client(forge, token)
            client.post(f"/repos/acme/app/statuses/{head}", state="success", context="ci/build")
            client.close()
        if made.approved:
            forge.environment("acme/app", "qa", reviewers=(REVIEWER,))
            forge.repository("acme/app", "main", push=(CAPTAIN, REVIEWER))
    return Story(made, folder, token)


def different(wanted: Any, found: Any, where: str = "") -> str:
    """Where two outcomes differ, "" if they do not."""
    if wanted == found:
        return ""
    if isinstance(wanted, dict) and isinstance(found, dict):
        keys = sorted({*wanted, *found}, key=str)
        parts = (different(wanted.get(key), found.get(key), f"{where}.{key}") for key in keys)
        return "\n".join(part for part in parts if part)
    return f"{where} is {found!r}, and was {wanted!r} when nobody disturbed"


def tag_objects(stage: Stage) -> dict[str, str]:
    """Every tag of every repository, unpeeled."""
    form = "--format=%(refname) %(objectname)"
    found = {}
    for name in ("app", *stage.plot.downstreams):
        lines = stage.fleet.world.git(stage.fleet.git_of(name), "for-each-ref", form, "refs/tags").splitlines()
        found.update({f"{name} {ref}": at for ref, at in (line.split(" ") for line in lines)})
    return found


def outcome(stage: Stage, clone: Path) -> dict[str, Any]:
    """What came of a release: all that others see, and the captain's checkout. Days, and ids that depend on them, are words."""
    world, upstream = stage.fleet.world, stage.fleet.git_of("app")
    commit = stage.fleet.refs("app")[f"refs/tags/{TAG}"]
    day = world.git(upstream, "log", "-1", "--format=%aI", commit)[:10]

    def plain(text: str) -> str:
        return text.replace(commit, "COMMIT").replace(commit[:10], "COMMIT").replace(day, "DAY")

    found: dict[str, Any] = {name: repository(stage, name, plain) for name in ("app", *stage.plot.downstreams)}
    found["changelog"] = plain(world.git(upstream, "show", "main:CHANGELOG.md"))
    found["history"] = world.git(upstream, "log", "--format=%an %ae %cn %ce%n%B", "main")
    found["record"] = record(stage, plain)
    found["checkout"] = {
        "head": plain(world.git(clone, "rev-parse", "HEAD")),
        "tag": plain(world.git(clone, "rev-parse", "--verify", "--quiet", f"refs/tags/{TAG}^{{commit}}", check=False)),
        "status": world.git(clone, "status", "--porcelain"),
    }
    return found


def repository(stage: Stage, name: str, plain: Callable[[str], str]) -> dict[str, Any]:
    """One repository: refs, tags' texts, releases with every byte, runs, and what was asked of its environments."""
    repo = stage.forge.find(f"acme/{name}")["id"]
    refs = stage.fleet.refs(name)
    form = "--format=%(refname) %(objecttype) %(contents)%(taggername)%(taggeremail)"
    return {
        "refs": {ref: plain(at) for ref, at in refs.items() if not ref.startswith("refs/sluice/")},
        "records": sorted(ref for ref in refs if ref.startswith("refs/sluice/")),
        "tags": plain(stage.fleet.world.git(stage.fleet.git_of(name), "for-each-ref", form, "refs/tags")),
        "releases": [shown(stage, one, plain) for one in stage.fleet.releases(name)],
        "runs": sorted((one["event"], one["branch"], one["conclusion"]) for one in stage.forge.runs(f"acme/{name}")),
        "asked": [
            (one["sha"], one["task"], one["environment"], one["creator"])
            for one in stage.forge.store.all("deployment", repo)
        ],
    }


def unsettled(name: str) -> Collection[str]:
    """What may differ of a proof; that a dispatch is sent says only who lived to say so."""
    return {*UNSETTLED, "tag"} if name.startswith("dispatch ") else UNSETTLED


def shown(stage: Stage, release: dict[str, Any], plain: Callable[[str], str]) -> dict[str, Any]:
    """A release as everybody sees it, with the bytes of its files."""
    kept = ("tag_name", "name", "draft", "prerelease", "make_latest", "author")
    assets = {}
    for one in release["assets"]:
        content = (stage.folder / "forge" / "assets" / one["file"]).read_bytes()
        assert one["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assets[one["name"]] = (one["state"], plain(content.decode()))
    texts = {"body": plain(release["body"] or ""), "target": plain(release["target_commitish"])}
    return {
        **{key: release[key] for key in kept},
        **texts,
        "assets": dict(sorted(assets.items())),
        "files": len(release["assets"]),
    }


def record(stage: Stage, plain: Callable[[str], str]) -> dict[str, Any]:
    """The record as it ended: how, with which evidence, and that it was begun and finished once."""
    git, upstream, ref = stage.fleet.world.git, stage.fleet.git_of("app"), f"refs/sluice/{LINE}"
    state = msgspec.json.decode(git(upstream, "show", f"{ref}:state.json"))
    evidence = json.loads(plain(git(upstream, "show", f"{ref}:evidence.json")))
    words = git(upstream, "log", "--first-parent", "--reverse", "--format=%s", ref).splitlines()
    return {
        "outcome": state["outcome"],
        "commit": plain(state["commit"]),
        "evidence": {
            name: {key: value for key, value in proof.items() if key not in unsettled(name)}
            for name, proof in evidence.items()
        },
        "words": [word for word in words if re.match("begun|finished|abandoned", word)],
    }
