"""Rules about the number: its tag, its order, whether it was used before."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.aim import can_land, unfinished
from release.core.ancestry import within
from release.core.claims import shared_image_tag
from release.core.config import Config
from release.core.conflicts.rule import Proposal
from release.core.finding import Conflict
from release.core.record import given_up

RISES = ("patch", "minor", "major")


def tag_elsewhere(proposal: Proposal) -> Iterator[Conflict]:
    """A tag is a fact: it is never moved, on the remote or here."""
    tag, base = proposal.tag, proposal.aimed.base
    there, here = proposal.seen.refs.tags.get(tag), proposal.around.local.get(tag)
    if there is not None and not proposal.aimed.pinned:
        why = f"tag {tag} exists on {there[:10]}, not on {base[:10]}"
        yield Conflict("tag-elsewhere", why, f"choose the next version, or release {there[:10]}")
    elif there is not None and here not in (None, there):
        why = f"tag {tag} is on {(here or '')[:10]} in this clone, and on {there[:10]} on the remote"
        yield Conflict("tag-elsewhere", why, f"find out who moved it; git tag --delete {tag} drops yours")
    elif here is not None and there is None and (here != base or proposal.writes):
        own = "a commit of its own" if here == base else base[:10]
        why = f"tag {tag} exists in this clone on {here[:10]}, and this release would put it on {own}"
        yield Conflict(
            "tag-elsewhere", why, f"drop yours: git tag --delete {tag}; or push it, to release what it is on"
        )


def burned(proposal: Proposal) -> Iterator[Conflict]:
    """A number that was given up may have been seen: it is not used again."""
    version = proposal.version
    if any(version.text in given_up(record) for record in proposal.seen.records):
        tested = proposal.config.version.final_from_candidate and version.final
        retest = "commit the next change, then release a candidate: invoke release --candidate"
        remedy = retest if tested else "take the next one"
        yield Conflict("burned", f"{version.text} was given up, and a number is never used twice", remedy)


def backward(proposal: Proposal) -> Iterator[Conflict]:
    """Above every version of its line, in its history or not; and above the last final in its history."""
    version, final = proposal.version, proposal.span.final
    if proposal.aimed.pinned or proposal.tag in proposal.seen.refs.tags:
        return
    line = [one for one in proposal.versions() if one.line == version.line]
    latest = max(line, key=lambda one: one.key, default=None)
    if latest is not None and version <= latest:
        why = f"{version.text} is not above {latest.text}, the latest of line {version.line}"
        yield Conflict("backward", why, "take a greater one")
    elif final is not None and version <= final:
        why = f"{version.text} is not above {final.text}, which is in its history"
        yield Conflict("backward", why, "take a greater one")


def image_tag_shared(proposal: Proposal) -> Iterator[Conflict]:
    """Only where the project makes images, or tells somebody an image's tag."""
    if _says_image_tag(proposal.config):
        yield from shared_image_tag(proposal.scheme, proposal.version, proposal.versions())


def _says_image_tag(config: Config) -> bool:
    texts = [text for one in config.downstream for text in (one.tag, one.branch, *one.inputs.values(), *one.assets)]
    texts += [one.name for one in config.artifact] + [config.release.output]
    makes = bool(config.image) or any(one.images for one in config.downstream)
    return makes or any("{image_tag}" in text for text in texts)


def nothing_changed(proposal: Proposal) -> Iterator[Conflict]:
    """A version that was asked for though there is no commit since the last one.

    A candidate's next stage and its final are changes, and a revision is the same once more by intent.
    """
    aimed, version, before = proposal.aimed, proposal.version, proposal.span.previous
    asked = aimed.version is not None or aimed.bump in RISES
    if aimed.pinned or not asked or before is None or aimed.bump == "revision":
        return
    at_base = [one for one, commit in proposal.versions().items() if commit == aimed.base]
    onward = any(not one.final and one.stage != version.stage and one.core == version.core for one in at_base)
    if not onward and not within(proposal.history.commits, proposal.span.notes_from):
        why = f"there is no commit since {proposal.scheme.tag(before)}, and {version.text} was asked for"
        yield Conflict("nothing-changed", why, "leave it out, and what has changed decides; or commit something first")


def another_unfinished(proposal: Proposal) -> Iterator[Conflict]:
    """A line has one release at a time."""
    seen = proposal.seen
    for record in seen.records if not proposal.aimed.pinned else ():
        if record.line == proposal.version.line and record.unfinished and can_land(record, seen.refs):
            yield unfinished(record, seen.refs)


def record_unreadable(proposal: Proposal) -> Iterator[Conflict]:
    """What nobody can read is not written over."""
    for broken in proposal.seen.broken:
        if broken.line == proposal.version.line:
            yield Conflict("record-unreadable", broken.why, "look at it with `git show`; nothing is written over it")
