"""What commits mean: Conventional Commits 1.0.0, and which of them took each other back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from release.core.model import Commit, Person


class Change(msgspec.Struct, frozen=True):
    """What a commit says it does. Its texts come from git and are not safe to show: see `plain`.

    `commit` is the full id; `type` is lowercased, "" for a commit that is not conventional, "revert" for git's own
    `Revert "..."`; `note` is the text of the BREAKING CHANGE footers, "" for none. `pull` is the number of the pull
    request that brought it (0: none is known), `login` who opened that, `said` what its release-note block says.
    """

    commit: str
    type: str
    scope: str
    breaking: bool
    description: str
    note: str
    author: Person
    pull: int = 0
    login: str = ""
    said: str = ""

    @property
    def header(self) -> str:
        """The change as a conventional header."""
        scope = f"({self.scope})" if self.scope else ""
        mark = "!" if self.breaking else ""
        return f"{self.type}{scope}{mark}: {self.description}" if self.type else self.description


def changes(commits: Iterable[Commit]) -> tuple[Change, ...]:
    """What a range of commits changes, in the order given, which is newest first.

    Merges that say nothing themselves are left out. A revert and what it takes back both vanish when both are in the
    range (reverting a merge takes back what it merged), and a revert of a revert brings the original back.
    """
    seen = tuple(commits)
    gone = _cancelled(seen)
    kept = ((commit, change(commit)) for commit in seen if commit.id not in gone)
    return tuple(found for commit, found in kept if found.type or len(commit.parents) < 2)


def change(commit: Commit) -> Change:
    """Read a commit's message. What it does not know becomes a change without a type, described by its subject.

    A BREAKING CHANGE footer counts in any commit and, as it cannot be mistaken, at the start of any line (clauses 12
    and 16 ask for a blank line before the footers; to miss one would break users).
    """
    subject, body = _parts(commit.message)
    type_, scope, mark, description = _header(subject)
    notes = _values(body, _BREAKING, anywhere=True) if "BREAKING" in body else []
    note = "\n".join(notes).strip()
    return Change(commit.id, type_, scope, bool(mark or notes), description, note, commit.author)


def plain(text: str, limit: int = 500) -> str:
    """A stranger's text in one line that is safe for a terminal or a log.

    Control characters (ESC among them), line separators, lone surrogates, and what is invisible or turns the direction
    of writing are taken out; more than `limit` characters are cut, with "..." at the end.
    """
    line = " ".join(re.sub(_UNSAFE, "", re.sub(_BREAKS, " ", text[: 4 * limit])).split())
    return line if len(line) <= limit and len(text) <= 4 * limit else f"{line[: limit - 3]}..."


_BREAKS = "[\t-\r\x85\u2028\u2029]"
_UNSAFE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_BREAKING = re.compile(r"BREAKING[ -]CHANGE:(?: |$)")
_REFS = re.compile(r"refs:(?: |$)", re.IGNORECASE)
_FOOTER = re.compile(r"(?:BREAKING CHANGE:|[A-Za-z0-9][A-Za-z0-9-]*:)(?: |$)|[A-Za-z0-9][A-Za-z0-9-]* #")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)(?:\(([^()]*)\))?(!?): +(\S.*)", re.DOTALL)
_REVERT = re.compile(r'Revert "(.*)"(.*)', re.DOTALL)
_REVERTS = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
_ID = re.compile(r"(?<![0-9A-Za-z#])[0-9a-f]{7,64}(?![0-9A-Za-z])")


def _parts(message: str) -> tuple[str, str]:
    """A message's first line and the rest, without carriage returns. Only LF ends a line: U+2028 does not."""
    subject, _, body = message.replace("\r\n", "\n").lstrip("\n").partition("\n")
    return subject.strip(), body


def _header(subject: str) -> tuple[str, str, str, str]:
    """Type, scope, "!" and description: clauses 1 to 5 and 13; clause 15 makes types case-insensitive."""
    if seen := _HEADER.fullmatch(subject):
        return seen[1].lower(), (seen[2] or "").strip(), seen[3], seen[4]
    if seen := _REVERT.fullmatch(subject):
        return "revert", "", "", f"{seen[1]}{seen[2]}" or subject
    return "revert" if subject.startswith('Reapply "') else "", "", "", subject


def _values(body: str, token: re.Pattern[str], *, anywhere: bool = False) -> list[str]:
    """The values of a footer: clauses 8 to 10. A value runs over lines up to the next footer."""
    found: list[list[str]] = []
    inside = opened = False
    blank = True
    for line in body.split("\n"):
        footer = (opened or blank) and _FOOTER.match(line) is not None
        starts = token.match(line) if footer or anywhere else None
        opened, inside = opened or footer or starts is not None, starts is not None or (inside and not footer)
        if starts:
            found.append([line[starts.end() :]])
        elif inside:
            found[-1].append(line)
        blank = not line.strip()
    return ["\n".join(lines).strip() for lines in found]


def _cancelled(commits: Sequence[Commit]) -> set[str]:
    """The commits that a range takes back itself, reverts included; newest first, so a reverted revert does nothing."""
    gone: set[str] = set()
    reverts = [(place, ids) for place, commit in enumerate(commits) if (ids := _taken_back(commit))]
    known = _Range(commits if reverts else ())
    for place, ids in reverts:
        if commits[place].id in gone:
            continue
        targets = [known.older(id_, place) for id_ in ids]
        if all(targets):
            gone.add(commits[place].id)
        for target in filter(None, targets):
            gone |= known.brought(target)
    return gone


def _taken_back(commit: Commit) -> list[str]:
    """The ids that a revert names: git's own sentence, or the Refs footer that Conventional Commits advises.

    Since git 2.43 the revert of a revert is called `Reapply "..."`.
    """
    subject, body = _parts(commit.message)
    if not subject[:6].lower().startswith(("revert", "reappl")) or _header(subject)[0] != "revert":
        return []
    named = _REVERTS.findall(body)
    return list(dict.fromkeys(named or (id_ for value in _values(body, _REFS) for id_ in _ID.findall(value))))


class _Range:
    """A range of commits that can be asked for ids (also short ones), and for what a merge brought."""

    def __init__(self, commits: Sequence[Commit]) -> None:
        self.commits = {commit.id: commit for commit in commits}
        self.place = {commit.id: place for place, commit in enumerate(commits)}
        self.short: dict[str, list[str]] = {}
        for id_ in self.commits:
            self.short.setdefault(id_[:7], []).append(id_)

    def older(self, name: str, than: int) -> Commit | None:
        """The one commit that a name stands for, if it is older than the place given: nothing reverts its future."""
        ids = [id_ for id_ in self.short.get(name[:7], ()) if id_.startswith(name)]
        return self.commits[ids[0]] if len(ids) == 1 and self.place[ids[0]] > than else None

    def brought(self, commit: Commit) -> set[str]:
        """The commit, and for a merge what came in by it: reachable from it, but not from its first parent."""
        if len(commit.parents) < 2:
            return {commit.id}
        main = set(self._reach(commit.parents[:1], set()))
        return {commit.id, *self._reach(commit.parents[1:], main)}

    def _reach(self, starts: Iterable[str], without: set[str]) -> Iterator[str]:
        waiting, met = list(starts), set(without)
        while waiting:
            id_ = waiting.pop()
            if id_ in self.commits and id_ not in met:
                met.add(id_)
                waiting.extend(self.commits[id_].parents)
                yield id_
