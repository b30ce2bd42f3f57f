"""Changelog: the entry of what comes next, or the whole history, release by release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from release import observe
from release.app import Session
from release.commands.adopt import at_commit
from release.commands.notes import NAMELESS, of_next
from release.commands.version import standing
from release.core import changelog, notes
from release.core.aim import Aim, Observation
from release.core.ancestry import Section, partition, trunk
from release.core.commits import changes
from release.core.config import Config
from release.core.design import told
from release.core.facts import Pull
from release.core.notes import Links, Story, contributors
from release.core.plan import ChangelogText
from release.core.pulls import attributed
from release.core.span import last
from release.core.version import Version, scheme
from release.errors import ConflictError

ALWAYS = "1970-01-01T00:00:00Z"


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
    template = session.template(config, history)
    pages = notes.whole(stories(session, config, seen, here.base), template)
    return ChangelogText("".join(pages), (*remarks, *said))


def stories(session: Session, config: Config, seen: Observation, tip: str) -> Iterator[Story]:
    """The story of each release, the highest version first; what is not released yet before them."""
    rules = scheme(config.version, config.project.name)
    tags = seen.refs.tags
    session.remote.bring([f"refs/tags/{name}" for name in tags], [tip, *dict.fromkeys(tags.values())])
    finals = {name: version for name in tags if (version := rules.of_tag(name)) is not None and version.final}
    by_version = sorted(finals, key=lambda name: finals[name])
    links = notes.links(config, session.server, session.repository)
    forge = session.sources(config).forge
    pulls = tuple(forge.pulls(ALWAYS)) if forge is not None else ()
    found: dict[str, Story] = {}
    for section in partition(session.remote.lineage(tip), {name: tags[name] for name in by_version}):
        found[section.release] = told_of(config, section, finals, links, pulls)
    if config.changelog.template not in NAMELESS:
        found = introduced(found, [name for name in (*by_version, "") if name in found])
    yield found.pop("")
    for name in reversed(by_version):
        if name in found:
            yield found.pop(name)


def told_of(
    config: Config, section: Section, finals: Mapping[str, Version], links: Links, pulls: Sequence[Pull]
) -> Story:
    """What a section of the history tells."""
    commits = trunk(section.commits) if config.changes.first_parent else section.commits
    version = finals.get(section.release)
    below = {finals[name]: name for name in section.previous if name}
    previous = last(list(below), version.line if version else "")
    return Story(
        version=version.text if version else "",
        tag=section.release,
        previous=below[previous] if previous else None,
        date=section.commits[0].date[:10] if version and section.commits else "",
        changes=told(attributed(changes(commits, config.changes.first_parent), commits, pulls)),
        links=links,
    )


def introduced(found: Mapping[str, Story], oldest_first: Iterable[str]) -> dict[str, Story]:
    """The stories with who wrote them; new is who is in none that came before."""
    known: set[str] = set()
    peopled = dict(found)
    for name in oldest_first:
        written = found[name].changes
        peopled[name] = msgspec.structs.replace(found[name], contributors=contributors(written, known))
        known.update(change.author.email for change in written)
    return peopled
