"""When checks let a release begin: what is red stops it, what is pending or missing is waited for, only green is green."""

from __future__ import annotations

import pytest

from release.core.finding import Done, Failed, Underway
from release.core.forge import Check
from release.steps.checks import SHOWN, judged, named

COMMIT = "c0ffee" * 6 + "c0ff"
GREEN, RED, PENDING = Check("build", "green"), Check("lint", "red", "2 errors"), Check("test", "pending", "queued")


def test_green_is_what_is_all_green() -> None:
    found = judged([GREEN, Check("test", "green")], (), COMMIT)
    assert found == Done(COMMIT, "2 checks green at c0ffeec0ff")


def test_what_is_red_is_named_with_what_it_says() -> None:
    found = judged([GREEN, RED, PENDING], (), COMMIT)
    assert isinstance(found, Failed)
    assert found.why == "not green at c0ffeec0ff: lint (2 errors)"
    assert "run the same command again" in found.remedy


def test_what_is_pending_is_waited_for() -> None:
    assert judged([GREEN, PENDING], (), COMMIT) == Underway("waits for test (queued) at c0ffeec0ff")


def test_no_check_at_all_is_not_green() -> None:
    assert judged([], (), COMMIT) == Underway("there is no check at c0ffeec0ff yet, and none is not green")


def test_a_glob_that_matches_nothing_is_not_green_and_is_named() -> None:
    found = judged([GREEN], ("build", "deploy*", "e2e"), COMMIT)
    assert found == Underway("no check matches deploy*, e2e at c0ffeec0ff yet, and none is not green")


def test_only_what_a_glob_matches_counts() -> None:
    assert judged([GREEN, RED, PENDING], ("build",), COMMIT) == Done(COMMIT, "1 checks green at c0ffeec0ff")


@pytest.mark.parametrize(
    ("glob", "name", "fits"),
    [
        ("build*", "build (linux, amd64)", True),
        ("ci/*", "ci/circleci: test", True),
        ("build", "Build", False),
        ("*", "anything / at all", True),
        ("build (?)", "build (1)", True),
        ("[ab]", "b", True),
        ("[ab]", "[ab]", False),
    ],
)
def test_a_glob_is_over_the_whole_name_and_minds_its_case(glob: str, name: str, fits: bool) -> None:
    assert isinstance(judged([Check(name, "green")], (glob,), COMMIT), Done) is fits


def test_of_a_glob_with_a_red_and_a_green_match_the_red_one_counts() -> None:
    assert isinstance(judged([Check("a1", "green"), Check("a2", "red")], ("a*",), COMMIT), Failed)


def test_many_checks_are_not_all_named() -> None:
    many = [Check(f"c{number}", "red") for number in range(SHOWN + 2)]
    assert named(many) == "c0, c1, c2, c3, c4 and 2 more"
    assert named(many[:SHOWN]) == "c0, c1, c2, c3, c4"
