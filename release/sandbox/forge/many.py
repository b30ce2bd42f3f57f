"""Makes a forge with a thousand repositories in seconds: each has the same history, as hard links to one pack.

    many(forge, 1000, releases=50, push=["captain"])

makes `acme/component-0001` to `acme/component-1000`. Each has on its branch one commit for every release, `v1.1.0` to
`v1.50.0`, a published release for each of these tags with two assets that have digests, and a green run of its workflow.
It is what a forge would hold after all of that had happened; nothing of it did, so no event was told and no request counted.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from release.sandbox.forge.git import Git
from release.sandbox.forge.past import AUTHOR, file_for, published
from release.sandbox.forge.world import World
from release.sandbox.serving.store import Json

WORKFLOW = """\
name: release
on:
  release:
    types: [published]
jobs:
  publish:
    runs-on: ubuntu-24.04
    steps:
      - run: "true"
"""
PATH = ".github/workflows/release.yml"
ARCHES = ("amd64", "arm64")
WEEK = 7 * 86_400  # seconds from one release to the next; the newest is a day old
DAY = 86_400


@dataclass(frozen=True)
class _Release:
    """One release that every repository has: its tag, commit and moment, ISO 8601."""

    tag: str
    commit: str
    at: str


def many(
    world: World,
    count: int,
    releases: int = 0,
    *,
    owner: str = "acme",
    prefix: str = "component",
    tag: str = "v1.{}.0",
    branch: str = "master",
    push: Sequence[str] = (),
    workflow: str = WORKFLOW,
) -> tuple[str, ...]:
    """Make `count` repositories `owner/prefix-0001` with so many releases each; their full names.

    `tag` takes the number of a release, from 1. The assets of component-0001 are `component-0001-amd64.txt` and
    `component-0001-arm64.txt`. `workflow` is the file `release.yml` of each; with "" there is none, and there are no runs.
    `push` are the logins that may write. May be called while the forge is served.
    """
    names = tuple(f"{prefix}-{number:04}" for number in range(1, count + 1))
    pattern = Git(world.folder / "many" / f"{owner}-{prefix}.git")
    shutil.rmtree(pattern.path, ignore_errors=True)
    pattern.create(branch)
    tags = [tag.format(number) for number in range(1, releases + 1)]
    first = int(world.clock()) - DAY - WEEK * releases
    stream = b"".join(_history(branch, tags, first, workflow))
    pattern.run("fast-import", "--quiet", stdin=stream)
    pattern.run("repack", "-a", "-d", "-q")
    pattern.run("pack-refs", "--all")
    commits = {ref.name: ref.commit for ref in pattern.refs("refs/tags/")}
    out = [
        _Release(one, commits[f"refs/tags/{one}"], _moment(first + WEEK * number)) for number, one in enumerate(tags, 1)
    ]
    files = {arch: file_for(world, f"made for {arch}\n".encode()) for arch in ARCHES}
    world.user(AUTHOR, "Bot")
    with world.store.transaction():
        for name in names:
            _link(pattern.path, world.git(f"{owner}/{name}").path)
            repository = world.repository(f"{owner}/{name}", branch, push=push)
            _fill(world, repository, out, files, bool(workflow))
    return tuple(f"{owner}/{name}" for name in names)


def _history(branch: str, tags: Sequence[str], first: int, workflow: str) -> Iterator[bytes]:
    """What `git fast-import` reads: a first commit, then one for each tag."""
    for number, tag in enumerate(("", *tags)):
        said = f"release {tag}\n".encode() if tag else b"begin\n"
        yield f"commit refs/heads/{branch}\nmark :{number + 1}\n".encode()
        yield f"committer Fleet <fleet@example.org> {first + WEEK * number} +0000\n".encode()
        yield _data(said)
        yield b"M 100644 inline VERSION\n" + _data(f"{tag}\n".encode())
        if not number and workflow:
            yield f"M 100644 inline {PATH}\n".encode() + _data(workflow.encode())
        if tag:
            yield f"reset refs/tags/{tag}\nfrom :{number + 1}\n\n".encode()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _link(pattern: Path, made: Path) -> None:
    """A repository of its own that shares the bytes of the pack, which git never writes to."""
    (made / "objects" / "pack").mkdir(parents=True)
    (made / "objects" / "info").mkdir()
    (made / "refs").mkdir()
    for pack in (pattern / "objects" / "pack").iterdir():
        os.link(pack, made / "objects" / "pack" / pack.name)
    for name in ("HEAD", "config", "packed-refs"):
        shutil.copyfile(pattern / name, made / name)


def _fill(world: World, repository: Json, out: Sequence[_Release], files: Json, runs: bool) -> None:
    store, repo = world.store, repository["id"]
    workflow = 0
    if runs:
        facts = {"path": PATH, "name": "release", "state": "active", "created_at": world.now(), "runs": len(out)}
        workflow = store.add("workflow", facts, repo, PATH)["id"]
    assets = {f"{repository['name']}-{arch}.txt": file for arch, file in files.items()}
    for number, one in enumerate(out, 1):
        published(world, repository, one.tag, one.at, assets, number)
        if runs:
            store.add("run", _run(workflow, one, number), repo)


def _run(workflow: int, one: _Release, number: int) -> Json:
    payload = {"action": "published", "release": {"tag_name": one.tag}}
    return {
        "workflow": workflow, "path": PATH, "name": "release", "number": number, "event": "release",
        "ref": f"refs/tags/{one.tag}", "branch": one.tag, "sha": one.commit, "actor": AUTHOR, "triggering_actor": AUTHOR,
        "attempt": 1, "attempts": [], "status": "completed", "conclusion": "success", "created_at": one.at,
        "run_started_at": one.at, "updated_at": one.at, "payload": payload, "inputs": {}, "complaint": "", "group": "",
        "cancels": False, "cancelled": False, "title": one.tag,
    }  # fmt: skip


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
