"""Commits are read by Conventional Commits 1.0.0, and what a range takes back itself is not told."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.commits import Change, change, changes, merged, plain
from release.core.model import Commit, Person

ANN = Person("Ann", "ann@example.org")


def oid(name: str) -> str:
    """A full object id for a short test name."""
    return name.encode().hex().ljust(40, "0")


def commit(name: str, message: str, *parents: str) -> Commit:
    return Commit(oid(name), tuple(map(oid, parents)) or (oid("root"),), ANN, "2026-01-02T03:04:05+00:00", message)


def read(message: str) -> Change:
    return change(commit("c", message))


def names(*commits: Commit) -> list[str]:
    return [bytes.fromhex(found.commit).rstrip(b"\0").decode() for found in changes(commits)]


def revert(name: str, of: str, subject: str = 'Revert "x"') -> Commit:
    return commit(name, f"{subject}\n\nThis reverts commit {oid(of)}.\n")


@pytest.mark.parametrize(
    ("subject", "type_", "scope", "breaking", "description"),
    [
        ("feat: allow more", "feat", "", False, "allow more"),
        ("fix(parser): arrays", "fix", "parser", False, "arrays"),
        ("feat!: drop it", "feat", "", True, "drop it"),
        ("feat(api)!: drop it", "feat", "api", True, "drop it"),
        ("FEAT: loud", "feat", "", False, "loud"),
        ("Fix(API): loud", "fix", "API", False, "loud"),
        ("build(deps-dev): bump a from 1 to 2", "build", "deps-dev", False, "bump a from 1 to 2"),
        ("chore(a, b): two: colons", "chore", "a, b", False, "two: colons"),
        ("feat:  two spaces ", "feat", "", False, "two spaces"),
        ("fix: handle\u2028separators", "fix", "", False, "handle\u2028separators"),
        ("feat:no space", "", "", False, "feat:no space"),
        ("feat: ", "", "", False, "feat:"),
        ("feat !: no", "", "", False, "feat !: no"),
        ("feat (api): no", "", "", False, "feat (api): no"),
        ("feat(api: no", "", "", False, "feat(api: no"),
        ("two words: no", "", "", False, "two words: no"),
        ("[release-1.33] Fix it: now", "", "", False, "[release-1.33] Fix it: now"),
        (": no", "", "", False, ": no"),
        ("", "", "", False, ""),
        ('Revert "feat: x"', "revert", "", False, "feat: x"),
        ('Revert "feat!: x" (#12)', "revert", "", False, "feat!: x"),
        ("feat(): no noun", "feat", "", False, "no noun"),
        ("feat!(api): no", "", "", False, "feat!(api): no"),
        ("feat(api) !: no", "", "", False, "feat(api) !: no"),
        ("feat: it! breaks: nothing", "feat", "", False, "it! breaks: nothing"),
        ("Docs!: anything may break", "docs", "", True, "anything may break"),
        ('Reapply "feat: x"', "revert", "", False, 'Reapply "feat: x"'),
        ("Reverting things", "", "", False, "Reverting things"),
    ],
)
def test_a_header_is_type_scope_mark_and_description(
    subject: str, type_: str, scope: str, breaking: bool, description: str
) -> None:
    for message in (subject, f"{subject}\n", f"\n{subject}\n\nA body.\n", f"{subject}\r\n\r\nA body.\r\n"):
        found = read(message)
        assert (found.type, found.scope, found.breaking) == (type_, scope, breaking) or message.startswith("\n\n")
        assert found.description == description or not subject
        assert found.note == ""
        assert found.author == ANN


@pytest.mark.parametrize(
    ("body", "breaking", "note"),
    [
        ("BREAKING CHANGE: gone", True, "gone"),
        ("BREAKING-CHANGE: gone", True, "gone"),
        (
            "A body.\n\nMore body.\n\nBREAKING CHANGE: gone\nfor good\n\nand all\nReviewed-by: Z",
            True,
            "gone\nfor good\n\nand all",
        ),
        ("Reviewed-by: Z\nRefs: #123\nBREAKING CHANGE: gone", True, "gone"),
        ("BREAKING CHANGE: gone\nFixes #12\nmore", True, "gone"),
        ("BREAKING CHANGE: one\nBREAKING-CHANGE: two", True, "one\ntwo"),
        ("BREAKING CHANGE:\n  on the next line", True, "on the next line"),
        ("A body.\nBREAKING CHANGE: without an empty line", True, "without an empty line"),
        ("BREAKING CHANGE: gone\r\nfor good\r", True, "gone\nfor good"),
        ("breaking change: lower case", False, ""),
        ("Breaking-Change: not in capitals", False, ""),
        ("This is no BREAKING CHANGE: at all", False, ""),
        ("BREAKING CHANGES: plural", False, ""),
        ("BREAKING CHANGE without a colon", False, ""),
        ("Reviewed-by: Z\n BREAKING CHANGE: a continuation", False, ""),
    ],
)
def test_a_breaking_footer_counts_with_its_text(body: str, breaking: bool, note: str) -> None:
    for subject in ("fix: x", "docs(readme): x", "Not conventional"):
        found = read(f"{subject}\n\n{body}")
        assert (found.breaking, found.note) == (breaking, note)


def test_what_git_adds_to_a_copy_is_no_part_of_a_footer() -> None:
    found = read(f"fix: x\n\nBREAKING CHANGE: gone\nfor good\n(cherry picked from commit {oid('a')})\n")
    assert (found.note, found.origins) == ("gone\nfor good", (oid("a"),))


@pytest.mark.parametrize(
    ("subject", "type_", "description", "pull"),
    [
        ("feat: more (#12)", "feat", "more", 12),
        ("Just more (#12)", "", "Just more", 12),
        ("[release-1.33] Fix it (#12) (#345)", "", "[release-1.33] Fix it (#12)", 345),
        ('Revert "fix: x (#12)" (#15)', "revert", "fix: x (#12)", 15),
        ("fix: closes (#12).", "fix", "closes (#12).", 0),
        ("fix: a list (see #12)", "fix", "a list (see #12)", 0),
        ("fix: x (#0)", "fix", "x (#0)", 0),
        ("fix: x (#012)", "fix", "x (#012)", 0),
        ("fix: x (#1234567890)", "fix", "x (#1234567890)", 0),
        ("fix: x (#\u0661\u0662)", "fix", "x (#\u0661\u0662)", 0),
        ("(#12)", "", "(#12)", 0),
        ("fix: x(#12)", "fix", "x(#12)", 0),
    ],
)
def test_a_squash_merge_names_its_pull_request_at_the_end(
    subject: str, type_: str, description: str, pull: int
) -> None:
    for message in (subject, f"{subject}\n\nA body (#99).\n"):
        found = read(message)
        assert (found.type, found.description, found.pull) == (type_, description, pull)


def test_the_merge_of_a_pull_request_is_its_number_and_title() -> None:
    merge = commit("m", "Merge pull request #12 from ann/topic\n\nfeat(api)!: more\n\nWhy.", "a", "b")
    full, first = change(merge), merged(merge)
    assert (full.type, full.breaking, full.description, full.pull) == ("", False, "feat(api)!: more", 12)
    assert (first.type, first.scope, first.breaking, first.description, first.pull) == ("feat", "api", True, "more", 12)
    bare = commit("m", "Merge pull request #12 from ann/topic", "a", "b")
    assert (merged(bare).description, merged(bare).pull) == ("Merge pull request #12 from ann/topic", 12)
    assert merged(commit("c", "Merge pull request #12 from ann/topic\n\nfeat: x")).type == "", "no merge at all"


def test_a_first_parent_history_is_told_by_its_merges() -> None:
    history = (
        commit("m", "fix: two", "l"),
        commit("l", "Merge branch 'topic' into 'main'\n\nfeat: gitlab\n\nSee merge request a/b!7", "k", "y"),
        commit("k", "Merge branch 'old'", "j", "z"),
        commit("j", "Merge pull request #1 from ann/one\n\nOne thing", "i", "x"),
        commit("i", "fix: pushed"),
    )
    told = [(one.type, one.description) for one in changes(history, first_parent=True)]
    assert told == [
        ("fix", "two"),
        ("feat", "gitlab"),
        ("", "Merge branch 'old'"),
        ("", "One thing"),
        ("fix", "pushed"),
    ]
    assert [one.description for one in changes(history)] == ["two", "pushed"]


def test_a_merge_that_breaks_is_told_in_a_full_history_too() -> None:
    merge = commit("m", "Merge pull request #1 from a/b\n\nTitle\n\nBREAKING CHANGE: gone", "a", "b")
    (found,) = changes([merge])
    assert (found.breaking, found.note, found.description, found.pull) == (True, "gone", "Title", 1)


def picked(name: str, message: str, *origins: str) -> Commit:
    lines = "".join(f"(cherry picked from commit {oid(origin)})\n" for origin in origins)
    return commit(name, f"{message}\n\n{lines}")


def test_a_copy_names_its_originals_the_nearest_first() -> None:
    assert read(picked("c", "fix: a", "a", "b").message).origins == (oid("b"), oid("a"))
    talk = f"docs: say (cherry picked from commit {oid('a')})\n\nNot (cherry picked from commit {oid('a')})"
    assert read(talk).origins == ()


def test_a_commit_and_its_copy_are_one_change() -> None:
    a, b = commit("a", "fix: a"), commit("b", "fix: b")
    assert names(picked("c", "fix: a", "a"), b, a) == ["b", "a"]
    assert names(picked("c", "fix: a", "a"), b) == ["c", "b"], "the original is elsewhere"
    assert names(picked("d", "fix: a", "a", "c"), picked("c", "fix: a", "a"), a) == ["a"]
    assert names(picked("d", "fix: a", "a", "c"), picked("c", "fix: a", "a")) == ["c"]
    assert names(picked("d", "fix: both", "a", "b"), b, a) == ["b", "a"]
    assert names(picked("d", "fix: both", "a", "b"), a) == ["d", "a"], "the other half would be lost"
    assert names(picked("c", "fix: itself", "c")) == ["c"]


def test_a_copy_that_breaks_more_than_its_original_is_told() -> None:
    assert names(picked("c", "fix!: a", "a"), commit("a", "fix: a")) == ["c", "a"]
    assert names(picked("c", "fix!: a", "a"), commit("a", "fix!: a")) == ["a"]


def test_what_was_taken_back_and_picked_again_is_told() -> None:
    assert names(picked("c", "feat: a", "a"), revert("r", "a"), commit("a", "feat: a")) == ["c"]


def test_a_reverted_pull_request_is_found_by_its_number() -> None:
    squash, other = commit("a", "feat: a (#12)"), commit("b", "fix: b (#13)")
    by_body = commit("r", 'Revert "feat: a" (#15)\n\nReverts acme/app#12')
    by_title = commit("r", 'Revert "feat: a (#12)" (#15)')
    again = commit("s", 'Revert "Revert "feat: a (#12)" (#15)" (#18)')
    for back in (by_body, by_title):
        assert names(back, other, squash) == ["b"]
        assert names(again, back, other, squash) == ["b", "a"]
        assert names(back, other) == ["r", "b"], "it took back what was released before"
        assert names(squash, back) == ["a", "r"], "not what came after it"


def test_a_reverted_merge_is_found_by_its_number_on_the_branch_itself() -> None:
    back = commit("n", 'Merge pull request #15 from acme/revert-12-topic\n\nRevert "feat: a"', "m", "y")
    merge = commit("m", "Merge pull request #12 from ann/topic\n\nfeat: a", "b", "x")
    b = commit("b", "fix: b")
    assert [one.commit for one in changes([back, merge, b], first_parent=True)] == [oid("b")]
    other = commit("n", "Merge pull request #15 from acme/revert-12-topic\n\nfeat: mine", "m", "y")
    assert len(changes([other, merge, b], first_parent=True)) == 3


def test_the_first_example_of_the_specification_is_breaking_without_a_mark() -> None:
    found = read(
        "feat: allow provided config object to extend other configs\n\n"
        "BREAKING CHANGE: `extends` key in config file is now used for extending other config files"
    )
    assert (found.type, found.breaking) == ("feat", True)
    assert found.note == "`extends` key in config file is now used for extending other config files"


def test_a_header_is_written_back() -> None:
    assert read("feat(api)!: drop it").header == "feat(api)!: drop it"
    assert read("fix: it\n\nBREAKING CHANGE: b").header == "fix!: it"
    assert read("Just a line").header == "Just a line"


def test_changes_come_in_the_order_given() -> None:
    assert names(commit("c", "fix: c"), commit("b", "feat: b"), commit("a", "a")) == ["c", "b", "a"]


def test_a_merge_is_told_only_when_it_says_something_itself() -> None:
    silent = commit("m", "Merge pull request #1 from a/b\n\nfeat: in the body", "a", "b")
    telling = commit("n", "feat: by merge", "a", "b")
    assert names(silent, telling, commit("a", "a")) == ["n", "a"]


@pytest.mark.parametrize("subject", ['Revert "feat: a"', "revert: feat: a", "Revert(api): a", 'Revert "a" (#7)'])
def test_a_revert_and_what_it_takes_back_both_vanish(subject: str) -> None:
    assert names(revert("r", "a", subject), commit("b", "fix: b"), commit("a", "feat: a")) == ["b"]


def test_the_refs_footer_of_the_specification_names_what_is_reverted() -> None:
    a, b, c = commit("a1b2", "feat: a"), commit("b3c4", "feat: b"), commit("c", "c")
    message = f"revert: let us never again speak of the noodle incident\n\nRefs: {a.id[:8]}, {b.id[:9]}"
    assert names(commit("r", message), c, b, a) == ["c"]


def test_a_revert_of_something_outside_the_range_stays() -> None:
    (found,) = changes([revert("r", "elsewhere", 'Revert "feat: a"')])
    assert (found.type, found.description) == ("revert", "feat: a")


def test_a_revert_stays_when_only_a_part_of_it_is_in_the_range() -> None:
    message = f"revert: both\n\nThis reverts commit {oid('a')}.\nThis reverts commit {oid('elsewhere')}.\n"
    assert names(commit("r", message), commit("b", "b"), commit("a", "a")) == ["r", "b"]


def test_a_revert_of_a_revert_brings_the_original_back() -> None:
    a, r1, r2, r3 = commit("a", "feat: a"), revert("r1", "a"), revert("r2", "r1", 'Reapply "x"'), revert("r3", "r2")
    assert names(r1, a) == []
    assert names(r2, r1, a) == ["a"]
    assert names(r3, r2, r1, a) == []
    assert names(r2, r1) == []
    assert names(r2, a) == ["r2", "a"]


@given(st.integers(0, 40))
def test_a_chain_of_reverts_leaves_the_original_exactly_when_it_is_even(length: int) -> None:
    chain = [commit("0", "feat: a"), *(revert(str(n + 1), str(n)) for n in range(length))]
    assert names(*reversed(chain)) == (["0"] if length % 2 == 0 else [])


def test_nothing_reverts_itself_or_what_came_after_it() -> None:
    assert names(commit("b", "feat: b"), revert("r", "b"), commit("a", "a")) == ["b", "r", "a"]
    assert names(revert("r", "r")) == ["r"]


def test_only_a_revert_takes_back_what_its_body_names() -> None:
    talk = commit("t", f"docs: explain\n\nThis reverts commit {oid('a')}.\nRefs: {oid('a')}")
    assert names(talk, commit("a", "a")) == ["t", "a"]


def test_a_footer_needs_an_empty_line_above_the_first_one() -> None:
    a = commit("a", "a")
    assert names(commit("r", f"revert: x\n\nA body that\nRefs: {a.id}"), a) == ["r", "a"]
    assert names(commit("r", f"revert: x\n\nA body\n\nReviewed-by: Z\nRefs: {a.id}"), a) == []


def test_an_issue_number_or_an_ambiguous_id_reverts_nothing() -> None:
    one, two = commit("samesame1", "one"), commit("samesame2", "two")
    assert names(commit("r", f"revert: x\n\nRefs: {one.id[:12]}"), one, two) == ["r", "samesame1", "samesame2"]
    number = Commit("1234567" + "0" * 33, (), ANN, "", "feat: x")
    assert len(changes([commit("r", "revert: x\n\nRefs: #1234567"), number])) == 2


def test_reverting_a_merge_takes_back_what_it_merged() -> None:
    r = commit(
        "r", f'Revert "Merge x"\n\nThis reverts commit {oid("m")}, reversing\nchanges made to {oid("b")}.\n', "m"
    )
    m = commit("m", "Merge x", "b", "y")
    y, x = commit("y", "feat: y", "x"), commit("x", "feat: x", "a")
    b, a = commit("b", "fix: b", "a"), commit("a", "fix: a")
    assert names(r, m, y, b, x, a) == ["b", "a"]
    assert names(m, y, b, x, a) == ["y", "b", "x", "a"]


@given(st.text(alphabet='BREAKINGCHANGE: -\n\r\u2028"#a()!Revert', max_size=80))
def test_any_message_is_read(message: str) -> None:
    found = read(message)
    assert "\n" not in found.description
    assert found.type == found.type.lower()
    assert found.breaking or not found.note


def test_a_hostile_message_does_not_take_long() -> None:
    long = 200_000
    messages = ["a" * long, "feat(" * long, "feat(a" + "(" * long, "feat:" + " " * long, 'Revert "' * long]
    messages += ["revert: x\n\n" + "Refs: " * long, "x\n\n" + "BREAKING CHANGE: a\n\n" * 20_000, "x\n" + "\n" * long]
    begun = time.perf_counter()
    changes([commit(str(n), message) for n, message in enumerate(messages)])
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a \x1b[31mred\x1b[0m b", "a [31mred[0m b"),
        ("a\u2028b\nc\td", "a b c d"),
        ("\u202eevil\u2066\u200b\ufeff", "evil"),
        ("\ud800a", "a"),
        ("  a   b ", "a b"),
        ("naïve — 日本語 👩‍🚀", "naïve — 日本語 👩‍🚀"),
        ("x" * 501, "x" * 497 + "..."),
        ("x" * 500, "x" * 500),
    ],
)
def test_plain_text_is_one_safe_line(text: str, safe: str) -> None:
    assert plain(text) == safe


@given(st.text())
def test_plain_text_is_printable_and_stays_itself(text: str) -> None:
    line = plain(text, 20)
    assert len(line) <= 20
    assert "\n" not in line
    assert not any(ord(char) < 32 or 0x202A <= ord(char) <= 0x202E for char in line)
    assert line.encode().decode() == line
    assert plain(line, 20) == line


@st.composite
def histories(draw: st.DrawFn) -> list[Commit]:
    """Any history, newest first: each commit has up to three parents among the older ones."""
    made = [commit("0", "root")]
    for n in range(1, draw(st.integers(1, 12))):
        parents = draw(st.lists(st.integers(max(0, n - 5), n - 1), min_size=1, max_size=3, unique=True))
        made.append(commit(str(n), f"fix: {n}", *map(str, parents)))
    return made[::-1]


@given(histories(), st.data())
def test_what_a_reverted_merge_brought_is_what_its_first_parent_does_not_have(
    older: list[Commit], data: st.DataObject
) -> None:
    known = {one.id: one for one in older}

    def reach(id_: str) -> set[str]:
        return {id_}.union(*(reach(parent) for parent in known[id_].parents if parent in known))

    target = data.draw(st.sampled_from(older[:-1] or older))
    gone = reach(target.id) - reach(target.parents[0]) if len(target.parents) > 1 else {target.id}
    back = commit("r", f'Revert "x"\n\nThis reverts commit {target.id}.', "0")
    shuffled = data.draw(st.permutations([one for one in older if one is not target]))
    expected = {one.id for one in older} - gone
    for told in (older, [*shuffled, target]):
        assert {one.commit for one in changes([back, *told])} == expected


def test_many_reverted_merges_do_not_take_long() -> None:
    commits = []
    for n in range(20_000, 0, -1):
        said = f'Revert "x"\n\nThis reverts commit {oid(f"m{n}")}.' if n % 20 == 0 else "fix: pushed"
        commits += [commit(f"p{n}", said, f"m{n}"), commit(f"m{n}", "Merge x", f"p{n - 1}", f"x{n}")]
        commits += [commit(f"x{n}", "fix: x", f"p{n - 1}")]
    begun = time.perf_counter()
    found = changes(commits)
    assert time.perf_counter() - begun < 3
    assert len(found) == 2 * 19_000


def test_a_revert_on_a_branch_that_was_merged_counts_though_the_log_shows_what_it_reverts_first() -> None:
    """Main and branch are of one second: git's log by date may have main's commit before the branch's that takes it back."""
    fixed = commit("a", "fix: a fault")
    back = commit("b", f'Revert "fix: a fault"\n\nThis reverts commit {oid("a")}.\n', "a")
    merge = commit("c", "Merge branch 'back'", "a", "b")
    assert names(merge, fixed, back) == names(merge, back, fixed) == []
