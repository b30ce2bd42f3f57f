"""Facts and an aim become a Release, nothing to do, or conflicts: version, notes, edits. No I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

from release.core import assembly, changelog, proposal
from release.core.aim import (
    Aim,
    History,
    Nothing,
    Observation,
    Refusal,
    branch_of,
    burned,
    taken,
)
from release.core.bump import LEVELS, level
from release.core.commits import Change, changes
from release.core.config import Config
from release.core.facts import Facts
from release.core.finding import Conflict
from release.core.fragments import removals, used_fragments
from release.core.model import Level, Reason, Release, Splice, Waiver
from release.core.numbering import NOTHING, Rise, next_version
from release.core.pulls import attributed
from release.core.record import Record
from release.core.span import Ranges
from release.core.version import Scheme, Version, line_of_branch, render, scheme, template_values
from release.core.version_file import value_in

REASONS = 100  # as many as anybody reads; the notes have all
OF_BRANCHES = ("branch", "wrong-line")


def choose(
    config: Config, seen: Observation, aimed: Aim, history: History, span: Ranges, facts: Facts
) -> Choice | Nothing | Conflict:
    """The version to release, and why it is that one. `facts` are those since the last final."""
    rules = scheme(config.version, config.project.name)
    if aimed.version is not None and aimed.offer is None:
        return _given(config, rules, seen, aimed, aimed.version)
    bumping = attributed(changes(facts.commits, config.changes.first_parent), facts.commits, facts.pulls)
    wanted, reasons = level(config, facts, bumping, base=span.final)
    if aimed.offer is not None:
        return Choice(aimed.offer.version, aimed.offer.mark.bump, (aimed.offer.reason, *reasons))
    if config.version.source == "file":
        chosen = _of_file(config, rules, seen, aimed, history, span, reasons)
        same = isinstance(chosen, Conflict) and chosen.rule == "version-taken" and wanted == "none"
        return Nothing(_quiet(rules.tag(span.final), len(bumping))) if same and span.final is not None else chosen
    begun = _candidate(rules, aimed, history, span)
    if aimed.bump in ("", "final") and span.final is not None and wanted == "none" and begun is None:
        return Nothing(_quiet(rules.tag(span.final), len(bumping)))
    rise, asked = _going_on(rules, begun, span, wanted) if begun else _asked(aimed, wanted)
    floors = [_first_of(aimed.line) if aimed.line else NOTHING, begun.release if begun else NOTHING]
    version = next_version(
        rules,
        previous=span.final,
        level=rise,
        stage=aimed.stage,
        taken=taken(rules, seen),
        core=None,
        floor=max(floors),
        burned=burned(rules, seen),
    )
    if isinstance(version, Conflict):
        return version
    return Choice(version, rise if span.final else "first", (*asked, *reasons))


def _candidate(rules: Scheme, aimed: Aim, history: History, span: Ranges) -> Version | None:
    """The highest candidate in the history that no final has come after: what was begun is gone on with, unless somebody decides otherwise."""
    if aimed.bump not in ("", "final"):
        return None
    known = (version for name in history.reachable if (version := rules.of_tag(name)) is not None)
    ours = [one for one in known if not one.final and (not aimed.line or one.line == aimed.line)]
    return max((one for one in ours if span.final is None or one > span.final), default=None)


def _going_on(rules: Scheme, begun: Version, span: Ranges, wanted: Level) -> tuple[Rise, tuple[Reason, ...]]:
    """What is to rise so that the next version is no lower than what a candidate was made of."""
    step = _step(span.final, begun)
    rise = step if step == "revision" or LEVELS.index(step) > LEVELS.index(wanted) else wanted
    what = f"a candidate of {begun.core}"
    return rise, (Reason(rules.tag(begun), what, step, "no final has come after it"),)


def _step(final: Version | None, version: Version) -> Rise:
    """The level by which a version is above a final."""
    if final is None or version.release == final.release:
        return "revision" if final is not None else "none"
    if version.major != final.major:
        return "major"
    return "minor" if version.minor != final.minor else "patch"


def edits(config: Config, version: Version, history: History, notes: str, now: str) -> tuple[Splice, ...] | Refusal:
    """What the release commit writes."""
    rules = scheme(config.version, config.project.name)
    written = _edits(config, version, rules.tag(version), rules, history, notes, now)
    problems = tuple(edit for edit in written if isinstance(edit, Conflict))
    return problems or tuple(edit for edit in written if isinstance(edit, Splice))


def design(
    config: Config,
    seen: Observation,
    aimed: Aim,
    history: History,
    span: Ranges,
    chosen: Choice,
    notes: str,
    waivers: tuple[Waiver, ...] = (),
) -> Release | Refusal:
    """The Release: its version and why, its notes, what it writes, makes and triggers."""
    rules = scheme(config.version, config.project.name)
    version = chosen.version
    written = () if aimed.pinned else edits(config, version, history, notes, seen.now)
    if problems := tuple(edit for edit in written if isinstance(edit, Conflict)):
        return problems
    if aimed.offer is not None and aimed.offer.merged and written:
        missing = {edit.path for edit in written if isinstance(edit, Splice)}
        return (proposal.lacking(aimed.offer, rules.tag(version), missing),)
    release = Release(
        version=version.text,
        tag=rules.tag(version),
        line=version.line,
        kind=version.kind,
        bump=chosen.bump,
        previous=rules.tag(span.previous) if span.previous else None,
        branch=aimed.branch,
        base=aimed.base,
        date=seen.now,
        author=seen.who,
        reasons=chosen.reasons[:REASONS],
        notes=notes,
        edits=tuple(edit for edit in written if isinstance(edit, Splice)),
        waivers=waivers,
        made=seen.now if written else history.date,
    )
    return furnished(config, release)


class Choice(msgspec.Struct, frozen=True):
    """A version and why it is that one."""

    version: Version
    bump: str
    reasons: tuple[Reason, ...]


def _asked(aimed: Aim, wanted: Level) -> tuple[Rise, tuple[Reason, ...]]:
    """What is to rise: what somebody decided on, and that is a reason, or else what the changes call for."""
    if aimed.bump in ("", "final"):
        return wanted, ()
    rise = cast("Rise", aimed.bump)
    return rise, (Reason("--revision" if rise == "revision" else "--bump", "asked for", rise, "a person's decision"),)


def _quiet(since: str, number: int) -> str:
    if not number:
        return f"nothing changed since {since}"
    there = "are" if number > 1 else "is"
    return f"since {since} there {there} {number} change{'s' if number > 1 else ''}, and none calls for a release"


def _of_file(
    config: Config,
    rules: Scheme,
    seen: Observation,
    aimed: Aim,
    history: History,
    span: Ranges,
    reasons: tuple[Reason, ...],
) -> Choice | Conflict:
    """The version whose X.Y.Z the first version file says; what changed may say why, but not what."""
    path = config.version.file[0].path
    if aimed.bump in LEVELS:
        why = f"--bump {aimed.bump} was asked for, and {path} says what X.Y.Z is"
        return Conflict("bump-of-file", why, "change it there, and leave --bump out ([version] source)")
    core = _core_of_file(config, history)
    if isinstance(core, Conflict):
        return core
    rise: Rise = "revision" if aimed.bump == "revision" else "none"
    known = taken(rules, seen)
    version = next_version(rules, previous=span.final, level=rise, stage=aimed.stage, taken=known, core=core)
    if isinstance(version, Conflict):
        return version
    said = Reason(path, f"says {'.'.join(map(str, core))}", "file")
    return Choice(version, _kind(rules, version), (said, *reasons))


def _kind(rules: Scheme, version: Version) -> str:
    """What a version is among those of its X.Y.Z, which a file decided."""
    again = version.revision > (1 if rules.revisions == "always" else 0)
    return "candidate" if version.stage else "revision" if again else "final"


def _first_of(line: str) -> tuple[int, int, int]:
    """The first version of a line: its branch has none below."""
    major, _, minor = line.partition(".")
    return int(major), int(minor), 0


def _given(config: Config, rules: Scheme, seen: Observation, aimed: Aim, version: Version) -> Choice:
    """A version that was asked for, that a tag says, or that a candidate was tested as."""
    if config.version.final_from_candidate and version.final and not aimed.pinned:
        tags = seen.refs.tags
        known = {one: tags[name] for name in tags if (one := rules.of_tag(name)) is not None and not one.final}
        tested = [one for one in known if (one.core, one.revision) == (version.core, version.revision)]
        if tested:
            last = max(tested)
            where = "at its very commit" if known[last] == aimed.base else f"which is {known[last][:10]}"
            return Choice(version, "final", (Reason(rules.tag(last), f"the last candidate, {where}", "final"),))
    source, what = ("tag", f"{rules.tag(version)} is there") if aimed.pinned else ("--version", "asked for")
    return Choice(version, "given", (Reason(source, what, "given"),))


def _core_of_file(config: Config, history: History) -> tuple[int, int, int] | Conflict:
    """X.Y.Z as the first version file says it at the base commit."""
    file = config.version.file[0]
    value = value_in(file.pattern, history.files.get(file.path))
    one = "(0|[1-9][0-9]{0,17})"
    numbers = re.match(rf"{one}\.{one}\.{one}(?![0-9]|\.[0-9])", value or "")
    if not numbers:
        found = "is not there" if history.files.get(file.path) is None else "holds no version where the pattern looks"
        return Conflict(
            "version-file",
            f"{file.path} at {history.base[:10]} {found}",
            "mend the file or its [[version.file]] pattern",
        )
    major, minor, patch = map(int, numbers.groups())
    return major, minor, patch


def _edits(
    config: Config, version: Version, tag: str, rules: Scheme, history: History, notes: str, now: str
) -> list[Splice | Conflict]:
    """What a release commit writes: the version files, and a final's changelog entry; its news fragments go away."""
    if config.commit.mode == "none":
        return []
    edits: list[Splice | Conflict] = list(_unwritable(config, version, history))
    if edits:
        return edits
    values = template_values(version, tag, rules)
    for file in config.version.file if config.version.source == "changes" else ():
        text = history.files.get(file.path)
        match = re.search(file.pattern, text, re.MULTILINE) if text is not None else None
        if text is None or match is None:
            edits.append(
                Conflict("version-file", f"{file.path} has no place for the version", "mend the file or its pattern")
            )
        elif match["value"] != (value := render(file.value, values)):
            edits.append(Splice(file.path, match.start("value"), match.end("value"), value))
    if config.changelog.file and version.final:
        path = config.changelog.file
        entry = changelog.entry(version.text, now[:10], notes)
        splice = changelog.insert(path, history.files.get(path), entry, version.text)
        edits += [splice] if splice else []
    if version.final:
        edits += removals(used_fragments(config, history.fragments))
    return edits


def _unwritable(config: Config, version: Version, history: History) -> Iterator[Conflict]:
    """What stands where a file is to be written: a link, a folder, a file where a folder has to be."""
    written = [file.path for file in config.version.file] if config.version.source == "changes" else []
    written += [config.changelog.file] if config.changelog.file and version.final else []
    for path in written:
        *above, _ = (path[:end] for end in (*(i for i, c in enumerate(path) if c == "/"), len(path)))
        if history.modes.get(path, "100644") not in ("100644", "100755") or any(
            history.modes.get(folder, "040000") != "040000" for folder in above
        ):
            yield Conflict(
                "not-a-file", f"{path} at {history.base[:10]} is no plain file", "mend release.toml or the repository"
            )


def told(found: Sequence[Change]) -> tuple[Change, ...]:
    """What users are told of: everything but our own release commits."""
    return tuple(change for change in found if (change.type, change.scope) != ("chore", "release"))


def furnished(config: Config, release: Release) -> Release:
    """A release with what this configuration says of gates, artifacts, output and downstreams."""
    rules = scheme(config.version, config.project.name)
    version = rules.parse(release.version)
    assert version is not None, f"{release.version} was made, or accepted, by this scheme"
    return assembly.furnished(config, release, template_values(version, release.tag, rules))


def existing(config: Config, seen: Observation, version: Version) -> Release:
    """A release as its tag alone tells it, where no record does: enough to look for it, and to release its downstreams."""
    rules = scheme(config.version, config.project.name)
    tag = rules.tag(version)
    release = Release(
        version=version.text,
        tag=tag,
        line=version.line,
        kind=version.kind,
        bump="given",
        previous=None,
        branch=branch_of(config, seen.refs, version.line),
        base=seen.refs.tags[tag],
        date=seen.now,
        author=seen.who,
        mode="none",
    )
    return furnished(config, release)


def unfaithful(config: Config, record: Record, history: History, branch: str) -> Refusal:
    """Why a release that has begun is not to be gone on with: it is not what this configuration makes at its base.

    Whoever may push to a record may not thereby choose what goes to the branch: one that [version] branches does not have
    is believed where a rule lets it pass, or where somebody waived that and `branch`, the one checked out here, is it.
    Commands, outputs and downstreams are not looked at: they are never taken from a record.
    """
    release = record.release
    rules = scheme(config.version, config.project.name)
    version = rules.parse(release.version)
    if version is not None and (rules.tag(version), version.line) == (release.tag, record.line):
        written = _edits(config, version, release.tag, rules, history, release.notes, release.date)
        here = any(
            line_of_branch(template, release.branch) in ("", version.line) for template in config.version.branches
        )
        let = any(config.rules.get(rule, "error") != "error" for rule in OF_BRANCHES)
        waived = release.branch == branch and any(one.rule in OF_BRANCHES for one in release.waivers)
        pushed = not written or config.commit.mode != "pull-request"  # there a release begins with what was merged
        if (here or let or waived) and pushed and tuple(written) == release.edits:
            return ()
    why = f"the record of {release.tag!r} does not say what release.toml at {release.base[:10]} makes"
    return (_give_up("record-differs", why, release),)


def forged(record: Record) -> Conflict:
    """A record whose commit is not the one that its release makes."""
    why = (
        f"the record of {record.release.tag!r} carries {record.state.commit[:10]}, which is not the commit it describes"
    )
    return _give_up("record-differs", why, record.release)


def _give_up(rule: str, why: str, release: Release) -> Conflict:
    remedy = f"look at it with `git show`, or give it up: invoke release.abandon --version {release.tag}"
    return Conflict(rule, why, remedy)
