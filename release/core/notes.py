"""How the story of a release is told: three built-in templates, and a changelog that is printed whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from release.core.changelog import LONGEST, escaped
from release.core.commits import Change
from release.core.story import Contributor, Links, News, Story, filled

BREAKING, OTHER = "Breaking changes", "Other changes"
Template = Callable[[Story], str]
SILENT = "(no message)"

SECTIONS: Mapping[str, tuple[str, ...]] = {
    BREAKING: (),
    "Added": ("feat", "feature", "added"),
    "Changed": ("perf", "refactor", "changed"),
    "Deprecated": ("deprecate", "deprecated"),
    "Removed": ("remove", "removed", "removal"),
    "Fixed": ("fix", "fixed", "bugfix"),
    "Security": ("security", "sec"),
    "Reverted": ("revert",),
    OTHER: (),
}
"""The sections of `keep-a-changelog` in their order, and which types of commits and kinds of fragments belong there.

The words are those of Keep a Changelog 1.1.0, but for the first one and the last two. What breaks users goes to the
first section whatever its type, and what no section names to the last one.
"""


def keep_a_changelog(story: Story) -> str:
    """What breaks first, then the sections of Keep a Changelog, a line per change, and at the end where to see it all.

    News fragments take the place of commits, as with towncrier; a breaking commit is told all the same if no fragment is
    about its pull request or an issue that it names.
    """
    line = _liner(story.links)
    parts = [(title, len(of), _texts(of, line, story.links)) for title, of in sections(story).items()]
    return _page(story, parts, _span(story))


def github(story: Story) -> str:
    """What breaks first, then a line per pull request, or per commit without one; who is new, who took part, where to see it all."""
    groups = pull_requests(story.changes)
    breaking = [group for group in groups if any(change.breaking for change in group)]
    rest = [group for group in groups if not any(change.breaking for change in group)]
    line = _grouped(story.links)
    parts = [(BREAKING, len(breaking), map(line, breaking)), ("What changed", len(rest), map(line, rest))]
    return _page(story, parts, *_people(story), _span(story))


def release_note(story: Story) -> str:
    """An entry per pull request, from its release-note block; what asks users for action comes first.

    What has no such block is not told, but counted at the end.
    """
    groups = pull_requests(story.changes)
    noted = [group for group in groups if any(_has_note(change) for change in group)]
    urgent: list[list[Change]] = []
    rest: list[list[Change]] = []
    for group in noted:
        (urgent if _urgent(group) else rest).append(group)
    line = _noted(story.links)
    parts = [("Action required", len(urgent), map(line, urgent)), ("Changes", len(rest), map(line, rest))]
    silent = len(groups) - len(noted)
    count = f"Without a release note: {silent} {'change' if silent == 1 else 'changes'}." if silent else ""
    return _page(story, parts, _span(story), count)


TEMPLATES: Mapping[str, Template] = {
    "keep-a-changelog": keep_a_changelog,
    "github": github,
    "release-note": release_note,
}
"""The built-in templates by name. Each gives Markdown, without a heading of its own and without a line end at the end.

It has at most `LONGEST` characters, and says how many changes were left out to keep to that.
"""


def heading(story: Story) -> str:
    """The heading of an entry, as Keep a Changelog has it."""
    return f"## [{story.version}] - {story.date}" if story.version else "## [Unreleased]"


def section(story: Story, template: Template) -> str:
    """An entry of a changelog that is printed whole: its heading is a link, so its text needs none to compare by."""
    bare = msgspec.structs.replace(story, links=msgspec.structs.replace(story.links, compare=""))
    return f"{heading(story)}\n\n{template(bare)}\n"


def definition(story: Story) -> str:
    """Where the heading of an entry leads, with a line end; "" where nothing is known."""
    address = story.compare
    if not address and story.tag and story.links.tags:
        address = filled(story.links.tags, tag=story.tag)
    return f"[{story.version or 'Unreleased'}]: {address}\n" if address else ""


def whole(stories: Iterable[Story], template: Template) -> Iterator[str]:
    """A changelog piece by piece: its title, an entry per story in the order given, and the addresses of the headings."""
    return page(piece(story, template) for story in stories)


class Piece(msgspec.Struct, frozen=True):
    """What a story becomes in a changelog: an entry, and where its heading leads. Both are "" for what is not released and brings nothing."""

    text: str = ""
    definition: str = ""


def piece(story: Story, template: Template) -> Piece:
    """A story as text, so that it need not be kept."""
    if not (story.version or story.changes or story.news):
        return Piece()
    return Piece(f"\n{section(story, template)}", definition(story))


def page(pieces: Iterable[Piece]) -> Iterator[str]:
    """A changelog of these pieces, in their order."""
    yield "# Changelog\n"
    defined: list[str] = []
    for one in pieces:
        yield one.text
        defined.append(one.definition)
    if any(defined):
        yield "\n" + "".join(defined)


def sections(story: Story) -> dict[str, list[Change | News]]:
    """The sections of `keep-a-changelog` that have something in them, in their order."""
    found: dict[str, list[Change | News]] = {title: [] for title in SECTIONS}
    of = _SECTION_OF.get
    for one in story.news:
        found[BREAKING if one.breaking else of(one.kind, OTHER)].append(one)
    for change in _untold(story) if story.news else story.changes:
        found[BREAKING if change.breaking else of(change.type, OTHER)].append(change)
    return {title: members for title, members in found.items() if members}


def description(change: Change, links: Links) -> str:
    """What a change says of itself and of breaking users, in one line for Markdown; `#12` is a link if it can be.

    Git takes commits without a message, or with one of nothing that can be seen: that is told by words.
    """
    text = escaped(f"{change.description}: {change.note}" if change.note else change.description) or SILENT
    if "#" in text and links.issues:
        number = numbered(links.issues)
        text = _REFERENCE.sub(lambda seen: number(seen[1]), text)
    return text


@lru_cache(16)
def numbered(address: str) -> Callable[[str | int], str]:
    """What makes `#12` of a number: a link, if there is an address with {n} for it."""
    before, _, after = address.partition("{n}")
    return (lambda n: f"[#{n}]({before}{n}{after})") if address else (lambda n: f"#{n}")


def pull_requests(changes: Iterable[Change]) -> list[list[Change]]:
    """The changes of each pull request, and each change without one, in the order of the first of them.

    Of a pull request that change comes first that tells most: a breaking one, or one of a known type, or the oldest.
    """
    groups: dict[int | str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.pull or change.commit, []).append(change)
    for group in groups.values():
        group.reverse()
        group.sort(key=_weight)
    return list(groups.values())


def said(change: Change) -> str:
    """A release note for an item of a list in Markdown: each line stays one, and an empty one parts paragraphs.

    What goes beyond 5,000 characters is left out.
    """
    paragraphs = _BLANKS.split(change.said[:_NOTE].replace("\r\n", "\n").strip())
    kept = ([text for line in paragraph.split("\n") if (text := escaped(line, 2000))] for paragraph in paragraphs)
    return "\n\n  ".join("\\\n  ".join(lines) for lines in kept if lines)


def written(one: News, links: Links) -> str:
    """A fragment's text as an item of a list, without its bullet: people's own Markdown, which stays inside the item.

    Lines are indented, so that the end of the item ends whatever the text began: a block of code, a list, a tag of HTML.
    By four, so that no line of it is taken for a heading of the changelog. A comment would hide what follows: it is text.
    """
    lines = [_UNSAFE.sub("", line).rstrip() for line in one.text[:LONGEST].replace("\r\n", "\n").strip().split("\n")]
    if len([line for line in lines if line.startswith(_BULLETS)]) == 1:
        lines[0] = lines[0].removeprefix(_BULLETS[0]).removeprefix(_BULLETS[1])
    if _RULE.fullmatch(lines[0]):
        lines[0] = f"\\{lines[0]}"  # with its bullet it would be a line across the page
    text = "\n".join(f"    {line}" if line else "" for line in lines).lstrip().replace("<!--", "&lt;!--")
    text = f"  {text}" if "\n" in text else text
    issue = f"#{one.issue}" if _NUMBER.fullmatch(one.issue) else one.issue
    if not issue or re.search(rf"(?<!\w){re.escape(issue)}(?!\w)", text):
        return text
    shown = numbered(links.issues)(one.issue) if issue != one.issue else escaped(issue, 100)
    return f"{text}\n\n    ({shown})" if "\n" in text else f"{text} ({shown})"


_SECTION_OF = {word: title for title, words in SECTIONS.items() for word in words}
_RESERVE = 200
_PEOPLE = 10_000
_NOTE = 5_000
_RULE = re.compile(r"-[- ]*")
_BULLETS = ("- ", "* ")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_REFERENCE = re.compile(r"(?<![\w/&;])#([1-9][0-9]{0,8})(?!\w)")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_BLANKS = re.compile(r"\n\s*\n")

Part = tuple[str, int, Iterator[str]]


def _page(story: Story, parts: Sequence[Part], *after: str) -> str:
    """Sections with a bullet before each text, then paragraphs below them; never more than `LONGEST` characters.

    A part is a title, how many texts there are, and the texts. Those that find no room are not asked for.
    """
    ends = [text for text in after if text]
    room = LONGEST - sum(map(len, ends)) - _RESERVE
    total, told = sum(count for _, count, _ in parts), 0
    blocks: list[str] = []
    for title, _, texts in parts:
        room -= len(title) + 8
        lines, room = _fitting(texts, room)
        told += len(lines)
        if lines:
            blocks.append(f"### {title}\n\n- " + "\n- ".join(lines))
        if room < 0:
            break
    if told < total:
        blocks.append(f"Changes left out here: {total - told}.")
    if not story.changes and not story.news:
        blocks.append("No changes.")
    return "\n\n".join([*blocks, *ends])


def _fitting(texts: Iterable[str], room: int) -> tuple[list[str], int]:
    """The first texts as far as there is room for them, and how much is left; below 0 if there was not enough."""
    lines: list[str] = []
    for text in texts:
        room -= len(text) + 3
        if room < 0:
            break
        lines.append(text)
    return lines, room


def _span(story: Story) -> str:
    """A link to all that changed, "" where no address is known."""
    if not story.compare:
        return ""
    return f"All changes: [{escaped(story.previous or '')}...{escaped(story.tag or 'HEAD')}]({story.compare})"


def _liner(links: Links) -> Callable[[Change], str]:
    """What makes the text of a change for Markdown: scope, description, and its pull request or else its commit."""
    pulled = numbered(links.pulls or links.issues)

    def line(change: Change) -> str:
        return f"{_scoped(change, links)} ({pulled(change.pull) if change.pull else escaped(change.commit[:10])})"

    return line


def _scoped(change: Change, links: Links) -> str:
    scope = escaped(change.scope, 100) if change.scope else ""
    return f"**{scope}**: {description(change, links)}" if scope else description(change, links)


def _texts(members: Iterable[Change | News], line: Callable[[Change], str], links: Links) -> Iterator[str]:
    for one in members:
        yield line(one) if isinstance(one, Change) else written(one, links)


def _untold(story: Story) -> Iterator[Change]:
    """The breaking changes that no fragment is about: nobody may miss them."""
    numbers = {one.issue for one in story.news}
    for change in story.changes:
        if change.breaking and numbers.isdisjoint([str(change.pull), *_REFERENCE.findall(change.description)]):
            yield change


def _weight(change: Change) -> int:
    """How little a change tells of its pull request."""
    return 0 if change.breaking else 1 if change.type in _SECTION_OF else 2


def _grouped(links: Links) -> Callable[[list[Change]], str]:
    """What makes a line of a pull request: what its first change says, and whose it is."""
    pulled = numbered(links.pulls or links.issues)

    def line(group: list[Change]) -> str:
        change = group[0]
        text = _scoped(change, links)
        more = f" ({len(group)} commits)" if len(group) > 1 else ""
        who = called(change.login, change.author.name)
        where = f"in {pulled(change.pull)}" if change.pull else f"({escaped(change.commit[:10])})"
        return f"{text}{more} by {who} {where}"

    return line


def _noted(links: Links) -> Callable[[list[Change]], str]:
    """What makes an entry of a pull request: its release note line by line, its number and who opened it."""
    pulled = numbered(links.pulls or links.issues)

    def line(group: list[Change]) -> str:
        change = next(change for change in group if _has_note(change))
        where = pulled(change.pull) if change.pull else escaped(change.commit[:10])
        who = f", {called(change.login, '')}" if change.login else ""
        return f"{said(change)} ({where}{who})"

    return line


def _urgent(group: Iterable[Change]) -> bool:
    return any("action required" in change.said[:_NOTE].lower() for change in group)


def _has_note(change: Change) -> bool:
    return bool(change.said) and not change.said.isspace()


def called(login: str, name: str) -> str:
    """A login as GitHub knows it calls that person; any other name calls nobody."""
    return f"@{login}" if _LOGIN.fullmatch(login) else escaped(login or name, 100) or "somebody"


def _people(story: Story) -> Iterator[str]:
    """Who is new, and who took part."""
    new = [one for one in story.contributors if one.new]
    lines, _ = _fitting((_newcomer(one, story.links) for one in new), _PEOPLE)
    if lines:
        left = [f"and {len(new) - len(lines)} more"] if len(lines) < len(new) else []
        yield "### New contributors\n\n- " + "\n- ".join([*lines, *left])
    names, _ = _fitting((called(one.login, one.name) for one in story.contributors), _PEOPLE)
    if names:
        left = [f"and {len(story.contributors) - len(names)} more"] if len(names) < len(story.contributors) else []
        yield "### Contributors\n\n" + ", ".join([*names, *left])


def _newcomer(one: Contributor, links: Links) -> str:
    first = f", first in {numbered(links.pulls or links.issues)(one.pull)}" if one.pull else ""
    return f"{called(one.login, one.name)}{first}"
