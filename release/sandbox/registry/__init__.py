"""A container registry on loopback: the OCI distribution API, with users, tokens, and faults by plan."""

from __future__ import annotations

from release.sandbox.registry.registry import SandboxRegistry
from release.sandbox.serving.faults import Fault
from release.sandbox.serving.server import Request

__all__ = ["Fault", "Request", "SandboxRegistry"]
