"""Version: what comes next, and why. Nothing is refused because nothing changed."""

from __future__ import annotations

from release.app import Session
from release.commands.decide import Decision, decide, decided
from release.core.aim import Aim, Nothing, Observation, Refusal, Wishes, aim, line_of, place, wished
from release.core.conflicts import RULES, Proposal, judge
from release.core.finding import Conflict
from release.core.model import Reason
from release.core.plan import Upcoming
from release.core.record import Record
from release.core.version import Scheme, Version, scheme
from release.errors import ConflictError

NOT_THERE = ("unpushed", "branch-unpublished", "detached")


def upcoming(session: Session, wishes: Wishes) -> Upcoming:
    """The next version of this checkout; one that was asked for by kind is told though nothing changed."""
    found, remarks = looked_at(session, wishes)
    if isinstance(found, Record):
        return of_record(found, scheme(session.config.version, session.config.project.name))
    if isinstance(found, Nothing):
        return of_nothing(found, remarks)
    if not isinstance(found, Decision):
        raise ConflictError(found)
    return of_decision(found, remarks)


def looked_at(session: Session, wishes: Wishes) -> tuple[Decision | Record | Nothing | Refusal, tuple[str, ...]]:
    """The decision for where the checkout stands, pushed or not; and what is to be said about that."""
    seen = session.observed()
    here, remarks = standing(session, seen)
    asked = bool(wishes.stage or wishes.bump)
    there = aim(session.config, seen, wishes) if asked else None
    if isinstance(there, Nothing) or (isinstance(there, Record) and not there.unfinished):
        out = there.why if isinstance(there, Nothing) else f"{there.release.tag} is out, and nothing changed since"
        remarks = (*remarks, f"invoke release would do nothing here: {out}")
    if isinstance(here, Aim) and (asked or remarks):
        found = decided(session, seen, wished(here, wishes))
    else:
        found = decide(session, seen, wishes)
    return (ended(session, found) if isinstance(found, Record) else found), remarks


def ended(session: Session, record: Record) -> Record | Nothing:
    """A release that is finished is nothing to go on with."""
    if record.unfinished:
        return record
    rules = scheme(session.config.version, session.config.project.name)
    since = "no candidate has come" if session.config.version.final_from_candidate else "nothing changed"
    return Nothing(f"{record.release.tag} is out, and {since} since", tagged=rules.parse(record.release.version))


def standing(session: Session, seen: Observation) -> tuple[Aim | Conflict, tuple[str, ...]]:
    """Where the checkout stands; what the remote does not have yet is looked at as well, and that is said."""
    there = place(session.config, seen)
    if isinstance(there, Aim) or there.rule not in NOT_THERE:
        return there, ()
    branch = seen.head.branch
    here = Aim(branch, seen.head.commit, line=line_of(session.config, branch) if branch else "")
    return here, (f"{there.why}: this is what would come of it",)


def of_decision(found: Decision, remarks: tuple[str, ...]) -> Upcoming:
    """What was decided, as it is told."""
    current, remarks = newest(found), (*remarks, *found.remarks)
    if isinstance(found.chosen, Conflict):
        raise ConflictError((found.chosen,))
    if isinstance(found.chosen, Nothing):
        line = current.line if current else found.aimed.line or None
        return Upcoming(current.text if current else None, line=line, nothing=found.chosen.why, remarks=remarks)
    version = found.chosen.version
    if refusal := against(found, version, "wrong-line"):
        raise ConflictError(refusal)
    unchanged = against(found, version, "nothing-changed")
    remarks = (*remarks, *(f"invoke release would refuse this: {conflict.why}" for conflict in unchanged))
    rules = scheme(found.config.version, found.config.project.name)
    return Upcoming(
        current=current.text if current else None,
        next=version.text,
        tag=rules.tag(version),
        bump=found.chosen.bump,
        line=version.line,
        reasons=found.chosen.reasons,
        remarks=remarks,
    )


def against(found: Decision, version: Version, rule: str) -> Refusal:
    """What a rule has against the version: on a line's branch nothing beyond a patch comes next, and nothing is new without a commit."""
    proposal = Proposal(found.config, found.seen, found.aimed, found.history, found.span, version)
    return judge(proposal, rules=[one for one in RULES if one.name == rule]).errors


def of_record(record: Record, rules: Scheme) -> Upcoming:
    """A release that has begun comes first."""
    release = record.release
    previous = rules.of_tag(release.previous) if release.previous else None
    since = Reason("record", f"begun by {record.state.by.name} at {record.state.at}, and not finished", release.bump)
    return Upcoming(
        current=previous.text if previous else None,
        next=release.version,
        tag=release.tag,
        bump=release.bump,
        line=release.line,
        reasons=(since, *release.reasons),
    )


def of_nothing(nothing: Nothing, remarks: tuple[str, ...]) -> Upcoming:
    """Where nothing changed."""
    tagged = nothing.tagged
    return Upcoming(
        current=tagged.text if tagged else None,
        line=tagged.line if tagged else None,
        nothing=nothing.why,
        remarks=remarks,
    )


def newest(found: Decision) -> Version | None:
    """The newest version in the history: of the line, if there is one of it."""
    rules = scheme(found.config.version, found.config.project.name)
    known = [version for name in found.history.reachable if (version := rules.of_tag(name)) is not None]
    return max([one for one in known if one.line == found.aimed.line] or known, default=None)
