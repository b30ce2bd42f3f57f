"""What commits mean: Conventional Commits 1.0.0, and which of them took each other back or are copies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from heapq import heapify, heappop, heappush

import msgspec

from release.core.model import Commit, Person


class Change(msgspec.Struct, frozen=True):
    """What a commit says it does. Its texts come from git and are not safe to show: see `plain`.

    `commit` is the full id; `type` is lowercased, "" for a commit that is not conventional, "revert" for git's own
    `Revert "..."`; `note` is the text of the BREAKING CHANGE footers, "" for none. `pull` is the number of the pull
    request that brought it (0: none is known), as the subject names it until `pulls.attributed` knows better; `login`
    is who opened that, `said` what its release-note block says. `origins` are the full ids of the commits that this
    one was picked from with `git cherry-pick -x`, as it names them.
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
    origins: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """The change as a conventional header."""
        scope = f"({self.scope})" if self.scope else ""
        mark = "!" if self.breaking else ""
        return f"{self.type}{scope}{mark}: {self.description}" if self.type else self.description


def changes(commits: Iterable[Commit], first_parent: bool = False) -> tuple[Change, ...]:
    """What a range of commits changes, in the order given, which is newest first.

    A revert and what it takes back both vanish when both are in the range (reverting a merge takes back what it merged),
    and a revert of a revert brings the original back. A copy whose originals are in the range is not told again.

    A merge without a type and without a BREAKING CHANGE is left out, as the commits that it merged tell their own. In a
    `first_parent` history nothing else tells of them: there every merge counts, by the title of its pull request.
    """
    seen = tuple(commits)
    gone = _cancelled(seen)
    read = merged if first_parent else change
    found = [read(commit) for commit in seen if commit.id not in gone] if gone else list(map(read, seen))
    if not first_parent:
        silent = {commit.id for commit in seen if len(commit.parents) > 1}
        found = [one for one in found if one.type or one.breaking or one.commit not in silent] if silent else found
    return tuple(_once(found))


def change(commit: Commit) -> Change:
    """Read a commit's message. What it does not know becomes a change without a type, described by its subject.

    A BREAKING CHANGE footer counts in any commit and, as it cannot be mistaken, at the start of any line (clauses 12
    and 16 ask for a blank line before the footers; to miss one would break users). Where there is just a "!", the
    description says what breaks (clause 13), and the note is "".

    GitHub's squash merges end a subject with the number of the pull request, ` (#12)`; its merges begin with one, and
    tell the title in the body. Both become `pull`, and no description repeats it.
    """
    subject, body = _parts(commit.message)
    subject, pull = _marked(subject)
    if subject.startswith("Merge pull request #") and (seen := _MERGE.match(subject)):
        return _read(commit, "", _title(body) or subject, body, int(seen[1]))
    return _read(commit, subject, subject, body, pull)


def merged(commit: Commit) -> Change:
    """Read a commit of a first-parent history: a merge speaks for what it merged, by the title in its body's first line.

    GitHub and GitLab put it there, below a subject of their own. It is a header there, too.
    """
    found = change(commit)
    if len(commit.parents) < 2 or found.type:
        return found
    subject, body = _parts(commit.message)
    title, pull = _marked(_title(body)) if subject.startswith("Merge ") else ("", 0)
    return _read(commit, title, title, body, found.pull or pull) if title else found


def header(text: str) -> tuple[str, str, bool, str]:
    """Type, scope, whether it says "!", and description of a line such as a pull request's title; "" for no type."""
    type_, scope, mark, description = _header(_marked(text.strip())[0])
    return type_, scope, bool(mark), description


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
_MERGE = re.compile(r"Merge pull request #([1-9][0-9]{0,8})\b")
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)\)\s*$")
_MERGED_REVERT = re.compile(r"Merge pull request #[0-9]+ from [^\s/]+/revert-([1-9][0-9]{0,8})-")
_REVERTING = ("revert", "reappl", "merge ")
_UNDONE = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?#([1-9][0-9]{0,8})\s*$", re.MULTILINE)
_ID = re.compile(r"(?<![0-9A-Za-z#])[0-9a-f]{7,64}(?![0-9A-Za-z])")


def _parts(message: str) -> tuple[str, str]:
    """A message's first line and the rest, without carriage returns. Only LF ends a line: U+2028 does not."""
    subject, _, body = message.replace("\r\n", "\n").lstrip("\n").partition("\n")
    return subject.strip(), body


def _title(body: str) -> str:
    """The first line of a body that has something in it."""
    return body.lstrip().partition("\n")[0].strip()


def _marked(subject: str) -> tuple[str, int]:
    """A subject without the number of a pull request at its end, and that number, 0 for none; of several the last one."""
    if subject[-1:] == ")" and (at := subject.rfind(" (#")) > 0:
        number = subject[at + 3 : -1]
        if len(number) < 10 and number.isascii() and number.isdigit() and number[0] != "0":
            return subject[:at].rstrip(), int(number)
    return subject, 0


def _read(commit: Commit, heading: str, otherwise: str, body: str, pull: int) -> Change:
    """A change by its header, and described by something else where it has none."""
    type_, scope, mark, description = _header(heading)
    if not body:
        return Change(commit.id, type_, scope, mark == "!", description or otherwise, "", commit.author, pull)
    notes = _values(body, _BREAKING, anywhere=True) if "BREAKING" in body else []
    note = "\n".join(notes).strip()
    breaking = mark == "!" or bool(notes)
    origins = _origins(body) if "(cherry picked from commit " in body else ()
    description = description or otherwise
    return Change(commit.id, type_, scope, breaking, description, note, commit.author, pull, origins=origins)


def _origins(body: str) -> tuple[str, ...]:
    """The ids that `git cherry-pick -x` noted, one a line, the latest first: it adds its line at the end."""
    found = (_PICKED.match(line) for line in body.split("\n"))
    return tuple(dict.fromkeys(seen[1] for seen in found if seen))[::-1]


def _once(found: list[Change]) -> list[Change]:
    """Without the copies of what is here, too. A copy that breaks where its original does not is told.

    A picked copy names what it was picked from, and that one's own originals: these are the same change. A commit that
    squashes copies of several is one of them only if all are here.
    """
    copies = [change for change in found if change.origins]
    if not copies:
        return found
    here = {change.commit: change for change in found}
    again: set[str] = set()
    for copy in copies:
        known = [here[id_] for id_ in copy.origins if id_ in here and id_ != copy.commit]
        covered = {id_ for one in known for id_ in (one.commit, *one.origins)}
        if covered.issuperset(copy.origins) and (not copy.breaking or any(one.breaking for one in known)):
            again.add(copy.commit)
    return [change for change in found if change.commit not in again]


def _header(subject: str) -> tuple[str, str, str, str]:
    """Type, scope, "!" and description: clauses 1 to 5 and 13; clause 15 makes types case-insensitive."""
    if seen := _HEADER.fullmatch(subject):
        return seen[1].lower(), (seen[2] or "").strip(), seen[3], seen[4]
    if seen := _REVERT.fullmatch(subject):
        return "revert", "", "", f"{seen[1]}{seen[2]}" or subject
    return "revert" if subject.startswith('Reapply "') else "", "", "", subject


def _values(body: str, token: re.Pattern[str], *, anywhere: bool = False) -> list[str]:
    """The values of a footer: clauses 8 to 10. A value runs over lines up to the next footer, or what git adds to a copy."""
    found: list[list[str]] = []
    inside = opened = False
    blank = True
    for line in body.split("\n"):
        footer = ((opened or blank) and _FOOTER.match(line) is not None) or _PICKED.match(line) is not None
        starts = token.match(line) if footer or anywhere else None
        opened, inside = opened or footer or starts is not None, starts is not None or (inside and not footer)
        if starts:
            found.append([line[starts.end() :]])
        elif inside:
            found[-1].append(line)
        blank = not line.strip()
    return ["\n".join(lines).strip() for lines in found]


def _cancelled(commits: Sequence[Commit]) -> set[str]:
    """The commits that a range takes back itself, reverts included; newest first, so a reverted revert does nothing.

    A revert that names its target is about just that, not about copies of it.
    """
    gone: set[str] = set()
    reverts = {commit.id: named for commit in commits if (named := _taken_back(commit))}
    ordered = _descending(commits) if reverts else ()
    known = _Range(ordered)
    for place, commit in enumerate(ordered):
        named = reverts.get(commit.id, [])
        if not named or commit.id in gone:
            continue
        targets = [known.older(name, place) for name in named]
        if all(targets):
            gone.add(commit.id)
        for target in (one for found in targets for one in found):
            gone |= known.brought(target)
    return gone


def _descending(commits: Sequence[Commit]) -> tuple[Commit, ...]:
    """The commits with children before their parents, else in their order: a log by date can show a merge before the
    commit that takes it back, where both are of the same second."""
    places = {commit.id: place for place, commit in enumerate(commits)}
    children = Counter(parent for commit in commits for parent in commit.parents)
    ready = [place for place, commit in enumerate(commits) if not children[commit.id]]
    found: list[Commit] = []
    while ready:
        commit = commits[heappop(ready)]
        found.append(commit)
        for parent in commit.parents:
            children[parent] -= 1
            if not children[parent] and parent in places:
                heappush(ready, places[parent])
    return tuple(found)


def _taken_back(commit: Commit) -> list[str]:
    """What a revert names: ids in git's own sentence, or in the Refs footer that Conventional Commits advises; else the
    pull request, as `#12`, where GitHub reverts one.

    Since git 2.43 the revert of a revert is called `Reapply "..."`.
    """
    if not commit.message.lstrip("\n")[:6].lower().startswith(_REVERTING):
        return []
    subject, body = _parts(commit.message)
    if seen := _MERGED_REVERT.match(subject):
        return [f"#{seen[1]}"] if body.lstrip().startswith('Revert "') else []
    subject, _ = _marked(subject)
    if _header(subject)[0] != "revert":
        return []
    named = _REVERTS.findall(body) or [id_ for value in _values(body, _REFS) for id_ in _ID.findall(value)]
    return list(dict.fromkeys(named)) or _pulls_taken_back(subject, body)


def _pulls_taken_back(subject: str, body: str) -> list[str]:
    """The pull requests that GitHub says to revert: `Reverts owner/name#12`, or the number in the quoted subject."""
    if named := [f"#{number}" for number in _UNDONE.findall(body)]:
        return list(dict.fromkeys(named))
    seen = _REVERT.fullmatch(subject)
    number = _marked(seen[1])[1] if seen else 0
    return [f"#{number}"] if number else []


class _Range:
    """A range of commits that can be asked for ids (also short ones), and for what a merge brought."""

    def __init__(self, commits: Sequence[Commit]) -> None:
        self.commits = {commit.id: commit for commit in commits}
        self.place = {commit.id: place for place, commit in enumerate(commits)}
        self.short: dict[str, list[str]] = {}
        for id_ in self.commits:
            self.short.setdefault(id_[:7], []).append(id_)

    def older(self, name: str, than: int) -> list[Commit]:
        """The one commit of an id, or those of a pull request (`#12`), older than the place given: nothing reverts its
        future."""
        if name.startswith("#"):
            return [commit for commit in self.by_pull.get(int(name[1:]), ()) if self.place[commit.id] > than]
        ids = [id_ for id_ in self.short.get(name[:7], ()) if id_.startswith(name)]
        return [self.commits[ids[0]]] if len(ids) == 1 and self.place[ids[0]] > than else []

    @cached_property
    def by_pull(self) -> dict[int, list[Commit]]:
        """The commits that name the pull request they came by."""
        found: dict[int, list[Commit]] = {}
        for commit in self.commits.values():
            if "#" in commit.message and (number := change(commit).pull):
                found.setdefault(number, []).append(commit)
        return found

    def brought(self, commit: Commit) -> set[str]:
        """The commit, and for a merge what came in by it: reachable from it, but not from its first parent.

        Both are followed at once, those first that are farthest from the oldest commits: whether a commit is on the first
        parent's side is settled when its turn comes, and what lies below the branch that was merged is not looked at.
        """
        first, *others = commit.parents or ("",)
        main = {first}
        side = {id_ for id_ in others if id_ in self.commits and id_ != first}
        queued = {id_ for id_ in commit.parents if id_ in self.commits}
        turns = [(-self.height[id_], id_) for id_ in queued]
        heapify(turns)
        found = {commit.id}
        while side:
            _, id_ = heappop(turns)
            kin = {parent for parent in self.commits[id_].parents if parent in self.commits}
            if id_ in side:
                side.discard(id_)
                found.add(id_)
                side |= kin - main
            else:
                main |= kin
                side -= kin
            for parent in kin - queued:
                heappush(turns, (-self.height[parent], parent))
            queued |= kin
        return found

    @cached_property
    def height(self) -> dict[str, int]:
        """How many commits the longest way down has: a commit is higher than its parents, in whatever order git tells."""
        found: dict[str, int] = {}
        for start in reversed(self.commits):
            waiting = [start]
            while waiting:
                id_ = waiting[-1]
                below = [parent for parent in self.commits[id_].parents if parent in self.commits]
                if missing := [parent for parent in below if parent not in found]:
                    waiting.extend(missing)
                else:
                    found[id_] = 1 + max((found[parent] for parent in below), default=0)
                    waiting.pop()
        return found
