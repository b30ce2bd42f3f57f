"""Rules about where a release is made: the branch, the checkout, the files at the commit, the candidate before it."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.aim import own_branch
from release.core.commits import plain
from release.core.conflicts.rule import Proposal
from release.core.finding import Conflict
from release.core.version import Version, line_of_branch, render
from release.core.version_file import value_in


def wrong_line(proposal: Proposal) -> Iterator[Conflict]:
    """A line's branch takes the line's own versions: patches, candidates, revisions."""
    aimed, version = proposal.aimed, proposal.version
    if not aimed.pinned and aimed.line and version.line != aimed.line:
        final = proposal.span.final
        called = f", for more than a patch is called for{f' (--bump {aimed.bump})' if aimed.bump else ''}"
        past = f", for {final.text} is in its history" if final is not None else ""
        more = "" if aimed.version else past if final is not None and final.line != aimed.line else called
        why = f"{version.text} is of line {version.line}{more}, and {aimed.branch} is the branch of {aimed.line}"
        remedy = f"release it from its own branch, or say what it is to be here: --version {aimed.line}.N"
        yield Conflict("wrong-line", why, remedy)


def wrong_branch(proposal: Proposal) -> Iterator[Conflict]:
    """A line that has its own branch is released from there."""
    aimed, version = proposal.aimed, proposal.version
    if aimed.pinned or (aimed.line and version.line != aimed.line):
        return
    own = own_branch(proposal.config, proposal.seen.refs, version.line)
    if own not in ("", aimed.branch):
        why = f"{version.text} is of line {version.line}, which has its own branch {own}"
        yield Conflict("wrong-branch", why, f"check out {own}, or say what it is to be here: --version V")


def branch(proposal: Proposal) -> Iterator[Conflict]:
    """A release is made from one of [version] branches; a tag that is there already has to be in the history of one."""
    aimed, templates = proposal.aimed, proposal.config.version.branches
    allowed = ", ".join(templates)
    if aimed.pinned:
        holds = proposal.around.holds
        if holds is not None and not any(holds.values()):
            line = proposal.version.line
            nowhere = (
                f"which is not in the history of {' or '.join(holds)}" if holds else f"and line {line} has no branch"
            )
            why = f"{proposal.tag} is on {aimed.base[:10]}, {nowhere}"
            remedy = "find out who tagged it, and release the next version from a branch"
            if not holds:
                made = " or ".join(render(template, {"line": line}) for template in templates)
                remedy = f"find out who tagged it; if it is right, push {made} ([version] branches)"
            yield Conflict("branch", why, remedy)
    elif all(line_of_branch(template, aimed.branch) is None for template in templates):
        why = f"no release is made from {aimed.branch or 'a commit that is on no branch'}"
        yield Conflict("branch", why, f"check out one of: {allowed} ([version] branches)")


def behind(proposal: Proposal) -> Iterator[Conflict]:
    """The release is made from the remote's branch, which has moved on."""
    seen = proposal.seen
    there = seen.refs.heads.get(seen.head.branch, "")
    if there and there != seen.head.commit and seen.published and not proposal.aimed.pinned:
        why = f"your {seen.head.branch} is behind: {there[:10]} is its head on the remote"
        yield Conflict("behind", why, "git pull, and look at what is released")


def dirty(proposal: Proposal) -> Iterator[Conflict]:
    """What the release commit writes must not be half-written here. Git names a folder without a tracked file as one: `docs/`."""
    written = proposal.writes
    names = sorted(
        name
        for name in proposal.seen.head.dirty
        if name in written or (name.endswith("/") and any(path.startswith(name) for path in written))
    )
    if names:
        shown = ", ".join(plain(name, 200) for name in names)
        have = "has" if len(names) == 1 else "have"
        why = f"{shown} {have} changes that are not committed, and the release commit writes there"
        yield Conflict("dirty", why, "commit them or stash them")


def version_file(proposal: Proposal) -> Iterator[Conflict]:
    """Files that a release does not write itself have to say its version already; a tag that is there is written by nobody."""
    config, aimed = proposal.config, proposal.aimed
    values = proposal.values
    for file in config.version.file if config.version.source == "file" or aimed.pinned else ():
        says, wants = value_in(file.pattern, proposal.history.files.get(file.path)), render(file.value, values)
        if says != wants:
            why = f"{file.path} at {aimed.base[:10]} says {says or 'nothing'}, and {proposal.tag} wants {wants}"
            remedy = (
                "tag the next version where they agree" if aimed.pinned else "bring the file and the version together"
            )
            yield Conflict("version-file", why, remedy)


def no_candidate(proposal: Proposal) -> Iterator[Conflict]:
    """With final_from_candidate nothing is final that was not tested under its number."""
    if proposal.version.final and proposal.config.version.final_from_candidate and not _candidates(proposal):
        why = f"no candidate of {proposal.version.text} is tagged"
        yield Conflict("no-candidate", why, "release one first: invoke release --candidate")


def candidate_elsewhere(proposal: Proposal) -> Iterator[Conflict]:
    """With final_from_candidate a final is its last candidate's very commit."""
    if proposal.config.version.final_from_candidate and (found := _off_candidate(proposal)):
        tag, commit = found
        where = f"{tag} is on {commit[:10]}"
        if tag not in proposal.history.reachable:
            where += f", which is not in the history of {proposal.aimed.branch or proposal.tag}"
        else:
            where += f", and {proposal.tag} on {proposal.aimed.base[:10]}"
        yield Conflict("candidate-elsewhere", where, "tag a candidate on this branch: invoke release --candidate")


def untested(proposal: Proposal) -> Iterator[Conflict]:
    """Without final_from_candidate it is only told that the candidates of a final were something else."""
    if not proposal.config.version.final_from_candidate and (found := _off_candidate(proposal)):
        tag, commit = found
        why = f"{proposal.version.text} is made from {proposal.aimed.base[:10]}, and its last candidate {tag} was {commit[:10]}"
        yield Conflict("untested", why, "release one more candidate first: invoke release --candidate")


def _off_candidate(proposal: Proposal) -> tuple[str, str] | None:
    """Tag and commit of a final's last candidate, where that is another commit."""
    found = _candidates(proposal) if proposal.version.final else {}
    if not found:
        return None
    last = max(found, key=lambda one: one.key)
    return (proposal.scheme.tag(last), found[last]) if found[last] != proposal.aimed.base else None


def _candidates(proposal: Proposal) -> dict[Version, str]:
    """The tagged candidates of the same X.Y.Z and revision, and their commits."""
    version = proposal.version
    same = (version.core, version.revision)
    return {one: at for one, at in proposal.versions().items() if not one.final and (one.core, one.revision) == same}
