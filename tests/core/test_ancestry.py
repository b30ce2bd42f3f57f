"""What is new, and whose each commit is: as git itself says, whatever the history looks like."""

from __future__ import annotations

import os
import subprocess
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release.core.ancestry import SLOP, Section, Skewed, contained, partition, since, told, trunk, within
from release.core.model import Commit, Person

ADA = Person("Ada", "ada@example.org")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

T = TypeVar("T")

Graph = Mapping[str, Sequence[str]]
"""Names of commits, parents before their children, each with its parents."""


def commit(name: str, parents: Iterable[str] = (), hour: int = 0) -> Commit:
    return Commit(name, tuple(parents), ADA, (BEGIN + timedelta(hours=hour)).isoformat(), f"feat: {name}\n")


def log(graph: Graph) -> list[Commit]:
    """Children before parents, as any log of git's without skew."""
    made = [commit(name, parents, hour) for hour, (name, parents) in enumerate(graph.items())]
    return made[::-1]


def names(commits: Iterable[Commit]) -> str:
    return " ".join(commit.id for commit in commits)


LINE: Graph = {"a": "", "b": "a", "c": "b", "d": "c", "e": "d"}
DIAMOND: Graph = {"a": "", "b": "a", "c": "a", "d": "bc", "e": "d"}


# Since.


@pytest.mark.parametrize(("graph", "marks", "commits", "met"), [
    (LINE, "c", "e d", "c"),
    (LINE, "ac", "e d", "c"),
    (LINE, "e", "", "e"),
    (LINE, "", "e d c b a", ""),
    (LINE, "x", "e d c b a", ""),
    (LINE, "a", "e d c b", "a"),
    (DIAMOND, "b", "e d c", "b"),
    (DIAMOND, "bc", "e d", "bc"),
    (DIAMOND, "abc", "e d", "bc"),
    (DIAMOND, "ab", "e d c", "b"),
    (DIAMOND, "d", "e", "d"),
])  # fmt: skip
def test_what_is_new_ends_at_the_nearest_marks(graph: Graph, marks: str, commits: str, met: str) -> None:
    found = since(iter(log(graph)), set(marks))
    assert (names(found.commits), found.met) == (commits, frozenset(met))


def test_nothing_is_new_in_no_history() -> None:
    assert since(iter(()), {"a"}).commits == ()


def test_no_more_is_read_than_what_is_new_and_a_little() -> None:
    long = [commit(str(number), [str(number - 1)] if number else [], number) for number in range(5000)][::-1]
    read: list[str] = []
    closed: list[bool] = []

    def stream() -> Iterator[Commit]:
        try:
            for one in long:
                read.append(one.id)
                yield one
        finally:
            closed.append(True)

    found = since(stream(), {"4000", "17"})
    assert len(found.commits) == 999
    assert len(read) == 999 + 1 + SLOP - 1  # the mark itself is older, too
    assert closed == [True]
    read.clear()
    assert since(stream(), {"4999"}) == since(iter(long[:1]), {"4999"})
    assert read == ["4999"]


def test_what_a_mark_contains_is_nothing_new_though_a_wrong_clock_showed_it_first() -> None:
    """`low` was made before its parent `mark` by a clock that was two days late, so git shows `old`, which both have, first."""
    graph = {
        "tip": commit("tip", ["low", "old"], 50), "old": commit("old", ["root"], 40), "root": commit("root", [], 30),
        "low": commit("low", ["mark"], 2), "mark": commit("mark", ["old"], 45),
    }  # fmt: skip
    found = since(iter(graph.values()), {"mark"})
    assert (names(found.commits), found.met) == ("tip low", frozenset({"mark"}))


def test_after_the_last_new_commit_one_looks_for_wrong_clocks() -> None:
    """All that is unread is behind the mark, but `late`, which is, contains what was taken for new."""
    shown = [
        commit("tip", ["mark", "side"], 9), commit("mark", ["late"], 8), commit("side", ["root"], 7),
        commit("root", [], 6), commit("late", ["side"], 1),
    ]  # fmt: skip
    assert names(since(iter(shown), {"mark"}).commits) == "tip"
    assert names(since(iter(shown), {"mark"}, slop=0).commits) == "tip side root"


def test_a_mark_behind_another_one_is_not_where_the_walk_ends() -> None:
    """Even where it is met first."""
    shown = [commit("tip", ["low", "first"], 9), commit("first", [], 8), commit("low", ["second"], 1), commit("second", ["first"], 7)]  # fmt: skip
    assert since(iter(shown), {"first", "second"}).met == {"second"}


def test_dates_are_compared_as_instants_and_an_unreadable_one_is_as_old_as_can_be() -> None:
    """`early` is not older than `side`, which was made at eight o'clock: one looks on, and meets `late`."""

    def shown(of_side: str) -> Iterator[Commit]:
        yield Commit("tip", ("mark", "side"), ADA, "2026-01-01T10:00:00+00:00", "")
        yield Commit("mark", ("early",), ADA, "2026-01-01T09:00:00+00:00", "")
        yield Commit("side", (), ADA, of_side, "")
        yield Commit("early", ("late",), ADA, "2026-01-01T08:30:00+00:00", "")
        yield Commit("late", ("side",), ADA, "2026-01-01T07:30:00+00:00", "")

    for date in ("2026-01-01T12:00:00+04:00", "", "10000-01-01T00:00:00+00:00"):
        assert names(since(shown(date), {"mark"}, slop=1).commits) == "tip", date
    assert names(since(shown("2026-01-01T02:00:00-07:00"), {"mark"}, slop=1).commits) == "tip side"


# Contained.


def rows(graph: Graph) -> list[tuple[str, ...]]:
    """Children before parents: each name, then its parents."""
    return [(name, *parents) for name, parents in graph.items()][::-1]


@pytest.mark.parametrize(("graph", "tip", "marks", "expected"), [
    (LINE, "c", "abcde", "abc"),
    (DIAMOND, "b", "abcde", "ab"),
    (DIAMOND, "d", "abcde", "abcd"),
    (DIAMOND, "c", "b", ""),
    (DIAMOND, "c", "", ""),
    ({"a": "", "z": ""}, "z", "a", ""),
])  # fmt: skip
def test_contained_are_the_marks_behind_the_tip_in_any_order_of_the_log(graph: Graph, tip: str, marks: str, expected: str) -> None:  # fmt: skip
    for seed in range(20):
        shuffled = Random(seed).sample(rows(graph), len(graph))
        assert contained(shuffled, tip, marks) == set(expected), shuffled
    assert contained(rows(graph), tip, marks) == set(expected)


def test_what_is_contained_is_read_no_further_down_than_to_where_the_last_mark_parted() -> None:
    """A hundred commits, the tip on top; `side` and the tip parted at the eightieth."""
    graph: dict[str, Sequence[str]] = {f"{n}": [f"{n - 1}"] if n else () for n in range(100)}
    read: list[Sequence[str]] = []
    assert contained(watched(rows(graph), read), "99", ["97", "98"]) == {"97", "98"}
    assert [name for name, *_ in read] == ["99", "98"]
    read.clear()
    graph["side"] = ["80"]
    assert contained(watched(rows(graph), read), "99", ["side", "97"]) == {"97"}
    assert [name for name, *_ in read] == ["side", *(f"{n}" for n in range(99, 80, -1))]
    read.clear()
    assert contained(watched(rows(graph), read), "99", ["99"]) == {"99"}
    assert read == []


# Within, and the branch itself.


def test_of_what_is_new_a_candidate_contains_its_own_history() -> None:
    graph: Graph = {"a": "", "b": "a", "c": "a", "d": "bc", "e": "d", "f": "e"}
    new = since(iter(log(graph)), {"a"}).commits
    assert names(within(new, {"d"})) == "f e"
    assert names(within(new, {"b"})) == "f e d c"
    assert names(within(new, {"f"})) == ""
    assert names(within(new, {"a", "x"})) == names(new) == "f e d c b"


def test_the_branch_itself_is_the_path_of_first_parents() -> None:
    graph: Graph = {"a": "", "b": "a", "c": "a", "d": "bc", "e": "d"}
    assert names(trunk(log(graph))) == "e d b a"
    assert names(trunk(since(iter(log(graph)), {"b"}).commits)) == "e d"
    assert trunk(()) == ()


# The changelog law.


def sections(graph: Graph, releases: Mapping[str, str]) -> dict[str, str]:
    return {section.release: names(section.commits) for section in partition(log(graph), releases)}


def test_a_line_is_cut_at_its_releases() -> None:
    assert sections(LINE, {"1": "b", "2": "d"}) == {"": "e", "2": "d c", "1": "b a"}
    assert sections(LINE, {"2": "e"}) == {"": "", "2": "e d c b a"}
    assert sections(LINE, {"elsewhere": "x"}) == {"": "e d c b a"}
    assert list(partition((), {})) == [Section("", ())]


def test_what_a_merge_brought_belongs_to_the_release_that_contains_the_merge() -> None:
    assert sections(DIAMOND, {"1": "b", "2": "d"}) == {"": "e", "2": "d c", "1": "b a"}


def test_a_commit_of_two_parallel_lines_is_in_both() -> None:
    assert sections(DIAMOND, {"1": "b", "2": "c"}) == {"": "e d", "1": "b a", "2": "c a"}
    assert sections(DIAMOND, {"0": "a", "1": "b", "2": "c"}) == {"": "e d", "0": "a", "1": "b", "2": "c"}


def test_of_releases_on_one_commit_the_first_takes_all() -> None:
    found = {section.release: section for section in partition(log(LINE), {"1": "b", "2": "d", "3": "d", "4": "d"})}
    assert {name: names(section.commits) for name, section in found.items()} == {
        "": "e", "4": "", "3": "", "2": "d c", "1": "b a"
    }  # fmt: skip
    assert {name: section.previous for name, section in found.items()} == {
        "": ("4",), "4": ("3",), "3": ("2",), "2": ("1",), "1": ()
    }  # fmt: skip


def test_the_previous_releases_are_those_right_below() -> None:
    graph: Graph = {"a": "", "b": "a", "c": "a", "d": "bc", "e": "da", "f": "e"}
    found = {section.release: section.previous for section in partition(log(graph), dict(zip("01234", "acbef", strict=True)))}  # fmt: skip
    assert found == {"": ("4",), "4": ("3",), "3": ("1", "2"), "2": ("0",), "1": ("0",), "0": ()}


def test_a_section_is_told_and_forgotten_before_the_next_is_read() -> None:
    """On a line of a hundred commits with a release each, no more than two of them are ever held."""
    held: weakref.WeakSet[Plain] = weakref.WeakSet()
    most = 0

    def stream() -> Iterator[Commit]:
        nonlocal most
        for number in reversed(range(100)):
            one = Plain(f"{number}", (f"{number - 1}",) if number else (), ADA, "", "")
            held.add(one)
            most = max(most, len(held))
            yield one
            del one

    told = []
    for section in partition(stream(), {f"v{number}": f"{number}" for number in range(100)}):
        told.append((section.release, len(section.commits)))
        del section
    assert told == [("", 0), *((f"v{number}", 1) for number in reversed(range(100)))]
    assert most <= 3


def test_a_log_that_shows_a_parent_first_is_told_anew_in_the_order_of_descent() -> None:
    """`c` is older than its parent `b` by its date, and both are parents of the tip."""
    by_descent = [commit("tip", "bc"), commit("c", "b"), commit("b", "a"), commit("a")]
    by_date = [by_descent[0], by_descent[2], by_descent[1], by_descent[3]]
    with pytest.raises(Skewed, match="c"):
        list(partition(by_date, {"1": "c"}))
    read: list[Commit] = []
    found = told(iter(by_date), watched(by_descent, read), {"1": "c"}, lambda section: names(section.commits))
    assert found == {"": "tip", "1": "c b a"}
    assert read == by_descent
    read.clear()
    assert told(iter(by_descent), watched((), read), {"1": "c"}, lambda section: names(section.commits)) == found
    assert read == []


class Plain(Commit, frozen=True, weakref=True):
    """A commit that can be watched."""


# What git says.


@st.composite
def histories(draw: st.DrawFn, most: int = 24) -> list[tuple[tuple[int, ...], int]]:
    """Commits as (parents, date): a parent is an earlier place, a date is in seconds and may be before the parents'."""
    made: list[tuple[tuple[int, ...], int]] = []
    skewed = draw(st.booleans())
    for place in range(draw(st.integers(1, most))):
        near = st.integers(max(0, place - 4), place - 1) if place else st.nothing()
        count = draw(st.sampled_from((1, 1, 1, 2, 2, 3, 0))) if place else 0
        parents = draw(st.lists(near, min_size=min(count, place), max_size=count, unique=True)) if count else []
        after = max((made[parent][1] for parent in parents), default=1_700_000_000)
        made.append((tuple(parents), after + draw(st.integers(-40, 20) if skewed else st.integers(0, 20))))
    return made


class Repository:
    """A history as a real repository: commit n is `ids[n]`, the last one is the tip."""

    def __init__(self, folder: Path, history: Sequence[tuple[tuple[int, ...], int]]) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--bare")
        lines = []
        for place, (parents, date) in enumerate(history):
            lines += [f"commit refs/heads/c{place}", f"mark :{place + 1}", f"committer A <a@example.org> {date} +0000"]
            lines += [f"data {len(str(place))}", str(place)]
            lines += [f"{'merge' if n else 'from'} :{parent + 1}" for n, parent in enumerate(parents)]
            lines += ["M 100644 inline f", f"data {len(str(place))}", str(place), ""]
        self.git("fast-import", "--quiet", f"--export-marks={folder / 'marks'}", stdin="\n".join(lines))
        marks = dict(line.split(" ") for line in (folder / "marks").read_text().splitlines())
        self.ids = [marks[f":{place + 1}"] for place in range(len(history))]
        self.tip = self.ids[-1]

    def git(self, *args: str, stdin: str = "") -> str:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-C", str(self.folder), *args], env=env, input=stdin, capture_output=True, text=True, check=True
        )
        return done.stdout

    def log(self, *args: str) -> list[Commit]:
        lines = self.git("log", "--format=%H %cI %P", *args).splitlines()
        return [Commit(id_, tuple(parents), ADA, date, "") for id_, date, *parents in map(str.split, lines)]

    def ancestor(self, old: str, new: str) -> bool:
        asked = ["git", "-C", str(self.folder), "merge-base", "--is-ancestor", old, new]
        code = subprocess.run(asked, env={"PATH": os.environ["PATH"], "HOME": str(self.folder)}, check=False).returncode
        assert code in (0, 1)
        return code == 0

    def revisions(self, tip: str, *exclude: str) -> set[str]:
        return set(self.git("rev-list", tip, "--not", *exclude).split())


SOME = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def lineage(history: Sequence[tuple[tuple[int, ...], int]]) -> list[set[int]]:
    """What each commit contains, itself included."""
    found: list[set[int]] = []
    for place, (parents, _) in enumerate(history):
        found.append({place}.union(*(found[parent] for parent in parents)))
    return found


@SOME
@given(histories(), st.data())
def test_since_is_what_rev_list_gives(history: list[tuple[tuple[int, ...], int]], data: st.DataObject) -> None:
    marked = data.draw(st.sets(st.integers(0, len(history) - 1), max_size=4))
    with TemporaryDirectory() as folder:
        repository = Repository(Path(folder), history)
        found = since(iter(repository.log(repository.tip)), [repository.ids[place] for place in marked])
        contained = lineage(history)
        marks = [repository.ids[place] for place in marked & contained[-1]]
        assert {commit.id for commit in found.commits} == repository.revisions(repository.tip, *marks)
        shown = [commit.id for commit in repository.log(repository.tip)]
        assert [commit.id for commit in found.commits] == sorted((c.id for c in found.commits), key=shown.index)
        behind = marked & contained[-1]
        highest = {one for one in behind if not any(one in contained[other] - {other} for other in behind)}
        assert found.met == {repository.ids[place] for place in highest}
        chain = repository.git("rev-list", "--first-parent", repository.tip, "--not", *marks).split()
        assert [commit.id for commit in trunk(found.commits)] == chain
        inner = data.draw(st.sampled_from(found.commits)).id if found.commits else ""
        kept = {commit.id for commit in within(found.commits, {inner})}
        assert not inner or kept == repository.revisions(repository.tip, *marks, inner)


@SOME
@given(histories(), st.data())
def test_the_partition_is_what_the_law_says_by_rev_list(
    history: list[tuple[tuple[int, ...], int]], data: st.DataObject
) -> None:
    tagged = data.draw(st.lists(st.integers(0, len(history) - 1), max_size=8))
    with TemporaryDirectory() as folder:
        repository = Repository(Path(folder), history)
        releases = {f"v{number}": repository.ids[place] for number, place in enumerate(tagged)}
        contained = lineage(history)
        there = {name for name, place in zip(releases, tagged, strict=True) if place in contained[-1]}
        found = list(partition(repository.log("--topo-order", repository.tip), releases))
        by_date, by_descent = (repository.log(*order, repository.tip) for order in ((), ("--topo-order",)))
        either = told(
            iter(by_date), iter(by_descent), releases, lambda one: ({each.id for each in one.commits}, one.previous)
        )
        assert either == {one.release: ({each.id for each in one.commits}, one.previous) for one in found}
        assert sorted(section.release for section in found) == sorted(["", *there])
        for section in found:
            ids = [commit.id for commit in section.commits]
            assert len(ids) == len(set(ids))
            if section.release == "":
                assert set(ids) == repository.revisions(repository.tip, *(releases[name] for name in there))
                continue
            own = releases[section.release]
            same = [name for name in releases if releases[name] == own]
            below = [
                releases[name]
                for name, place in zip(releases, tagged, strict=True)
                if repository.ids[place] != own and place in contained[repository.ids.index(own)]
            ]
            expected = repository.revisions(own, *below) if section.release == same[0] else set()
            assert set(ids) == expected
            chain = repository.git("rev-list", "--first-parent", own, "--not", *below).split()
            assert section.release != same[0] or [commit.id for commit in trunk(section.commits)] == chain


@SOME
@given(histories(), st.data())
def test_contained_is_what_merge_base_says(history: list[tuple[tuple[int, ...], int]], data: st.DataObject) -> None:
    """Dates are anything at all."""
    history = [(parents, data.draw(st.integers(1, 2_000_000_000))) for parents, _ in history]
    some = st.sets(st.integers(0, len(history) - 1), max_size=4)
    with TemporaryDirectory() as folder:
        repository = Repository(Path(folder), history)
        for tip in (repository.tip, repository.ids[data.draw(st.integers(0, len(history) - 1))]):
            marks = [repository.ids[place] for place in sorted(data.draw(some))]
            log = [line.split(" ") for line in repository.git("rev-list", "--parents", tip, *marks).splitlines()]
            assert contained(log, tip, marks) == {mark for mark in marks if repository.ancestor(mark, tip)}


@pytest.mark.parametrize("seed", range(6))
def test_in_a_long_history_with_wrong_clocks_one_stops_early_and_is_right(seed: int) -> None:
    """One commit in ten was made by a clock that was up to a few dozen commits off."""
    random = Random(seed)
    history: list[tuple[tuple[int, ...], int]] = []
    for place in range(800):
        near = {max(0, place - 1 - int(random.expovariate(1 / 3))) for _ in range(random.choice((1, 1, 1, 2)))}
        parents = tuple(sorted(near)) if place else ()
        after = max((history[parent][1] for parent in parents), default=1_700_000_000)
        wrong = random.random() < 0.1
        history.append((parents, after + (random.randint(-200, 200) if wrong else random.randint(1, 20))))
    contained = lineage(history)
    with TemporaryDirectory() as folder:
        repository = Repository(Path(folder), history)
        log = repository.log(repository.tip)
        for _ in range(10):
            marked = set(random.sample(range(400, 800), 3)) & contained[-1]
            read: list[Commit] = []
            found = since(watched(log, read), [repository.ids[place] for place in marked])
            new = contained[-1] - set().union(*(contained[place] for place in marked))
            assert {commit.id for commit in found.commits} == {repository.ids[place] for place in new}
            assert not marked or len(read) < len(log)


def watched(commits: Iterable[T], read: list[T]) -> Iterator[T]:
    """Those commits; `read` are those that somebody took."""
    for one in commits:
        read.append(one)
        yield one
