"""What `actions/checkout` does, with real git against this forge."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.sandbox.forge.commandfiles import BadFile

Git = Callable[[list[str], Mapping[str, str]], str]  # argv and more of the environment -> success, failure, cancelled
SHA = re.compile(r"[0-9a-f]{40}")
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
KNOWN = (
    "repository", "ref", "token", "persist-credentials", "path", "clean", "fetch-depth", "fetch-tags", "show-progress",
    "set-safe-directory", "lfs", "submodules", "filter", "sparse-checkout", "ssh-key", "github-server-url",
)  # fmt: skip
NOT_HERE = ("lfs", "submodules", "filter", "sparse-checkout", "ssh-key", "github-server-url")


@dataclass(frozen=True)
class Wanted:
    """`ref` may be a full or short name or a commit id; `commit` is known where the job's own commit is meant."""

    server: str
    repository: str
    ref: str
    commit: str
    token: str
    path: str
    depth: int
    tags: bool
    persists: bool


def wanted(inputs: Mapping[str, str], github: Mapping[str, Any], token: str, head: Callable[[str], str]) -> Wanted:
    """What the step's `with:` asks for; `head` knows the default branch of a repository."""
    if unknown := [name for name in inputs if name not in KNOWN]:
        raise BadFile(f"Unexpected input(s) '{unknown[0]}', valid inputs are {list(KNOWN)}")
    if missing := [name for name in NOT_HERE if inputs.get(name, "false").lower() not in ("", "false")]:
        raise BadFile(f"actions/checkout: `{missing[0]}` is not offered here")
    repository = inputs.get("repository") or github["repository"]
    own, ref = repository.lower() == github["repository"].lower(), inputs.get("ref", "")
    if not REPOSITORY.fullmatch(repository):
        raise BadFile(f"Invalid repository '{repository}'. Expected format {{owner}}/{{repo}}.")
    if not inputs.get("fetch-depth", "1").isdecimal():
        raise BadFile(f"Invalid fetch-depth '{inputs['fetch-depth']}'")
    mine = own and not ref
    branch = head(repository)
    if not ref and not mine:
        ref = f"refs/heads/{branch}" if branch else "HEAD"
    return Wanted(
        github["server_url"],
        repository,
        github["ref"] if mine else ref,
        github["sha"] if mine else ref if SHA.fullmatch(ref) else "",
        inputs.get("token") or token,
        inputs.get("path", "."),
        int(inputs.get("fetch-depth", "1")),
        inputs.get("fetch-tags", "false").lower() == "true",
        inputs.get("persist-credentials", "true").lower() != "false",
    )


def credential(token: str) -> str:
    """The token as git sends it: as secret as the token itself."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def clone(wanted: Wanted, workspace: Path, git: Git) -> str:
    """Make the clone; the token is neither in an argument nor in an address."""
    tree = (workspace / wanted.path).resolve()
    if not tree.is_relative_to(workspace.resolve()):
        raise BadFile(f"Repository path '{wanted.path}' is not under '{workspace}'")
    tree.mkdir(parents=True, exist_ok=True)
    steps = _Clone(wanted, tree, git)
    for step in (steps.make, steps.authorize, steps.fetch, steps.checkout):
        outcome = step()
        if outcome != "success":
            return outcome
    return steps.forget()


class _Clone:
    def __init__(self, wanted: Wanted, tree: Path, git: Git) -> None:
        self._wanted, self._tree, self._run = wanted, tree, git
        self._config = tree / ".git" / "config"

    def make(self) -> str:
        address = f"{self._wanted.server}/{self._wanted.repository}"
        return self._all(["init", "--quiet", "--initial-branch=main", "."], ["remote", "add", "origin", address])

    def authorize(self) -> str:
        """The header stands in the clone's configuration, as with the real action: later steps push with it."""
        self._before = self._config.read_text("utf-8")
        header = (
            f'[http "{self._wanted.server}/"]\n\textraheader = AUTHORIZATION: basic {credential(self._wanted.token)}\n'
        )
        self._config.write_text(self._before + header, "utf-8")
        return "success"

    def fetch(self) -> str:
        depth = [f"--depth={self._wanted.depth}"] if self._wanted.depth else []
        every = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
        if not self._wanted.depth:
            return self._all(["fetch", "--no-tags", "--prune", "--quiet", "origin", *every, *self._exact()])
        tags = [every[1]] if self._wanted.tags else []
        return self._first(*(["fetch", "--no-tags", "--quiet", *depth, "origin", one, *tags] for one in self._specs()))

    def checkout(self) -> str:
        wanted = self._wanted
        branch, tag = wanted.ref.removeprefix("refs/heads/"), wanted.ref.removeprefix("refs/tags/")
        quiet = ["-c", "advice.detachedHead=false", "checkout", "--quiet", "--force"]
        as_branch = [*quiet, "-B", branch, wanted.commit or f"refs/remotes/origin/{branch}"]
        as_tag, as_commit = [*quiet, f"refs/tags/{tag}"], [*quiet, "--detach", wanted.commit or "FETCH_HEAD"]
        if SHA.fullmatch(wanted.ref):
            return self._all(as_commit)
        if wanted.ref.startswith("refs/heads/"):
            return self._all(as_branch)
        if wanted.ref.startswith("refs/"):
            return self._all(as_tag if tag != wanted.ref else as_commit)
        return self._first(as_branch, as_tag)

    def forget(self) -> str:
        if not self._wanted.persists:
            self._config.write_text(self._before, "utf-8")
        return "success"

    def _exact(self) -> list[str]:
        """With the whole history: what branches and tags do not lead to."""
        return [self._wanted.commit] if self._wanted.commit else []

    def _specs(self) -> list[str]:
        """What to fetch, tried in turn."""
        wanted = self._wanted
        branch, tag = wanted.ref.removeprefix("refs/heads/"), wanted.ref.removeprefix("refs/tags/")
        as_branch = f"+{wanted.commit or f'refs/heads/{branch}'}:refs/remotes/origin/{branch}"
        as_tag = f"+refs/tags/{tag}:refs/tags/{tag}"
        if SHA.fullmatch(wanted.ref):
            return [wanted.commit]
        if wanted.ref.startswith("refs/heads/"):
            return [as_branch]
        if wanted.ref.startswith("refs/"):
            return [as_tag if tag != wanted.ref else wanted.commit or wanted.ref]
        return [as_branch, as_tag]

    def _all(self, *commands: list[str]) -> str:
        for command in commands:
            outcome = self._git(command)
            if outcome != "success":
                return outcome
        return "success"

    def _first(self, *commands: list[str]) -> str:
        """The first that goes well."""
        outcome = "failure"
        for command in commands:
            outcome = self._git(command)
            if outcome != "failure":
                break
        return outcome

    def _git(self, arguments: list[str]) -> str:
        return self._run(["git", "-C", str(self._tree), *arguments], {})
