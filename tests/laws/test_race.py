"""Two captains at the same moment: there is one release in the end, whoever was first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.world import CONFIG, Answer, World, made

ROUNDS = 4
TAG_ONLY = CONFIG.replace('mode = "push"', 'mode = "none"').replace('[changelog]\nfile = "CHANGELOG.md"\n', "")
FINAL = ("release", "--yes")
CANDIDATE = ("release", "--candidate", "--yes")


def race(world: World, first: tuple[str, ...], second: tuple[str, ...]) -> list[Answer]:
    """Two captains in clones of their own type at the same moment."""
    clones = [world.clone("ada"), world.clone("grace")]
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda clone, words: world.invoke(clone, *words), clones, (first, second)))


def told(world: World, line: str = "0.1") -> list[str]:
    """The record's chain, oldest first, without the evidence."""
    subjects = world.git(world.remote(), "log", "--first-parent", "--reverse", "--format=%s", f"refs/sluice/{line}")
    return [subject for subject in subjects.splitlines() if subject.startswith(("begun", "finished", "abandoned"))]


@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("config", [CONFIG, TAG_ONLY], ids=["with a release commit", "with a tag alone"])
def test_two_captains_of_one_release_at_the_same_moment_make_it_once_and_both_see_it_out(
    tmp_path: Path, config: str, number: int
) -> None:
    world = made(tmp_path, config)
    base = world.refs()["refs/heads/main"]
    answers = race(world, FINAL, FINAL)
    assert_released_once(world, base, commits=config == CONFIG)
    assert [answer.code for answer in answers] == [0, 0], "\n".join(answer.said for answer in answers)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_captain_who_lost_a_race_types_the_same_again_and_sees_it_out(tmp_path: Path, number: int) -> None:
    world = made(tmp_path)
    race(world, FINAL, FINAL)
    before = world.every_ref()
    for name in ("ada", "grace"):
        world.invoke(tmp_path / name, *FINAL).expect(0)
    assert world.every_ref() == before


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_final_and_a_candidate_at_the_same_moment_leave_nothing_half_done(tmp_path: Path, number: int) -> None:
    world = made(tmp_path)
    answers = race(world, FINAL, CANDIDATE)
    assert_no_bug(answers)
    assert_whole(world)
    for _ in range(2):
        for name, words in (("ada", FINAL), ("grace", CANDIDATE)):
            world.invoke(tmp_path / name, *words).expect(0)
            assert_whole(world)
    settled = world.every_ref()
    assert "refs/tags/v0.1.0" in settled["upstream.git"]
    world.invoke(tmp_path / "ada", *FINAL).expect(0)
    world.invoke(tmp_path / "grace", *CANDIDATE).expect(0)
    assert world.every_ref() == settled


def assert_released_once(world: World, base: str, commits: bool) -> None:
    """One tag, one record, one release commit at the most; every downstream once."""
    refs = world.every_ref()
    upstream = refs["upstream.git"]
    assert sorted(upstream) == ["refs/heads/main", "refs/sluice/0.1", "refs/tags/v0.1.0"]
    assert told(world) == ["begun v0.1.0", "finished v0.1.0"]
    assert upstream["refs/tags/v0.1.0"] == upstream["refs/heads/main"]
    since = world.git(world.remote(), "log", "--format=%s", f"{base}..main").splitlines()
    assert since == (["chore(release): v0.1.0"] if commits else [])
    assert_whole(world)


def assert_whole(world: World) -> None:
    """What is tagged upstream is tagged downstream and in the output, and its record is finished; nothing else is."""
    refs = world.every_ref()
    tags = {name for name in refs["upstream.git"] if name.startswith("refs/tags/")}
    for remote in ("first.git", "second.git"):
        assert {name for name in refs[remote] if name.startswith("refs/tags/")} == tags, refs
    folders = {path.name: path for path in world.output.iterdir()} if world.output.exists() else {}
    assert {f"refs/tags/{name}" for name in folders} == tags
    for folder in folders.values():
        assert {path.name for path in folder.iterdir()} == {
            "app-amd64.txt", "app-arm64.txt", "release.json", "sha256sum-amd64.txt", "sha256sum-arm64.txt"
        }  # fmt: skip
    ends = told(world)
    assert ends[0::2] == [end.replace("finished", "begun") for end in ends[1::2]], ends
    assert {f"refs/tags/{end.partition(' ')[2]}" for end in ends} == tags, ends


def assert_no_bug(answers: list[Answer]) -> None:
    """Each ended well, or was told clearly that another one came first."""
    for answer in answers:
        answer.expect(answer.code)
        assert answer.code in (0, 3), answer
