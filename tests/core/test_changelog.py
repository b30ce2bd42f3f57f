"""No stranger's text acts in Markdown; a changelog keeps what people wrote."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from release.core.changelog import entry, escaped, insert, told_of
from release.core.commits import plain
from release.core.model import Splice

ENTRY = entry("1.2.0", "2026-01-02", "First words.\n\n### Fixes\n\n- a fix")


def put(content: str | None, version: str = "1.2.0", text: str = ENTRY) -> str:
    splice = insert("CHANGELOG.md", content, text, version)
    assert splice is not None
    return splice.applied(content or "")


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("fix #123 for good", "fix #123 for good"),
        ("#123 is fixed", "#123 is fixed"),
        ("# not a heading", "\\# not a heading"),
        ("- not a list", "\\- not a list"),
        ("1. not a list", "1\\. not a list"),
        ("1.2 is a number", "1.2 is a number"),
        ("<script>a & b</script>", "&lt;script&gt;a &amp; b&lt;/script&gt;"),
        ("[a](http://b) ![c](d)", "\\[a\\](http://b) !\\[c\\](d)"),
        ("`code` *bold* _it_ ~~no~~", "\\`code\\` \\*bold\\* \\_it\\_ \\~\\~no\\~\\~"),
        ("\\[a](b)", "\\\\\\[a\\](b)"),
        ("thanks @ann", "thanks @&#8203;ann"),
        ("a\x1b[31mb\u2028c\u202ed\ne", "a\\[31mb cd e"),
    ],
)
def test_a_strangers_text_stays_text(description: str, shown: str) -> None:
    assert escaped(description) == shown


ODD = st.text(alphabet=st.sampled_from("\\`*_[]()<>&@#!~-+=|0123456789. \n\r\t\x1babc:/\u2028\u202e"), max_size=60)


@given(ODD)
def test_markdown_shows_the_very_text_and_nothing_else_of_it(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"- {escaped(text)} (1)")
    (inline,) = [token for token in tokens if token.type == "inline"]
    assert {child.type for child in inline.children or ()} <= {"text", "text_special"}
    shown = "".join(child.content for child in inline.children or ()).replace("\u200b", "")
    assert shown.split() == [*re.sub("[\x1b\u202e]", "", text).split(), "(1)"]


def spelt_out(text: str, limit: int) -> str:
    """The same by one rule after the other, for every text."""
    line = re.sub(r"[\\`*_\[\]~]", r"\\\g<0>", plain(text, limit))
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@&#8203;")
    return re.sub(r"^(?:([0-9]{1,9})(?=[.)](?:\s|$))|(?=[-+=]|#{1,6}(?:\s|$)))", r"\1\\", line)


@given(st.one_of(ODD, st.text(max_size=30)), st.sampled_from([5, 20, 500]))
def test_a_harmless_text_is_what_the_rules_leave_of_it(text: str, limit: int) -> None:
    assert escaped(text, limit) == spelt_out(text, limit)


@given(st.text())
def test_a_text_is_one_line_without_control_characters(text: str) -> None:
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in escaped(text))


def test_an_entry_is_that_of_keep_a_changelog() -> None:
    assert entry("1.2.0", "2026-01-02", "Words.\n") == "## [1.2.0] - 2026-01-02\n\nWords.\n"


def test_a_changelog_that_is_not_there_is_begun() -> None:
    assert insert("docs/NEWS.md", None, ENTRY, "1.2.0") == Splice("docs/NEWS.md", 0, 0, f"# Changelog\n\n{ENTRY}")


OLD = "## [1.1.0] - 2025-01-01\n\n- old\n"
HEAD = "# Changelog\n\nAll of it.\n\n"
LINKS = "[unreleased]: https://example.org/compare/v1.1.0...HEAD\n[1.1.0]: https://example.org/v1.1.0\n"
JOINED = "## [1.2.0] - 2026-01-02\n\n### Added\n\n- by hand\n\nFirst words.\n\n### Fixes\n\n- a fix\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD + OLD, HEAD + ENTRY + "\n" + OLD),
        (OLD, ENTRY + "\n" + OLD),
        (HEAD, HEAD + ENTRY),
        (HEAD.rstrip(), HEAD + ENTRY),
        ("", ENTRY),
        ("Words.\n" + OLD, "Words.\n\n" + ENTRY + "\n" + OLD),
        (HEAD + "## [Unreleased]\n\n" + OLD, HEAD + "## [Unreleased]\n\n" + ENTRY + "\n" + OLD),
        (HEAD + "## Unreleased\n" + OLD, HEAD + "## Unreleased\n\n" + ENTRY + "\n" + OLD),
        (HEAD + "## [Unreleased]", HEAD + "## [Unreleased]\n\n" + ENTRY),
        (
            HEAD + "## [unreleased]\n\n### Added\n\n- by hand\n\n" + OLD,
            HEAD + "## [unreleased]\n\n" + JOINED + "\n" + OLD,
        ),
        (HEAD + "## [Unreleased]\n### Added\n\n- by hand", HEAD + "## [Unreleased]\n\n" + JOINED),
        (
            HEAD + "## [Unreleased]\n\n### Added\n\n- by hand\n\n" + LINKS,
            HEAD + "## [Unreleased]\n\n" + JOINED + "\n" + LINKS,
        ),
        (HEAD + LINKS, HEAD + ENTRY + "\n" + LINKS),
        (HEAD + "```\n## [Unreleased]\n```\n\n" + OLD, HEAD + "```\n## [Unreleased]\n```\n\n" + ENTRY + "\n" + OLD),
        (HEAD + "<!--\n## [1.2.0]\n-->\n\n" + OLD, HEAD + "<!--\n## [1.2.0]\n-->\n\n" + ENTRY + "\n" + OLD),
        (HEAD + "Words\n\n~~~\n## [1.2.0]\n```\n", HEAD + "Words\n\n" + ENTRY + "\n~~~\n## [1.2.0]\n```\n"),
        (HEAD + "## [1.2.0-rc.1] - x\n", HEAD + ENTRY + "\n## [1.2.0-rc.1] - x\n"),
        (HEAD + "## [1.2.01] - x\n", HEAD + ENTRY + "\n## [1.2.01] - x\n"),
        (HEAD + "##[1.2.0]\n    ## [1.2.0]\n" + OLD, HEAD + "##[1.2.0]\n    ## [1.2.0]\n\n" + ENTRY + "\n" + OLD),
    ],
)
def test_an_entry_has_its_place(before: str, after: str) -> None:
    assert put(before) == after
    assert put(before.replace("\n", "\r\n")) == (after if "\n" not in before else after.replace("\n", "\r\n"))


@pytest.mark.parametrize(
    "heading",
    [
        "## [1.2.0] - 2026-01-02",
        "## 1.2.0",
        "## v1.2.0 (yesterday)",
        "## [1.2.0](https://x) - y",
        "# 1.2.0",
        "  ## [1.2.0]",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_version_that_has_its_heading_gets_no_second_one(heading: str, ending: str) -> None:
    assert insert("C.md", f"# Changelog{ending}{ending}{heading}{ending}{ending}- x{ending}", ENTRY, "1.2.0") is None


@pytest.mark.parametrize(
    "page",
    [
        "# C\n\n````md\n```\n~~~~\n````no\n## [1.2.0]\n  `````  \n\n## [1.1.0]\n",
        "# C\n\n```not `a` fence\n\n## [1.1.0]\n\n```\n## [1.2.0]\n```\n",
        "# C\n\n<!-- a comment -->\n\n## [1.1.0]\n\n#### 1.2.0 of something else\n",
    ],
)
def test_a_heading_is_one_by_the_rules_of_commonmark(page: str) -> None:
    assert put(page) == page.replace("## [1.1.0]", f"{ENTRY}\n## [1.1.0]")


LINES = st.sampled_from(
    [
        "",
        "words",
        "# Changelog",
        "## [Unreleased]",
        "## [1.1.0] - x",
        "### Added",
        "- item",
        "```",
        "````",
        "~~~ md",
        "<!--",
        "-->",
        "[a]: b",
        "    ## [1.0.0]",
        "odd\u2028## [1.2.0]",
        "  ",
    ]
)


@given(st.lists(LINES), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_nothing_that_people_wrote_is_lost_and_a_second_time_changes_nothing(
    lines: list[str], ending: str, ended: bool
) -> None:
    content = ending.join(lines) + (ending if ended else "")
    after = put(content)
    assert insert("C.md", after, ENTRY, "1.2.0") is None
    ours = [line for line in ENTRY.split("\n") if line]
    assert after.count("## [1.2.0] - 2026-01-02") == 1
    left = [line.rstrip("\r") for line in after.split("\n") if line.strip()]
    for line in ours:
        left.remove(line)
    assert left == [line for line in lines if line.strip()]
    if "\r\n" in content and "\n" not in content.replace("\r\n", ""):
        assert "\n" not in after.replace("\r\n", "")


@given(
    st.text(alphabet=st.sampled_from("#[]()<!->`~ 12.0vUnreleasd:\t\r\n\u2028"), max_size=200),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_random_file_keeps_every_character_and_takes_an_entry_once(content: str, ending: str) -> None:
    content = content.replace("\n", ending)
    splice = insert("C.md", content, ENTRY, "1.2.0")
    if splice is None:
        assert "1.2.0" in content
        return
    after = splice.applied(content)
    assert insert("C.md", after, ENTRY, "1.2.0") is None
    kept = iter(after)
    assert all(char in kept for char in content if char not in "\r\n")  # in their order


def test_a_hostile_changelog_does_not_take_long() -> None:
    many = 100_000
    pages = ["# " * many, "`" * many, "```\n" * 20_000, "<!--\n" * 20_000, "[" * many, "[a]: b\n" * 20_000, "\n" * many]
    begun = time.perf_counter()
    for page in pages:
        put(page)
    assert time.perf_counter() - begun < 3


PAGE = """\
# Changelog

## [Unreleased]

## [1.1.0] - 2030-02-01

Written by people.

### Added

- `## [1.0.0]` is a heading

```
## [1.0.0] no heading
```

## [1.0.0] - 2030-01-01

- first

[1.0.0]: https://example.org/1.0.0
"""


def test_what_an_entry_tells_ends_with_the_next_one_or_with_the_last_links() -> None:
    told = "Written by people.\n\n### Added\n\n- `## [1.0.0]` is a heading\n\n```\n## [1.0.0] no heading\n```"
    assert told_of(PAGE, "1.1.0") == told
    assert told_of(PAGE.replace("\n", "\r\n"), "1.1.0") == told
    assert told_of(PAGE, "1.0.0") == "- first"
    assert told_of(PAGE, "2.0.0") is None
    assert told_of(PAGE, "1.0") is None
    assert told_of("## 1.0.0", "1.0.0") == ""


@given(st.text(max_size=60).filter(lambda text: "#" not in text and "<!--" not in text and "`" not in text))
def test_notes_are_read_as_they_were_written(notes: str) -> None:
    told = notes.replace("\r", "").replace("~~~", "")
    page = insert("C.md", PAGE, entry("1.2.0", "2030-03-01", told), "1.2.0")
    assert page is not None
    assert (told_of(page.applied(PAGE), "1.2.0") or "").strip() == told.strip()
