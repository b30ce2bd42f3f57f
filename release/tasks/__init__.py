"""What a person types. Signatures and help over the commands; the only place that catches."""

from __future__ import annotations

from invoke import Collection, Program

from release import __version__
from release.tasks import fleet, release, sandbox

namespace = Collection(
    Collection.from_module(release, name="release"),
    Collection.from_module(fleet, name="fleet"),
    Collection.from_module(sandbox, name="sandbox"),
)
program = Program(name="sluice", version=__version__, namespace=namespace)

__all__ = ["namespace", "program"]
