"""The story of a release, and how it is told: three built-in templates, and a changelog that is printed whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from release.core.changelog import LONGEST, escaped
from release.core.commits import Change
from release.core.config import Config
from release.core.facts import Fragment
from release.core.fragments import kinds, named

BREAKING, OTHER = "Breaking changes", "Other changes"
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


class Contributor(msgspec.Struct, frozen=True):
    """Somebody who wrote a change of a release. `login` is "" where it is unknown.

    `new`: nothing before this release is theirs; `pull` is the number of their first pull request in it, 0 for none.
    """

    name: str
    login: str = ""
    new: bool = False
    pull: int = 0


class Links(msgspec.Struct, frozen=True):
    """Addresses with names in braces to fill: {n} in `issues` and `pulls`, {previous} and {tag} in `compare`, {tag} in `tags`.

    "" stands for an address that is not known; what would be a link is text then.
    """

    issues: str = ""
    pulls: str = ""
    compare: str = ""
    tags: str = ""


class News(msgspec.Struct, frozen=True):
    """What a news fragment says: `issue` and `kind` are from its name, `text` is Markdown. `breaking`: it asks for a major version."""

    issue: str
    kind: str
    breaking: bool
    text: str


class Story(msgspec.Struct, frozen=True):
    """All there is to tell of a release.

    `version`, `tag` and `date` (YYYY-MM-DD) are "" for what is not released yet; `previous` is a tag, None for a first
    release. `changes` are newest first.
    """

    version: str
    tag: str
    previous: str | None
    date: str
    changes: tuple[Change, ...]
    news: tuple[News, ...] = ()
    contributors: tuple[Contributor, ...] = ()
    links: Links = Links()

    @property
    def compare(self) -> str:
        """The address that shows all that changed, "" where there is none. What is not released yet ends at HEAD."""
        if not self.links.compare or self.previous is None:
            return ""
        return _filled(self.links.compare, previous=self.previous, tag=self.tag or "HEAD")


Template = Callable[[Story], str]


def links(config: Config, server: str, repository: str) -> Links:
    """The addresses of a project: its own ones from [changelog], else those of its forge, else none.

    `server` is the forge's address, as in "https://github.com"; `repository` is owner/name, "" where there is no forge.
    """
    own = config.changelog
    if config.project.forge != "github" or not repository:
        return Links(issues=own.issues, compare=own.compare)
    base = f"{server.rstrip('/')}/{_encoded(repository)}"
    return Links(
        issues=own.issues or f"{base}/issues/{{n}}",
        pulls=f"{base}/pull/{{n}}",
        compare=own.compare or f"{base}/compare/{{previous}}...{{tag}}",
        tags=f"{base}/releases/tag/{{tag}}",
    )


def news(config: Config, fragments: Iterable[Fragment]) -> tuple[News, ...]:
    """What fragments of a known kind say, in the order of their paths; empty ones say nothing."""
    known = kinds(config)
    found: list[News] = []
    for fragment in sorted(fragments, key=lambda one: one.path):
        name = named(config, fragment.path)
        if name and name.kind and fragment.text.strip():
            found.append(News(name.issue, name.kind, known[name.kind] == "major", fragment.text))
    return tuple(found)


def contributors(changes: Iterable[Change], known: Collection[str] | None = None) -> tuple[Contributor, ...]:
    """Who wrote these changes, by name, each person once; whoever shares an address or a login is one person.

    `known` are the addresses of those who wrote something before; None if that is not known, and then nobody is new.
    Bots, which GitHub marks with "[bot]", are left out. The login of a pull request that several people wrote is only for
    the one whom GitHub's own address for that login names: it is of whoever opened it, and that may be any of them, or none.
    """
    every = tuple(changes)
    shared = _shared(every)
    people: dict[str, _Person] = {}
    for place, change in enumerate(every):
        if _is_bot(change):
            continue
        email = change.author.email.casefold()
        login = change.login if change.pull not in shared or _is_address_of(email, change.login) else ""
        keys = [key for key in (email, f"@{login.casefold()}") if key not in ("", "@")] or [change.author.name]
        person = _met([people[key] for key in keys if key in people]) or _Person(change.author.name, place)
        person.add(login, email, change.pull)
        people.update(dict.fromkeys(keys, person))
    before = None if known is None else {email.casefold() for email in known}
    once = {id(person): person for person in map(_Person.itself, people.values())}
    told = (person.told(before) for person in once.values())
    return tuple(sorted(told, key=lambda one: (one.name.casefold(), one.name, one.login)))


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
        address = _filled(story.links.tags, tag=story.tag)
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
_RESERVED = re.compile(r"[^A-Za-z0-9._~/-]+")
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


def _filled(address: str, **values: str) -> str:
    """An address with its names filled in. What may not stand in a path is percent-encoded: "+" would mean a space."""
    for name, value in values.items():
        address = address.replace(f"{{{name}}}", _encoded(value))
    return address


def _encoded(text: str) -> str:
    """Percent-encoded but for what RFC 3986 calls unreserved (section 2.3), and "/"."""
    return _RESERVED.sub(lambda seen: "".join(f"%{byte:02X}" for byte in seen[0].encode("utf-8", "replace")), text)


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


def _is_bot(change: Change) -> bool:
    return any("[bot]" in text for text in (change.login, change.author.name, change.author.email))


def _shared(changes: Iterable[Change]) -> frozenset[int]:
    """The pull requests with commits of several names and several addresses: one person may well have two of either."""
    authors: dict[int, set[tuple[str, str]]] = {}
    for change in changes:
        if change.pull:
            authors.setdefault(change.pull, set()).add((change.author.name.casefold(), change.author.email.casefold()))
    return frozenset(
        pull for pull, found in authors.items() if all(len(set(part)) > 1 for part in zip(*found, strict=True))
    )


def _is_address_of(email: str, login: str) -> bool:
    """Whether an address is the one that GitHub gives to a login: with a number and "+" before it, or without."""
    name, _, host = email.partition("@")
    return host.startswith("users.noreply.") and name.rpartition("+")[2] == login.casefold()


class _Person:
    """Somebody as far as their changes tell: the newest name, a login, every address, the lowest number.

    Two who turn out to be one are the one that was seen first; the other one points there.
    """

    def __init__(self, name: str, place: int) -> None:
        self.name, self.place, self.login, self.pull = name, place, "", 0
        self.emails: set[str] = set()
        self.same: _Person | None = None

    def itself(self) -> _Person:
        person = self
        while person.same is not None:
            person = person.same
        return person

    def add(self, login: str, email: str, pull: int) -> None:
        self.login = self.login or login
        self.emails.add(email)
        self.pull = min(filter(None, (self.pull, pull)), default=0)

    def absorb(self, other: _Person) -> None:
        other.same = self
        self.emails |= other.emails
        self.login = self.login or other.login
        self.pull = min(filter(None, (self.pull, other.pull)), default=0)

    def told(self, known: Collection[str] | None) -> Contributor:
        return Contributor(self.name, self.login, known is not None and self.emails.isdisjoint(known), self.pull)


def _met(found: Iterable[_Person]) -> _Person | None:
    """The one person that these turn out to be, None for nobody."""
    people = sorted({id(person): person for person in map(_Person.itself, found)}.values(), key=lambda one: one.place)
    for other in people[1:]:
        people[0].absorb(other)
    return people[0] if people else None
