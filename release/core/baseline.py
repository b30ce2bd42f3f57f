"""The baseline of a project with history: from which release on everything has to be proved. Written into its release.toml."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator, Sequence

import msgspec

from release.core.config import Config
from release.core.finding import Conflict
from release.core.fleet_window import EVERYTHING, window
from release.core.model import Tag, UpdateWish
from release.core.notation import quoted
from release.core.references import edited

FILE = "release.toml"
HEADER = re.compile(r"[ \t]*\[[ \t]*project[ \t]*\][ \t]*(#.*)?")
DOTTED = re.compile(r"[ \t]*project[ \t]*\.")


class Baseline(msgspec.Struct, frozen=True):
    """What a baseline says: the `history` releases whose commits are older are as they are, and the `proved` ones have to be whole.

    `diff` is how the file changes, () where it says so already; `before` is what it said, "" for nothing. `next` is what to do
    with it.
    """

    since: str
    before: str
    history: int
    proved: int
    diff: tuple[str, ...] = ()
    next: str = ""


def counted(config: Config, tags: Sequence[Tag], since: str) -> tuple[int, int]:
    """How many releases are history by this baseline, and how many are not: by the days of their commits, as the status has it."""
    project = msgspec.structs.replace(config.project, since=since)
    world = window(msgspec.structs.replace(config, project=project), tags, EVERYTHING)
    if isinstance(world, Conflict):
        return 0, 0
    return len(world.versions) - len(world.window), len(world.window)


def with_baseline(text: str, tag: str) -> str | Conflict:
    """The file with `[project] since`, and nothing else of it touched; a Conflict where that cannot be done."""
    data = tomllib.loads(text)
    project = data.get("project", {})
    if project.get("since") == tag:
        return text
    wanted = {**data, "project": {**project, "since": tag}}
    for changed in _ways(text, tag, "since" in project):
        try:
            if tomllib.loads(changed) == wanted:
                return changed
        except tomllib.TOMLDecodeError:
            continue
    why = f"{FILE} is written so that [project] since cannot be put into it without touching the rest"
    return Conflict("baseline-unwritable", why, f"write it by hand: since = {_toml(tag)}")


def difference(old: str, new: str) -> tuple[str, ...]:
    """What changes, as a unified diff."""
    return tuple(difflib.unified_diff(old.splitlines(), new.splitlines(), FILE, FILE, lineterm=""))


def unknown(since: str, tags: Collection[str]) -> Conflict:
    """A baseline that is no release."""
    near = difflib.get_close_matches(since[:100], list(tags), n=1)
    remedy = f"did you mean {near[0]}?" if near else "name a release that is out: invoke release.list"
    return Conflict("since-unknown", f"the upstream has no tag {quoted(since)}", remedy)


def _ways(text: str, tag: str, there: bool) -> Iterator[str]:
    """The file as it may be written; which of these says the right thing is seen by reading it."""
    if there:
        splice = edited(UpdateWish(FILE, "toml", tag, key="project.since"), text)
        if splice is not None and not isinstance(splice, Conflict):
            yield splice.applied(text)
        return
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        bare = line.rstrip("\r\n")
        if HEADER.fullmatch(bare):
            kept = line if line != bare else line + end
            yield "".join((*lines[:number], kept, f"since = {_toml(tag)}{end}", *lines[number + 1 :]))
        elif DOTTED.match(bare):
            yield "".join((*lines[:number], f"project.since = {_toml(tag)}{end}", *lines[number:]))
    gap = end if text and not text.endswith("\n") else ""
    yield f"{text}{gap}{end if text else ''}[project]{end}since = {_toml(tag)}{end}"


def _toml(tag: str) -> str:
    """A tag as a text of TOML: tags have neither quotes nor control characters."""
    return f'"{tag}"'
