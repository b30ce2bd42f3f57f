"""On repositories with the real fleet's tags, fleet.status finds what a count finds that shares nothing with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.fleet import RKE2, git, seed
from release.tasks import program
from tests.core.test_fleet_real import NAMES, base, expected, sets

FLEET = """
[project]
name = "rke2"
[version]
scheme = "semver+revision"
revision = "rke2r"
[[downstream]]
name = "rke2-upgrade"
repository = "../rke2-upgrade.git"
branch = "master"
[[downstream]]
name = "system-agent-installer-rke2"
repository = "../system-agent-installer-rke2.git"
[[downstream]]
name = "rke2-packaging"
repository = "../rke2-packaging.git"
branch = "master"
per = "channel"
tag = "{tag}.{channel}.{n}"
"""
STRAY = "v1.28.9+rke2r1"


@pytest.fixture(scope="module")
def captain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the upstream; one tag of a component was moved to a commit that is on no branch."""
    folder = tmp_path_factory.mktemp("fleet")
    remotes = seed(RKE2, folder).remotes
    git("clone", "--quiet", "--", remotes["rke2"], folder / "captain")
    (folder / "captain" / "release.toml").write_text(FLEET)
    upgrade = remotes["rke2-upgrade"]
    person = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    tree = git("-C", upgrade, "rev-parse", "master^{tree}").strip()
    stray = git("-C", upgrade, *person, "commit-tree", "-m", "aside", tree).strip()
    git("-C", upgrade, "update-ref", f"refs/tags/{STRAY}", stray)
    return folder / "captain"


def told(captain: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.chdir(captain)
    capfd.readouterr()
    program.run(["sluice", *words, "--format", "json"], exit=False)
    return json.loads(capfd.readouterr().out)


@pytest.mark.parametrize(
    ("words", "cut"),
    [
        ((), {}),
        (("--since", "2023-06-15", "--kind", "final"), {"since": "2023-06-15", "kind": "final"}),
        (("--line", "1.28", "--line", "1.29", "--kind", "candidate"), {"lines": ("1.28", "1.29"), "kind": "candidate"}),
    ],
)
def test_the_status_of_the_real_fleet_is_what_set_arithmetic_says(
    captain: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], cut: Any
) -> None:
    status = told(captain, capfd, monkeypatch, "fleet.status", *words)
    assert list(status["summary"]) == list(NAMES)
    for name in NAMES:
        for part, wanted in sets(cut, name).items():
            assert set(status["summary"][name][part]) == wanted, (name, part)
    packaging = {cell["release"]: cell["channels"] for cell in status["components"][3]["releases"] if cell["channels"]}
    numbers = {
        tag
        for release, channels in packaging.items()
        for name in channels
        for tag in _tags(release, name, channels[name])
    }
    assert numbers == {tag for tag, release in base("rke2-packaging") if release in expected(cut)}
    wrong = {name: summary["wrong_commit"] for name, summary in status["summary"].items() if summary["wrong_commit"]}
    assert wrong == ({"rke2-upgrade": [STRAY]} if STRAY in expected(cut) else {})
    assert all(one["error"] is None and one["unseen"] == {} for one in status["components"])


def _tags(release: str, channel: str, numbers: list[int]) -> list[str]:
    return [f"{release}.{channel}.{number}" for number in numbers]


def test_the_figures_of_the_real_fleet_say_what_plain_git_does_not_tell(
    captain: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stats = told(captain, capfd, monkeypatch, "fleet.stats", "--since", "2023-01-01")
    due = expected({"since": "2023-01-01"})
    finals = sum(month["finals"] for month in stats["months"])
    assert (finals, stats["by_commit"]) == (sum("-" not in tag for tag in due), len(due))
    assert finals + sum(month["candidates"] for month in stats["months"]) == len(due)
    assert [one["name"] for one in stats["components"]] == ["rke2", *NAMES]
    for one in stats["components"][1:]:
        assert (one["leads"], one["failures"], one["restored"]) == ([], None, None)
        assert "plain git" in one["unknown"]["lead"]
