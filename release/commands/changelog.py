"""Changelog: the entry of what comes next, or the whole history, release by release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from release import observe
from release.app import Session
from release.commands.adopt import at_commit
from release.commands.notes import NAMELESS, of_next
from release.commands.version import standing
from release.core import changelog, design, notes
from release.core.aim import Aim, Observation
from release.core.ancestry import Section, told, trunk
from release.core.commits import changes
from release.core.config import Config
from release.core.notes import Links, Story, contributors
from release.core.plan import ChangelogText
from release.core.pulls import Attribution
from release.core.span import last
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
    teller = teller_of(session, config, seen)
    tags = seen.refs.tags
    session.remote.bring([f"refs/tags/{name}" for name in tags], [here.base, *dict.fromkeys(tags.values())])
    read = (session.remote.commits(here.base, ()), session.remote.lineage(here.base))
    template = session.template(config, history)
    if config.changelog.template in NAMELESS:  # then a section is text as soon as it is read
        pieces = told(*read, teller.releases, lambda section: notes.piece(teller.story(section), template))
    else:
        stories = teller.introduced(told(*read, teller.releases, teller.story))
        pieces = {name: notes.piece(story, template) for name, story in stories.items()}
    order = ["", *reversed([*teller.releases])]
    page = notes.page(pieces[name] for name in order if name in pieces)
    return ChangelogText("".join(page), (*remarks, *said))


@dataclass(frozen=True)
class Teller:
    """What makes stories of sections. `finals` are the versions by tag, `releases` their commits, the lowest first."""

    config: Config
    finals: Mapping[str, Version]
    releases: Mapping[str, str]
    links: Links
    attribution: Attribution

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
            links=self.links,
        )

    def introduced(self, found: Mapping[str, Story]) -> dict[str, Story]:
        """The stories with who wrote them; new is who is in none of a lower version."""
        known: set[str] = set()
        peopled: dict[str, Story] = {}
        for name in (one for one in (*self.releases, "") if one in found):
            written = found[name].changes
            peopled[name] = msgspec.structs.replace(found[name], contributors=contributors(written, known))
            known.update(change.author.email for change in written)
        return peopled


def teller_of(session: Session, config: Config, seen: Observation) -> Teller:
    """What tells of this history: its finals, and the pull requests where the template or a source wants them."""
    rules = scheme(config.version, config.project.name)
    tags = seen.refs.tags
    finals = {name: version for name in tags if (version := rules.of_tag(name)) is not None and version.final}
    forge = session.sources(config).forge
    return Teller(
        config=config,
        finals=finals,
        releases={name: tags[name] for name in sorted(finals, key=lambda name: finals[name])},
        links=notes.links(config, session.server, session.repository),
        attribution=Attribution(forge.pulls("") if forge is not None else ()),
    )
