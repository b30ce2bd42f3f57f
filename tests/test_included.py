"""Files of a fleet are read from the work tree, from checkouts, over git and from a forge, and what is wrong names the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release import app
from release.app.included import Reader, whole
from release.config import load
from release.core.config import Config, Downstream, Include
from release.errors import ConfigError, ReleaseError
from tests.forge import Client, clone, commit, git, serving
from tests.world import World, made

PROJECT = '[project]\nname = "up"\nfleet = "fleets/fleet.toml"\n'
A = '[[downstream]]\nname = "a"\nrepository = "../a.git"\n'
INCLUDE = '[[include]]\nname = "a"\n'
OF_A = '[project]\nname = "a"\nodd = 1\n[new-table]\nx = 1\n[[downstream]]\nname = "c"\nrepository = "../c.git"\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A work tree with a fleet file that includes one component."""
    (tmp_path / "fleets").mkdir()
    (tmp_path / "release.toml").write_text(PROJECT)
    (tmp_path / "fleets/fleet.toml").write_text(A + INCLUDE)
    return tmp_path


def read(text: str) -> Callable[[Include, Downstream], tuple[str, str]]:
    return lambda include, one: (f"release.toml of {include.name}", text)


def fleet(tree: Path, text: str = OF_A) -> Config:
    return whole(load(tree / "release.toml"), tree, read(text)).config


def refused(tree: Path, text: str = OF_A) -> str:
    with pytest.raises(ConfigError) as error:
        fleet(tree, text)
    return " ".join((error.value.message, *error.value.problems))


def test_only_the_tables_that_are_read_of_another_file_are_judged(tree: Path) -> None:
    assert [(one.name, one.of) for one in fleet(tree).downstream] == [("a", ""), ("c", "a")]


def test_an_included_component_may_be_one_that_another_include_brings(tree: Path) -> None:
    (tree / "fleets/fleet.toml").write_text('[[include]]\nname = "c"\n' + A + INCLUDE)
    texts = {"a": OF_A, "c": '[[downstream]]\nname = "e"\nrepository = "../e.git"\n'}
    config = whole(load(tree / "release.toml"), tree, lambda include, one: (include.name, texts[include.name])).config
    assert [(one.name, one.of) for one in config.downstream] == [("a", ""), ("c", "a"), ("e", "c")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[downstream", "release.toml of a, line 1"),
        ("downstream = 1", "release.toml of a: downstream must be a list"),
        ('[[downstream]]\nname = "b"\n', "release.toml of a: downstream[0].repository is missing"),
        ("x = " + "[" * 50000, "release.toml of a"),
        ("#" * (1024 * 1024 + 1), "release.toml of a is larger than 1 MiB"),
        ("[[downstream]]\n" * 60000, "release.toml of a has 100 problems or more"),
        ('[project]\nfleet = "x.toml"\n', "release.toml of a has a fleet file of its own"),
    ],
)
def test_what_cannot_be_read_of_another_file_names_it(tree: Path, text: str, said: str) -> None:
    assert said in refused(tree, text)
    assert len(refused(tree, text)) < 100_000


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (A + '[[include]]\nname = "aa"\n', "did you mean a?"),
        (A + '[[include]]\nname = "a"\nfile = "/etc/passwd"\n', "fleets/fleet.toml: include[0].file is '/etc/passwd'"),
        (A + INCLUDE + INCLUDE, "'a' is included twice"),
        ("[project]\n", "fleets/fleet.toml: project is not a known key"),
        ("[[downstream]]\n", "fleets/fleet.toml has 2 problems"),
    ],
)
def test_what_is_wrong_in_the_fleet_file_names_it(tree: Path, file: str, said: str) -> None:
    (tree / "fleets/fleet.toml").write_text(file)
    assert said in refused(tree)


def test_a_fleet_file_has_to_be_there_and_inside(tree: Path) -> None:
    (tree / "fleets/fleet.toml").unlink()
    assert "project.fleet is fleets/fleet.toml, and there is no such file" in refused(tree)
    (tree / "release.toml").write_text('[project]\nfleet = "../fleet.toml"\n')
    assert "project.fleet is '../fleet.toml'" in refused(tree)


# From where


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An upstream and `a`, whose own release.toml has `c`; this process has the world's environment."""
    config = PROJECT + '[version]\nscheme = "semver"\n'
    built = made(tmp_path / "world", config, downstreams=("a", "c"))
    for name in set(os.environ) - set(built.environment):
        monkeypatch.delenv(name)
    for name, value in built.environment.items():
        monkeypatch.setenv(name, value)
    built.commit(built.clone("a", "a"), {"release.toml": OF_A}, "a fleet of its own")
    return built


def upstream(world: World, file: str) -> Path:
    captain = world.clone("captain")
    world.commit(captain, {"fleets/fleet.toml": file}, "fleet")
    return captain


def names(captain: Path) -> list[str]:
    return [one.name for one in app.surveying(captain).config.downstream]


def test_a_file_is_read_over_git_at_the_head_of_the_components_branch(world: World) -> None:
    captain = upstream(world, A + INCLUDE)
    assert names(captain) == ["a", "c"]
    world.commit(
        world.folder / "a", {"release.toml": OF_A + A.replace('"a"', '"d"').replace("a.git", "d.git")}, "one more"
    )
    assert names(captain) == ["a", "c", "d"]


def test_a_branch_for_each_line_is_none_to_read_from_and_the_default_one_is(world: World) -> None:
    captain = upstream(world, A + 'branch = "release-{line}"\n' + INCLUDE)
    assert names(captain) == ["a", "c"]


def test_a_checkout_that_lies_here_is_read_where_the_include_says_so(world: World) -> None:
    captain = upstream(world, A + INCLUDE + 'path = "../../a"\n')
    (world.folder / "a/release.toml").write_text(OF_A.replace('"c"', '"local"'))
    assert names(captain) == ["a", "local"]
    (world.folder / "a/release.toml").unlink()
    with pytest.raises(ConfigError, match=r"there is no ../../a/release.toml .included as a."):
        names(captain)


def test_what_cannot_be_reached_is_told_with_the_file_and_is_not_taken_for_nothing(world: World) -> None:
    captain = upstream(world, A + INCLUDE)
    world.remote("a").rename(world.folder / "gone")
    with pytest.raises(ReleaseError, match=r"release.toml of a .../a.git at main. cannot be read"):
        names(captain)
    assert app.looking(captain).config.downstream == (), "who does not ask for the fleet does not read it"


def test_a_file_that_is_not_there_is_told(world: World) -> None:
    captain = upstream(world, A + INCLUDE + 'file = "sub/other.toml"\n')
    with pytest.raises(ConfigError, match=r"there is no sub/other.toml of a"):
        names(captain)


class OnForge:
    """Reads from a forge of its own."""

    def __init__(self, github: Any, root: Path) -> None:
        self.reader = Reader(root, "fleet.toml", "https://example.org/acme/app", None, github)  # type: ignore[arg-type]

    def text(self, repository: str, branch: str, file: str = "release.toml") -> str:
        return self.reader(Include("a", file=file), Downstream("a", repository, branch=branch))[1]


def test_a_forge_is_asked_once_for_a_file(tmp_path: Path) -> None:
    from release.adapters.github import GitHub

    with serving(tmp_path / "forge") as forge:
        forge.repository("acme/a", push=("captain",))
        work = clone(forge, forge.token("captain"), "acme/a", tmp_path / "a")
        for branch, text in (("master", OF_A), ("release-1.2", "ünique")):
            git(work, "checkout", "--quiet", "-B", branch)
            (work / "release.toml").write_text(text)
            (work / "link.toml").unlink(missing_ok=True)
            (work / "big.toml").write_bytes(b"#" * (1024 * 1024 + 1))
            git(work, "add", "--all")
            commit(work, f"for {branch}")
            git(work, "push", "--quiet", "origin", branch)
        captain = Client(forge, forge.token("captain"))
        github = GitHub.at({"GITHUB_API_URL": forge.api_url, "GH_TOKEN": captain.token})
        there = OnForge(github, tmp_path)
        before = len(list(forge.exchanges()))
        assert there.text("acme/a", "release-1.2") == "ünique"
        assert len(list(forge.exchanges())) == before + 1
        assert there.text("acme/a", "release-{line}") == OF_A
        with pytest.raises(ConfigError, match=r"there is no none.toml of a .acme/a at master."):
            there.text("acme/a", "master", "none.toml")
        with pytest.raises(ConfigError, match=r"there is no release.toml of a .acme/a at other."):
            there.text("acme/a", "other")
        with pytest.raises(ReleaseError, match=r"acme/nowhere"):
            there.text("acme/nowhere", "master")
        captain.close()
        github.close()
