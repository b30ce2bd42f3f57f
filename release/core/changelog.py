"""The place of a release's notes in a changelog that people write in, too; and strangers' texts in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from release.core.commits import plain
from release.core.model import Splice

LONGEST = 100_000
"""Notes have no more characters: GitHub refuses a release body of more than 125,000."""


def entry(version_text: str, date: str, notes: str) -> str:
    """A changelog's entry for a version, as Keep a Changelog 1.1.0 has it. `date` is YYYY-MM-DD."""
    return f"## [{version_text}] - {date}\n\n{notes.strip(_ENDS)}\n"


def insert(path: str, content: str | None, entry: str, version_text: str) -> Splice | None:
    """Put an entry into a changelog; None when the version has its heading already.

    `content` is None for a file that is not there. What people wrote under Unreleased becomes the head of the entry,
    and that heading stays. Without one the entry goes above the first `## ` heading, or to the end.
    """
    if content is None:
        return Splice(path, 0, 0, f"# Changelog\n\n{entry}")
    page = _Page.of(content)
    if any(_is_of(heading, version_text) for heading in page.headings):
        return None
    start, end, head = page.place()
    people = content[start:end].strip(_ENDS) if head else ""
    text = _joined(entry, people, page.ending)
    return Splice(path, start, end, _gap(content[:start], page.ending) + text + _below(content[end:], page.ending))


def told_of(content: str, version_text: str) -> str | None:
    """What the entry of a version says below its heading, None where there is no such entry."""
    headings = _Page.of(content).headings
    heading = next((one for one in headings if _is_of(one, version_text)), None)
    if heading is None:
        return None
    ends = (one.start for one in headings if one.start > heading.start and one.level <= heading.level)
    end = next(ends, max(_tail(content), heading.end))
    return content[heading.end : end].replace("\r\n", "\n").strip("\n")


_ENDS = "\r\n"
_LEAD = re.compile(r"^([0-9]{1,9}(?=[.)](?:\s|$))|(?=[-+=]|#{1,6}(?:\s|$)))")
_LINK = re.compile(r" {0,3}\[[^\]]+\]:[ \t]")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")


def escaped(text: str, limit: int = 500) -> str:
    """A stranger's text for Markdown: one line that makes no tag, link, emphasis, list or heading, and calls nobody.

    A zero-width space after "@" keeps GitHub from notifying people: an entity alone would not, as mentions are looked
    for after rendering. `#123` stays a reference. Most texts are harmless, and are seen to be so by one look.
    """
    tidy = len(text) <= limit and "  " not in text and not text.endswith(" ")
    if tidy and _HARMLESS(text):
        return text
    line = text if tidy and text.isprintable() and text[0] != " " else plain(text, limit)
    for mark, shown in _ESCAPES:
        if mark in line:
            line = line.replace(mark, shown)
    return line if line[:1].isalpha() else _LEAD.sub(r"\1\\", line)


_HARMLESS = re.compile(r"""(?:[A-Za-z!"$%'(),./:;?^{|}][A-Za-z0-9 !"#$%'()+,./:;=?^{|}-]*)?""").fullmatch
_ESCAPES = (
    *((mark, f"\\{mark}") for mark in "\\`*_[]~"),
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ("@", "@&#8203;"),
)


class _Heading(msgspec.Struct, frozen=True):
    """A heading of a changelog: where its line begins, where the next one begins, its level and its text."""

    start: int
    end: int
    level: int
    text: str


class _Page(msgspec.Struct, frozen=True):
    """A changelog as far as an entry's place needs it. `tail` is its end, or where the last links begin."""

    headings: tuple[_Heading, ...]
    tail: int
    ending: str

    @classmethod
    def of(cls, content: str) -> _Page:
        headings, opened = _scanned(content)
        ending = "\r\n" if 2 * content.count("\r\n") > content.count("\n") else "\n"
        return cls(tuple(headings), min(_tail(content), opened), ending)

    def place(self) -> tuple[int, int, bool]:
        """The region that an entry takes, and whether people's text is in it."""
        sections = [heading for heading in self.headings if heading.level <= 2]
        ends = [heading.start for heading in sections[1:]] + [self.tail]
        for heading, end in zip(sections, ends, strict=False):
            if heading.level == 2 and re.match(r"\[?unreleased\]?(?=[\s(:]|$)", heading.text, re.IGNORECASE):
                return heading.end, end, True
        first = next((heading.start for heading in sections if heading.level == 2), self.tail)
        return first, first, False


def _scanned(content: str) -> tuple[list[_Heading], int]:
    """The headings outside of fenced code and comments, and where a block begins that is never closed (else the end).

    CommonMark 0.31: sections 4.2 (headings), 4.5 (fences), 4.6 (comments).
    """
    headings: list[_Heading] = []
    block, opened = "", len(content)
    for start, end, line in _numbered(content):
        if block:
            block = "" if _closes(line, block) else block
        elif block := _opens(line):
            opened = start
        elif seen := re.match(r" {0,3}(#{1,6})(?=[ \t]|$)", line):
            headings.append(_Heading(start, end, len(seen[1]), line[seen.end() :].strip()))
    return headings, opened if block else len(content)


def _opens(line: str) -> str:
    """What closes the block that a line opens; "" for a line that opens none."""
    if seen := _FENCE.match(line):
        return seen[1]
    seen = re.match(" {0,3}<!--", line)
    return "-->" if seen and "-->" not in line[seen.end() :] else ""


def _closes(line: str, block: str) -> bool:
    if block == "-->":
        return block in line
    mark = line.rstrip(" \t").removeprefix(" ").removeprefix(" ").removeprefix(" ")
    return mark.startswith(block) and not mark.strip(block[0])


def _numbered(content: str) -> Iterator[tuple[int, int, str]]:
    """Each line without its end, with the offsets of its first character and of the next line. Only LF ends a line."""
    start = 0
    for line in content.split("\n"):
        end = min(start + len(line) + 1, len(content))
        yield start, end, line.removesuffix("\r")
        start = end


def _tail(content: str) -> int:
    """Where the last text ends, before the link definitions that close a Keep a Changelog file."""
    tail = len(content)
    for start, _, line in reversed(list(_numbered(content))):
        if line.strip() and not _LINK.match(line):
            break
        tail = start if line.strip() else tail
    return tail


def _is_of(heading: _Heading, version_text: str) -> bool:
    name = re.match(rf"\[?v?{re.escape(version_text)}\]?(?=[\s(:]|$)", heading.text)
    return heading.level <= 3 and name is not None


def _joined(entry: str, people: str, ending: str) -> str:
    """The entry in the file's own line ends, with people's text, untouched, between its heading and its notes."""
    title, _, rest = entry.replace("\r\n", "\n").replace("\n", ending).partition(ending)
    texts = [title, people, rest.strip(_ENDS)]
    return (ending * 2).join(text for text in texts if text.strip()) + ending


def _gap(above: str, ending: str) -> str:
    """What makes an empty line below the text above."""
    if not above or above.endswith(("\n\n", "\n\r\n")):
        return ""
    return ending if above.endswith("\n") else ending * 2


def _below(below: str, ending: str) -> str:
    """What makes an empty line above the text below."""
    return ending if below.strip() and not below.startswith(("\n", "\r\n")) else ""
