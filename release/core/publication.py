"""What a release on a forge says: title, notes, the mark by which we know it as ours, and the notice of a withdrawal."""

from __future__ import annotations

import re

from release.core.changelog import escaped
from release.core.forge import Entry, Published
from release.core.model import Release

LIMIT = 125_000  # characters of a body, by GitHub's own message
REASON = 2000  # characters of a reason that are shown; the record has all of it
CUT = "\n\n… and more than fits here; the changelog and the tag have all of it."
NOTICE = "> [!CAUTION]\n> **Withdrawn.** "
_MARK = re.compile(r"<!-- sluice release (\S+) -->")


def entry(release: Release, commit: str) -> Entry:
    """What the release of a commit says; a candidate is a prerelease."""
    mark = f"\n\n{_mark(release.tag)}\n"
    notes = _unmarked(release.notes).strip()
    if len(notes) + len(mark) > LIMIT:
        notes = notes[: LIMIT - len(mark) - len(CUT)] + CUT
    return Entry(release.tag, commit, release.tag, f"{notes}{mark}".lstrip("\n"), release.kind == "candidate")


def ours(found: Published, tag: str) -> bool:
    """Whether a release or a draft carries our mark for this tag."""
    marks = _MARK.findall(found.body)
    return bool(marks) and marks[-1] == _mark_name(tag)


def withdrawn(found: Published, reason: str) -> Entry:
    """What a release says once it is withdrawn: a notice on top of its notes, and a prerelease."""
    body = found.body if is_withdrawn(found) else f"{NOTICE}{escaped(reason, REASON)}\n\n{found.body}"
    if len(body) > LIMIT:
        mark = f"\n\n{_mark(found.tag)}\n" if ours(found, found.tag) else ""
        body = body[: LIMIT - len(mark) - len(CUT)] + CUT + mark
    return Entry(found.tag, found.target, found.name, body, True)


def is_withdrawn(found: Published) -> bool:
    """Whether the notice stands on top already."""
    return found.body.startswith(NOTICE)


def _mark(tag: str) -> str:
    return f"<!-- sluice release {_mark_name(tag)} -->"


def _mark_name(tag: str) -> str:
    """A tag as it may stand in a comment of HTML, where `--` ends one."""
    return tag.replace("--", "-%2D").replace(">", "%3E")


def _unmarked(text: str) -> str:
    """Foreign text cannot claim to be ours."""
    return text.replace("<!-- sluice", "<!- sluice")
