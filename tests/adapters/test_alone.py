"""One at a time in a store, and nobody waits for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from release.adapters.git import alone as module
from release.adapters.git.alone import WAITING, alone
from release.adapters.git.run import stop
from release.errors import Unseen


def test_who_waits_is_let_in_when_the_one_before_has_left(tmp_path: Path) -> None:
    order = list[str]()
    begun = Event()

    def second() -> None:
        begun.set()
        with alone(tmp_path):
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with alone(tmp_path):
            later = pool.submit(second)
            assert begun.wait(5)
            order.append("first")
        later.result(5)
    assert order == ["first", "second"]


def test_who_waits_when_all_is_to_end_waits_no_more(tmp_path: Path) -> None:
    def second() -> None:
        with alone(tmp_path):
            raise AssertionError("the first is still in there")

    with ThreadPoolExecutor(1) as pool, alone(tmp_path):
        before = set(WAITING)
        later = pool.submit(second)
        while set(WAITING) <= before:
            assert not later.done()
        stop()
        with pytest.raises(Unseen, match="told to stop"):
            later.result(5)


def test_who_waits_too_long_is_told_what_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.1)
    with alone(tmp_path), pytest.raises(Unseen, match="another command has been reading into"), alone(tmp_path):
        pass


def test_where_nothing_can_be_locked_it_goes_on(tmp_path: Path) -> None:
    with alone(tmp_path / "nowhere"):
        assert not (tmp_path / "nowhere").exists()
