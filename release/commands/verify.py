"""Verify: is it all really out there? Looks only, and believes nothing but what it sees."""

from __future__ import annotations

from typing import Any

from release.app import Session
from release.commands.adopt import adopted, asked_for, surely
from release.commands.plan import states
from release.core.aim import Observation, place
from release.core.design import existing
from release.core.finding import Conflict, Done
from release.core.model import Release
from release.core.plan import StepState, Verified
from release.core.version import Version, scheme
from release.engine.step import Step
from release.engine.walk import Engine
from release.errors import ConflictError
from release.steps import claim_path, file_path, listing_path, release_path, verify_images
from release.steps.doors import Doors
from release.steps.elsewhere import verify_packages


def verify(session: Session, version: str) -> Verified:
    """Every public step of a release, and every byte of it: of the newest one of this branch, or of the version that is named."""
    seen = session.observed(asked_for(session, version) if version else None)
    release = released(session, seen, version)
    doors = session.doors()
    steps = release_path(doors, release, seen.refs.records.get(release.line, ""))
    with session.engine() as engine:
        found = engine.look(steps)
        public = [step for step in steps if step.public]
        others = [*verify_images(doors, release), *verify_packages(doors, release)]
        shown = (*states(public, found), *files(engine, doors, release), *states(others, engine.look(others)))
    return Verified(release.tag, all(step.state == "done" for step in shown), shown)


def files(engine: Engine, doors: Doors, release: Release) -> tuple[StepState, ...]:
    """Every file on the forge, or in the folder that takes them, fetched and compared: the upstream's own, then those of each downstream."""
    listings = listing_path(doors, release)
    listed = engine.look(listings)
    checks: list[Step[Any]] = []
    for one in listings:
        if isinstance(done := listed[one], Done):
            own = file_path(one, done.value)
            checks += claim_path(doors, release, one, own) if one.wish is None else own
    unlisted = [one for one in listings if not isinstance(listed[one], Done)]
    return (*states(unlisted, listed), *states(checks, engine.look(checks)))


def released(session: Session, seen: Observation, version: str) -> Release:
    """The release that is meant; by its record, else by its tag."""
    rules = scheme(session.config.version, session.config.project.name)
    where = place(session.config, seen)
    if version:
        wanted: Version | None = asked_for(session, version)
    else:
        here = [
            record for record in seen.records if isinstance(where, Conflict) or record.release.branch == where.branch
        ]
        newest = max(here, key=lambda record: record.state.at, default=None)
        tagged = [found for name in seen.refs.tags if (found := rules.of_tag(name)) is not None]
        ours = [found for found in tagged if isinstance(where, Conflict) or where.line in ("", found.line)]
        wanted = rules.parse(newest.release.version) if newest else max(ours, default=None)
    if wanted is None:
        raise ConflictError((Conflict("version", "no release is tagged here", "name one: --version V"),))
    if (record := seen.record_of(wanted)) is not None:
        return surely(adopted(session, seen, record))
    if rules.tag(wanted) not in seen.refs.tags:
        why = f"{rules.tag(wanted)} is not tagged on the upstream"
        raise ConflictError(
            (Conflict("not-released", why, f"release it first: invoke release --version {rules.tag(wanted)}"),)
        )
    return existing(session.config, seen, wanted)
