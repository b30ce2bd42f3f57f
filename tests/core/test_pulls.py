"""Each change has the pull request that brought it, and pull requests say what they call for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.bump import level
from release.core.commits import Change, changes
from release.core.config import ChangeRules, Config, Source, VersionRules
from release.core.facts import Facts, Pull
from release.core.model import Commit, Level, Person
from release.core.pulls import (
    LABELS,
    attributed,
    label_reasons,
    note_reasons,
    numbers,
    plain_label,
    release_note,
    unbrought,
)
from release.core.version import scheme

ANN = Person("Ann", "ann@example.org")


def oid(name: str) -> str:
    """A full object id for a short test name."""
    return name.encode().hex().ljust(40, "0")


def commit(name: str, message: str, *parents: str) -> Commit:
    return Commit(oid(name), tuple(map(oid, parents)), ANN, "2026-01-02T03:04:05+00:00", message)


def pull(number: int, merge: str = "", title: str = "Title", body: str = "", labels: tuple[str, ...] = ()) -> Pull:
    return Pull(number, title, body, labels, f"login{number}", oid(merge) if merge else "")


def brought(commits: list[Commit], *pulls: Pull) -> dict[str, int]:
    """The pull request of each change, by the names of their commits."""
    found = attributed(changes(commits), commits, pulls)
    assert all(one.login == (f"login{one.pull}" if one.pull in {p.number for p in pulls} else "") for one in found)
    return {bytes.fromhex(one.commit).rstrip(b"\0").decode(): one.pull for one in found}


def config(*sources: Source, labels: Mapping[str, Level] = MappingProxyType({})) -> Config:
    return Config(changes=ChangeRules(sources=sources, labels=labels))


def block(text: str, info: str = "release-note") -> str:
    return f"Why.\r\n\r\n```{info}\r\n{text}\r\n```\r\n"


def test_a_squash_is_the_commit_that_the_merge_made_whatever_its_subject_says() -> None:
    commits = [commit("c", "fix: c (#7)", "b"), commit("b", "fix: renamed", "a"), commit("a", "fix: a", "0")]
    assert brought(commits, pull(12, "b"), pull(7, "elsewhere")) == {"c": 7, "b": 12, "a": 0}


def test_a_merge_brings_what_was_not_there_before() -> None:
    commits = [
        commit("m2", "Merge pull request #2 from a/two", "p", "y2"),
        commit("y2", "fix: y2", "back"),
        commit("back", "Merge branch 'main' into two", "y1", "m1"),
        commit("p", "fix: pushed", "m1"),
        commit("m1", "Merge pull request #1 from a/one", "a", "x2"),
        commit("y1", "fix: y1", "a"),
        commit("x2", "fix: x2", "x1"),
        commit("x1", "fix: x1", "a"),
        commit("a", "fix: a", "0"),
    ]
    expected = {"y2": 2, "p": 0, "y1": 2, "x2": 1, "x1": 1, "a": 0}
    assert brought(commits, pull(1, "m1"), pull(2, "m2")) == expected


def test_of_nested_merges_the_innermost_brought_it() -> None:
    commits = [
        commit("m2", "Merge pull request #2 from a/outer", "a", "m1"),
        commit("m1", "Merge pull request #1 from a/inner", "y", "x"),
        commit("y", "fix: y", "a"),
        commit("x", "fix: x", "a"),
        commit("a", "fix: a", "0"),
    ]
    assert brought(commits, pull(1, "m1"), pull(2, "m2")) == {"y": 2, "x": 1, "a": 0}
    assert brought(commits, pull(2, "m2")) == {"y": 2, "x": 2, "a": 0}


def test_a_squashed_commit_that_comes_by_a_merge_is_of_its_own_pull_request() -> None:
    commits = [
        commit("m", "Merge pull request #50 from a/develop", "a", "y"),
        commit("y", "fix: y (#12)", "x"),
        commit("x", "fix: an issue (#3)", "a"),
    ]
    assert brought(commits, pull(12, "elsewhere"), pull(50, "m")) == {"y": 12, "x": 50}


def test_a_copy_is_of_the_merge_that_brought_it_else_of_its_original() -> None:
    text = f"fix: y (#12)\n\n(cherry picked from commit {oid('original')})"
    merged = [commit("m", "Merge pull request #50 from a/backport", "a", "y"), commit("y", text, "a")]
    pushed = [commit("y", text, "a")]
    silent = [commit("y", text.replace(" (#12)", ""), "a")]
    assert brought(merged, pull(12, "original"), pull(50, "m")) == {"y": 50}
    assert brought(pushed, pull(12, "original")) == {"y": 12}
    assert brought(silent, pull(12, "original")) == {"y": 12}
    assert brought(silent, pull(12, "elsewhere")) == {"y": 0}


def copy(name: str, subject: str, parent: str, *originals: str) -> Commit:
    """A commit with the lines that `git cherry-pick -x` added, the first copy's first."""
    lines = "".join(f"\n(cherry picked from commit {oid(one)})" for one in originals)
    return commit(name, f"{subject}\n{lines}", parent)


def test_a_copy_is_of_what_the_forge_says_brought_its_original_if_nothing_else_is_known() -> None:
    within = msgspec.structs.replace(pull(12, "m12"), commits=(oid("x"), oid("first")))
    for origins, expected in ((("x",), 12), (("first", "second"), 12), (("elsewhere",), 0), ((), 0)):
        assert brought([copy("y", "fix: y", "a", *origins)], within) == {"y": expected}
    one = [copy("y", "fix: y (#7)", "a", "x")]
    assert brought(one, within, pull(7, "elsewhere")) == {"y": 7}
    assert brought(one, within) == {"y": 12}, "7 is an issue"
    assert brought([copy("y", "fix: y", "a", "x", "s")], within, pull(3, "s")) == {"y": 3}
    backport = [commit("m", "Merge pull request #50 from a/backport", "a", "y"), copy("y", "fix: y", "a", "x")]
    assert brought(backport, within, pull(50, "m")) == {"y": 50}


def test_the_forge_is_asked_for_the_originals_of_those_copies_that_nothing_is_known_of() -> None:
    commits = [
        copy("h", "fix: h", "g", "two", "one"),
        copy("g", "fix: g (#8)", "f", "issue"),
        commit("f", "fix: pushed", "e"),
        copy("e", "fix: e", "d", "squashed"),
        copy("d", "fix: d (#7)", "m", "named"),
        commit("m", "Merge pull request #50 from a/backport", "b", "c"),
        copy("c", "fix: c", "b", "merged"),
        copy("b", "fix: b", "a", "one"),
    ]
    told = changes(commits)
    known = [pull(5, "squashed"), pull(7, "elsewhere"), pull(50, "m")]
    assert unbrought(told, commits, known) == tuple(map(oid, ("one", "two", "issue")))
    everything = ("one", "two", "issue", "squashed", "named", "merged")
    assert unbrought(told, commits, []) == tuple(map(oid, everything))
    asked = msgspec.structs.replace(pull(9, "m9"), commits=tuple(map(oid, ("one", "issue"))))
    assert unbrought(told, commits, [*known, asked]) == ()
    assert unbrought(changes(commits[2:3]), commits[2:3], []) == ()


def test_a_number_without_a_known_pull_request_stays() -> None:
    commits = [commit("a", "fix: a (#3)", "0"), commit("b", "fix: b", "0")]
    assert brought(commits) == brought(commits, pull(9)) == {"a": 3, "b": 0}
    assert numbers(changes(commits)) == {3}


@st.composite
def histories(draw: st.DrawFn) -> list[Commit]:
    """Any history, newest first: each commit has up to two parents among the older ones."""
    made = [commit("0", "root")]
    for n in range(1, draw(st.integers(1, 14))):
        parents = draw(st.lists(st.integers(max(0, n - 4), n - 1), min_size=1, max_size=2, unique=True))
        made.append(commit(str(n), f"fix: {n}", *map(str, parents)))
    return made[::-1]


@given(histories())
def test_what_the_merges_of_a_branch_brought_is_what_they_can_reach_and_their_first_parents_cannot(
    commits: list[Commit],
) -> None:
    known = {one.id: one for one in commits}

    def reach(id_: str) -> set[str]:
        return {id_}.union(*(reach(parent) for parent in known[id_].parents))

    trunk, step = [], commits[0]
    while True:
        trunk.append(step)
        if not step.parents:
            break
        step = known[step.parents[0]]
    merges = [one for one in trunk if len(one.parents) > 1]
    expected = {one.id: 0 for one in commits}
    for number, merge in enumerate(merges, 1):
        expected |= dict.fromkeys(reach(merge.id) - reach(merge.parents[0]), number)
    pulls = [Pull(number, "Title", "", (), "", merge.id) for number, merge in enumerate(merges, 1)]
    found = attributed(changes(commits), commits, pulls)
    assert {one.commit: one.pull for one in found} == expected


def test_a_title_speaks_once_for_commits_that_are_not_conventional() -> None:
    commits = [
        commit("m", "Merge pull request #2 from a/two", "s", "y"),
        commit("y", "more", "x"),
        commit("x", "wip", "s"),
        commit("s", "Squashed by hand", "a"),
        commit("a", "docs: known", "0"),
    ]
    pulls = [pull(2, "m", "feat(api)!: two"), pull(1, "s", "Fix: one (#1)"), pull(3, "a", "feat: not this")]
    found = attributed(changes(commits), commits, pulls)
    assert [one.header for one in found] == ["feat(api)!: two", "wip", "fix: one", "docs: known"]
    assert [one.commit for one in found] == [oid("y"), oid("x"), oid("s"), oid("a")]


@pytest.mark.parametrize(
    ("body", "said", "urgent"),
    [
        ("", "", False),
        ("No block at all: release-note", "", False),
        (block("Faster start"), "Faster start", False),
        (block("Faster\nstart"), "Faster\nstart", False),
        (block(" \r\n "), "", False),
        (block("NONE"), "", False),
        (block("none."), "", False),
        (block("N/A"), "", False),
        (block("`n/a`"), "", False),
        (block("<!-- say NONE\r\nor something -->"), "", False),
        (block("Nonetheless faster"), "Nonetheless faster", False),
        (block("Faster <!-- really --> start"), "Faster  start", False),
        ("<!--\r\n" + block("an example") + "-->" + block("the note"), "the note", False),
        (block("one") + block("two"), "one\n\ntwo", False),
        (block("A flag is gone", "release-note action required"), "Action required: A flag is gone", True),
        (block("NONE", "release-note action required"), "", False),
        (block("[ACTION REQUIRED] set it"), "[ACTION REQUIRED] set it", True),
        (block("x", "release-note-action-required"), "Action required: x", True),
        ("~~~release-note\nwith ``` in it\n~~~", "with ``` in it", False),
        ("````release-note\n```\ncode\n```\n````", "```\ncode\n```", False),
        ("```\n```release-note\nquoted\n```\n", "", False),
        ("```release-note\nnever closed", "never closed", False),
        ("```python\nnot a note\n```", "", False),
        ("a <!-- never closed\n" + block("x"), "x", False),
    ],
)
def test_a_release_note_is_what_its_block_says(body: str, said: str, urgent: bool) -> None:
    assert release_note(pull(1, body=body)) == (said, urgent)
    commits = [commit("a", "fix: a", "0")]
    (found,) = attributed(changes(commits), commits, [pull(1, "a", body=body)])
    assert found.said == said


@pytest.mark.parametrize(
    "text", ["<!--" * 16_000, "```release-note\n" * 4_000, "`" * 60_000, "-" * 60_000, "~" * 60_000]
)
def test_a_hostile_body_does_not_take_long(text: str) -> None:
    begun = time.perf_counter()
    release_note(pull(1, body=text))
    release_note(pull(1, body=block(text)))
    assert time.perf_counter() - begun < 1


@given(st.text(alphabet="`~<!->release-note \r\nNONE", max_size=200))
def test_any_body_is_read(body: str) -> None:
    said, urgent = release_note(pull(1, body=body))
    assert said == said.strip()
    assert not urgent


@pytest.mark.parametrize(
    ("label", "bump"),
    [
        ("breaking", "major"),
        ("Breaking Change", "major"),
        ("semver:major", "major"),
        ("SemVer: Major", "major"),
        ("semver/minor", "minor"),
        ("kind/api-change", "major"),
        ("kind/feature", "minor"),
        ("enhancement", "minor"),
        ("Type: Bug", "patch"),
        ("kind/bug", "patch"),
        ("release-note-action-required", "major"),
        ("documentation", None),
        ("not-breaking", None),
        ("debug", None),
    ],
)
def test_a_label_calls_for_a_bump_in_any_spelling(label: str, bump: str | None) -> None:
    facts = Facts(pulls=(pull(1, "a", labels=(label,)),))
    found = [(one.source, one.what, one.bump, one.why) for one in label_reasons(config("labels"), facts, [of(1)])]
    assert found == ([("#1", "Title", bump, f"label {label}")] if bump else [])


def of(number: int, name: str = "a") -> Change:
    return Change(oid(name), "", "", False, "x", "", ANN, pull=number)


def test_the_table_of_labels_is_in_its_own_form() -> None:
    assert [plain_label(name) for name in LABELS] == list(LABELS)


def test_labels_of_a_project_add_to_the_table_and_go_first() -> None:
    rules = config("labels", labels={"kind/bug": "none", "Area: API": "minor"})
    facts = Facts(pulls=(pull(1, labels=("kind/bug",)), pull(2, labels=("area/api", "bug"))))
    found = [(one.source, one.bump) for one in label_reasons(rules, facts, [of(2), of(1)])]
    assert found == [("#2", "minor"), ("#2", "patch"), ("#1", "none")]


def test_a_note_is_a_patch_and_an_urgent_one_is_major() -> None:
    pulls = (
        pull(1, body=block("Faster\nstart")),
        pull(2, body=block("A flag is gone", "release-note action required")),
        pull(3, body=block("NONE")),
        pull(4, body=block("NONE"), labels=("release-note-action-required",)),
        pull(5, body=block("\x1b[31mred")),
    )
    found = list(note_reasons(config("release-note"), Facts(pulls=pulls), [of(n) for n in (5, 4, 3, 2, 1)]))
    assert [(one.source, one.what, one.bump, one.why) for one in found] == [
        ("#5", "[31mred", "patch", "release note"),
        ("#4", "Title", "major", "release note: action required"),
        ("#2", "Action required: A flag is gone", "major", "release note: action required"),
        ("#1", "Faster start", "patch", "release note"),
    ]


def test_a_pull_request_that_was_taken_back_does_not_count() -> None:
    commits = [
        commit("r", f'Revert "Drop it"\n\nThis reverts commit {oid("a")}.', "b"),
        commit("b", "Mend it", "a"),
        commit("a", "Drop it", "0"),
    ]
    pulls = (pull(1, "a", labels=("breaking",), body=block("Gone")), pull(2, "b", labels=("bug",)), pull(9, "x"))
    for start, expected in ((0, "patch"), (1, "major")):
        facts = Facts(commits=tuple(commits[start:]), pulls=pulls)
        told = attributed(changes(facts.commits), facts.commits, facts.pulls)
        base = scheme(VersionRules()).parse("1.0.0")
        bump, reasons = level(config("labels", "release-note"), facts, told, base=base)
        assert bump == expected
        assert [one.source for one in reasons] == (["#2"] if expected == "patch" else ["#2", "#1", "#1"])


def test_a_long_history_is_attributed_at_once() -> None:
    commits = []
    for n in range(10_000, 0, -1):
        commits += [commit(f"m{n}", f"Merge pull request #{n} from a/b", f"m{n - 1}", f"x{n}")]
        commits += [commit(f"x{n}", f"fix: {n}", f"m{n - 1}")]
    pulls = [pull(n, f"m{n}") for n in range(1, 10_001)]
    told = changes(commits)
    begun = time.perf_counter()
    found = attributed(told, commits, pulls)
    assert time.perf_counter() - begun < 3
    assert [one.pull for one in found] == list(range(10_000, 0, -1))
