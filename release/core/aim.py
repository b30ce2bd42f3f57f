"""What a run releases, and from which commit: the first turns of the design. No I/O, no clock.

In this order: the tag it was started for; the version asked for; what has begun here; nothing, if the head is released;
else something new.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from release.core.config import Config
from release.core.finding import Conflict
from release.core.model import Head, Person, Refs, Release
from release.core.record import Record, given_up
from release.core.version import Scheme, Version, line_of_branch, render, scheme


class Wishes(msgspec.Struct, frozen=True):
    """What was typed, or what the run was started for. `stage` is "" for a final, else a candidate's word."""

    version: str = ""
    tag: str = ""
    stage: str = ""


class Observation(msgspec.Struct, frozen=True):
    """The upstream as it is: `head` is the checkout's, everything else the remote's. `now` is ISO 8601 UTC."""

    now: str
    who: Person
    url: str
    head: Head
    refs: Refs
    records: tuple[Record, ...]
    published: bool = True


class History(msgspec.Struct, frozen=True):
    """What lies behind a commit: the tags it contains, the texts of the files that the design reads."""

    base: str
    reachable: frozenset[str]
    files: Mapping[str, str | None]


class Aim(msgspec.Struct, frozen=True):
    """Which commit, on which branch, as what: `line` and `version` where they are given. `pinned`: the tag is there."""

    branch: str
    base: str
    stage: str = ""
    line: str = ""
    version: Version | None = None
    pinned: bool = False


class Nothing(msgspec.Struct, frozen=True):
    """There is nothing to release, and why."""

    why: str


Refusal = tuple[Conflict, ...]


def aim(config: Config, seen: Observation, wishes: Wishes) -> Release | Aim | Nothing | Refusal:
    """What a run releases: the tag it was started for; the version asked for; what has begun; the head, if it is new."""
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
        return alive[0].release
    return _released(config, rules, seen, placed, wishes.stage) or msgspec.structs.replace(placed, stage=wishes.stage)


def place(config: Config, seen: Observation) -> Aim | Conflict:
    """Where the checkout stands, on the remote's terms: its branch's head there, or the commit of a tag."""
    head, heads = seen.head, seen.refs.heads
    if head.branch:
        if head.branch not in heads:
            return Conflict(
                "branch-unpublished",
                f"the branch {head.branch} is not on {shown(seen.url)}",
                "push it, or check out one that is",
            )
        if not seen.published:
            return Conflict(
                "unpushed",
                f"your {head.branch} has commits that {shown(seen.url)} does not have",
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
        "detached", f"HEAD is at {head.commit[:10]}, which no branch or tag of {shown(seen.url)} points at",
        "check out the branch that you want to release",
    )  # fmt: skip


def settle(config: Config, seen: Observation, aimed: Aim, history: History) -> Aim | Nothing | Refusal:
    """A final that comes from a candidate is that candidate's commit, and its version."""
    if aimed.stage or aimed.pinned or not config.version.final_from_candidate:
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
        what = f"no candidate of {wanted.text if wanted else 'line ' + line if line else aimed.branch} is tagged"
        return (Conflict("no-candidate", what, "release one first: invoke release --candidate"),)
    last = max(candidates)
    final = rules.make((last.major, last.minor, last.patch), revision=last.revision)
    if final in known or any(v.final and v > final for v in ours):
        newest = max(v for v in ours if v.final)
        return Nothing(
            f"{known[newest]} is out, and no candidate has come since; the next step is `invoke release --candidate`"
        )
    if known[last] not in history.reachable:
        where = f"{known[last]} is on {seen.refs.tags[known[last]][:10]}, which is not in the history of {aimed.branch}"
        return (Conflict("candidate-elsewhere", where, "tag a candidate on this branch: invoke release --candidate"),)
    return msgspec.structs.replace(aimed, base=seen.refs.tags[known[last]], version=final, line=last.line)


def _asked(config: Config, rules: Scheme, seen: Observation, wishes: Wishes) -> Release | Aim | Nothing | Refusal:
    """A version that was asked for, or whose tag started this run."""
    version = rules.of_tag(wishes.tag) if wishes.tag else rules.requested(wishes.version)
    if version is None:
        asked = wishes.tag or wishes.version
        example = rules.make((1, 2, 3), revision=1 if config.version.revision else 0)
        return (
            Conflict(
                "version",
                f"{asked!r} is no version of scheme {config.version.scheme}",
                f"write it like {rules.tag(example)}",
            ),
        )
    for record in seen.records:
        if (
            record.release.version == version.text
            and record.state.outcome != "abandoned"
            and _adoptable(record, seen.refs)
        ):
            return record.release
    there = seen.refs.tags.get(rules.tag(version))
    placed = place(config, seen)
    if there is not None and (wishes.tag or isinstance(placed, Conflict) or there == placed.base):
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
    if version in taken(rules, seen) and there is None:
        return (
            Conflict("burned", f"{version.text} was given up, and a number is never used twice", "take the next one"),
        )
    return msgspec.structs.replace(placed, version=version, stage=version.stage)


def _adoptable(record: Record, refs: Refs) -> bool:
    return not record.unfinished or can_land(record, refs)


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


def shown(url: str) -> str:
    """An address without the user and password in it."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", url)


def _released(config: Config, rules: Scheme, seen: Observation, placed: Aim, stage: str) -> Nothing | None:
    """Nothing to do where the head carries a release that is at least what was asked for."""
    if config.version.final_from_candidate and not stage:
        return None
    there = [version for version in versions_at(rules, seen.refs.tags, placed.base) if stage or version.final]
    return Nothing(f"{placed.branch or 'the head'} is released as {rules.tag(max(there))}") if there else None


def taken(rules: Scheme, seen: Observation) -> Collection[Version]:
    """Every version that exists or was given up: numbers are not used twice."""
    tagged = [rules.of_tag(name) for name in seen.refs.tags]
    burned = [rules.parse(text) for record in seen.records for text in given_up(record)]
    return [version for version in (*tagged, *burned) if version is not None]


def branch_of(config: Config, refs: Refs, line: str) -> str:
    """The branch where tags of a line sit, as far as the remote has it."""
    names = [render(template, {"line": line}) for template in config.version.branches]
    return next((name for name in sorted(names, key=lambda name: line not in name) if name in refs.heads), "")


def _choose(records: Sequence[Record]) -> Conflict:
    tags = ", ".join(record.release.tag for record in records)
    return Conflict(
        "several-begun", f"{tags} have begun here and are not finished", "say which: invoke release --version V"
    )
