"""A real world in a folder: bare remotes, clones of them, and `invoke` typed as a person types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import forkserver

CONFIG = """\
[project]
name = "demo"

[version]
scheme = "semver"
candidates = ["rc"]

[commit]
mode = "push"

[changelog]
file = "CHANGELOG.md"

[release]
output = "{output}"

[[gate]]
name = "tests"
run = ["sh", "-c", "test -f app.txt"]

[[artifact]]
name = "app-{{arch}}.txt"
run = ["sh", "-c", "printf '%s %s' \\"$SLUICE_VERSION\\" \\"$SLUICE_PLATFORM\\" > \\"$SLUICE_OUTPUT/app-${{SLUICE_PLATFORM#*/}}.txt\\""]
platforms = ["linux/amd64", "linux/arm64"]

[[downstream]]
name = "first"
repository = "../first.git"

[[downstream]]
name = "second"
repository = "../second.git"
after = ["first"]
"""
TASKS = "from release.tasks import namespace as ns\n__all__ = ['ns']\n"
REFUSING = "#!/bin/sh\necho 'not today' >&2\nexit 1\n"


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """Everything that a person saw."""
        return self.out + self.err

    def expect(self, code: int, *said: str) -> Answer:
        """This answer, if it ended with this exit code, said all of that (patterns), and had no bug to tell of."""
        for wrong in ("Traceback", "bug of ours"):
            assert wrong not in self.said, self.said
        assert self.code == code, self
        for pattern in said:
            assert re.search(pattern, self.said), (pattern, self.said)
        return self


@dataclass(frozen=True)
class World:
    """`folder/remotes/*.git` are the remotes, `upstream` is one of them; clones lie beside."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)

    @property
    def output(self) -> Path:
        return self.folder / "out"

    def remote(self, name: str = "upstream") -> Path:
        return self.folder / "remotes" / f"{name}.git"

    def git(self, place: Path, *args: str, check: bool = True, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", "-C", str(place), *args],
            env=self.environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
        assert not check or done.returncode == 0, (args, done.stderr)
        return done.stdout.strip()

    def bare(self, name: str) -> Path:
        """A remote with one commit on main."""
        path = self.remote(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", str(path))
        clone = self.folder / f"seed-{name}"
        self.git(self.folder, "clone", "--quiet", str(path), str(clone))
        self.commit(clone, {"README": f"{name}\n"}, "feat: begin")
        return path

    def clone(self, name: str, of: str = "upstream", *options: str) -> Path:
        """A clone with an identity of its own."""
        path = self.folder / name
        self.git(self.folder, "clone", "--quiet", *options, self.remote(of).as_uri(), str(path))
        self.git(path, "config", "user.name", name.title())
        self.git(path, "config", "user.email", f"{name}@example.org")
        return path

    def commit(self, clone: Path, files: Mapping[str, str], message: str, push: bool = True) -> str:
        """Commit files in a clone, and push them."""
        for path, content in files.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_text(content)
        self.git(clone, "add", "--all")
        self.git(clone, "commit", "--quiet", "--allow-empty", "-m", message)
        if push:
            self.git(clone, "push", "--quiet", "origin", "HEAD")
        return self.git(clone, "rev-parse", "HEAD")

    def refs(self, name: str = "upstream") -> dict[str, str]:
        """Every ref of a remote, tags peeled."""
        form = "--format=%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
        lines = self.git(self.remote(name), "for-each-ref", form).split("\n")
        return dict(line.split(" ") for line in lines if line)

    def every_ref(self) -> dict[str, dict[str, str]]:
        """Every ref of every remote."""
        return {path.name: self.refs(path.stem) for path in sorted((self.folder / "remotes").iterdir())}

    def refuse(self, name: str, script: str = REFUSING, hook: str = "pre-receive") -> Path:
        """Install a hook on a remote; unlink it to let pushes through again."""
        path = self.remote(name) / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
        return path

    def invoke(self, clone: Path, *args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Answer:
        """Type a command in a clone: the first of its name in a process from scratch, the others forked from a warm one."""
        full = {**self.environment, **(env or {})}
        start = forkserver.at_start(full)
        if not forkserver.worth(start, args):
            return self.anew(clone, *args, env=env, stdin=stdin)
        code, out, err = forkserver.typed(args, clone, full, start, stdin.encode())
        return Answer(code, *(said.decode("utf-8", "backslashreplace") for said in (out, err)))

    def anew(self, clone: Path, *args: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Answer:
        """Type a command in a clone, in a process from scratch: its arguments and environment are seen from outside."""
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *args],
            cwd=clone, env={**self.environment, **(env or {})}, input=stdin, capture_output=True, encoding="utf-8", errors="backslashreplace", check=False,
        )  # fmt: skip
        return Answer(done.returncode, done.stdout, done.stderr)

    def start(self, clone: Path, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Type a command and do not wait for its end."""
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", *args],
            cwd=clone, env={**self.environment, **(env or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="backslashreplace",
        )  # fmt: skip

    def shell(self, place: Path, script: str, env: Mapping[str, str] | None = None) -> Answer:
        """Run a line of shell; `$PYTHON` is this Python."""
        full = {**self.environment, "PYTHON": sys.executable, **(env or {})}
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=place,
            env=full,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def json(self, clone: Path, *args: str) -> Any:
        """The JSON that a command answers."""
        return self.invoke(clone, *args, "--format", "json").value


def made(folder: Path, config: str | None = None, downstreams: Sequence[str] = ("first", "second")) -> World:
    """A world whose upstream has a release.toml, a tasks.py and one feature; "{output}" in `config` is `folder/out`."""
    home = folder / "home"
    home.mkdir(parents=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "GITHUB_", "SLUICE_"))}
    identity = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in
                (("NAME", "Seed"), ("EMAIL", "seed@example.org"))}  # fmt: skip
    root = str(Path(__file__).parent.parent)
    base = {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"}
    seeding = World(folder, {**base, **identity})
    for name in ("upstream", *downstreams):
        seeding.bare(name)
    text = (
        (CONFIG if config is None else config)
        .replace("{output}", str(folder / "out"))
        .replace("{{", "{")
        .replace("}}", "}")
    )
    files = {"release.toml": text, "tasks.py": TASKS, "app.txt": "app\n", ".gitignore": "dist/\n"}
    seeding.commit(folder / "seed-upstream", files, "feat: an app")
    return World(folder, base)
