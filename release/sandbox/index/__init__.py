"""A Python package index on loopback: PyPI's simple API, uploads and trusted publishing, with faults by plan."""

from __future__ import annotations

from release.sandbox.index.index import PackageIndex
from release.sandbox.serving.faults import Fault
from release.sandbox.serving.server import Request

__all__ = ["Fault", "PackageIndex", "Request"]
