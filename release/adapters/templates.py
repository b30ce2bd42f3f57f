"""Own templates for release notes: they see the story of a release, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from jinja2 import Template, TemplateError, TemplateSyntaxError

from release.adapters.jinja import Sandbox, allowance
from release.core import notes
from release.core.changelog import LONGEST, escaped
from release.core.commits import Change
from release.core.story import Contributor, Links, News, Story
from release.errors import ConfigError

SOURCE = 50_000
"""A template has no more characters than this."""

REMEDY = "docs/changelog.md says what a template may use"
CUT = "The rest is left out here."


class Item(msgspec.Struct, frozen=True):
    """A change or a fragment as a template sees it. All texts are safe in Markdown, and "" where there is nothing.

    `line` is all of it as the built-in template writes it, and consists of `scope`, `text` and `reference`, which is
    `pull` or else `commit`. `said` is the release note of the pull request. A fragment has `type`, `text`, `line`.
    """

    type: str
    scope: str = ""
    text: str = ""
    reference: str = ""
    line: str = ""
    breaking: bool = False
    commit: str = ""
    pull: str = ""
    author: str = ""
    said: str = ""


class Section(msgspec.Struct, frozen=True):
    """A section of Keep a Changelog that has something in it."""

    title: str
    items: tuple[Item, ...]


class Person(msgspec.Struct, frozen=True):
    """A contributor: `name` as git knows them, `called` by their login if that is known; `pull` is their first one here."""

    name: str
    called: str
    new: bool
    pull: str


def template(source: str, where: str) -> notes.Template:
    """What makes a release's notes by a template of one's own; `where` is its path, for messages.

    The notes have no line ends around them. What goes beyond `LONGEST` characters is cut off at the end of a line, and
    the notes say so. ConfigError names the line of what cannot be read, is not allowed, or is not there.
    """
    if len(source) > SOURCE:
        raise ConfigError(f"{where} has {len(source)} characters", f"write a template of {SOURCE} at most")
    environment = Sandbox()
    file = f"<{where}>"
    try:
        code = environment.compile(source, where, file)
        made = Template.from_code(environment, code, environment.make_globals(None))
    except TemplateSyntaxError as error:
        raise ConfigError(f"{where}:{error.lineno}: {error.message}", REMEDY) from error
    except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError) as error:
        raise ConfigError(f"{where} cannot be read: {error}", "write it with fewer levels") from error
    return lambda story: _rendered(made, story, where, file)


def _rendered(made: Template, story: Story, where: str, file: str) -> str:
    pieces: list[str] = []
    room = LONGEST
    try:
        for piece in made.generate({**_values(story), **allowance()}):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                break
    except TemplateError as error:
        raise ConfigError(f"{where}{_line(error, file)}: {error.message or error}", REMEDY) from error
    except Exception as error:  # whatever an expression of somebody's may raise
        raise ConfigError(f"{where}{_line(error, file)}: {type(error).__name__}: {error}", REMEDY) from error
    text = "".join(pieces).strip("\r\n")
    if len(text) <= LONGEST:
        return text
    kept = text[: LONGEST - len(CUT) - 2]
    end = kept.rfind("\n")
    return f"{kept[:end].rstrip()}\n\n{CUT}"


def _line(error: BaseException, file: str) -> str:
    """The line of the template that raised an error, as ":12"; "" where that is not known."""
    line, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    return line


def _values(story: Story) -> dict[str, Any]:
    """What a template sees, by name."""
    links = story.links
    pulled = notes.numbered(links.pulls or links.issues)
    seen: dict[int, Item] = {}

    def item(one: Change | News) -> Item:
        found = seen.get(id(one))
        return found or seen.setdefault(id(one), _item(one, links, pulled))

    return {
        "version": story.version,
        "tag": escaped(story.tag),
        "previous": escaped(story.previous or ""),
        "date": story.date,
        "compare": story.compare,
        "sections": [Section(title, tuple(map(item, found))) for title, found in notes.sections(story).items()],
        "changes": [item(change) for change in story.changes],
        "pulls": [tuple(map(item, group)) for group in notes.pull_requests(story.changes)],
        "news": [item(one) for one in story.news],
        "contributors": [_person(one, pulled) for one in story.contributors],
    }


def _item(one: Change | News, links: Links, pulled: Callable[[int], str]) -> Item:
    if isinstance(one, News):
        text = notes.written(one, links)
        return Item(escaped(one.kind), text=text, line=text, breaking=one.breaking)
    scope, text = escaped(one.scope, 100), notes.description(one, links)
    commit, pull = escaped(one.commit[:10]), pulled(one.pull) if one.pull else ""
    return Item(
        type=escaped(one.type),
        scope=scope,
        text=text,
        reference=pull or commit,
        line=f"{f'**{scope}**: ' if scope else ''}{text} ({pull or commit})",
        breaking=one.breaking,
        commit=commit,
        pull=pull,
        author=notes.called(one.login, one.author.name),
        said=notes.said(one) if one.said else "",
    )


def _person(one: Contributor, pulled: Callable[[int], str]) -> Person:
    return Person(
        escaped(one.name, 100), notes.called(one.login, one.name), one.new, pulled(one.pull) if one.pull else ""
    )
