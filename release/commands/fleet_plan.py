"""Fleet plan: who would be released, in which order, and why not. Reads the configuration, and asks nobody else."""

from __future__ import annotations

from release.app import Session
from release.commands.adopt import asked_for
from release.core.fleet_plan import FleetPlan
from release.core.fleet_plan import fleet_plan as planned
from release.core.notation import bad_lines
from release.errors import UsageError


def fleet_plan(session: Session, version: str, line: str) -> FleetPlan:
    """The plan for a version, a line, or for any release."""
    asked = asked_for(session, version) if version else None
    for bad in bad_lines("--line", [line] if line else []):
        raise UsageError(bad.why, bad.remedy)
    if asked and line and asked.line != line:
        raise UsageError(f"{asked.text} is of line {asked.line}, not of {line}", "leave --line out")
    return planned(session.config, asked, line)
