"""Facts from the doors, without decisions: what the design is made from."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from release.core.aim import History, Observation
from release.core.config import Config
from release.core.model import Commit, Head, Person
from release.ports import Ledger, Remote

TAGS, HEADS = "refs/tags/", "refs/heads/"


def upstream(remote: Remote, ledger: Ledger, head: Head, who: Person, now: str) -> Observation:
    """The remote's refs and records, and how the checkout stands to them."""
    refs = remote.refs()
    there = refs.heads.get(head.branch, "") if head.branch else ""
    if there:
        remote.bring([HEADS + head.branch], [there])
    return Observation(
        now=now,
        who=who,
        url=remote.url,
        head=head,
        refs=refs,
        records=ledger.all(refs),
        published=not there or remote.ancestor(head.commit, there),
    )


def history(remote: Remote, config: Config, seen: Observation, base: str) -> History:
    """What lies behind a commit, and the files there that the design reads."""
    tags = seen.refs.tags
    names = [HEADS + name for name, commit in seen.refs.heads.items() if commit == base]
    remote.bring([*names, *(TAGS + name for name in tags)], [base, *dict.fromkeys(tags.values())])
    paths = dict.fromkeys([*(file.path for file in config.version.file), config.changelog.file, "release.toml"])
    files = remote.files(base, [path for path in paths if path])
    return History(base=base, reachable=remote.reachable(base, tags), files=files)


def commits(remote: Remote, tip: str, exclude: Collection[str]) -> Iterator[Commit]:
    """The commits that are in the tip and in none of the excluded ones, newest first."""
    return remote.commits(tip, exclude)
