"""Fleet sync: a component looks at its upstream's newest releases, and makes what it lacks of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from release.app import Session
from release.app.following import Following, following
from release.commands import release as releasing
from release.commands.evidence import refusal
from release.core.aim import Wishes
from release.core.finding import Blocked, Conflict, Done, Failed, Finding, Pending, Underway
from release.core.plan import exit_code
from release.core.sync import OF_ITSELF, Due, Sync, Synced, doubt, due, release_of, strays
from release.core.version import scheme
from release.engine.walk import Engine, Event
from release.errors import ReleaseError, Unseen
from release.steps.synced import Here, made_here

OWN_TOKEN = "GITHUB_TOKEN"  # the name of a variable
Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Syncing:
    """What was found, and what of it can be made now."""

    upstream: Following
    sync: Sync
    todo: tuple[Due, ...]


def prepared(session: Session, last: int, since: str) -> Syncing:
    """Look at the upstream's newest releases, and at what is here. A few requests, whatever their number."""
    session.who()
    upstream = following(session)
    offers = upstream.offers(last)
    here = session.refs(session.remote, session.repository)
    one = upstream.one
    if why := doubt(upstream.config, one, offers, upstream.refs.tags, here.tags):
        remedy = "look there whether releases are shown as they should be; then run the same command again"
        raise Unseen(f"what {upstream.upstream} shows is not believed: {why}", remedy)
    found = due(upstream.config, one, offers, upstream.parents(last), since or upstream.begins(offers))
    if isinstance(found, Conflict):
        raise refusal(found)
    unfinished = begun(session) if one.trigger in OF_ITSELF else frozenset()
    finished = here.tags.keys() - unfinished
    states = tuple(_state(each, finished) for each in found)
    extra = strays(upstream.config, one, upstream.refs.tags, here.tags)
    remarks = tuple(_remarks(session, upstream, states, extra, bool(offers)))
    todo = tuple(each for each, state in zip(found, states, strict=True) if state is None)
    told = tuple(
        state or Synced(each.release, each.wish.tag, "missing") for each, state in zip(found, states, strict=True)
    )
    return Syncing(upstream, Sync(one.name, upstream.upstream, told, remarks), todo)


def sync(session: Session, planned: Syncing, listener: Listener) -> Sync:
    """Make what can be made, the lowest version first. What goes wrong with one holds no other."""
    made: dict[str, Synced] = {}
    if planned.upstream.one.trigger in OF_ITSELF:
        for one in planned.todo:
            made[one.release] = _by_itself(session, one, listener)
    else:
        said: dict[str, str] = {}

        def hear(event: Event) -> None:
            if event.kind == "progress":
                said[event.step] = event.detail
            listener(event)

        with session.journal() as journal, session.engine(journal, hear) as engine:
            for one in planned.todo:
                said.clear()
                state = _made(session, planned.upstream, engine, one)
                told = "; ".join(filter(None, (*said.values(), state.detail)))
                made[one.release] = msgspec.structs.replace(state, detail=told)
    releases = tuple(made.get(one.release, one) for one in planned.sync.releases)
    return msgspec.structs.replace(planned.sync, releases=releases)


def begun(session: Session) -> frozenset[str]:
    """The tags of our own releases that have begun and are not finished: they are there, and yet to be gone on with."""
    from release.core.record import Record

    records = session.ledger.all(session.remote.refs())
    return frozenset(one.release.tag for one in records if isinstance(one, Record) and one.unfinished)


def _state(one: Due, here: Collection[str]) -> Synced | None:
    """What is so of a release without anybody's doing; None where it is for us to make it."""
    if one.wish.tag in here:
        return Synced(one.release, one.wish.tag, "there")
    return Synced(one.release, one.wish.tag, "waits", one.waits) if one.waits else None


def _remarks(
    session: Session, upstream: Following, states: Sequence[Synced | None], extra: Sequence[str], offered: bool
) -> Iterator[str]:
    """What else is worth knowing."""
    one = upstream.one
    if not offered and upstream.refs.tags and upstream.on_forge:
        yield f"{upstream.upstream} has tags, and no release of them is published yet"
    if extra:
        shown = ", ".join(extra[:3]) + (f" and {len(extra) - 3} more" if extra[3:] else "")
        yield f"of no release of {upstream.upstream}, though tagged here: {shown}"
    robot = session.github is not None and session.github.source == OWN_TOKEN
    in_actions = session.environment.get("GITHUB_ACTIONS") == "true"
    if robot and in_actions and one.trigger in ("release", "tag") and one.workflow and None in states:
        yield (
            f"what is made with {OWN_TOKEN} starts no workflow: let {one.workflow} run on workflow_dispatch, and set that"
            " trigger, or give an App's token"
        )


def _made(session: Session, upstream: Following, engine: Engine, one: Due) -> Synced:
    """Make one. What was begun before us, and is not there yet, is waited for; what failed is not tried again without a person."""
    release = release_of(one, session.now(), session.who())
    project = upstream.config.project.name or upstream.upstream
    claims = session.claims_here(one.wish.tag)
    here = Here(project, session.remote, session.ledger, claims, upstream.records(), session.registry)
    step = made_here(here, release, one.wish, session.forge)
    before = engine.look([step])
    if not isinstance(before[step], Pending):
        return _told(one, before[step], ours=False)
    if refused := engine.preflight([step], before):
        unseen = any(conflict.rule == "unseen" for conflict in refused)
        return Synced(one.release, one.wish.tag, "failed" if unseen else "blocked", "; ".join(map(str, refused)))
    return _told(one, engine.reach([step], before)[step], ours=True)


def _told(one: Due, found: Finding[object], ours: bool) -> Synced:
    """A finding as the state of a release. What is set going by us is made, as far as that is ours."""
    tag = one.wish.tag
    if isinstance(found, Done):
        return Synced(one.release, tag, "made" if ours else "there", found.detail)
    if isinstance(found, Underway):
        return Synced(one.release, tag, "made" if ours else "waits", found.detail)
    if isinstance(found, Blocked):
        return Synced(one.release, tag, "blocked", found.detail)
    return Synced(one.release, tag, "failed" if isinstance(found, Failed) else "waits", found.detail)


def _by_itself(session: Session, one: Due, listener: Listener) -> Synced:
    """By our own release path, as `invoke release --version` takes it; what has begun is gone on with."""
    tag = one.wish.tag
    try:
        wishes = Wishes(version=tag, line=_elsewhere(session, one))
        planned = releasing.ready(session, wishes)
        if planned.stopped:
            reasons = "; ".join(map(str, planned.plan.conflicts))
            return Synced(one.release, tag, "failed" if planned.unseen else "blocked", reasons)
        plan = releasing.release(session, wishes, planned, listener)
    except ReleaseError as error:
        return Synced(one.release, tag, "blocked" if error.exit_code == 3 else "failed", str(error))
    code = exit_code([step.state for step in plan.steps], plan.conflicts)
    left = "; ".join(f"{step.name}: {step.detail}" for step in plan.steps if step.state not in ("done", "skipped"))
    state = {0: "made", 1: "failed", 3: "blocked", 4: "waits"}[code]
    return msgspec.structs.replace(Synced(one.release, tag, "made", left), state=state)


def _elsewhere(session: Session, one: Due) -> str:
    """The line to release where another branch than its own is checked out, "" for the checkout's."""
    rules = scheme(session.config.version, session.config.project.name)
    version = rules.requested(one.wish.tag)
    return version.line if version is not None and session.head().branch != one.wish.branch else ""
