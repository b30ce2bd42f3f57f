"""Many who ask the same at the same time share an answer that is no older than their question."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from release.adapters.github.together import Together
from release.errors import Unseen


def test_who_asks_while_an_answer_is_on_its_way_shares_the_next_one() -> None:
    together, asked, begun, go_on = Together[int](), list[int](), threading.Event(), threading.Event()

    def ask() -> int:
        asked.append(len(asked) + 1)
        number = len(asked)
        begun.set()
        assert go_on.wait(30)
        return number

    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(together, 7, ask)
        assert begun.wait(30)
        later = [pool.submit(together, 7, ask) for _ in range(8)]
        while pool._work_queue.qsize():
            pass
        go_on.set()
        assert first.result(30) == 1, "asked before the others came"
        answers = [one.result(30) for one in later]
    assert min(answers) == 2, "nobody gets an answer that is older than the question"
    assert len(asked) <= 9


def test_answers_of_different_questions_are_not_mixed() -> None:
    together = Together[str]()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda key: together(key, lambda: f"answer {key}"), [1, 2, 3, 4] * 50))
    assert found == [f"answer {key}" for key in [1, 2, 3, 4] * 50]


def test_an_answer_that_never_came_is_told_to_all_and_asked_for_again() -> None:
    together = Together[int]()

    def lost() -> int:
        raise Unseen("no answer")

    with pytest.raises(Unseen, match="no answer"):
        together(1, lost)
    assert together(1, lambda: 5) == 5


def test_a_crowd_needs_few_answers() -> None:
    together, asked = Together[int](), list[int]()
    gate = threading.Barrier(16)

    def ask() -> int:
        asked.append(1)
        threading.Event().wait(0.05)
        return len(asked)

    def one(_: int) -> int:
        gate.wait(30)
        return together(1, ask)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(16)))
    assert len(asked) <= 4
