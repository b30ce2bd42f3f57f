"""A component that looks after itself, and one that is released by its own command: typed as in a schedule, and as by a captain."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.world import TASKS, World, made

UPSTREAM = """\
[project]
name = "demo"

[version]
candidates = ["rc"]

[release]
deadline = "20s"
"""
FIRST = """
[[downstream]]
name = "first"
repository = "../first.git"
"""
OWN = """\
[project]
name = "{name}"

[release]
deadline = "20s"
"""


def component(world: World, name: str, config: str) -> Path:
    """A component with a configuration of its own, and a clone of it by somebody."""
    files = {"release.toml": config, "tasks.py": TASKS}
    seeding = World(world.folder, {**world.environment, **identity()})
    seeding.commit(world.folder / f"seed-{name}", files, "feat: release by itself")
    return world.clone(f"robot-{name}", name)


def identity() -> dict[str, str]:
    return {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in
            (("NAME", "Seed"), ("EMAIL", "seed@example.org"))}  # fmt: skip


def tags(world: World, name: str) -> dict[str, str]:
    return {ref.removeprefix("refs/tags/"): commit for ref, commit in world.refs(name).items() if "/tags/" in ref}


def test_what_is_missing_is_made_in_order_and_the_second_time_nothing_is(tmp_path: Path) -> None:
    world = made(tmp_path, UPSTREAM + FIRST + 'when = "final"\nlines = ["0.1"]\n', ["first"])
    captain = world.folder / "seed-upstream"
    for tag in ("v0.1.0-rc.1", "v0.1.0", "v0.1.1", "v0.2.0", "no-version"):
        world.git(captain, "tag", tag)
    world.git(captain, "push", "--quiet", "origin", "--tags")
    robot = component(world, "first", '[sync]\nupstream = "../upstream.git"\n')
    world.invoke(robot, "fleet.sync").expect(2, "say --yes")
    assert tags(world, "first") == {}
    world.invoke(robot, "fleet.sync", "--yes").expect(0, "2 made")
    assert list(tags(world, "first")) == ["v0.1.0", "v0.1.1"]
    assert len(set(tags(world, "first").values())) == 1
    before = world.every_ref()
    answer = world.json(robot, "fleet.sync")
    assert [(one["release"], one["state"]) for one in answer["releases"]] == [("v0.1.0", "there"), ("v0.1.1", "there")]
    assert world.every_ref() == before


def test_a_component_of_a_scheme_of_its_own_is_made_by_its_own_path(tmp_path: Path) -> None:
    more = 'trigger = "sync"\ntag = "{{version}}"\n'
    world = made(tmp_path, UPSTREAM + FIRST + more, ["first"])
    captain = world.folder / "seed-upstream"
    world.git(captain, "tag", "v1.2.0")
    world.git(captain, "push", "--quiet", "origin", "--tags")
    own = (
        OWN.format(name="first")
        + '[version]\nscheme = "pep440"\ntag = "{version}"\n[sync]\nupstream = "../upstream.git"\n'
    )
    robot = component(world, "first", own)
    world.invoke(robot, "fleet.sync", "--yes").expect(0, "1 made")
    assert list(tags(world, "first")) == ["1.2.0"]
    assert any(ref.startswith("refs/sluice/") for ref in world.refs("first")), "it has a record of its own"
    world.invoke(robot, "fleet.sync", "--yes").expect(0, "1 there")


def test_a_chain_of_two_components_releases_itself_and_its_last_words_are_told(tmp_path: Path) -> None:
    world = made(tmp_path, UPSTREAM + FIRST + 'trigger = "local"\n', ["first", "second"])
    second = '\n[[downstream]]\nname = "second"\nrepository = "../second.git"\ntrigger = "local"\n'
    component(world, "first", OWN.format(name="first") + second)
    component(world, "second", OWN.format(name="second") + '[[gate]]\nname = "qa"\nrun = ["test", "-f", "approved"]\n')
    captain = world.clone("captain")
    refused = world.invoke(captain, "release", "--version", "1.0.0", "--yes").expect(
        1, "ended with exit code 1", "gate qa"
    )
    assert "v1.0.0" in tags(world, "upstream"), refused
    assert tags(world, "second") == {}
    seed = World(world.folder, {**world.environment, **identity()})
    seed.commit(world.folder / "seed-second", {"approved": "yes\n"}, "fix: approved")
    world.invoke(captain, "release", "--version", "1.0.0", "--yes").expect(0)
    for name in ("first", "second"):
        assert tags(world, name) == {"v1.0.0": world.refs(name)["refs/heads/main"]}
        tagger = world.git(world.remote(name), "for-each-ref", "--format=%(taggername)", "refs/tags/v1.0.0")
        assert tagger == "Captain"


def test_what_a_component_refuses_is_its_own_word_and_a_persons_to_decide(tmp_path: Path) -> None:
    world = made(tmp_path, UPSTREAM + FIRST + 'trigger = "local"\n', ["first"])
    component(world, "first", OWN.format(name="first"))
    seed = world.folder / "seed-first"
    world.git(seed, "tag", "v2.0.0")
    world.git(seed, "push", "--quiet", "origin", "v2.0.0")
    captain = world.clone("captain")
    world.invoke(captain, "release", "--version", "1.0.0", "--yes").expect(
        3, r"first does not release v1\.0\.0", r"v2\.0\.0"
    )
    assert list(tags(world, "first")) == ["v2.0.0"]


def test_a_captain_who_is_ended_ends_what_runs_for_him_and_the_same_command_finishes(tmp_path: Path) -> None:
    world = made(tmp_path, UPSTREAM + FIRST + 'trigger = "local"\n', ["first"])
    begun, go = tmp_path / "begun", tmp_path / "go"
    gate = (
        f'[[gate]]\nname = "slow"\nrun = ["sh", "-c", "echo $$ > {begun}; until test -f {go}; do sleep 0.05; done"]\n'
    )
    component(world, "first", OWN.format(name="first") + gate)
    captain, temporary = world.clone("captain"), tmp_path / "tmp"
    temporary.mkdir()
    place = {"TMPDIR": str(temporary)}
    running = world.start(captain, "release", "--version", "1.0.0", "--yes", env=place)
    world.shell(tmp_path, f"until test -s {begun}; do sleep 0.05; done")
    inner = begun.read_text().strip()
    running.send_signal(signal.SIGTERM)
    running.communicate()
    assert running.returncode == 130
    assert not Path(f"/proc/{inner}").exists() or "State:\tZ" in Path(f"/proc/{inner}/status").read_text()
    assert list(temporary.iterdir()) == []
    assert tags(world, "first") == {}
    go.touch()
    world.invoke(captain, "release", "--version", "1.0.0", "--yes", env=place).expect(0)
    assert list(tags(world, "first")) == ["v1.0.0"]
    assert list(temporary.iterdir()) == []
