"""Makes a repository with a long history, the same for the same seed: commits, merges, tags, bodies and trailers.

Run it as `python -m benchmarks.planting FOLDER [commits]`: a clone is made there, and its bare origin beside it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

TAGS = 2000
UNRELEASED = 10
BEGIN = 1_262_304_000  # 2010-01-01, in seconds since the epoch
PEOPLE = [(f"Person {number:03}", f"person{number}@example.org") for number in range(150)]
TYPES = (
    "feat",
    "feat",
    "fix",
    "fix",
    "fix",
    "fix",
    "docs",
    "chore",
    "chore",
    "refactor",
    "test",
    "perf",
    "build",
    "ci",
)
SCOPES = ("", "", "", "api", "cli", "core", "parser", "server", "storage", "ui")
VERBS = (
    "add allow avoid cache check client close config cursor default drop empty error event field file filter format "
    "guard handle header index keep limit list lock merge message move name option order parse path pool query queue "
    "read remove reply retry schema session split start state stop stream table timeout token trace update user value"
)
WORDS = VERBS.split()
FILES = {
    ".gitignore": ".release/\n",
    "release.toml": '[project]\nname = "big"\n\n[version]\nscheme = "semver"\ncandidates = ["rc"]\n\n[commit]\nmode = "push"\n\n[changelog]\nfile = "CHANGELOG.md"\n',
    "tasks.py": "from release.tasks import namespace as ns\n",
}


def plant(place: Path, size: int, seed: int = 7) -> Path:
    """A clone at `place` of a new bare repository beside it, which is returned; `main` has `size` commits and 2,000 tags."""
    origin = place.with_name(f"{place.name}-origin.git")
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)], check=True)
    feed = subprocess.Popen(["git", "-C", str(origin), "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE)
    assert feed.stdin is not None
    with feed.stdin as stdin:
        for part in History(Random(seed), size).script():
            stdin.write(part.encode())
    if feed.wait() != 0:
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "-C", str(origin), "repack", "-a", "-d", "-q"], check=True)
    subprocess.run(["git", "-C", str(origin), "pack-refs", "--all"], check=True)  # as whoever hosts it keeps them
    subprocess.run(["git", "clone", "--quiet", str(origin), str(place)], check=True)
    for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        subprocess.run(["git", "-C", str(place), "config", key, value], check=True)
    return origin


class History:
    """A script for `git fast-import`. Commit n has the mark n; a merge brings a branch of one to six commits."""

    def __init__(self, random: Random, size: int) -> None:
        self.random = random
        self.size = size
        self.clock = BEGIN
        self.made = 0
        self.requests = 0
        self.version = (0, 1, 0)
        self.candidates = 0

    def script(self) -> Iterator[str]:
        """Everything, piece by piece."""
        yield self.commit(0, files=FILES)
        main, tagged, gap = 1, 0, (self.size - UNRELEASED) / TAGS
        while self.made < self.size:
            if self.random.random() < 0.08 and self.made + 12 < self.size:
                parts, main = self.branch(main)
                yield from parts
            else:
                yield self.commit(main)
                main = self.made
            if tagged < TAGS and (tagged + 1) * gap <= self.made:
                yield self.tag(main)
                tagged += 1
        yield f"reset refs/heads/main\nfrom :{main}\n\ndone\n"

    def branch(self, main: int) -> tuple[list[str], int]:
        """A branch off main, some commits on main, and the merge of both."""
        parts, aside = [], main
        for _ in range(self.random.randint(1, 6)):
            parts.append(self.commit(aside))
            aside = self.made
        for _ in range(self.random.randint(0, 3)):
            parts.append(self.commit(main))
            main = self.made
        self.requests += 1
        title = f"Merge pull request #{self.requests} from someone/{self.words(2, '-')}\n\n{self.words(5)}\n"
        parts.append(self.commit(main, aside, title))
        return parts, self.made

    def commit(self, *parents: int | str, files: dict[str, str] | None = None) -> str:
        """One commit; the last of `parents` may be its message."""
        numbers = [parent for parent in parents if isinstance(parent, int) and parent]
        message = next((part for part in parents if isinstance(part, str)), None) or self.message()
        self.made += 1
        self.clock += self.random.randint(60, 9000)
        name, email = self.random.choice(PEOPLE)
        signature = f"{name} <{email}> {self.clock} +0100"
        lines = [
            f"commit refs/heads/main\nmark :{self.made}\nauthor {signature}\ncommitter {signature}\n{data(message)}"
        ]
        lines += [f"{'merge' if place else 'from'} :{number}" for place, number in enumerate(numbers)]
        changed = files or {f"src/part{self.random.randrange(60):02}.py": f"value = {self.made}\n"}
        lines += [f"M 100644 inline {path}\n{data(text)}" for path, text in changed.items()]
        return "\n".join(lines) + "\n"

    def message(self) -> str:
        """Two in three have a body, half of those trailers; one in three hundred breaks something."""
        scope, breaks = self.random.choice(SCOPES), self.random.random() < 1 / 300
        kind = self.random.choice(TYPES) + (f"({scope})" if scope else "")
        number = ""
        if self.random.random() < 0.3:
            self.requests += 1
            number = f" (#{self.requests})"
        lines = [f"{kind}{'!' if breaks else ''}: {self.words(self.random.randint(3, 8))}{number}"]
        if self.random.random() < 0.66:
            lines += ["", *(self.words(self.random.randint(6, 10)) for _ in range(self.random.randint(1, 5)))]
            if breaks:
                lines += ["", f"BREAKING CHANGE: {self.words(8)}"]
            if self.random.random() < 0.5:
                name, email = self.random.choice(PEOPLE)
                lines += ["", f"Refs: #{self.random.randint(1, 9999)}", f"Signed-off-by: {name} <{email}>"]
        return "\n".join(lines) + "\n"

    def tag(self, commit: int) -> str:
        """The next version: one in ten is a candidate, every third tag is annotated."""
        major, minor, patch = self.version
        name = self.next_name(major, minor, patch)
        if self.random.random() < 0.66:
            return f"reset refs/tags/{name}\nfrom :{commit}\n\n"
        return f"tag {name}\nfrom :{commit}\ntagger Ada <ada@example.org> {self.clock} +0100\n{data(name)}\n"

    def next_name(self, major: int, minor: int, patch: int) -> str:
        if not self.candidates:
            luck = self.random.random()
            self.version = (major + 1, 0, 0) if luck < 0.002 else (major, minor + 1, 0) if luck < 0.3 else (major, minor, patch + 1)  # fmt: skip
        name = "v{}.{}.{}".format(*self.version)
        if self.version[2] == 0 and self.candidates < 2 and self.random.random() < 0.3:
            self.candidates += 1
            return f"{name}-rc.{self.candidates}"
        self.candidates = 0
        return name

    def words(self, count: int, between: str = " ") -> str:
        return between.join(self.random.choices(WORDS, k=count))


def data(text: str) -> str:
    """fast-import's form of a text."""
    return f"data {len(text.encode())}\n{text}"


if __name__ == "__main__":
    plant(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
