"""Values as lines of text. A line is a list of (text, style) pairs; what is foreign is shown escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch

from release.core.finding import Conflict
from release.core.listing import Listing
from release.core.made import Artifacts, ImageList, ShardMade
from release.core.model import Reason
from release.core.plan import (
    Abandoned,
    ChangelogText,
    Explanation,
    Filled,
    LinesStatus,
    LineStatus,
    Plan,
    ReleaseNotes,
    Rulebook,
    StepState,
    Upcoming,
    Verified,
    Withdrawn,
)
from release.core.shards import Matrix
from release.redact import HIDE

Line = list[tuple[str, str]]

STYLES = {
    "done": "green",
    "pending": "yellow",
    "underway": "cyan",
    "failed": "bold red",
    "blocked": "bold magenta",
    "skipped": "dim",
}
MARKS = {"done": "✓", "pending": "·", "underway": "…", "failed": "✗", "blocked": "■", "skipped": "-"}
SOME = 6
GUTTER = "       | "  # what comes after it is somebody else's words, and cannot be taken for ours
# What a line of a workflow's log does instead of being shown: `::command::` after white space, `##[command]` anywhere.
COMMAND = re.compile(r"^\s*::|##\[")


@singledispatch
def lines(value: object) -> Iterator[Line]:
    """The lines that show a value."""
    yield [(shown(str(value)), "")]


@lines.register
def _(made: Artifacts) -> Iterator[Line]:
    for file in made.artifacts:
        yield [(shown(file.name), "bold"), (f"  {file.size} bytes, sha256 {file.sha256}", "")]
        yield [(f"  {shown(file.path)}", "dim")]
    if not made.artifacts and not made.conflicts and not made.steps:
        yield [("this release has no artifacts: [[artifact]] in release.toml names them", "")]
    yield from unmade(made.steps, made.conflicts)


@lines.register
def _(made: ImageList) -> Iterator[Line]:
    for image in made.images:
        yield [(shown(image.name), "bold"), (f"  {image.digest}, by {shown(image.builder)}", "")]
        for one in image.platforms:
            yield [(f"  {one.platform:15} {one.digest}  {one.size} bytes", "dim")]
        for place in image.pushed or (image.location,):
            yield [(f"  {shown(place)}", "dim")]
    if not made.images and not made.conflicts and not made.steps:
        yield [("this release has no images: [[image]] in release.toml names them, with a file", "")]
    yield from unmade(made.steps, made.conflicts)


@lines.register
def _(made: ShardMade) -> Iterator[Line]:
    if made.folder:
        yield [(shown(made.shard), "bold"), (f"  in {shown(made.folder)}", "")]
    for file in made.files:
        yield [(f"  {shown(file.name)}  {file.size} bytes, sha256 {file.sha256}", "dim")]
    if made.image is not None:
        yield [(f"  {made.image.platform}  {made.image.digest}  {made.image.size} bytes", "dim")]
    yield from unmade(made.steps, made.conflicts)


@lines.register
def _(matrix: Matrix) -> Iterator[Line]:
    for shard in matrix.include:
        yield [(shown(shard.name), "bold"), (f"  {shard.kind} {shown(shard.of)}", ""), (f"  {shard.platform}", "dim")]
    if not matrix.include:
        yield [("this release makes nothing", "")]


def unmade(found: Sequence[StepState], against: Sequence[Conflict]) -> Iterator[Line]:
    """What is not made, and what stands against it."""
    yield from steps(found)
    yield from failures(found)
    yield from conflicts(against)


@lines.register
def _(plan: Plan) -> Iterator[Line]:
    if plan.version is not None:
        previous = f", after {plan.previous}" if plan.previous else ""
        yield [
            (f"{plan.tag}", "bold"),
            (
                f"  {plan.kind} of line {plan.line}, {plan.bump}{previous}, from {plan.branch or 'its tag'} at {(plan.commit or '')[:10]}",
                "",
            ),
        ]
        for reason in plan.reasons[:SOME]:
            yield [(f"  because {shown(reason.source)}: {shown(reason.what)} ({reason.bump})", "dim")]
        if len(plan.reasons) > SOME:
            yield [(f"  and {len(plan.reasons) - SOME} more reasons", "dim")]
    for waiver in plan.waivers:
        yield [
            ("waived ", "bold magenta"),
            (f"[{waiver.rule}] ", "dim"),
            (f"by {shown(waiver.by)}: {shown(waiver.why)}", ""),
        ]
    yield from steps(plan.steps)
    yield from failures(plan.steps)
    for remark in plan.remarks:
        yield [(f"note: {shown(remark)}", "")]
    yield from conflicts(plan.conflicts)
    if plan.next:
        yield [("not finished; to go on, here or in any other clone: ", ""), (plan.next, "bold")]
    if plan.nothing:
        yield [("nothing to do: ", "bold green"), (shown(plan.nothing), "")]


@lines.register
def _(upcoming: Upcoming) -> Iterator[Line]:
    if upcoming.next is None:
        yield [(upcoming.current or "nothing", "bold"), (f"  nothing to release: {shown(upcoming.nothing)}", "")]
    else:
        after = f", after {shown(upcoming.current)}" if upcoming.current else ""
        yield [(upcoming.next, "bold"), (f"  {upcoming.bump}, tag {upcoming.tag}{after}", "")]
    for remark in upcoming.remarks:
        yield [(f"note: {shown(remark)}", "")]


@lines.register
def _(explained: Explanation) -> Iterator[Line]:
    yield from lines(explained.upcoming)
    rows = [("BUMP", "WHERE", "WHY", "WHAT")]
    rows += [(one.bump, one.source, one.why, one.what) for one in sorted(explained.upcoming.reasons, key=_weight)]
    if len(rows) == 1:
        return
    table = [[shown(cell) for cell in row] for row in rows]
    wide = [max(len(row[column]) for row in table) for column in range(3)]
    for row in table:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, wide, strict=False))
        yield [("  ".join((*cells, row[3])), "dim" if row is table[0] else "")]


@lines.register
def _(listing: Listing) -> Iterator[Line]:
    wide = max((len(one.tag) for one in listing.releases), default=0)
    for one in listing.releases:
        yield [(f"{one.tag:<{wide}}", "bold"), (f"  {one.commit[:10]}  {one.date[:10]}  {one.kind}", "")]
    if not listing.releases:
        yield [("no release yet: no tag is a version", "")]
    if listing.invalid:
        yield [("no versions: ", "yellow"), (", ".join(map(shown, listing.invalid)), "")]


@lines.register
def _(notes: ReleaseNotes) -> Iterator[Line]:
    yield from ([(line, "")] for line in notes.notes.split("\n") if notes.notes)


@lines.register
def _(text: ChangelogText) -> Iterator[Line]:
    whole = text.changelog.removesuffix("\n")
    yield from ([(line, "")] for line in whole.split("\n") if whole)


@lines.register
def _(status: LinesStatus) -> Iterator[Line]:
    if not status.lines:
        yield [("no line has a record yet: nothing was released here by this tool", "")]
    for line in status.lines:
        yield from _line_status(line)


@lines.register
def _(book: Rulebook) -> Iterator[Line]:
    wide = max(len(rule.name) for rule in book.rules)
    where = ""
    for rule in book.rules:
        if rule.where != where:
            where = rule.where
            yield [(f"met in {where}", "bold")]
        style = "dim" if rule.severity == "off" else "yellow" if rule.severity == "warn" else ""
        word = "always" if rule.safety else rule.severity
        yield [(f"  {rule.name:<{wide}}  {word:<6}  ", style), (shown(rule.summary), "")]
        yield [(f"  {'':<{wide}}  {'':<6}  {shown(rule.remedy)}", "dim")]


@lines.register
def _(verified: Verified) -> Iterator[Line]:
    yield from steps(verified.steps)
    word = ("verified: everything is out", "bold green") if verified.verified else ("not verified", "bold red")
    yield [(f"{verified.tag} ", "bold"), word]


@lines.register
def _(abandoned: Abandoned) -> Iterator[Line]:
    yield [(f"{abandoned.tag} is given up, and its number will not be used again: {shown(abandoned.why)}", "")]


@lines.register
def _(withdrawn: Withdrawn) -> Iterator[Line]:
    yield from steps(withdrawn.steps)
    done = all(step.state == "done" for step in withdrawn.steps)
    word = "is withdrawn" if done else "to be withdrawn"
    yield [(f"{withdrawn.tag} {word}, and nothing of it is deleted: {shown(withdrawn.why)}", "")]
    yield from ([(shown(one), "")] for one in withdrawn.left)


@lines.register
def _(filled: Filled) -> Iterator[Line]:
    if not filled.steps:
        yield [("nothing to do: ", "bold green"), ("no downstream is missing", "")]
    yield from steps(filled.steps)
    yield from failures(filled.steps)
    yield from conflicts(filled.conflicts)


def steps(states: Sequence[StepState]) -> Iterator[Line]:
    """A line a step: of what goes on for several lines, the first."""
    wide = max((len(step.name) for step in states), default=0)
    for step in states:
        style = STYLES[step.state]
        yield [
            (f"  {MARKS[step.state]} ", style),
            (f"{shown(step.name):<{wide}}  ", ""),
            (f"{step.state:<8}", style),
            (f"  {brief(step.detail)}", ""),
        ]


def failures(states: Sequence[StepState]) -> Iterator[Line]:
    """What failed, with all that was said about it."""
    for step in states:
        if step.state == "failed":
            first, *rest = step.detail.split("\n")
            yield [("failed ", "bold red"), (f"{shown(step.name)}: ", "bold"), (shown(first), "")]
            yield from ([(GUTTER, "dim"), (shown(line), "dim")] for line in rest)


def brief(detail: str) -> str:
    """The first line of what is to be said."""
    first, _, rest = detail.partition("\n")
    return f"{shown(first)} …" if rest else shown(first)


def conflicts(found: Sequence[Conflict]) -> Iterator[Line]:
    """A line a conflict, with its remedy below."""
    for conflict in found:
        yield [("conflict ", "bold magenta"), (f"[{conflict.rule}] ", "dim"), (shown(conflict.why), "")]
        if conflict.remedy:
            yield [(f"         {shown(conflict.remedy)}", "dim")]


def shown(text: str) -> str:
    """A text that can do nothing to a terminal or to Actions and tells no secret: what is not printable is escaped."""
    plain = HIDE.redacted(text)
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)
    return COMMAND.sub(lambda found: " ".join(found[0]), plain)


def write(value: object, put: Callable[[Line], None]) -> None:
    """Every line of a value to a printer."""
    for line in lines(value):
        put([(shown(text), style) for text, style in line])


def _weight(reason: Reason) -> int:
    """Where a reason stands among others: what somebody decided on, then the highest bump."""
    levels = ("major", "minor", "patch", "none")
    return levels.index(reason.bump) + 1 if reason.bump in levels else 0


def _line_status(line: LineStatus) -> Iterator[Line]:
    style = {"begun": "yellow", "finished": "green"}.get(line.outcome, "dim")
    why = f": {shown(line.why)}" if line.why else ""
    by = f" by {shown(line.by)}" if line.by else ""
    yield [
        (f"{line.line}  ", "bold"),
        (f"{line.tag} ", ""),
        (line.outcome, style),
        (f"{by} at {line.at}{why}", ""),
    ]
    yield from steps(line.waits_for)
    yield from failures(line.waits_for)
    if line.next:
        yield [("  next: ", "dim"), (line.next, "bold")]
