"""What changed between the last final and a commit, as each source saw it: facts, no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from release.core.model import Commit
from release.core.needs import Manifest


class Pull(msgspec.Struct, frozen=True):
    """A merged pull request. `merge` is the commit that its merge made; `login` is who opened it, "" for nobody.

    `commits` are the full ids of others that it is known to have brought: those that the forge was asked about.
    """

    number: int
    title: str
    body: str
    labels: tuple[str, ...]
    login: str
    merge: str
    commits: tuple[str, ...] = ()


class Fragment(msgspec.Struct, frozen=True):
    """A news fragment that was added or changed: its path from the root, and its text."""

    path: str
    text: str


class ApiChange(msgspec.Struct, frozen=True):
    """A difference in the public names of a Python package: `name` is dotted, `what` says it in words, `path` is the file."""

    kind: Literal["removed", "narrowed", "added"]
    name: str
    what: str
    path: str


class Facts(msgspec.Struct, frozen=True):
    """Newest commits first. `paths` were added, changed or removed; `manifests` are those of the files of dependencies that changed.

    `before` and `after` are texts by path, None where there is no such file.
    """

    commits: tuple[Commit, ...] = ()
    pulls: tuple[Pull, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    paths: tuple[str, ...] = ()
    api: tuple[ApiChange, ...] = ()
    manifests: tuple[Manifest, ...] = ()
    before: Mapping[str, str | None] = {}
    after: Mapping[str, str | None] = {}
