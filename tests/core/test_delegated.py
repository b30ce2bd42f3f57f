"""What a component's own exit code means for us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.delegated import Ended, failure, todo, verdict
from release.core.finding import Blocked, Underway
from release.core.model import DownstreamWish

WISH = DownstreamWish("part", "../part.git", "main", "v1.0.0", trigger="local", run=("invoke", "release"))


def test_before_it_ran_it_may_be_run() -> None:
    assert verdict(WISH, None) is None


def test_what_is_to_be_done_is_the_command_and_after_a_good_end_that_nothing_came_of_it() -> None:
    for ended in (None, Ended(1), Ended(-9)):
        assert todo(WISH, ended) == "`invoke release` in a clone of main of part"
    told = todo(WISH, Ended(0, (), "/x/part.log"))
    assert told == "`invoke release` ended well, and part has no v1.0.0; its log is /x/part.log"


def test_what_is_under_way_there_is_under_way_here_and_says_what_it_said() -> None:
    found = verdict(WISH, Ended(4, ("gate qa: nobody said yes yet",)))
    assert isinstance(found, Underway)
    assert "gate qa: nobody said yes yet" in found.detail


def test_what_a_person_has_to_decide_there_is_told_in_its_own_words() -> None:
    found = verdict(WISH, Ended(3, ("blocked: v1.0.0 is too low", "take v1.1.0"), "/x/part.log"))
    assert isinstance(found, Blocked)
    assert "blocked: v1.0.0 is too low | take v1.1.0" in found.conflict.why
    assert "/x/part.log" in found.conflict.remedy


@pytest.mark.parametrize(
    ("code", "how"), [(1, "exit code 1"), (2, "exit code 2"), (130, "exit code 130"), (-9, "signal 9")]
)
def test_what_failed_is_told_with_its_last_words(code: int, how: str) -> None:
    told = failure(WISH, Ended(code, ("no such file",)))
    assert told.endswith(f"`invoke release` ended with {how}:\nno such file")


@given(st.integers(-64, 255))
def test_every_end_is_exactly_one_of_fine_held_and_failed(code: int) -> None:
    ended = Ended(code)
    assert (code == 0) + (verdict(WISH, ended) is not None) + bool(failure(WISH, ended)) == 1
