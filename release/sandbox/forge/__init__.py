"""A forge that speaks GitHub's language on loopback: repositories over smart HTTP, the REST API, and faults by plan."""

from __future__ import annotations

from release.sandbox.forge.limits import GITHUB, Limits
from release.sandbox.forge.pulls import merge
from release.sandbox.forge.sandbox import Sandbox
from release.sandbox.serving.faults import Fault

__all__ = ["GITHUB", "Fault", "Limits", "Sandbox", "merge"]
