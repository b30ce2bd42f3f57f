"""Facts from the doors, without decisions: what the design is made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC

import msgspec

from release.core.aim import Aim, History, Observation
from release.core.ancestry import instant, since, trunk
from release.core.commits import changes
from release.core.config import Config
from release.core.facts import ApiChange, Facts, Fragment, Pull
from release.core.fragments import named
from release.core.inheritance import upstream_files
from release.core.model import Commit, Head, Person, Refs
from release.core.needs import Asked, Manifest
from release.core.pulls import numbers, unbrought
from release.core.record import Broken, Record
from release.core.span import Ranges, beyond, came_before
from release.core.version import scheme
from release.core.wanted import asking, wanted
from release.ports import Forge, Ledger, Remote

BY_PATH = frozenset(("fragments", "paths", "dependencies", "upstream"))
TAGS, HEADS = "refs/tags/", "refs/heads/"


def upstream(
    remote: Remote,
    ledger: Ledger,
    head: Head,
    who: Person,
    now: str,
    asked: tuple[str, str] | None = None,
    at: Callable[[Refs], Head] | None = None,
) -> Observation:
    """The remote's refs and records, and how the checkout stands to them. `asked`: a line and a tag to look for.

    `at` finds another place to stand than the checkout's.
    """
    refs = remote.refs()
    head = at(refs) if at is not None else head
    there = refs.heads.get(head.branch, "") if head.branch else ""
    if there:
        remote.bring([HEADS + head.branch], [there])
    found = ledger.all(refs)
    records = tuple(record for record in found if isinstance(record, Record))
    older = asked and all(record.release.tag != asked[1] for record in records)
    past = ledger.past(*asked) if asked and older else None
    return Observation(
        now=now,
        who=who,
        url=remote.url,
        head=head,
        refs=refs,
        records=records,
        published=not there or remote.ancestor(head.commit, there),
        past=(past,) if past else (),
        broken=tuple(one for one in found if isinstance(one, Broken)),
    )


def history(remote: Remote, config: Config, seen: Observation, aimed: Aim) -> History:
    """What lies behind a commit, as far as it is new, and the files there that the design reads.

    One walk that ends at the finals it meets. Tags that it did not meet are asked for only where they could matter.
    """
    tags, base = seen.refs.tags, aimed.base
    heads = [HEADS + name for name, commit in seen.refs.heads.items() if commit == base]
    remote.bring([*heads, *(TAGS + name for name in tags)], [base])  # with all of its history, and the tags in that
    rules = scheme(config.version, config.project.name)
    versions = {name: version for name in tags if (version := rules.of_tag(name)) is not None}
    finals = {tags[name] for name, one in versions.items() if one.final and came_before(aimed, one, tags[name])}
    new = since(remote.commits(base, ()), finals)
    walked = new.met | {commit.id for commit in new.commits}
    near = {name for name in versions if tags[name] in walked}
    far = beyond(versions, near, aimed.line) if new.met else ()
    reachable = frozenset(near) | among(remote, base, {name: tags[name] for name in far})
    found = content(remote, config, base)
    date = next((one.date for one in new.commits if one.id == base), "") or remote.dates({"": base})[0].date
    return msgspec.structs.replace(found, reachable=reachable, commits=new.commits, met=new.met, date=date)


def among(remote: Remote, base: str, tags: Mapping[str, str]) -> frozenset[str]:
    """Those of these tags (name -> commit) that are in the history of a commit."""
    if not tags:
        return frozenset()
    remote.bring([TAGS + name for name in tags], list(dict.fromkeys(tags.values())))
    return remote.reachable(base, tags)


def content(remote: Remote, config: Config, base: str) -> History:
    """The files at a commit that the design reads, without the tags behind it."""
    own = [config.changelog.template] if config.changelog.template.endswith(".j2") else []
    built_on = upstream_files(config) if "upstream" in config.changes.sources else ()
    read = [*(file.path for file in config.version.file), config.changelog.file, *own, *built_on, "release.toml"]
    paths = list(dict.fromkeys(path for path in read if path))
    above = [path[:end] for path in paths for end, character in enumerate(path) if character == "/"]
    modes = remote.modes(base, [*paths, *above])
    news = remote.tree(base, config.changes.fragments) if "fragments" in config.changes.sources else ()
    return History(base, frozenset(), remote.files(base, paths), modes, fragments=news)


def commits(remote: Remote, tip: str, exclude: Collection[str]) -> Iterator[Commit]:
    """The commits that are in the tip and in none of the excluded ones, newest first."""
    return remote.commits(tip, exclude)


class Sources(msgspec.Struct, frozen=True):
    """Where what changed is read. `compare` tells the public names of Python packages at two commits apart; `asked` reads
    what a file of dependencies asks for, by its path and its text; `forge` has the pull requests, and is None where
    nobody wants them, or there is none.
    """

    remote: Remote
    compare: Callable[[str, str, Collection[str]], tuple[ApiChange, ...]]
    asked: Callable[[str, str], Asked]
    forge: Forge | None = None


def facts(sources: Sources, config: Config, history: History, span: Ranges) -> Facts:
    """What changed since the last final, as far as the sources that count want to know it."""
    remote, rules, base = sources.remote, config.changes, history.base
    old = span.bump_from[0] if span.bump_from else ""
    commits = history.commits if history.met <= {old} else tuple(remote.commits(base, [old] if old else []))
    changed = remote.changed(old, base) if BY_PATH.intersection(rules.sources) else ()
    plain = frozenset(history.fragments)  # the text of a link would be a path
    news = [path for _, path in changed if path in plain and named(config, path)]
    paths = [path for _, path in changed]
    texts = wanted(config, paths)
    told = remote.files(base, news) if news else {}
    before = remote.contents(old, texts) if old and texts else {}
    after = remote.contents(base, texts) if texts else {}
    return Facts(
        commits=trunk(commits) if rules.first_parent else commits,
        pulls=brought(sources.forge, commits, rules.first_parent) if sources.forge is not None and commits else (),
        fragments=tuple(Fragment(path, told[path] or "") for path in news),
        paths=tuple(paths) if "paths" in rules.sources else (),
        api=sources.compare(old, base, rules.packages) if old and "python-api" in rules.sources else (),
        manifests=tuple(manifests(sources, asking(config, paths), before, after)),
        before=legible(before),
        after=legible(after),
    )


def manifests(
    sources: Sources, paths: Collection[str], before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]
) -> Iterator[Manifest]:
    """What those files of dependencies asked for before, and ask for now, if their contents differ.

    One that is not UTF-8 is unreadable, and no error: nobody can mend what it was at an old commit.
    """

    def read(path: str, content: bytes | None, verb: str) -> Asked | None:
        try:
            return None if content is None else sources.asked(path, content.decode())
        except UnicodeDecodeError:
            return Asked(unreadable=f"it {verb} not UTF-8")

    for path in paths:
        old, new = before.get(path), after.get(path)
        if old != new:
            yield Manifest(path, read(path, old, "was"), read(path, new, "is"))


def legible(contents: Mapping[str, bytes | None]) -> dict[str, str | None]:
    """Texts in which something is looked for, and nothing edited: what is not UTF-8 in them is replaced."""
    return {path: None if content is None else content.decode("utf-8", "replace") for path, content in contents.items()}


def brought(forge: Forge, commits: Sequence[Commit], first_parent: bool = False) -> tuple[Pull, ...]:
    """The pull requests that brought these commits, and others of the same time; those that commits name; and those
    that brought the originals of copies, which the forge is asked for only where these others do not tell.
    """
    told = changes(commits)
    pulls = {pull.number: pull for pull in forge.pulls(earliest(commits), numbers(told))}
    read = trunk(commits) if first_parent else commits
    missing = unbrought(changes(read, first_parent) if first_parent else told, read, pulls.values())
    if missing:
        pulls |= {pull.number: pull for pull in forge.pulls(None, commits=missing)}
    return tuple(pulls.values())


def earliest(commits: Sequence[Commit]) -> str:
    """When the first of these commits came to the branch, ISO 8601 UTC: no pull request that brought one was merged before."""
    return min(instant(commit) for commit in trunk(commits)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
