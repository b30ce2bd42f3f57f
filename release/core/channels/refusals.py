"""What keeps a release out of a channel until somebody does something: a rule a function."""

from __future__ import annotations

from collections.abc import Iterator

from release.core import moves
from release.core.channel_config import Channel
from release.core.channel_facts import Seen
from release.core.channels import places
from release.core.channels.case import Case
from release.core.finding import Conflict
from release.core.notation import quoted
from release.core.version import Scheme, Version


def held(case: Case) -> Iterator[Conflict]:
    """Nothing enters a channel that is held; and what a channel before it is held for goes no further."""
    name = case.channel.name
    if (hold := case.state.hold) is not None:
        why = f"{name} is held, and {case.version} does not get in: {quoted(hold.why)}, says {quoted(hold.by.name)}"
        yield Conflict("channel-held", why, f"when that is over: invoke channel.resume {name}")
    for channel in case.before:
        hold = places.state_of(channel, case.seen).hold
        if hold is not None and hold.version == case.version.text:
            why = f"{channel.name} is held for {case.version}, which {name} would get from there: {quoted(hold.why)}"
            yield Conflict("channel-held", why, f"when that is over: invoke channel.resume {channel.name}")


def moving(case: Case) -> Iterator[Conflict]:
    """A channel that is half moved is finished or taken back first."""
    name = case.channel.name
    for lost in places.misplaced(case.channel, case.seen):
        scope = "line" if lost.line else "global"
        why = f"{name} is on its way to {quoted(lost.version)} since its scope was {scope}, and {case.version} has to wait"
        yield Conflict("channel-moving", why, f'set scope = "{scope}" again, and finish that or take it back')
    if case.move is not None and not case.begun:
        yield moves.moving(name, case.move)


def accepts(case: Case) -> Iterator[Conflict]:
    """A channel of finals takes no candidate."""
    if not places.takes(case.channel, case.version):
        name, version = case.channel.name, case.version
        why = f"{version} is a candidate, and {name} accepts finals"
        final = case.rules.make(version.release, revision=version.revision)
        remedy = f"release the final: invoke release --version {final}"
        if any(one.version == final for one in case.seen.offers):
            remedy = f"the final is out: invoke channel.promote --to {name} --version {final}"
        yield Conflict("channel-accepts", why, f"{remedy}; or promote the candidate to a channel that accepts it")


def known(case: Case) -> Iterator[Conflict]:
    """What a channel has can be compared with."""
    for text in places.unreadable(case.rules, case.channel, case.seen, case.line):
        why = f"{case.channel.name} has {quoted(text)} by its record, and that is no version of [version]: nobody can tell whether {case.version} is above it"
        yield Conflict("channel-unreadable", why, "mend [version], so that it reads what was released")


def strayed(case: Case) -> Iterator[Conflict]:
    """What somebody wrote into a pointer is a release, or nothing can be above it."""
    yield from astray(case.rules, case.channel, case.seen, case.line, case.version)


def forward(case: Case) -> Iterator[Conflict]:
    """A promotion never goes back, nor aside to a version that is neither above nor below."""
    stands, name = case.stands, case.channel.name
    if stands is None or stands == case.version or case.version > stands:
        return
    how = "below" if case.version < stands else "not above"
    why = f"{name} has {stands}, and {case.version} is {how} that: a promotion never goes back"
    back = f"invoke channel.rollback {name}{_of(case.line)} --to {case.version} --allow-downgrade --reason WHY"
    same = f"; within {stands.line} there is a way back: {back}" if case.version.line == stands.line else ""
    remedy = f"release and promote what comes after {stands}{same}"
    yield Conflict("backward-move", why, remedy)


def one_minor(case: Case) -> Iterator[Conflict]:
    """Users come from one minor to the next: who skips one has never run what the next one expects to find."""
    stands, name = case.stands, case.channel.name
    if case.channel.scope == "line" or stands is None:
        return
    if not skips(stands, case.version):
        yield from _left_behind(case)
        return
    between = after(stands, case.version)
    line = ".".join(map(str, between))
    why = f"{name} has {stands}, and {case.version} would skip {line}: a channel goes one minor at a time"
    fit = (one for one in case.seen.offers if one.version.release[:2] == between and not one.withdrawn)
    best = places.highest(one.version for one in fit if places.takes(case.channel, one.version))
    which = f"invoke channel.promote --to {name} --version {best}" if best else f"release one of {line}"
    yield Conflict("minor-skip", why, f"first {which}; or say why not: --waive minor-skip --reason WHY")


def _left_behind(case: Case) -> Iterator[Conflict]:
    """Who follows a pointer that is behind the others skips what they had meanwhile."""
    trails, name = case.trails, case.channel.name
    if trails is not None and skips(trails, case.version):
        line = ".".join(map(str, after(trails, case.version)))
        why = f"a pointer of {name} says {trails}, and {case.version} would skip {line} for those who follow that one"
        first = f"first have all of them say {case.stands}: invoke channel.promote --to {name} --version {case.stands}"
        remedy = f"{first}; or say why not: --waive minor-skip --reason WHY"
        yield Conflict("minor-skip", why, remedy)


def new_minor(case: Case) -> Iterator[Conflict]:
    """The first releases of a minor are for others."""
    least, name = case.channel.new_minor_from_patch, case.channel.name
    if enters(case.stands, case.version) and case.version.patch < least:
        line = case.version.line
        why = f"{case.version} would be the first of {line} in {name}, which takes a new minor from {line}.{least} on"
        yield Conflict("new-minor", why, f"wait for {line}.{least}, or say why not: --waive new-minor --reason WHY")


def arrived(case: Case) -> Iterator[Conflict]:
    """A channel takes what was in the one that it follows."""
    name, follows = case.channel.name, case.channel.follows
    if follows and not _was_in(case, follows):
        why = f"{name} follows {follows}, and {case.version} was not there"
        remedy = f"promote it there first: invoke channel.promote --to {follows} --version {case.version}"
        if (has := _has(case, follows)) is not None and has > case.version:
            remedy = f"{follows} has {has} by now: invoke channel.promote --to {name} --version {has}"
        yield Conflict("not-followed", why, remedy)


def sound(case: Case) -> Iterator[Conflict]:
    """What was found bad in any channel is not taken up again: not there, and not by another one."""
    for channel in case.config.channel:
        mark = places.state_of(channel, case.seen).bad.get(case.version.text)
        if mark is not None:
            into = "it again" if channel.name == case.channel.name else case.channel.name
            why = f"{case.version} is marked bad in {channel.name}, and does not get into {into}: {quoted(mark.why)}"
            yield Conflict("rolled-back", why, f"promote the version that mends it; if it was good after all: invoke channel.resume {channel.name} --version {case.version}")  # fmt: skip


def standing(case: Case) -> Iterator[Conflict]:
    """What was withdrawn is nobody's next version."""
    if case.offer.withdrawn:
        why = f"{case.version} is withdrawn, and does not get into {case.channel.name}: {quoted(case.offer.withdrawn)}"
        yield Conflict("withdrawn-version", why, "promote the version that takes its place, or release one")


def believed(case: Case) -> Iterator[Conflict]:
    """Nothing is decided by a list of releases that cannot be right."""
    yield from case.seen.doubts


REFUSALS = (
    held,
    moving,
    accepts,
    known,
    strayed,
    forward,
    one_minor,
    new_minor,
    arrived,
    sound,
    standing,
    believed,
)


def astray(
    rules: Scheme, channel: Channel, seen: Seen, line: str, asked: Version | None = None
) -> tuple[Conflict, ...]:
    """That the pointers of a channel say what is not out, though its record says something else; see `places.stray`."""
    stray = places.stray(rules, channel, seen, line, asked)
    if stray is None:
        return ()
    was = places.recorded(rules, channel, seen, line)
    why = f"{channel.name} has {was} by its record, and its pointers say {stray}, which is not out: somebody else moved them"
    return (Conflict("pointer-astray", why, f"put them back to {was} by hand, or release {stray}"),)


def skips(stands: Version, version: Version) -> bool:
    """Whether a minor lies between two versions; a new major is come to by its .0."""
    if version.major == stands.major:
        return version.minor > stands.minor + 1
    return version.major > stands.major + 1 or (version.major == stands.major + 1 and version.minor > 0)


def after(stands: Version, version: Version) -> tuple[int, int]:
    """The line that comes next on the way from one version to another: major and minor."""
    same = version.major == stands.major
    return (stands.major, stands.minor + 1) if same else (stands.major + 1, 0)


def enters(stands: Version | None, version: Version) -> bool:
    """Whether a version would be a channel's first of its minor."""
    return stands is None or stands.line != version.line


def _has(case: Case, name: str) -> Version | None:
    """What another channel has, on the line of this version."""
    channel = next((one for one in case.before if one.name == name), None)
    if channel is None:
        return None
    return places.current(case.rules, channel, case.seen, places.key_of(channel, case.version))


def _was_in(case: Case, name: str) -> bool:
    state = case.seen.states.get(name)
    text = case.version.text
    by_record = state is not None and (
        text in state.arrivals or any(one.version == text for one in state.standing.values())
    )
    return by_record or case.version in case.seen.shown.get(name, {}).values()


def _of(line: str) -> str:
    """What tells a line in a command."""
    return f" --line {line}" if line else ""
