"""Two at the same moment on a forge: there is one release in the end, and each component is set going once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from tests.forged import Fleet, fleet, names
from tests.laws.harness.stories import TAG, Stage, Story, different, outcome, told
from tests.world import Answer

ROUNDS = 3
BY_TAG = 'start = "tag"'
FILES = {"app-amd64.txt", "app-arm64.txt", "sha256sum-amd64.txt", "sha256sum-arm64.txt", "release.json"}


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Story]:
    """What comes of a release that one captain made alone."""
    return cache(lambda name: told(name, tmp_path_factory.mktemp(name), {}))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(ROUNDS))
def test_two_captains_at_the_same_moment_make_one_release_and_start_each_component_once(
    stories: Callable[[str], Story], number: int
) -> None:
    story = stories("whole")
    with story.staged(f"race-{number}") as stage:
        clones = [stage.captain("ada"), stage.captain("grace")]
        answers = together(stage, clones)
        for answer in answers:
            answer.expect(0)
        stage.forge.idle(60)
        for clone in clones:
            assert not different(story.undisturbed, outcome(stage, clone))


def together(stage: Stage, clones: list[Path]) -> list[Answer]:
    """All type the same at the same moment."""
    with ThreadPoolExecutor(len(clones)) as pool:
        return list(pool.map(stage.release, clones))


def test_a_laptop_pushes_the_tag_and_follows_the_run_that_makes_the_release(tmp_path: Path) -> None:
    with fleet(tmp_path, start=BY_TAG) as ours:
        clone = ours.clone("ada")
        ours.invoke(clone, "release", "--yes").expect(0)
        assert_released_once(ours)
        ours.invoke(clone, "release", "--yes").expect(0, "nothing to do")
        assert_released_once(ours)


def test_a_laptop_that_comes_after_the_run_of_a_tag_that_was_pushed_by_hand_sees_it_out(tmp_path: Path) -> None:
    with fleet(tmp_path, start=BY_TAG) as ours:
        clone = ours.clone("ada")
        ours.world.git(clone, "tag", "--annotate", "--message", TAG, TAG)
        pushed = ours.world.git(clone, "rev-parse", TAG)
        ours.world.git(clone, "push", "--quiet", authorized(ours), f"refs/tags/{TAG}")
        ours.invoke(ours.clone("grace"), "release", "--yes", "--version", TAG).expect(0)
        assert_released_once(ours)
        assert ours.world.git(ours.git_of("app"), "rev-parse", TAG) == pushed


def authorized(ours: Fleet) -> str:
    """The upstream's address with a token, for plain git."""
    return f"{ours.forge.url.replace('://', f'://x-access-token:{ours.token}@')}/acme/app.git"


def assert_released_once(ours: Fleet) -> None:
    """One published release each, with all its files; one run each, and green."""
    for name in ("app", "first", "second"):
        (release,) = ours.releases(name)
        assert (release["tag_name"], release["draft"]) == (TAG, False)
        wanted = FILES if name == "app" else {f"{name}-amd64.txt", f"{name}-arm64.txt"}
        assert names(release["assets"]) == wanted
        (run,) = ours.forge.runs(f"acme/{name}")
        assert (run["conclusion"], run["attempt"]) == ("success", 1)
    words = ours.world.git(ours.git_of("app"), "log", "--first-parent", "--format=%s", "refs/sluice/0.1").splitlines()
    told = [word for word in words if word.startswith(("begun", "finished", "abandoned"))]
    assert told == [f"finished {TAG}", f"begun {TAG}"]
