"""The story of a release: every change is told once, in its place, and no stranger's text acts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from release.core.changelog import LONGEST, entry, insert
from release.core.commits import Change
from release.core.config import Config
from release.core.facts import Fragment
from release.core.model import Person
from release.core.notes import TEMPLATES, whole
from release.core.story import Contributor, Links, News, Story, contributors, links, news

KEEP, GITHUB, NOTE = (TEMPLATES[name] for name in ("keep-a-changelog", "github", "release-note"))
FORGE = Links(
    issues="https://example.org/o/r/issues/{n}",
    pulls="https://example.org/o/r/pull/{n}",
    compare="https://example.org/o/r/compare/{previous}...{tag}",
    tags="https://example.org/o/r/releases/tag/{tag}",
)
NONE = Links()
ANN, BOB = Person("Ann", "ann@example.org"), Person("Bob", "bob@example.org")


def change(type_: str, description: str, **more: object) -> Change:
    made = Change("abcdef1234567890", type_, "", False, description, "", ANN)
    return msgspec.structs.replace(made, **more)


def story(*changes: Change, links: Links = NONE, **more: object) -> Story:
    return msgspec.structs.replace(Story("1.2.0", "v1.2.0", "v1.1.0", "2026-01-02", changes, links=links), **more)


def config(**tables: object) -> Config:
    return msgspec.convert(tables, Config)


def test_keep_a_changelog_has_its_sections_in_order_and_each_change_once() -> None:
    found = KEEP(
        story(
            change("docs", "eleven"),
            change("revert", "ten"),
            change("security", "nine"),
            change("fix", "eight", scope="git"),
            change("remove", "seven"),
            change("deprecate", "six"),
            change("refactor", "five"),
            change("perf", "four"),
            change("feat", "three"),
            change("feat", "two"),
            change("", "twelve"),
            change("fix", "one", breaking=True, note="do\nthis", scope="a_b"),
        )
    )
    assert found == (
        "### Breaking changes\n\n- **a\\_b**: one: do this (abcdef1234)\n\n"
        "### Added\n\n- three (abcdef1234)\n- two (abcdef1234)\n\n"
        "### Changed\n\n- five (abcdef1234)\n- four (abcdef1234)\n\n"
        "### Deprecated\n\n- six (abcdef1234)\n\n"
        "### Removed\n\n- seven (abcdef1234)\n\n"
        "### Fixed\n\n- **git**: eight (abcdef1234)\n\n"
        "### Security\n\n- nine (abcdef1234)\n\n"
        "### Reverted\n\n- ten (abcdef1234)\n\n"
        "### Other changes\n\n- eleven (abcdef1234)\n- twelve (abcdef1234)"
    )


def test_keep_a_changelog_links_issues_pull_requests_and_all_changes_where_addresses_are_known() -> None:
    told = change("fix", "mend #7 and o/x#8", pull=12)
    assert KEEP(story(told)) == "### Fixed\n\n- mend #7 and o/x#8 (#12)"
    assert KEEP(story(told, links=FORGE)) == (
        "### Fixed\n\n"
        "- mend [#7](https://example.org/o/r/issues/7) and o/x#8 ([#12](https://example.org/o/r/pull/12))\n\n"
        "All changes: [v1.1.0...v1.2.0](https://example.org/o/r/compare/v1.1.0...v1.2.0)"
    )


def test_github_has_a_line_per_pull_request_and_tells_who_is_new() -> None:
    found = GITHUB(
        story(
            change("docs", "second thought", pull=7, login="ann"),
            change("feat", "first thought", pull=7, login="ann"),
            change("chore", "alone", author=BOB),
            change("feat", "drop it", breaking=True, pull=9, login="ann"),
            contributors=(Contributor("Ann", "ann", True, 7), Contributor("B*b")),
            links=FORGE,
        )
    )
    assert found == (
        "### Breaking changes\n\n- drop it by @ann in [#9](https://example.org/o/r/pull/9)\n\n"
        "### What changed\n\n"
        "- first thought (2 commits) by @ann in [#7](https://example.org/o/r/pull/7)\n"
        "- alone by Bob (abcdef1234)\n\n"
        "### New contributors\n\n- @ann, first in [#7](https://example.org/o/r/pull/7)\n\n"
        "### Contributors\n\n@ann, B\\*b\n\n"
        "All changes: [v1.1.0...v1.2.0](https://example.org/o/r/compare/v1.1.0...v1.2.0)"
    )


def test_a_release_note_is_told_as_written_and_who_has_none_is_counted() -> None:
    found = NOTE(
        story(
            change("fix", "a", pull=3, login="bob", said="Mended <it>.\r\nTruly.\n\nAnd more."),
            change("docs", "b", pull=3, login="bob", said="Mended <it>.\r\nTruly.\n\nAnd more."),
            change("feat", "c", pull=4, said="Action Required: set X."),
            change("feat", "d", pull=5),
            change("", "e"),
        )
    )
    assert found == (
        "### Action required\n\n- Action Required: set X. (#4)\n\n"
        "### Changes\n\n- Mended &lt;it&gt;.\\\n  Truly.\n\n  And more. (#3, @bob)\n\n"
        "Without a release note: 2 changes."
    )


def test_a_release_note_keeps_its_lines_and_paragraphs_in_one_item() -> None:
    found = NOTE(story(change("", "a", said="one\n# two\n\n```\n- three")))
    html = MarkdownIt("commonmark").render(found)
    assert html.count("<li>") == 1
    assert "<p>one<br />\n# two</p>\n<p>```<br />\n- three (abcdef1234)</p>" in html


@pytest.mark.parametrize("template", [KEEP, GITHUB, NOTE])
def test_no_changes_are_said_in_a_sentence(template: Callable[[Story], str]) -> None:
    assert template(story()) == "No changes."
    compare = "https://example.org/o/r/compare/v1.1.0...v1.2.0"
    assert template(story(links=FORGE)) == f"No changes.\n\nAll changes: [v1.1.0...v1.2.0]({compare})"


def test_a_first_release_has_nothing_to_compare_with() -> None:
    assert KEEP(story(change("feat", "x"), links=FORGE, previous=None)) == "### Added\n\n- x (abcdef1234)"


def test_an_odd_tag_is_percent_encoded_in_addresses_and_escaped_in_text() -> None:
    said = story(links=FORGE, previous="v1.33.1-rc1+rke2r1", tag="a/v_1+rke2r1\u2028")
    assert KEEP(said).partition("\n\n")[2] == (
        "All changes: [v1.33.1-rc1+rke2r1...a/v\\_1+rke2r1]"
        "(https://example.org/o/r/compare/v1.33.1-rc1%2Brke2r1...a/v_1%2Brke2r1%E2%80%A8)"
    )


ODD = st.text(alphabet=st.sampled_from("\\`*_[]()<>&@#!~-+=|0123456789. \n\r\t\x1babc:/\u2028\u202e"), max_size=60)


@given(ODD, ODD, ODD, ODD, st.sampled_from([NONE, FORGE]), st.sampled_from([KEEP, GITHUB, NOTE]))
def test_no_text_of_a_stranger_is_more_than_text(
    description: str, scope: str, name: str, said: str, some: Links, template: Callable[[Story], str]
) -> None:
    odd = change("fix", description, scope=scope, said=f"x{said}", author=Person(name, "a@b"), login=name, pull=0)
    found = template(
        story(odd, change("fix", "last", said="last", commit="0"), contributors=contributors([odd]), links=some)
    )
    tokens = MarkdownIt("commonmark").parse(found)
    assert [token.content for token in tokens if token.type in ("fence", "code_block", "html_block", "hr")] == []
    assert {token.tag for token in tokens if token.type == "heading_open"} == {"h3"}
    inside = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    allowed = {
        "text",
        "text_special",
        "hardbreak",
        "softbreak",
        "strong_open",
        "strong_close",
        "link_open",
        "link_close",
    }
    assert {child.type for child in inside} <= allowed
    for child in inside:
        if child.type == "link_open":
            assert str(child.attrs["href"]).startswith("https://example.org/o/r/")
    assert len([token for token in tokens if token.type == "list_item_open" and token.level == 1]) >= 2
    assert not [token for token in tokens if token.type == "list_item_open" and token.level > 1]


@pytest.mark.parametrize("template", [KEEP, GITHUB, NOTE])
@pytest.mark.parametrize("description", ["x" * 300, "@" * 1000, "\x1b" * 5000, "short"])
def test_notes_end_in_time_and_say_how_many_are_left_out(description: str, template: Callable[[Story], str]) -> None:
    kinds = ("feat", "fix", "docs")
    changes = [
        change(kinds[n % 3], description, said=f"{description}.", commit=f"{n:016x}", breaking=n % 7 == 0)
        for n in range(9000)
    ]
    found = template(story(*changes, links=FORGE))
    assert LONGEST - 5000 < len(found) <= LONGEST
    last = re.search(r"^Changes left out here: (\d+)\.$", found, re.MULTILINE)
    assert last
    assert len(re.findall("^- ", found, re.MULTILINE)) + int(last[1]) == len(changes)
    assert "\n\nAll changes: [v1.1.0...v1.2.0](" in found[-200:]


def test_a_crowd_of_contributors_leaves_room_for_the_changes() -> None:
    crowd = tuple(Contributor(f"{'n' * 90}{number}", new=True) for number in range(5000))
    found = GITHUB(story(change("fix", "mend it"), contributors=crowd))
    assert len(found) <= LONGEST
    assert "- mend it by Ann (abcdef1234)" in found
    told = len(re.findall(r"^- n{90}\d+$", found, re.MULTILINE))
    assert f"- and {5000 - told} more\n" in found


@pytest.mark.parametrize("template", [KEEP, GITHUB, NOTE])
def test_notes_of_a_hundred_thousand_changes_are_quick(template: Callable[[Story], str]) -> None:
    changes = [change("fix", "x" * 100_000, said="y" * 100_000)] * 100_000
    begun = time.perf_counter()
    template(story(*changes))
    assert time.perf_counter() - begun < 2


FRAGMENTS = (
    Fragment("changes.d/13.fixed.md", "It works.\n"),
    Fragment("changes.d/+x.added.md", "- A `thing`.\n"),
    Fragment("changes.d/12.breaking.md", "Gone: #12.\n"),
    Fragment("changes.d/gh-4.doc.md", "Words\n"),
    Fragment("changes.d/README.md", "how to"),
    Fragment("changes.d/14.nonsense.md", "what?"),
    Fragment("changes.d/15.added.md", " \n"),
)


def test_fragments_take_the_place_of_commits_but_for_breaking_ones_that_they_do_not_tell() -> None:
    found = KEEP(
        story(
            change("feat", "told by nobody"),
            change("feat", "told by 12", breaking=True, pull=12),
            change("feat", "about #13", breaking=True),
            change("feat", "drop x", breaking=True),
            news=news(config(), FRAGMENTS),
        )
    )
    assert found == (
        "### Breaking changes\n\n- Gone: #12.\n- drop x (abcdef1234)\n\n"
        "### Added\n\n- A `thing`.\n\n"
        "### Fixed\n\n- It works. (#13)\n\n"
        "### Other changes\n\n- Words (gh-4)"
    )


def test_what_a_fragment_breaks_is_said_by_the_configuration() -> None:
    rules = config(changes={"fragment": {"removed": "minor", "api": "major"}})
    said = (Fragment("changes.d/1.removed.md", "x"), Fragment("changes.d/2.api.md", "y"))
    assert news(rules, said) == (News("1", "removed", False, "x"), News("2", "api", True, "y"))
    assert KEEP(story(news=news(rules, said))) == "### Breaking changes\n\n- y (#2)\n\n### Removed\n\n- x (#1)"


BLOCKS = (
    ["words", "", "## [1.3.0] - x", "# top", "```", "~~~~", "<!-- ", "<div>", "- item", "* item", "1. one", "> said"],
    ["    code", "[a]: b", "---", "===", "\tx", "| a | b |", "    ## [1.3.0]", "- - -", "* * *"],
)
PIECES = st.lists(st.sampled_from(BLOCKS).flatmap(st.sampled_from), min_size=1, max_size=8)


@given(PIECES)
def test_a_fragment_stays_inside_its_item_and_hides_no_heading(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = KEEP(story(news=(News("", "added", False, text), News("", "added", False, "last"))))
    tokens = MarkdownIt("commonmark").parse(found)
    outer = [token for token in tokens if token.level == 0]
    assert [token.type for token in outer if token.nesting >= 0] == ["heading_open", "bullet_list_open"]
    assert len([token for token in tokens if token.type == "list_item_open" and token.level == 1]) == 2
    page = f"# Changelog\n\n{entry('1.2.0', '2026-01-02', found)}"
    splice = insert("C.md", page, entry("1.3.0", "2026-02-03", "- new"), "1.3.0")
    assert splice is not None
    assert splice.start == len("# Changelog\n\n")


def test_a_person_is_one_by_address_or_login() -> None:
    same = Person("ann", "ANN@example.org")
    other = Person("A. Smith", "smith@example.net")
    found = contributors(
        [
            change("", "4", author=other, login="ann", pull=8),
            change("", "3", author=Person("dependabot[bot]", "1+dependabot[bot]@users.noreply.github.com")),
            change("", "2", author=BOB),
            change("", "1", author=other),
            change("", "0", author=same, login="Ann", pull=5),
            change("", "0", author=same),
        ],
        {"Bob@example.org"},
    )
    assert found == (Contributor("A. Smith", "ann", True, 5), Contributor("Bob", "", False, 0))


def test_two_who_turn_out_to_be_one_are_one() -> None:
    found = contributors(
        [
            change("", "3", author=Person("Late", "late@example.org"), login="ann", pull=3),
            change("", "2", author=Person("Early", "early@example.org"), pull=2),
            change("", "1", author=Person("Early", "early@example.org"), login="ann"),
        ],
        set(),
    )
    assert found == (Contributor("Late", "ann", True, 2),)


def test_where_nobody_was_looked_for_nobody_is_new() -> None:
    assert contributors([change("", "x")]) == (Contributor("Ann"),)
    assert contributors([change("", "x")], ()) == (Contributor("Ann", new=True),)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "p", "q", "r"]), st.integers(0, 3))))
def test_whoever_shares_an_address_or_a_login_is_one_person_in_any_order(seen: list[tuple[str, str, int]]) -> None:
    changes = [change("", "x", author=Person(e, f"{e}@x"), login=login, pull=pull) for e, login, pull in seen]
    shared = {pull for _, _, pull in seen if pull and len({e for e, _, other in seen if other == pull}) > 1}
    seen = [(e, "" if pull in shared else login, pull) for e, login, pull in seen]
    group = {
        email: {email} for email, _, _ in seen
    }  # by hand: emails that are linked by a login, until nothing changes
    for _ in seen:
        for email, login, _ in seen:
            for other, same, _ in seen:
                if login and login == same:
                    group[email] = group[other] = group[email] | group[other]
                    for member in group[email]:
                        group[member] = group[email]
    assert len(contributors(changes)) == len({frozenset(members) for members in group.values()})
    numbers = sorted(one.pull for one in contributors(changes))
    lowest = {
        frozenset(members): min((p for e, _, p in seen if e in members and p), default=0) for members in group.values()
    }
    assert numbers == sorted(lowest.values())


def test_addresses_are_ones_own_or_the_forges_or_none() -> None:
    own = {"issues": "https://bugs.example.org/{n}", "compare": "https://git.example.org/{previous}/{tag}"}
    plain, forge = config(), config(project={"forge": "github"})
    assert links(plain, "https://example.org", "") == NONE
    assert links(plain, "https://example.org", "o/r") == NONE
    assert links(forge, "https://example.org/", "o/r") == FORGE
    assert links(config(changelog=own), "", "") == Links(**own)
    mixed = links(config(changelog=own, project={"forge": "github"}), "https://example.org", "o/r")
    assert mixed == msgspec.structs.replace(FORGE, **own)


def test_a_whole_changelog_ends_with_where_its_headings_lead() -> None:
    first = Story("1.0.0", "v1.0.0", None, "2025-01-01", (change("feat", "one"),), links=FORGE)
    second = Story("1.1.0", "v1.1.0", "v1.0.0", "2025-02-02", (change("fix", "two"),), links=FORGE)
    coming = Story("", "", "v1.1.0", "", (change("fix", "three"),), links=FORGE)
    assert "".join(whole([coming, second, first], KEEP)) == (
        "# Changelog\n\n"
        "## [Unreleased]\n\n### Fixed\n\n- three (abcdef1234)\n\n"
        "## [1.1.0] - 2025-02-02\n\n### Fixed\n\n- two (abcdef1234)\n\n"
        "## [1.0.0] - 2025-01-01\n\n### Added\n\n- one (abcdef1234)\n\n"
        "[Unreleased]: https://example.org/o/r/compare/v1.1.0...HEAD\n"
        "[1.1.0]: https://example.org/o/r/compare/v1.0.0...v1.1.0\n"
        "[1.0.0]: https://example.org/o/r/releases/tag/v1.0.0\n"
    )


def test_a_whole_changelog_without_addresses_or_news_is_its_entries() -> None:
    first = Story("1.0.0", "v1.0.0", None, "2025-01-01", ())
    assert "".join(whole([Story("", "", "v1.0.0", "", ()), first], KEEP)) == (
        "# Changelog\n\n## [1.0.0] - 2025-01-01\n\nNo changes.\n"
    )
    assert "".join(whole([], KEEP)) == "# Changelog\n"


def test_an_entry_can_be_put_into_a_changelog_that_was_printed_whole() -> None:
    first = Story("1.0.0", "v1.0.0", None, "2025-01-01", (change("feat", "one"),), links=FORGE)
    page = "".join(whole([first], KEEP))
    splice = insert("C.md", page, entry("1.1.0", "2026-01-02", "- x"), "1.1.0")
    assert splice is not None
    assert splice.applied(page) == page.replace("## [1.0.0]", "## [1.1.0] - 2026-01-02\n\n- x\n\n## [1.0.0]")
