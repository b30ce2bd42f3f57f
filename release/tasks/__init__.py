"""What a person types. Signatures and help over the commands; the only place that catches."""

from __future__ import annotations

import gc

from invoke import Collection, Program

from release import __version__
from release.tasks import build, channel, fleet, release, sandbox, telling

# What a command imports stays: to look for garbage in it again and again would be 4 % of a short one.
gc.set_threshold(100_000)

releasing = Collection.from_module(release, name="release")
for part in (
    build.begin, build.matrix, build.build, build.images,
    telling.version, telling.releases, telling.notes, telling.changelog, telling.all_rules,
):  # fmt: skip
    releasing.add_task(part)
namespace = Collection(
    releasing,
    Collection.from_module(channel, name="channel"),
    Collection.from_module(fleet, name="fleet"),
    Collection.from_module(sandbox, name="sandbox"),
)
program = Program(name="sluice", version=__version__, namespace=namespace)

__all__ = ["namespace", "program"]
