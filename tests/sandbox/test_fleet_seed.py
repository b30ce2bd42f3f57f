"""The seeded fleet is the real one: every tag, on a commit of the right date."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from release.sandbox import demo
from release.sandbox.fleet import RKE2, Fleet, facts, git, seed

COUNTS = {"rke2": 713, "rke2-upgrade": 682, "system-agent-installer-rke2": 501, "rke2-packaging": 990}
REPOSITORIES = pytest.mark.parametrize("name", COUNTS)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return seed(RKE2, tmp_path_factory.mktemp("fleet"))


def rows(repository: Path, pattern: str, *fields: str) -> list[Sequence[str]]:
    form = "%09".join(f"%({field})" for field in fields)
    listed = git("-C", repository, "for-each-ref", f"--format={form}", pattern)
    return [line.split("\t") for line in listed.split("\n") if line]


def tags(repository: Path) -> dict[str, tuple[str, str]]:
    """Tag -> (committer date, commit)."""
    listed = rows(repository, "refs/tags", "refname:strip=2", "committerdate:iso-strict", "objectname")
    return {name: (date, commit) for name, date, commit in listed}


@REPOSITORIES
def test_every_tag_of_the_facts_is_there_with_its_commit_date_and_no_other(fleet: Fleet, name: str) -> None:
    known = {tag: fact.date for fact in facts(RKE2, name) for tag in fact.tags}
    assert len(known) == COUNTS[name]
    assert {tag: date for tag, (date, _) in tags(fleet.remotes[name]).items()} == known


@REPOSITORIES
def test_tags_share_a_commit_exactly_where_the_real_ones_do(fleet: Fleet, name: str) -> None:
    seeded: dict[str, set[str]] = {}
    for tag, (_, commit) in tags(fleet.remotes[name]).items():
        seeded.setdefault(commit, set()).add(tag)
    real: dict[str, set[str]] = {}
    for fact in facts(RKE2, name):
        real.setdefault(fact.commit, set()).update(fact.tags)
    assert sorted(map(sorted, seeded.values())) == sorted(map(sorted, real.values()))


def test_the_tag_that_ends_in_a_line_separator_is_one_tag(fleet: Fleet) -> None:
    date, commit = tags(fleet.remotes["rke2"])["v1.25.15-rc1+rke2r2\u2028"]
    assert date.startswith("2023-")
    assert "Real-Commit: " in git("-C", fleet.remotes["rke2"], "log", "-1", "--format=%B", commit)


@REPOSITORIES
def test_git_finds_nothing_wrong(fleet: Fleet, name: str) -> None:
    assert git("-C", fleet.remotes[name], "fsck", "--strict", "--full") == ""


def test_every_tag_of_a_living_line_is_on_its_branch(fleet: Fleet) -> None:
    upstream = fleet.remotes["rke2"]
    for line in ("1.27", "1.28", "1.29", "1.30"):
        merged = git("-C", upstream, "tag", "--merged", f"release-{line}", "--list", f"v{line}.*")
        assert merged == git("-C", upstream, "tag", "--list", f"v{line}.*") != ""


def test_the_commits_of_a_branch_are_in_the_order_of_their_dates(fleet: Fleet) -> None:
    for repository in fleet.remotes.values():
        for (branch,) in rows(repository, "refs/heads", "refname"):
            dates = git("-C", repository, "log", "--reverse", "--first-parent", "--format=%ct", branch).split()
            assert list(map(int, dates)) == sorted(map(int, dates))


def test_the_same_example_gives_the_same_world_twice(fleet: Fleet, tmp_path: Path) -> None:
    again = seed(RKE2, tmp_path)
    for name, repository in fleet.remotes.items():
        assert rows(repository, "refs", "refname", "objectname") == rows(
            again.remotes[name], "refs", "refname", "objectname"
        )


@REPOSITORIES
def test_a_clone_gives_the_files_of_the_default_branch(fleet: Fleet, name: str, tmp_path: Path) -> None:
    git("clone", "--quiet", fleet.remotes[name], tmp_path / "clone")
    assert (tmp_path / "clone" / "README.md").read_text("utf-8").startswith(f"# {name}\n")


def test_a_captain_finds_what_is_next_and_what_builds_it(fleet: Fleet, tmp_path: Path) -> None:
    captain = tmp_path / "captain"
    git("clone", "--quiet", "--branch", demo.BRANCH, "--", fleet.remotes["rke2"], captain)
    assert "KUBERNETES_VERSION:-v1.30.3}" in (captain / "scripts" / "version.sh").read_text("utf-8")
    assert (captain / "release.toml").read_bytes() == (RKE2 / "release.toml").read_bytes()
    assert "from release.tasks import namespace" in (captain / "tasks.py").read_text("utf-8")
    assert subprocess.run(["sh", "scripts/test.sh"], cwd=captain, check=True, capture_output=True).stdout
    output = tmp_path / "output"
    output.mkdir()
    wishes = {
        "SLUICE_VERSION": "1.30.3+rke2r1",
        "SLUICE_TAG": "v1.30.3+rke2r1",
        "SLUICE_COMMIT": "0" * 40,
        "SLUICE_PLATFORM": "linux/arm64",
        "SLUICE_OUTPUT": str(output),
        "SOURCE_DATE_EPOCH": "1720479246",
    }
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin"} | wishes
    subprocess.run(["sh", "scripts/build.sh"], cwd=captain, env=env, check=True)
    assert [path.name for path in output.iterdir()] == ["rke2.linux-arm64"]
    assert "kubernetes v1.30.3\n" in (output / "rke2.linux-arm64").read_text("utf-8")
    assert git("-C", captain, "status", "--porcelain") == ""
