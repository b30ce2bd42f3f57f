"""Changelog: the entry of what comes next, or the whole history, release by release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from graphlib import TopologicalSorter
from operator import or_

import msgspec

from release import observe
from release.app import Session
from release.commands.adopt import at_commit
from release.commands.notes import NAMELESS, of_next
from release.commands.version import standing
from release.core import changelog, design, notes, story
from release.core.aim import Aim, Observation
from release.core.ancestry import Section, told, trunk
from release.core.commits import changes
from release.core.config import Config
from release.core.plan import ChangelogText
from release.core.pulls import Attribution
from release.core.span import last, ranges
from release.core.story import Links, News, Story, contributors
from release.core.version import Version, scheme
from release.errors import ConflictError


def entry(session: Session) -> ChangelogText:
    """The entry that the next release would get."""
    told_of = of_next(session)
    if told_of.version is None:
        return ChangelogText(f"## [Unreleased]\n\n{told_of.notes}\n" if told_of.notes else "", told_of.remarks)
    text = changelog.entry(told_of.version, session.now()[:10], told_of.notes)
    return ChangelogText(text, told_of.remarks)


def whole(session: Session) -> ChangelogText:
    """Every final release in the history of the checkout, the highest version first, and above them what is not released.

    A commit belongs to the first release that contains it. The history is read once, whatever its length.
    """
    seen = session.observed()
    here, remarks = standing(session, seen)
    if not isinstance(here, Aim):
        raise ConflictError((here,))
    history = observe.content(session.remote, session.config, here.base)
    config, said = at_commit(session.config, history.files["release.toml"], here.base)
    teller = teller_of(session, config, seen, coming(session, config, seen, here))
    tags = seen.refs.tags
    session.remote.bring([f"refs/tags/{name}" for name in tags], [here.base, *dict.fromkeys(tags.values())])
    read = (session.remote.commits(here.base, ()), session.remote.lineage(here.base))
    template = session.template(config, history)
    if config.changelog.template in NAMELESS:  # then a section is text as soon as it is read
        pieces = told(*read, teller.releases, lambda section: notes.piece(teller.story(section), template))
    else:
        stories = introduced(told(*read, teller.releases, teller.scene), teller.roll)
        pieces = {name: notes.piece(one, template) for name, one in stories.items()}
    order = ["", *reversed([*teller.releases])]
    page = notes.page(pieces[name] for name in order if name in pieces)
    return ChangelogText("".join(page), (*remarks, *said))


class Scene(msgspec.Struct, frozen=True):
    """A story, who wrote anything in its section (as a number of the roll's), and the releases right below it."""

    story: Story
    authors: int
    previous: tuple[str, ...]


class Roll:
    """People by their addresses, in any case. A set of them is a number with a bit for each: a history has many such sets."""

    def __init__(self) -> None:
        self._bits: dict[str, int] = {}

    def of(self, emails: Iterable[str]) -> int:
        """The set of these people; who is not on the roll is put there."""
        places = {self._bits.setdefault(email.casefold(), len(self._bits)) for email in emails}
        return reduce(or_, (1 << place for place in places), 0)

    def among(self, emails: Iterable[str], people: int) -> frozenset[str]:
        """Those of these addresses whose owners are in a set."""
        return frozenset(email for email in emails if self.of((email,)) & people)


@dataclass(frozen=True)
class Teller:
    """What makes stories of sections. `finals` are the versions by tag, `releases` their commits, the lowest first.

    `news` is of what no release contains.
    """

    config: Config
    finals: Mapping[str, Version]
    releases: Mapping[str, str]
    links: Links
    attribution: Attribution
    news: tuple[News, ...] = ()
    roll: Roll = field(default_factory=Roll)

    def story(self, section: Section) -> Story:
        """What a section of the history tells."""
        first_parent = self.config.changes.first_parent
        commits = trunk(section.commits) if first_parent else section.commits
        version = self.finals.get(section.release)
        below = {self.finals[name]: name for name in section.previous if name}
        previous = last(list(below), version.line if version else "")
        return Story(
            version=version.text if version else "",
            tag=section.release,
            previous=below[previous] if previous else None,
            date=section.date[:10],
            changes=design.told(self.attribution.of(changes(commits, first_parent), section.commits)),
            news=() if section.release or not commits else self.news,
            links=self.links,
        )

    def scene(self, section: Section) -> Scene:
        """What a section tells, and whose commits it has, those that are not told too."""
        authors = self.roll.of(commit.author.email for commit in section.commits)
        return Scene(self.story(section), authors, section.previous)


def introduced(found: Mapping[str, Scene], roll: Roll) -> dict[str, Story]:
    """The stories, by release, with who wrote them; new is who wrote no commit in the history before, as in the notes."""
    before: dict[str, int] = {}
    peopled: dict[str, Story] = {}
    for name in TopologicalSorter({name: scene.previous for name, scene in found.items()}).static_order():
        scene = found[name]
        before[name] = reduce(or_, (before[lower] | found[lower].authors for lower in scene.previous), 0)
        written = scene.story.changes
        known = roll.among({change.author.email for change in written}, before[name])
        peopled[name] = msgspec.structs.replace(scene.story, contributors=contributors(written, known))
    return peopled


def coming(session: Session, config: Config, seen: Observation, here: Aim) -> tuple[News, ...]:
    """What the news fragments say that came, or changed, since the last final: those that the notes of the next release tell."""
    if "fragments" not in config.changes.sources:
        return ()
    alone = msgspec.structs.replace(config, changes=msgspec.structs.replace(config.changes, sources=("fragments",)))
    history = observe.history(session.remote, alone, seen, here)
    sources = msgspec.structs.replace(session.sources(alone), forge=None)
    facts = observe.facts(sources, alone, history, ranges(alone, seen, here, history))
    return story.news(config, facts.fragments)


def teller_of(session: Session, config: Config, seen: Observation, news: tuple[News, ...]) -> Teller:
    """What tells of this history: its finals, and the pull requests where the template or a source wants them."""
    rules = scheme(config.version, config.project.name)
    tags = seen.refs.tags
    finals = {name: version for name in tags if (version := rules.of_tag(name)) is not None and version.final}
    forge = session.sources(config).forge
    return Teller(
        config=config,
        finals=finals,
        releases={name: tags[name] for name in sorted(finals, key=lambda name: finals[name])},
        links=story.links(config, session.server, session.repository),
        attribution=Attribution(forge.pulls("") if forge is not None else ()),
        news=news,
    )
