"""What a schedule asks and makes, from inside: a few requests for any history, one bad release that holds no other."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from release import app
from release.commands import fleet_sync
from release.core.sync import Sync
from release.errors import ConfigError, ConflictError, ReleaseError, Unseen, UsageError
from release.sandbox.forge import Fault, Sandbox
from release.sandbox.forge.many import many
from release.tasks.fleet import number_of_releases
from tests.forge import WHO, git, serving

OWN = '[project]\nforge = "github"\n\n[sync]\nupstream = "acme/upstream-0001"\nconfig = "upstream.toml"\n'
UPSTREAM = """\
[project]
name = "app"
forge = "github"

[[downstream]]
name = "component"
repository = "acme/component-0001"
branch = "master"
trigger = "{trigger}"
{more}
"""
GONE = ("v1.4.0", "v1.5.0", "v1.6.0")


@dataclass
class Robot:
    """A component with a history, whose schedule runs in this process."""

    forge: Sandbox
    clone: Path

    def configure(self, trigger: str = "release", more: str = "", own: str = OWN) -> None:
        (self.clone / "release.toml").write_text(own)
        (self.clone / "upstream.toml").write_text(UPSTREAM.format(trigger=trigger, more=more))

    def begin(self, tag: str) -> None:
        """What is older than this tag is history, says the upstream."""
        self.configure()
        file = self.clone / "upstream.toml"
        file.write_text(file.read_text().replace("[project]\n", f'[project]\nsince = "{tag}"\n'))

    def sync(self, last: int = 50, since: str = "", act: bool = True) -> tuple[Sync, Counter[str]]:
        """What came of it, and what the API was asked for that."""
        before = len(list(self.forge.exchanges()))
        session = app.session(self.clone)
        try:
            planned = fleet_sync.prepared(session, last, since)
            done = fleet_sync.sync(session, planned, lambda event: None) if act else planned.sync
        finally:
            session.stop()
        asked = list(self.forge.exchanges())[before:]
        return done, Counter(f"{one.method} {one.template} of {one.path.split('/')[3]}" for one in asked)

    def forget(self, *tags: str) -> None:
        """Take releases and tags away, as if they had never been made here."""
        for release in self.forge.releases("acme/component-0001"):
            if release["tag_name"] in tags:
                self.forge.store.remove(release["id"])
        packed = self.forge.git("acme/component-0001").path / "packed-refs"
        lines = packed.read_text().splitlines(True)
        packed.write_text("".join(line for line in lines if line.strip().rpartition("/")[2] not in tags))

    @property
    def released(self) -> list[str]:
        return [one["tag_name"] for one in self.forge.releases("acme/component-0001")]


@pytest.fixture
def robot(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Robot]:
    """Six releases of each, or as many as the test asks for."""
    history = getattr(request, "param", 6)
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_", "GH_", "SLUICE_"))]:
        monkeypatch.delenv(name)
    with serving(tmp_path / "forge") as forge:
        forge.user("captain")
        many(forge, 1, history, prefix="upstream", push=("captain",), workflow="")
        many(forge, 1, history, push=("captain",), workflow="")
        settings = {
            "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "GITHUB_API_URL": forge.api_url,
            "GITHUB_SERVER_URL": forge.url, "SLUICE_GITHUB_TOKEN": forge.token("captain"), **WHO,
        }  # fmt: skip
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        git(tmp_path, "clone", "--quiet", "--depth=1", f"{forge.url}/acme/component-0001.git", "clone")
        made = Robot(forge, tmp_path / "clone")
        made.configure()
        yield made


def states(found: Sync, *of: str) -> dict[str, str]:
    return {one.release: one.state for one in found.releases if one.state in of or not of}


@pytest.mark.parametrize("robot", [1_000], indirect=True)
def test_a_thousand_releases_cost_one_request_where_nothing_is_missing(robot: Robot) -> None:
    found, asked = robot.sync()
    assert states(found) == {f"v1.{number}.0": "there" for number in range(951, 1001)}
    assert asked == Counter(["GET /repos/{owner}/{repo}/releases of upstream-0001"])


def test_what_is_missing_is_made_in_order_and_a_bad_one_holds_no_other(robot: Robot) -> None:
    robot.forget(*GONE)
    taken = git(robot.clone, "rev-parse", "HEAD").stdout.strip()
    robot.forge.faults(Fault("POST", "/repos/acme/component-0001/releases", status=422, body={"message": "not today"}))
    found, _ = robot.sync()
    assert states(found, "made", "failed") == {GONE[0]: "failed", GONE[1]: "made", GONE[2]: "made"}
    assert found.code == 1
    made = {one["tag_name"]: one["target_commitish"] for one in robot.forge.releases("acme/component-0001")}
    assert made[GONE[1]] == made[GONE[2]] == taken
    again, _ = robot.sync()
    assert states(again, "made", "failed") == {GONE[0]: "made"}
    assert again.code == 0


def test_what_it_waits_for_is_told_and_the_others_are_made(robot: Robot) -> None:
    robot.configure(more='after_assets = ["upstream-0001-{arch}.txt"]\nplatforms = ["linux/amd64", "linux/arm64"]')
    robot.forget(*GONE)
    upstream = {one["tag_name"]: one for one in robot.forge.releases("acme/upstream-0001")}
    robot.forge.store.remove(upstream[GONE[1]]["assets"][1]["id"])
    found, _ = robot.sync()
    assert states(found, "made", "waits") == {GONE[0]: "made", GONE[1]: "waits", GONE[2]: "made"}
    assert found.code == 4
    (late,) = [one.detail for one in found.releases if one.state == "waits"]
    assert late == f"waits for upstream-0001-arm64.txt of {GONE[1]}"


def test_a_list_without_the_newest_is_not_believed_and_nothing_is_made(robot: Robot) -> None:
    robot.forget(GONE[0])
    for release in robot.forge.releases("acme/upstream-0001"):
        if release["tag_name"] == GONE[2]:
            robot.forge.store.remove(release["id"])
    with pytest.raises(Unseen, match=r"not believed: v1\.6\.0 is tagged there, and was made here"):
        robot.sync()
    assert GONE[0] not in robot.released


def test_only_those_since_a_day_and_of_so_many_are_looked_at(robot: Robot) -> None:
    robot.forget(*GONE)
    newest = max(one["published_at"] for one in robot.forge.releases("acme/upstream-0001"))
    assert states(robot.sync(since=newest[:10], act=False)[0]) == {GONE[2]: "missing"}
    assert list(states(robot.sync(last=2, act=False)[0])) == [*GONE[1:]]


def test_history_ends_with_the_upstreams_tag_though_its_release_is_not_in_the_list(robot: Robot) -> None:
    robot.forget(*GONE)
    for release in robot.forge.releases("acme/upstream-0001"):
        if release["tag_name"] == GONE[1]:
            robot.forge.store.remove(release["id"])
    assert states(robot.sync(act=False)[0], "missing") == {GONE[0]: "missing", GONE[2]: "missing"}
    robot.begin(GONE[1])
    assert states(robot.sync(act=False)[0], "missing") == {GONE[2]: "missing"}
    robot.begin("v9.9.9")
    with pytest.raises(ConflictError, match=r"project\.since is v9\.9\.9"):
        robot.sync()
    assert not set(GONE) & set(robot.released)
    with pytest.raises(UsageError, match="not a date"):
        robot.sync(since="yesterday")


@pytest.mark.parametrize(
    ("own", "more", "kind", "why"),
    [
        ("[project]\nforge = 'github'\n", "", UsageError, "follows no upstream"),
        (OWN + 'name = "other"\n', "", ConflictError, "no downstream other"),
        (OWN.replace("upstream.toml", "none.toml"), "", ConfigError, "no such file"),
        (OWN, 'colour = "red"', ConfigError, r"downstream\[0\]\.colour is not a known key"),
        (OWN, 'after = ["ghost"]', ConfigError, "contradicts itself"),
    ],
)
def test_what_is_written_wrong_is_told_before_anything_is_made(
    robot: Robot, own: str, more: str, kind: type[ReleaseError], why: str
) -> None:
    robot.configure(more=more, own=own)
    robot.forget(*GONE)
    with pytest.raises(kind) as told:
        robot.sync()
    problems = told.value.problems if isinstance(told.value, ConfigError) else ()
    assert re.search(why, "\n".join((str(told.value), *problems)))
    assert GONE[0] not in robot.released


@pytest.mark.parametrize("typed", ["0", "-3", "x", "1001", "٣", "9" * 5000, " 5"])
def test_what_is_no_number_of_releases_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(UsageError, match="is no number of releases") as told:
        number_of_releases(typed)
    assert len(str(told.value)) < 200
    assert [number_of_releases(good) for good in ("", "1", "1000")] == [0, 1, 1000]
