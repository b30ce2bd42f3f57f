"""What a run releases, and from which commit: the first turns of the design. No I/O, no clock.

In this order: the tag it was started for; the version asked for; what has begun here; nothing, if the head is released;
else something new.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from release.core.address import without_secret
from release.core.config import Config
from release.core.finding import Conflict
from release.core.model import Commit, Head, Person, Refs, Release
from release.core.proposal import Offer
from release.core.record import Broken, Record, given_up
from release.core.version import Scheme, Version, line_of_branch, render, scheme

RISES = ("patch", "minor", "major", "revision")
Bump = Literal["", "patch", "minor", "major", "final", "revision"]


class Wishes(msgspec.Struct, frozen=True):
    """What was typed, or what the run was started for. `stage` is "" for a final, else a candidate's word.

    `bump` is a level that somebody decided on, or "final" or "revision"; `waivers` are rules with the reasons to set them aside.
    With a `line` that line's branch is released, not the one that is checked out.
    """

    version: str = ""
    tag: str = ""
    stage: str = ""
    bump: Bump = ""
    waivers: tuple[tuple[str, str], ...] = ()
    line: str = ""


class Observation(msgspec.Struct, frozen=True):
    """The upstream as it is: `head` is the checkout's, everything else the remote's. `now` is ISO 8601 UTC.

    `records` are the newest of each line, `past` those that were looked for, `broken` those that cannot be read.
    """

    now: str
    who: Person
    url: str
    head: Head
    refs: Refs
    records: tuple[Record, ...]
    published: bool = True
    past: tuple[Record, ...] = ()
    broken: tuple[Broken, ...] = ()

    def record_of(self, version: Version) -> Record | None:
        """The record that tells of a version: its line's newest, or an older one that was looked for."""
        known = (record for record in (*self.records, *self.past) if record.release.version == version.text)
        return next((record for record in known if record.state.outcome != "abandoned"), None)


class History(msgspec.Struct, frozen=True):
    """What lies behind a commit: the tags it contains, texts and git modes of the files that the design reads.

    `reachable` lacks at most tags of versions that are below one that it has; `commits` are those that no final before
    this release contains, newest first, and `met` the commits of the finals that end them.
    `fragments` are the files that lie where news fragments do. `date` is the base commit's committer date, ISO 8601.
    """

    base: str
    reachable: frozenset[str]
    files: Mapping[str, str | None]
    modes: Mapping[str, str] = {}
    commits: tuple[Commit, ...] = ()
    met: frozenset[str] = frozenset()
    fragments: tuple[str, ...] = ()
    date: str = ""


class Aim(msgspec.Struct, frozen=True):
    """Which commit, on which branch, as what: `line` and `version` where they are given. `pinned`: the tag is there.

    `bump` is what somebody decided on, as in Wishes. `offer` is the pull request that brings the version, where there is one.
    """

    branch: str
    base: str
    stage: str = ""
    line: str = ""
    version: Version | None = None
    pinned: bool = False
    bump: Bump = ""
    offer: Offer | None = None


class Nothing(msgspec.Struct, frozen=True):
    """There is nothing to release, and why. `tagged` is a version that is tagged and has no record to prove it."""

    why: str
    tagged: Version | None = None


Refusal = tuple[Conflict, ...]


def aim(config: Config, seen: Observation, wishes: Wishes) -> Record | Aim | Nothing | Refusal:
    """What a run releases: the tag it was started for; the version asked for; what has begun; the head, if it is new.

    A Record is a release to go on with, or one to be seen out once more.
    """
    rules = scheme(config.version, config.project.name)
    if wishes.tag or wishes.version:
        return _asked(config, rules, seen, wishes)
    placed = place(config, seen)
    if isinstance(placed, Conflict):
        return (placed,)
    begun = [record for record in seen.records if record.unfinished and concerns(record, placed, seen)]
    alive = [record for record in begun if can_land(record, seen.refs)]
    if len(alive) > 1:
        return (_choose(alive),)
    if alive:
        other = "final" if wishes.stage else "candidate" if wishes.bump == "final" else ""
        else_asked = alive[0].release.kind == other or not meant(alive[0], wishes)
        return (unfinished(alive[0], seen.refs),) if else_asked else alive[0]
    return _released(config, rules, seen, placed, wishes) or wished(placed, wishes)


def meant(record: Record, wishes: Wishes) -> bool:
    """Whether a release that has begun, or is out, may be what a bump asks for: then the same command was typed again."""
    return rises(record.release.bump, wishes)


def rises(bump: str, wishes: Wishes) -> bool:
    """Whether a release of this bump may be what somebody asks for."""
    if wishes.bump not in RISES:
        return True
    file = wishes.bump == "revision" and bump == "candidate"  # what a version file calls it
    return file or bump in (wishes.bump, "first")


def wished(placed: Aim, wishes: Wishes) -> Aim:
    """A place with what is to be made there."""
    return msgspec.structs.replace(placed, stage=wishes.stage, bump=wishes.bump)


def place(config: Config, seen: Observation) -> Aim | Conflict:
    """Where the checkout stands, on the remote's terms: its branch's head there, or the commit of a tag."""
    head, heads = seen.head, seen.refs.heads
    if head.branch:
        if head.branch not in heads:
            return Conflict(
                "branch-unpublished",
                f"the branch {head.branch} is not on {without_secret(seen.url)}",
                "push it, or check out one that is",
            )
        if not seen.published:
            return Conflict(
                "unpushed",
                f"your {head.branch} has commits that {without_secret(seen.url)} does not have",
                "push them first, or drop them",
            )
        return Aim(head.branch, heads[head.branch], line=line_of(config, head.branch))
    here = [branch for branch, commit in heads.items() if commit == head.commit]
    for branch in sorted(here, key=lambda name: line_of(config, name, missing=None) is None):
        return Aim(branch, head.commit, line=line_of(config, branch))
    tagged = list(versions_at(scheme(config.version, config.project.name), seen.refs.tags, head.commit))
    if tagged:
        line = max(tagged).line
        return Aim(branch_of(config, seen.refs, line), head.commit, line=line)
    return Conflict(
        "detached", f"HEAD is at {head.commit[:10]}, which no branch or tag of {without_secret(seen.url)} points at",
        "check out the branch that you want to release",
    )  # fmt: skip


def settle(config: Config, seen: Observation, aimed: Aim, history: History) -> Record | Aim | Nothing | Refusal:
    """A final that comes from a candidate is that candidate's commit, and its version.

    Where there is no such candidate, or not in this history, the aim stays where it is: rules speak of that.
    """
    decided = aimed.stage or aimed.pinned or aimed.bump not in ("", "final", "revision")
    if decided or not config.version.final_from_candidate:
        return aimed
    rules = scheme(config.version, config.project.name)
    wanted = aimed.version
    line = aimed.line or (wanted.line if wanted else "")
    known = {version: name for name in seen.refs.tags if (version := rules.of_tag(name)) is not None}
    ours = [v for v, name in known.items() if (v.line == line if line else name in history.reachable)]
    candidates = [
        v for v in ours if not v.final and (wanted is None or (v.core, v.revision) == (wanted.core, wanted.revision))
    ]
    if not candidates:
        return aimed  # a rule says what it thinks of that, once there is a version
    last = max(candidates)
    final = rules.make((last.major, last.minor, last.patch), revision=last.revision)
    if final in known or any(v.final and v > final for v in ours):
        return _out(seen, max(v for v in ours if v.final), "no candidate has come since")
    if known[last] not in history.reachable:
        return msgspec.structs.replace(aimed, version=final, line=last.line)
    return msgspec.structs.replace(aimed, base=seen.refs.tags[known[last]], version=final, line=last.line)


def _asked(config: Config, rules: Scheme, seen: Observation, wishes: Wishes) -> Record | Aim | Refusal:
    """A version that was asked for, or whose tag started this run."""
    version = rules.of_tag(wishes.tag) if wishes.tag else rules.requested(wishes.version)
    if version is None:
        asked = wishes.tag or wishes.version
        example = rules.make((1, 2, 3), revision=1 if rules.revisions == "always" else 0)
        return (
            Conflict(
                "version",
                f"{asked!r} is no version of scheme {config.version.scheme}",
                f"write it like {rules.tag(example)}",
            ),
        )
    record = seen.record_of(version)
    if record is not None and (not record.unfinished or can_land(record, seen.refs)):
        return record
    there = seen.refs.tags.get(rules.tag(version))
    placed = place(config, seen)
    if there is not None and (wishes.tag or isinstance(placed, Conflict) or there == placed.base):
        if conflict := _held(rules, seen, version):
            return (conflict,)
        branch = placed.branch if isinstance(placed, Aim) else branch_of(config, seen.refs, version.line)
        return Aim(branch, there, version=version, line=version.line, pinned=True)
    if isinstance(placed, Conflict):
        return (placed,)
    if wishes.tag:
        return (
            Conflict(
                "tag-gone",
                f"this run was started for {wishes.tag}, and that tag is not there",
                "push it again, or run without it",
            ),
        )
    return msgspec.structs.replace(placed, version=version, stage=version.stage)


def _held(rules: Scheme, seen: Observation, version: Version) -> Conflict | None:
    """Why a tag without a record cannot be begun: its line is busy with another release, or further on."""
    record = next((record for record in seen.records if record.line == version.line), None)
    if record is None:
        return None
    if record.unfinished and can_land(record, seen.refs):
        return unfinished(record, seen.refs)
    newer = rules.parse(record.release.version)
    if record.state.outcome == "abandoned" or newer is None or newer < version:
        return None
    tag = rules.tag(version)
    return Conflict(
        "line-ahead",
        f"line {record.line} is at {record.release.tag} already, and {tag} has no record",
        f"its downstreams can still be released: invoke release.downstream --version {tag}",
    )


def concerns(record: Record, placed: Aim, seen: Observation) -> bool:
    """Whether what has begun there is what this checkout would go on with."""
    return record.release.branch == (placed.branch or None) or record.state.commit == seen.head.commit


def can_land(record: Record, refs: Refs) -> bool:
    """Whether a release that has begun is out already, or can still go out; if not, a moved branch supersedes it."""
    release = record.release
    landed = refs.tags.get(release.tag) == record.state.commit
    return landed or release.mode == "none" or refs.heads.get(release.branch) in (release.base, record.state.commit)


def line_of(config: Config, branch: str, missing: Literal[""] | None = "") -> str:
    """The line a branch's name tells, "" where it tells none."""
    lines = (line_of_branch(template, branch) for template in config.version.branches)
    found = next((line for line in lines if line is not None), missing)
    return found  # type: ignore[return-value]


def versions_at(rules: Scheme, tags: Mapping[str, str], commit: str) -> list[Version]:
    """The versions tagged on a commit."""
    return [version for name, there in tags.items() if there == commit and (version := rules.of_tag(name)) is not None]


def _released(config: Config, rules: Scheme, seen: Observation, placed: Aim, wishes: Wishes) -> Record | Nothing | None:
    """Where the head carries a release that is at least what was asked for: that one, to be seen out once more.

    Of a bump that somebody decided on, only its own record tells that it was made here.
    """
    there = [version for version in versions_at(rules, seen.refs.tags, placed.base) if wishes.stage or version.final]
    if wishes.bump in RISES:
        record = seen.record_of(max(there)) if there else None
        return record if record is not None and meant(record, wishes) else None
    if config.version.final_from_candidate and not wishes.stage:
        return None
    where = placed.branch if seen.refs.heads.get(placed.branch) == placed.base else "HEAD"
    return _out(seen, max(there), f"{where} is that very commit") if there else None


def _out(seen: Observation, version: Version, why: str) -> Record | Nothing:
    """A tag alone is no proof that a release is out: its record is gone on with, or the lack of one is said."""
    return seen.record_of(version) or Nothing(f"{version.text} is tagged, and {why}", tagged=version)


def unfinished(record: Record, refs: Refs) -> Conflict:
    """Another release has to end first."""
    tag = record.release.tag
    why = f"{tag} was begun on line {record.line} by {record.state.by.name} at {record.state.at} and is not finished"
    finish, give_up = f"invoke release --version {tag}", f"invoke release.abandon --version {tag}"
    public = refs.tags.get(tag) == record.state.commit
    return Conflict(
        "unfinished", why, f"finish it: {finish}" if public else f"finish it: {finish}; or give it up: {give_up}"
    )


def taken(rules: Scheme, seen: Observation) -> Collection[Version]:
    """Every version that exists or was given up: numbers are not used twice."""
    tagged = [rules.of_tag(name) for name in seen.refs.tags]
    return [*(version for version in tagged if version is not None), *burned(rules, seen)]


def burned(rules: Scheme, seen: Observation) -> Collection[Version]:
    """Every version that was given up."""
    given = (rules.parse(text) for record in seen.records for text in given_up(record))
    return [version for version in given if version is not None]


def branch_of(config: Config, refs: Refs, line: str) -> str:
    """The branch where tags of a line sit, as far as the remote has it."""
    names = [render(template, {"line": line}) for template in config.version.branches]
    return next((name for name in sorted(names, key=lambda name: line not in name) if name in refs.heads), "")


def at_line(config: Config, checkout: Head, line: str, refs: Refs) -> Head:
    """The head of the branch where a line is released, which may be one of no line (`main`); on no branch where there is none."""
    branch = branch_of(config, refs, line)
    return msgspec.structs.replace(checkout, commit=refs.heads.get(branch, ""), branch=branch, dirty=())


def other_line(config: Config, seen: Observation, line: str, chosen: Release | Nothing) -> Conflict | None:
    """What stands against releasing a line from the branch that we stand on: it is another one's by now.

    A branch that belongs to no line is at its newest release's, of those that have no branch of their own.
    """
    if isinstance(chosen, Nothing):
        tags = [
            version for name in seen.refs.tags if (version := scheme(config.version, config.project.name).of_tag(name))
        ]
        there = max((one for one in tags if not own_branch(config, seen.refs, one.line)), default=None)
        found = line_of(config, seen.head.branch) or (there.line if there is not None else line)
    else:
        found = chosen.line
    if found == line:
        return None
    why = f"line {line} has no branch of its own, and {seen.head.branch} is at line {found}"
    return Conflict("other-line", why, f"make a branch for it ([version] branches), or say --line {found}")


def own_branch(config: Config, refs: Refs, line: str) -> str:
    """The branch that is a line's alone, "" where the remote has none."""
    names = [render(template, {"line": line}) for template in config.version.branches if "{line}" in template]
    return next((name for name in names if name in refs.heads), "")


def _choose(records: Sequence[Record]) -> Conflict:
    tags = ", ".join(record.release.tag for record in records)
    return Conflict(
        "several-begun", f"{tags} have begun here and are not finished", "say which: invoke release --version V"
    )
