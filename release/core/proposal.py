"""A release that is proposed by a pull request, where a branch takes nothing else: its branch, its words, its mark."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

import msgspec

from release.core.finding import Conflict
from release.core.forge import Proposed
from release.core.model import Reason, Release, Splice
from release.core.version import Scheme, Version

PREFIX = "sluice/next/"
LIMIT = 65_536  # characters of a pull request's description, by GitHub's own message
SHOWN = 5  # paths that a conflict names
CUT = "\n\n… and more than fits here; the changed files have all of it."
TRAILER = "Release-Content"
DIFFERS = "proposal-differs"
_MARK = re.compile(r"<!-- sluice next (\S{1,200}) ([a-z]{1,20}) ([0-9a-f]{40}) (\S{1,40}) -->")


class Mark(msgspec.Struct, frozen=True):
    """What a pull request of ours says of itself: the version and its bump, the commit that it was made on, and when."""

    version: str
    bump: str
    base: str
    date: str


class Offer(msgspec.Struct, frozen=True):
    """A pull request of ours and the version that it brings."""

    pull: Proposed
    mark: Mark
    version: Version

    @property
    def merged(self) -> bool:
        return bool(self.pull.merge)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"#{self.pull.number}"

    @property
    def reason(self) -> Reason:
        """Why its version is the one that is released."""
        what = f"merged as {self.pull.merge[:10]}" if self.merged else "waits to be merged"
        return Reason(self.name, what, self.mark.bump, "proposed by a pull request")


def branch_for(base: str) -> str:
    """The branch that proposes the next release of another one; a branch has one."""
    return PREFIX + base


def title(release: Release) -> str:
    """What the pull request is called, which is what a squash of it becomes."""
    return release.message.strip()


def body(release: Release) -> str:
    """What the pull request says: the notes, and the mark by which any machine knows it. No notes can claim a mark."""
    mark = f"<!-- sluice next {_hidden(release.version)} {release.bump} {release.base} {release.date} -->\n"
    notes = release.notes.replace("<!-- sluice", "<!- sluice").strip()
    if len(notes) + len(mark) + 2 > LIMIT:
        notes = notes[: LIMIT - len(mark) - len(CUT) - 2] + CUT
    return f"{notes}\n\n{mark}".lstrip("\n")


def message(release: Release, digest: str) -> str:
    """What the proposed commit says; by the digest it is known whether its files are as we wrote them."""
    return f"{title(release)}\n\n{TRAILER}: {digest}\n"


def claimed(text: str) -> str:
    """The digest that a commit's message claims, "" for none."""
    found = re.fullmatch(rf"chore\(release\): [^\n]+\n\n{TRAILER}: ([0-9a-f]{{64}})\n*", text)
    return found[1] if found else ""


def digest(contents: Mapping[str, bytes | None]) -> str:
    """The SHA-256 (hex) of files by their paths; None is a file that is not there."""
    found = sha256()
    for path in sorted(contents):
        content = contents[path]
        size = -1 if content is None else len(content)
        found.update(f"{path}\0{size}\0".encode("utf-8", "surrogateescape"))
        found.update(content or b"")
    return found.hexdigest()


def applied(edits: Sequence[Splice], texts: Mapping[str, str | None]) -> dict[str, bytes | None]:
    """What files become by edits; `texts` are those that the edits were made for."""
    files = {edit.path: texts.get(edit.path) or "" for edit in edits}
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        files[edit.path] = edit.applied(files[edit.path])
    gone = {edit.path for edit in edits if edit.removes}
    return {path: None if path in gone else text.encode() for path, text in files.items()}


def marked(text: str) -> Mark | None:
    """The mark in the description of a pull request: the last one, for ours closes it."""
    found = _MARK.findall(text)
    if not found:
        return None
    version, bump, base, date = found[-1]
    return Mark(_shown(version), bump, base, date) if _is_moment(date) else None


def offer(rules: Scheme, found: Proposed) -> Offer | None:
    """A pull request as one of ours, if its mark tells a version."""
    mark = marked(found.body)
    version = rules.parse(mark.version) if mark else None
    return Offer(found, mark, version) if mark is not None and version is not None else None


def awaited(
    rules: Scheme, found: Iterable[Proposed], tags: Collection[str], burned: Collection[Version]
) -> Offer | None:
    """The newest merged pull request of ours (they come newest first) whose version is neither tagged nor given up."""
    for one in found:
        ours = offer(rules, one) if one.merge else None
        if ours is not None and ours.version not in burned:
            return None if rules.tag(ours.version) in tags else ours
    return None


def busy(found: Offer, tag: str) -> Conflict:
    """What was merged comes first."""
    finish = f"release it: invoke release --version {tag}; or give it up: invoke release.abandon --version {tag}"
    return Conflict("unfinished", f"{found.name}, which proposed {tag}, is merged, and {tag} is not tagged", finish)


def lacking(found: Offer, tag: str, missing: Collection[str]) -> Conflict:
    """The merged tree is not what the release writes: somebody took it back, or merged it by halves."""
    why = f"{found.name} was merged as {found.pull.merge[:10]}, where {_named(missing)} lacks the entry of {tag}"
    return Conflict(DIFFERS, why, way_out(tag))


def unlisted(found: Offer, tag: str, paths: Collection[str]) -> Conflict:
    """The merged tree holds what no notes tell of."""
    base, merge = found.mark.base[:10], found.pull.merge[:10]
    why = f"{found.name} was made on {base} and merged as {merge}, which changes {_named(paths)} besides"
    return Conflict(DIFFERS, why, way_out(tag))


def astray(found: Offer, tag: str) -> Conflict:
    """The commit that it says to be made on is not behind its merge."""
    why = f"{found.name} says to be made on {found.mark.base[:10]}, which is not in the history of {found.pull.merge[:10]}"
    return Conflict(DIFFERS, why, way_out(tag))


def way_out(tag: str) -> str:
    """What to do about a merge that cannot be released."""
    return (
        f'give the number up: invoke release.abandon --version {tag} --reason "merged with other changes"; the next '
        "pull request then lists everything"
    )


def _named(paths: Collection[str]) -> str:
    names = [name if name.isprintable() else repr(name) for name in sorted(paths)]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(name[:200] for name in names[:SHOWN]) + more


def _hidden(version: str) -> str:
    """A version as it may stand in a comment of HTML, where `--` ends one."""
    return version.replace("--", "-%2D")


def _shown(version: str) -> str:
    return version.replace("-%2D", "--")


def _is_moment(date: str) -> bool:
    try:
        return datetime.fromisoformat(date).tzinfo is not None
    except ValueError:
        return False
