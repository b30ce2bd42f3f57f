"""A fleet of three levels in a file of its own: planned, released in order, and its history adopted, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import World, made

CONFIG = '[project]\nname = "up"\nfleet = "fleet.toml"\n\n[version]\nscheme = "semver"\n'
FLEET = """\
[[downstream]]
name = "chart"
repository = "../chart.git"
of = "agent"
tag = "{tag}-chart"

[[downstream]]
name = "agent"
repository = "../agent.git"
tag = "agent-{tag}"

[[include]]
name = "agent"
"""
OF_AGENT = '[[downstream]]\nname = "plugin"\nrepository = "../plugin.git"\nwhen = "final"\n'


@pytest.fixture
def captain(tmp_path: Path) -> tuple[World, Path]:
    world = made(tmp_path, CONFIG, downstreams=("agent", "chart", "plugin"))
    world.commit(world.clone("agent", "agent"), {"release.toml": OF_AGENT}, "a fleet")
    clone = world.clone("captain")
    world.commit(clone, {"fleet.toml": FLEET}, "feat: a fleet")
    return world, clone


def test_a_fleet_of_several_files_is_planned_and_released_level_by_level(captain: tuple[World, Path]) -> None:
    world, clone = captain
    plan = world.json(clone, "fleet.plan", "--version", "1.0.0")
    assert [[(one["name"], one["tag"]) for one in wave] for wave in plan["waves"]] == [
        [("agent", "agent-v1.0.0")],
        [("chart", "agent-v1.0.0-chart"), ("plugin", "agent-v1.0.0")],
    ]
    world.invoke(clone, "release", "--version", "1.0.0", "--yes").expect(0)
    for name, tag in (("agent", "agent-v1.0.0"), ("chart", "agent-v1.0.0-chart"), ("plugin", "agent-v1.0.0")):
        assert f"refs/tags/{tag}" in world.refs(name)
    world.invoke(clone, "fleet.plan", "--version", "nothing").expect(2)
    world.remote("agent").rename(world.folder / "gone")
    world.invoke(clone, "fleet.plan").expect(1, "release.toml of agent")
    world.invoke(clone, "release.list").expect(0, "v1.0.0")


def test_a_history_is_adopted_only_when_somebody_says_so(captain: tuple[World, Path]) -> None:
    world, clone = captain
    world.git(clone, "push", "--quiet", "origin", "HEAD:refs/tags/v1.0.0")
    world.invoke(clone, "release.adopt", "--since", "1.0.0").expect(2, "say --yes", r'\+since = "v1.0.0"')
    assert (clone / "release.toml").read_text() == CONFIG
    world.invoke(clone, "release.adopt", "--since", "1.0.0", "--yes").expect(0)
    assert (clone / "release.toml").read_text() == CONFIG.replace("[project]\n", '[project]\nsince = "v1.0.0"\n')
    world.invoke(clone, "release.adopt", "--since", "1.0.0").expect(0, "already")
    world.invoke(clone, "release.adopt", "--since", "2.0.0", "--yes").expect(3, "since-unknown")
    world.invoke(clone, "release.adopt").expect(2)
