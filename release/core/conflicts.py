"""What can say no to a release: a function a rule, each with a name, what is so, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from release.core.aim import Aim, History, Observation, can_land, own_branch, unfinished
from release.core.config import Config
from release.core.design import value_in
from release.core.finding import Conflict
from release.core.span import Ranges
from release.core.version import Scheme, Version, line_of_branch, render, scheme, template_values


class Proposal(msgspec.Struct, frozen=True):
    """A version that would be released from a commit, with all that is known of the world around it."""

    config: Config
    seen: Observation
    aimed: Aim
    history: History
    span: Ranges
    version: Version

    @property
    def scheme(self) -> Scheme:
        return scheme(self.config.version, self.config.project.name)

    @property
    def tag(self) -> str:
        return self.scheme.tag(self.version)


def judge(proposal: Proposal) -> tuple[Conflict, ...]:
    """All that stands against a proposal."""
    return tuple(conflict for rule in RULES for conflict in rule(proposal))


def tag_elsewhere(proposal: Proposal) -> Iterator[Conflict]:
    there = proposal.seen.refs.tags.get(proposal.tag)
    if there is not None and not proposal.aimed.pinned:
        why = f"tag {proposal.tag} exists on {there[:10]}, not on {proposal.aimed.base[:10]}"
        yield Conflict("tag-elsewhere", why, f"choose the next version, or release {there[:10]}")


def branch_of_line(proposal: Proposal) -> Iterator[Conflict]:
    aimed, version, config = proposal.aimed, proposal.version, proposal.config
    if aimed.pinned:
        return
    if aimed.line and version.line != aimed.line:
        why = f"{version.text} is of line {version.line}, and {aimed.branch} is the branch of {aimed.line}"
        remedy = f"release it from its own branch, or say what it is to be here: --version {aimed.line}.N"
        yield Conflict("wrong-line", why, remedy)
    elif (own := own_branch(config, proposal.seen.refs, version.line)) not in ("", aimed.branch):
        why = f"{version.text} is of line {version.line}, which has its own branch {own}"
        yield Conflict("wrong-branch", why, f"check out {own}, or say what it is to be here: --version V")
    elif all(line_of_branch(template, aimed.branch) not in ("", version.line) for template in config.version.branches):
        allowed = ", ".join(config.version.branches)
        why = f"no release is made from {aimed.branch}"
        yield Conflict("branch", why, f"check out one of: {allowed} ([version] branches)")


def backward(proposal: Proposal) -> Iterator[Conflict]:
    final, version = proposal.span.final, proposal.version
    free = proposal.tag not in proposal.seen.refs.tags and not proposal.aimed.pinned
    if free and final is not None and version <= final:
        yield Conflict(
            "backward", f"{version.text} is not above {final.text}, which is in its history", "take a greater one"
        )


def record_unreadable(proposal: Proposal) -> Iterator[Conflict]:
    for broken in proposal.seen.broken:
        if broken.line == proposal.version.line and not proposal.aimed.pinned:
            yield Conflict("record-unreadable", broken.why, "look at it with `git show`; nothing is written over it")


def version_file(proposal: Proposal) -> Iterator[Conflict]:
    config, aimed = proposal.config, proposal.aimed
    values = template_values(proposal.version, proposal.tag, proposal.scheme)
    for file in config.version.file if config.version.source == "file" and not aimed.pinned else ():
        says, wants = value_in(file.pattern, proposal.history.files.get(file.path)), render(file.value, values)
        if says != wants:
            why = f"{file.path} at {aimed.base[:10]} says {says or 'nothing'}, and {proposal.tag} wants {wants}"
            yield Conflict("version-file", why, "bring the file and the version together")


def another_unfinished(proposal: Proposal) -> Iterator[Conflict]:
    seen = proposal.seen
    for record in seen.records if not proposal.aimed.pinned else ():
        if record.line == proposal.version.line and record.unfinished and can_land(record, seen.refs):
            yield unfinished(record, seen.refs)


def dirty(proposal: Proposal) -> Iterator[Conflict]:
    config, head = proposal.config, proposal.seen.head
    written = {file.path for file in config.version.file} | {config.changelog.file}
    names = (
        sorted(written.intersection(head.dirty)) if config.commit.mode == "push" and not proposal.aimed.pinned else []
    )
    if names:
        why = f"{', '.join(names)} has changes that are not committed, and the release commit writes there"
        yield Conflict("dirty", why, "commit them or stash them")


RULES: tuple[Callable[[Proposal], Iterator[Conflict]], ...] = (
    tag_elsewhere,
    branch_of_line,
    backward,
    record_unreadable,
    version_file,
    another_unfinished,
    dirty,
)
