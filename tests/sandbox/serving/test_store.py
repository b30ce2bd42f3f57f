"""The store keeps documents by kind, repository and key; protection decides by globs."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from release.sandbox.forge.git import well_formed
from release.sandbox.forge.protection import NULL, matches, refusal
from release.sandbox.serving.store import Duplicate, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "forge.sqlite3")


def test_ids_are_never_used_twice(store: Store) -> None:
    first = store.add("a", {})["id"]
    store.remove(first)
    assert store.add("b", {})["id"] > first
    store.close()


def test_a_key_is_taken_once_a_kind_and_repository(store: Store) -> None:
    store.add("a", {"x": 1}, 1, "k")
    store.add("a", {"x": 2}, 2, "k")
    store.add("b", {"x": 3}, 1, "k")
    with pytest.raises(Duplicate):
        store.add("a", {}, 1, "k")
    assert [one["x"] for one in store.all("a")] == [1, 2]
    assert store.all("a", 1, x=1) == [store.find("a", "k", 1)]
    assert store.all("a", x=9) == []
    store.close()


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    def half() -> None:
        with store.transaction():
            store.add("a", {})
            with store.transaction():
                store.add("a", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert store.all("a") == []
    store.close()


def test_threads_lose_no_update(store: Store) -> None:
    number = store.add("a", {"n": 0})["id"]

    def count() -> None:
        for _ in range(50):
            with store.transaction():
                found = store.get("a", number)
                assert found is not None
                store.change(number, n=found["n"] + 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (store.get("a", number) or {})["n"] == 200
    store.close()


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("master", "master", True),
        ("v1.0", "v*", True),
        ("v1/x", "v*", False),
        ("release/1.30", "release/*", True),
        ("a/b/c", "a/**", True),
        ("xmaster", "master", False),
    ],
)
def test_a_star_stops_at_a_slash(name: str, pattern: str, fits: bool) -> None:
    assert matches(name, pattern) is fits


NAMES = (
    "a a/b v1.0+x @ a@{ a..b .a a/.b a.lock a.lock/b a. /a a/ a//b a~ a^ a: a? a* a[ a\\ --x ü HEAD - refs/heads/x a@b"
)


@pytest.mark.parametrize("name", [*NAMES.split(), "", "a b", "a\x7f", "a\n"])
def test_names_of_refs_are_judged_as_git_judges_them(name: str) -> None:
    ref = f"refs/heads/{name}"
    judged = subprocess.run(["git", "check-ref-format", ref], check=False).returncode == 0
    assert well_formed(ref) is judged


def test_pull_refs_are_the_forges_own() -> None:
    policy = {"custom_refs": True, "locked": {}, "burned": {}, "rules": [], "login": "x", "rules_url": ""}
    assert refusal(policy, "refs/pull/1/head", NULL, "1" * 40, forced=False)
    assert not refusal(policy, "refs/sluice/1", NULL, "1" * 40, forced=False)
