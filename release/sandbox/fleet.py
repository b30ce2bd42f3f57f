"""Seeds an example's fleet: bare repositories with the tags and the commit dates of the real ones.

An example is a folder with `release.toml`, `tags/<repository>.tsv` (what was released, one commit a line),
`seed/<repository>/` (the files each repository starts with) and, where it has channels, `channels.tsv` (how people moved them).
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

RKE2 = Path(__file__).parent / "examples" / "rke2"

# A line is still released while its newest tag is this near to the newest of all.
ALIVE = timedelta(days=60)

# What happened on every living line after the facts end: file, commit subject. The version file follows as the last.
WORK = (
    ("docs/etcd.md", "fix: a member that leaves waits for the snapshot that runs"),
    ("docs/agent.md", "feat: an agent takes its node IP from the cloud provider"),
    ("docs/cni.md", "docs: say which CNI plugins a dual-stack cluster may use"),
)

# Set inside a git hook, these would send every command below to the hook's repository.
LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")


@dataclass(frozen=True)
class Fact:
    """One commit that was released: its committer date (ISO 8601 with its own offset), its real id, every tag on it."""

    date: str
    commit: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Fleet:
    """Where a seeded fleet lies: the bare repositories by name, `upstream` the name of the one the others follow."""

    upstream: str
    remotes: Mapping[str, Path]


def seed(example: Path, folder: Path) -> Fleet:
    """Makes the repositories of `example` under `folder`/remotes. The same example gives the same commits, every time."""
    settings = tomllib.loads((example / "release.toml").read_text("utf-8"))
    upstream = settings["project"]["name"]
    branches = {downstream["name"]: downstream["branch"] for downstream in settings["downstream"]}
    histories = {upstream: _upstream(example, settings)} | {
        name: _downstream(example, name, branch) for name, branch in branches.items()
    }
    remotes = {name: folder / "remotes" / f"{name}.git" for name in histories}
    for name, history in histories.items():
        _import(remotes[name], branches.get(name, "master"), history)
    return Fleet(upstream, remotes)


def facts(example: Path, name: str) -> list[Fact]:
    """What was released from one repository of the example, oldest commit first.

    A name in there ends in U+2028, which `str.splitlines` and `str.split()` take for a break: only \\n, \\t and a space are.
    """
    with (example / "tags" / f"{name}.tsv").open(encoding="utf-8", newline="\n") as file:
        rows = [line.removesuffix("\n").split("\t") for line in file]
    return [Fact(date, commit, tuple(tags.split(" "))) for date, commit, tags in rows]


def git(*arguments: str | Path, stdin: bytes | None = None) -> str:
    """Runs git outside of any repository that the environment names; its words are in the error when it fails."""
    done = subprocess.run(["git", *arguments], input=stdin, capture_output=True, env=environment(), check=False)
    if done.returncode:
        raise RuntimeError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode("utf-8", "surrogateescape")


def environment() -> dict[str, str]:
    """This process's environment without the repository that git may have put there."""
    return {key: value for key, value in os.environ.items() if key not in LOCAL}


@dataclass(frozen=True)
class _Commit:
    branch: str
    date: str
    message: str
    files: Mapping[str, bytes]
    tags: tuple[str, ...] = ()


def _upstream(example: Path, settings: Mapping[str, Any]) -> Iterator[_Commit]:
    """A branch for each living line, everything older on master; on their heads, what is not released yet."""
    known = facts(example, settings["project"]["name"])
    path = settings["version"]["file"][0]["path"]
    newest: dict[str, datetime] = {}
    latest: dict[str, tuple[int, int, int]] = {}
    for fact in known:
        for core in map(_core, fact.tags):
            line = _line(core)
            newest[line] = datetime.fromisoformat(fact.date)
            latest[line] = max(core, latest.get(line, core))
    alive = [line for line, date in newest.items() if max(newest.values()) - date < ALIVE]

    for fact in known:
        core = _core(fact.tags[0])
        branch = f"release-{_line(core)}" if _line(core) in alive else "master"
        yield _Commit(
            branch, fact.date, _released(f"Kubernetes {_dotted(core)}", fact), _version(path, core), fact.tags
        )

    last = datetime.fromisoformat(known[-1].date)
    yield from _by_hand(example, last)
    day = last + timedelta(days=10)
    files = _files(example / "seed" / settings["project"]["name"])
    house = {name: text for name, text in files.items() if not name.startswith("docs/")}
    house["release.toml"] = (example / "release.toml").read_bytes()
    major, minor, _ = max(latest.values())
    following = {"master": (major, minor + 1, 0)}
    following |= {f"release-{line}": (*latest[line][:2], latest[line][2] + 1) for line in alive}
    for branch, core in following.items():
        yield _Commit(branch, _later(day, 0), "build: release with `invoke release`\n", house)
        for hour, (name, subject) in enumerate(WORK, start=1):
            yield _Commit(branch, _later(day, hour), f"{subject}\n", {name: files[name]})
        subject = f"build: update Kubernetes to v{_dotted(core)}\n"
        yield _Commit(branch, _later(day, len(WORK) + 1), subject, _version(path, core))


def _by_hand(example: Path, last: datetime) -> Iterator[_Commit]:
    """How people moved the channels before anything else did: days after the facts end, subject, a version for each channel."""
    listed = example / "channels.tsv"
    for row in listed.read_text("utf-8").split("\n") if listed.exists() else ():
        if row:
            days, subject, *versions = row.split("\t")
            when = (last + timedelta(days=int(days))).isoformat()
            yield _Commit("master", when, f"{subject}\n", {"channels.yaml": _channels(versions)})


def _channels(versions: Sequence[str]) -> bytes:
    """The file that users follow."""
    lines = ["# What users follow. A cluster that upgrades by itself asks here.", "channels:"]
    for name, version in zip(("testing", "latest", "stable"), versions, strict=True):
        lines += [f"  - name: {name}", f"    latest: {version}"]
    return "\n".join([*lines, ""]).encode()


def _downstream(example: Path, name: str, branch: str) -> Iterator[_Commit]:
    """One branch; its head is the newest commit that was released, as these repositories change seldom."""
    files = _files(example / "seed" / name)
    for fact in facts(example, name):
        since = {"SINCE": f"{fact.tags[0]}\n".encode()}
        yield _Commit(branch, fact.date, _released(f"Package {fact.tags[0]} and later", fact), files | since, fact.tags)
        files = {}


def _import(repository: Path, head: str, history: Iterator[_Commit]) -> None:
    git("init", "--quiet", "--bare", "--template=", f"--initial-branch={head}", repository)
    git("-C", repository, "fast-import", "--quiet", stdin=b"".join(_stream(head, history)))


def _stream(head: str, history: Iterator[_Commit]) -> Iterator[bytes]:
    """The history as git fast-import reads it. A new branch starts at what `head` is by then."""
    tips: dict[str, int] = {}
    for mark, commit in enumerate(history, start=1):
        when = datetime.fromisoformat(commit.date)
        who = f"RKE2 maintainers <maintainers@rke2.example> {int(when.timestamp())} {when:%z}"
        yield f"commit refs/heads/{commit.branch}\nmark :{mark}\ncommitter {who}\n".encode()
        yield _data(commit.message.encode())
        if parent := tips.get(commit.branch, tips.get(head)):
            yield f"from :{parent}\n".encode()
        for path, content in commit.files.items():
            mode = "100755" if content.startswith(b"#!") else "100644"
            yield f"M {mode} inline {path}\n".encode() + _data(content)
        for tag in commit.tags:
            yield f"reset refs/tags/{tag}\nfrom :{mark}\n".encode()
        tips[commit.branch] = mark


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _released(subject: str, fact: Fact) -> str:
    """The tags stay out of the message: one of them would break its line."""
    return f"{subject}\n\nReal-Commit: {fact.commit}\n"


def _files(folder: Path) -> dict[str, bytes]:
    paths: Sequence[Path] = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _version(path: str, core: tuple[int, int, int]) -> dict[str, bytes]:
    return {path: f"#!/bin/sh\nKUBERNETES_VERSION=${{KUBERNETES_VERSION:-v{_dotted(core)}}}\n".encode()}


def _core(tag: str) -> tuple[int, int, int]:
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", tag)
    if not found:
        raise ValueError(f"tag {tag!r} does not start with vX.Y.Z")
    major, minor, patch = map(int, found.groups())
    return major, minor, patch


def _line(core: tuple[int, int, int]) -> str:
    return f"{core[0]}.{core[1]}"


def _dotted(core: tuple[int, int, int]) -> str:
    return ".".join(map(str, core))


def _later(day: datetime, hours: int) -> str:
    return (day + timedelta(hours=hours)).isoformat()
