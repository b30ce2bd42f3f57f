"""Who is measured, how each is asked, and what a sane answer looks like."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

NEXT, NOTES, WHOLE = QUESTIONS = ("next version", "unreleased notes", "whole changelog")
OURS, FLOOR = "Sluice", "git log"
HERE, NAME = str(Path(__file__).parents[1]), "sluice-release"
LOG = "git log -z --format=%H%x00%P%x00%an%x00%ae%x00%cI%x00%B"


@dataclass(frozen=True)
class Peer:
    """`commands` are argument lists in one text: {bin} is where its programs are, {config} a file that says `config`,
    {last} the last tag, {out} a file to write to. What it does not answer has no command.
    """

    name: str
    requirement: str
    commands: Mapping[str, str]
    config: str = ""
    python: bool = True

    def installed(self, cache: Path) -> Path:
        """Its own environment; the folder of its programs and of its `config`."""
        place = environment(self.requirement, cache) if self.requirement else cache
        (place / "config.toml").write_text(self.config)
        return place

    def version(self, cache: Path) -> str:
        """What was installed; "" for what is not from a registry."""
        if self.requirement in ("", HERE):
            return ""
        asked = [str(self.installed(cache) / "bin" / "pip"), "show", self.requirement.partition("==")[0]]
        shown = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        return next(line.partition(": ")[2] for line in shown.splitlines() if line.startswith("Version: "))


@lru_cache
def environment(requirement: str, cache: Path) -> Path:
    """A virtual environment with that and nothing else: made once for a peer, each time for what is here.

    pip compiles what it installs, so that nobody has to do that while it is measured.
    """
    place = cache / (NAME if requirement == HERE else requirement)
    pip = [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    if not (place / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([*pip, requirement], check=True)
        (place / "complete").touch()
    elif requirement == HERE:
        subprocess.run([*pip, requirement], check=True)
        subprocess.run([*pip, "--force-reinstall", "--no-deps", requirement], check=True)
    return place


COMMITIZEN = """\
[tool.commitizen]
name = "cz_conventional_commits"
tag_format = "v$version"
version_scheme = "semver2"
version_provider = "scm"
"""
SEMANTIC_RELEASE = """\
[semantic_release]
tag_format = "v{version}"
allow_zero_version = true

[semantic_release.branches.main]
match = "main"

[semantic_release.changelog.default_templates]
changelog_file = "CHANGELOG.md"
"""
CLIFF = {
    NEXT: "{bin}/git-cliff --unreleased --bumped-version",
    NOTES: "{bin}/git-cliff --unreleased",
    WHOLE: "{bin}/git-cliff",
}
PEERS = (
    Peer(
        OURS, HERE,
        {
            NEXT: "{bin}/python -m invoke release.version",
            NOTES: "{bin}/python -m invoke release.notes",
            WHOLE: "{bin}/python -m invoke release.changelog --all",
        },
    ),
    Peer("git-cliff 2.12", "git-cliff==2.12.0", CLIFF, python=False),
    Peer("git-cliff, the newest", "git-cliff", CLIFF, python=False),
    Peer(
        "git-changelog", "git-changelog",
        {
            NEXT: "{bin}/git-changelog --convention conventional --bump auto --bumped-version",
            NOTES: "{bin}/git-changelog --convention conventional --filter-commits {last}..",
            WHOLE: "{bin}/git-changelog --convention conventional",
        },
    ),
    Peer(
        "commitizen", "commitizen",
        {
            NEXT: "{bin}/cz --config {config} bump --get-next",
            NOTES: "{bin}/cz --config {config} changelog --dry-run --start-rev {last}",
            WHOLE: "{bin}/cz --config {config} changelog --dry-run",
        },
        COMMITIZEN,
    ),
    Peer(
        "python-semantic-release", "python-semantic-release",
        {
            NEXT: "{bin}/semantic-release --config {config} version --print",
            WHOLE: "{bin}/semantic-release --config {config} changelog",
        },
        SEMANTIC_RELEASE,
    ),
    Peer(FLOOR, "", {NOTES: LOG + " {last}..", WHOLE: LOG}, python=False),
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A clone to ask in: its last tag, what comes next by the messages since then, and the words of a feature since."""

    clone: Path
    last: str = field(init=False)
    expected: str = field(init=False)
    feature: str = field(init=False)

    def __post_init__(self) -> None:
        last = self.git("describe", "--tags", "--abbrev=0").strip()
        messages = [message for message in self.git("log", "--format=%B%x00", f"{last}..").split("\0") if message.strip()]  # fmt: skip
        headers = [message.strip().partition("\n")[0] for message in messages]
        major, minor, patch = map(int, last.removeprefix("v").partition("-")[0].split("."))
        features = [header for header in headers if header.startswith("feat")]
        breaking = any("BREAKING CHANGE:" in message for message in messages) or any("!:" in one for one in headers)
        following = (major + 1, 0, 0) if breaking else (major, minor + 1, 0) if features else (major, minor, patch + 1)
        object.__setattr__(self, "last", last)
        object.__setattr__(self, "expected", "{}.{}.{}".format(*following))
        object.__setattr__(self, "feature", (features or headers)[0].partition(": ")[2].partition(" (#")[0])

    def git(self, *args: str) -> str:
        return subprocess.run(["git", "-C", str(self.clone), *args], check=True, capture_output=True, text=True).stdout

    def sane(self, question: str, answer: str) -> bool:
        """Whether an answer says what it has to: the version; a feature; that, and the first and the last release."""
        if question == NEXT:
            return self.expected in answer
        return self.feature in answer.lower() and (question == NOTES or self.last[1:] in answer)
