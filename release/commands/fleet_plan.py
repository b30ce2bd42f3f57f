"""Fleet plan: who would be released, in which order, and why not. Reads the configuration, and asks nobody else."""

from __future__ import annotations

import re

from release.app import Session
from release.commands.adopt import asked_for
from release.core.fleet_plan import FleetPlan
from release.core.fleet_plan import fleet_plan as planned
from release.errors import UsageError


def fleet_plan(session: Session, version: str, line: str) -> FleetPlan:
    """The plan for a version, a line, or for any release."""
    asked = asked_for(session, version) if version else None
    if line and not re.fullmatch(r"(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})", line):
        raise UsageError(f"--line {line[:60]!r} is no line", "write major and minor, as in 1.33")
    if asked and line and asked.line != line:
        raise UsageError(f"{asked.text} is of line {asked.line}, not of {line}", "leave --line out")
    return planned(session.config, asked, line)
