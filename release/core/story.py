"""The story of a release: what there is to tell, who wrote it, and where it can be looked at."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import msgspec

from release.core.commits import Change
from release.core.config import Config
from release.core.facts import Fragment
from release.core.fragments import kinds, named


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
        return filled(self.links.compare, previous=self.previous, tag=self.tag or "HEAD")


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


_RESERVED = re.compile(r"[^A-Za-z0-9._~/-]+")


def filled(address: str, **values: str) -> str:
    """An address with its names filled in. What may not stand in a path is percent-encoded: "+" would mean a space."""
    for name, value in values.items():
        address = address.replace(f"{{{name}}}", _encoded(value))
    return address


def _encoded(text: str) -> str:
    """Percent-encoded but for what RFC 3986 calls unreserved (section 2.3), and "/"."""
    return _RESERVED.sub(lambda seen: "".join(f"%{byte:02X}" for byte in seen[0].encode("utf-8", "replace")), text)


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
