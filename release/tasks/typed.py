"""What was typed about a release, as the design wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from release.errors import UsageError

if TYPE_CHECKING:
    from release.app import Session
    from release.core.aim import Bump, Wishes

HELP = {
    "version": "the version to release, with or without the tag's prefix (default: what comes next)",
    "bump": "what is to rise, whatever the changes say: major, minor, patch, candidate, final or revision",
    "candidate": "release a candidate; a word chooses its stage, as in --candidate=beta (default: the last of [version] candidates)",
    "final": "release a final, and nothing else that may have begun",
    "revision": "release the last final once more, as its next revision",
    "line": "a line to release from its own branch, whatever is checked out here (again for each: 1.33)",
    "waive": "a rule to set aside for this release (again for each); invoke release.rules lists them",
    "reason": "why, for --waive; it is kept in the record",
    "shards": "a folder with the pieces that other machines built (invoke release.build --shard), to take in before",
    "yes": "act without asking",
    "format": "text or json",
}
LONGEST_REASON = 2_000
KINDS = ("major", "minor", "patch", "final", "revision")


def wished(
    session: Session,
    version: str,
    bump: str,
    candidate: str | bool | None,
    final: bool,
    revision: bool,
    waivers: tuple[tuple[str, str], ...] = (),
) -> Wishes:
    """What was typed, as the design wants it."""
    from release.core.aim import Wishes

    stage = stage_of(session, candidate)
    if bump == "candidate":
        bump, stage = "", stage or stage_of(session, True)
    if bump and bump not in KINDS:
        raise UsageError(f"--bump {bump!r} is not known", f"there are: {', '.join((*KINDS, 'candidate'))}")
    asked = {f"--bump {bump}": bool(bump), "--final": final, "--revision": revision, "--version": bool(version)}
    typed = [flag for flag, is_typed in asked.items() if is_typed]
    if stage and (final or bump == "final" or version):
        typed.append("--candidate")
    if len(typed) > 1:
        raise UsageError(f"{' and '.join(typed)} contradict each other", "say one of them")
    kind = "final" if final else "revision" if revision else bump
    return Wishes(version=version, stage=stage, bump=cast("Bump", kind), waivers=waivers)


def for_lines(session: Session, wishes: Wishes, lines: Sequence[str] | None) -> tuple[Wishes, ...]:
    """What was typed, for each of the lines; without any, for what is checked out."""
    from msgspec.structs import replace

    from release.core.notation import bad_lines

    named = tuple(dict.fromkeys(lines or ()))
    if not named:
        return (wishes,)
    if session.started_for:
        raise UsageError(f"this run was started for {session.started_for}", "leave --line out")
    if wishes.version and len(named) > 1:
        raise UsageError("--version is of one line", "say one --line with it, or none")
    for bad in bad_lines("--line", named):
        raise UsageError(bad.why, bad.remedy)
    return tuple(replace(wishes, line=line) for line in named)


def stage_of(session: Session, candidate: str | bool | None) -> str:
    """The word of the candidate that was asked for, "" for none."""
    if candidate is None or candidate is False:
        return ""
    stages = session.config.version.candidates
    if not stages:
        raise UsageError("this project has no candidates", "[version] candidates is empty")
    stage = stages[-1] if candidate is True else str(candidate)
    if stage not in stages:
        raise UsageError(f"--candidate {stage!r} is not known", f"there are: {', '.join(stages)}")
    return stage


def waived(rules: Sequence[str] | None, reason: str) -> tuple[tuple[str, str], ...]:
    """The rules to set aside, each with the reason."""
    if bool(rules) != bool(reason.strip()):
        raise UsageError("a rule is waived for a reason", 'say --waive RULE --reason "..."')
    why = reasonable(reason) if rules else ""
    return tuple((rule, why) for rule in dict.fromkeys(rules or ()))


def reasonable(reason: str) -> str:
    """A reason that a record can keep: text, and no more of it than anybody reads."""
    if len(reason) > LONGEST_REASON:
        raise UsageError(f"the reason has {len(reason)} characters", f"say it in {LONGEST_REASON}")
    try:
        reason.encode()
    except UnicodeEncodeError:
        raise UsageError("the reason is not UTF-8", "type it in UTF-8, or in plain letters") from None
    return reason.strip()
