"""Facts from the doors, without decisions: what the design is made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from release.core.aim import Aim, History, Observation
from release.core.ancestry import since, trunk
from release.core.config import Config
from release.core.facts import Facts
from release.core.model import Commit, Head, Person
from release.core.record import Broken, Record
from release.core.span import Ranges, beyond
from release.core.version import scheme
from release.ports import Ledger, Remote

TAGS, HEADS = "refs/tags/", "refs/heads/"


def upstream(
    remote: Remote, ledger: Ledger, head: Head, who: Person, now: str, asked: tuple[str, str] | None = None
) -> Observation:
    """The remote's refs and records, and how the checkout stands to them. `asked`: a line and a tag to look for."""
    refs = remote.refs()
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
    remote.bring([*heads, *(TAGS + name for name in tags)], [base, *dict.fromkeys(tags.values())])
    rules = scheme(config.version, config.project.name)
    versions = {name: version for name in tags if (version := rules.of_tag(name)) is not None}
    finals = {tags[name] for name, version in versions.items() if version.final and version != aimed.version}
    new = since(remote.commits(base, ()), finals)
    walked = new.met | {commit.id for commit in new.commits}
    near = {name for name in versions if tags[name] in walked}
    far = beyond(versions, near, aimed.line) if new.met else ()
    reachable = frozenset(near) | (remote.reachable(base, {name: tags[name] for name in far}) if far else frozenset())
    return msgspec.structs.replace(content(remote, config, base), reachable=reachable, commits=new.commits, met=new.met)


def content(remote: Remote, config: Config, base: str) -> History:
    """The files at a commit that the design reads, without the tags behind it."""
    named = [*(file.path for file in config.version.file), config.changelog.file, "release.toml"]
    paths = list(dict.fromkeys(path for path in named if path))
    above = [path[:end] for path in paths for end, character in enumerate(path) if character == "/"]
    modes = remote.modes(base, [*paths, *above])
    return History(base=base, reachable=frozenset(), files=remote.files(base, paths), modes=modes)


def commits(remote: Remote, tip: str, exclude: Collection[str]) -> Iterator[Commit]:
    """The commits that are in the tip and in none of the excluded ones, newest first."""
    return remote.commits(tip, exclude)


def facts(remote: Remote, config: Config, history: History, span: Ranges) -> Facts:
    """What changed since the last final, as far as the sources that count want to know it."""
    from_there = set(span.bump_from)
    whole = history.met <= from_there
    commits = history.commits if whole else tuple(remote.commits(history.base, from_there))
    return Facts(trunk(commits) if config.changes.first_parent else commits)
