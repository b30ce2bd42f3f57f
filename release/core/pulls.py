"""Which pull request brought which change, and what its labels and its release note call for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

import msgspec

from release.core.commits import Change, header, plain
from release.core.config import Config
from release.core.facts import Facts, Pull
from release.core.model import Commit, Level, Person, Reason

LABELS: Mapping[str, Level] = {
    "breaking": "major",
    "breaking-change": "major",
    "kind-api-change": "major",
    "kind-breaking": "major",
    "kind-breaking-change": "major",
    "type-breaking": "major",
    "type-breaking-change": "major",
    "semver-major": "major",
    "release-note-action-required": "major",
    "feature": "minor",
    "enhancement": "minor",
    "kind-feature": "minor",
    "kind-enhancement": "minor",
    "type-feature": "minor",
    "type-enhancement": "minor",
    "semver-minor": "minor",
    "bug": "patch",
    "bugfix": "patch",
    "fix": "patch",
    "regression": "patch",
    "security": "patch",
    "performance": "patch",
    "kind-bug": "patch",
    "kind-fix": "patch",
    "kind-regression": "patch",
    "kind-security": "patch",
    "type-bug": "patch",
    "type-fix": "patch",
    "type-security": "patch",
    "semver-patch": "patch",
}
"""What a label calls for, in its `plain_label` form: `semver:major`, `semver/major` and `SemVer: major` are one."""

URGENT = "action required"
URGENT_LABEL = "release-note-action-required"
NOTHING = ("", "none", "n/a", "na")
"""What people write into a release-note block, in any case, to say that there is nothing to say."""


def numbers(changes: Iterable[Change]) -> frozenset[int]:
    """The pull requests that changes name themselves: what to ask the forge for."""
    return frozenset(change.pull for change in changes if change.pull)


def unbrought(changes: Sequence[Change], commits: Iterable[Commit], pulls: Iterable[Pull]) -> tuple[str, ...]:
    """The originals of copies that none of these pull requests is known to have brought: what else to ask the forge for.

    They are full ids, each once, in the order of the changes, which are those of the range `commits`, newest first.
    """
    if not any(change.origins for change in changes):
        return ()
    bringers = Attribution(pulls).bringers(changes, {commit.id: commit for commit in commits})
    return tuple(dict.fromkeys(id_ for change, pull in bringers if pull is None for id_ in change.origins))


def attributed(changes: Sequence[Change], commits: Iterable[Commit], pulls: Iterable[Pull]) -> tuple[Change, ...]:
    """The changes with the pull request that brought each, with who opened it and what its release note says.

    `commits` is the range that the changes are of, newest first. A pull request brought the commit that its merge made;
    else the one that the subject of a commit names; else what came in by its merge, the innermost if merges are nested.
    For a copy (`git cherry-pick -x`) the subject is the original's, so the merge that brought the copy goes first, and
    last that of its original; where that is not in the range, what the forge told of it when it was asked (`unbrought`).
    A number that no pull request is known for stays: only the forge knows whether it is one. Of a pull request whose
    commits were rebased, a forge lists the last commit only.

    A merge that speaks for its pull request is by whoever wrote the head of what it merged, if `commits` has that: its own
    author only pressed the button, for many.

    Where no change of a pull request is conventional or breaking, its title is what one of them says: it is what the merger
    was shown, and what a squash would have been called. That is the newest of them if the title is a header, else the
    oldest, which speaks for all where a pull request has one line.
    """
    return Attribution(pulls).of(changes, commits)


class Attribution:
    """Pull requests, ready to be looked up for range after range of one history."""

    def __init__(self, pulls: Iterable[Pull]) -> None:
        self._by_number = {pull.number: pull for pull in pulls}
        self._by_merge = {pull.merge: pull for pull in self._by_number.values() if pull.merge}
        self._by_commit = {id_: pull for pull in self._by_number.values() for id_ in pull.commits}

    def of(self, changes: Sequence[Change], commits: Iterable[Commit]) -> tuple[Change, ...]:
        """The changes of a range with the pull request that brought each: see `attributed`."""
        if not self._by_number:
            return tuple(changes)
        known = {commit.id: commit for commit in commits}
        note = cache(lambda number: release_note(self._by_number[number])[0])
        found = []
        for change, pull in self.bringers(changes, known):
            if pull is not None:
                by = _writer(change, known) if change.commit == pull.merge else change.author
                said = note(pull.number)
                change = msgspec.structs.replace(change, pull=pull.number, login=pull.login, said=said, author=by)
            found.append(change)
        return tuple(_titled(found, self._by_number))

    def bringers(self, changes: Sequence[Change], known: Mapping[str, Commit]) -> Iterator[tuple[Change, Pull | None]]:
        """Each of the changes with the pull request that brought it, None where none is known. `known`: the range, by id."""
        brought = _brought(tuple(known.values()), self._by_merge)
        for change in changes:
            yield change, self._bringer(change, brought)

    def _bringer(self, change: Change, brought: Mapping[str, int]) -> Pull | None:
        """The pull request that brought a change, by the merges of the range (`brought`) and all else that is known."""
        by_number, by_merge = self._by_number, self._by_merge
        if change.commit in by_merge:
            return by_merge[change.commit]
        named, merged = by_number.get(change.pull), by_number.get(brought.get(change.commit, 0))
        first, second = (merged, named) if change.origins else (named, merged)
        if first or second:
            return first or second
        for origin in change.origins:
            if found := by_merge.get(origin) or by_number.get(brought.get(origin, 0)):
                return found
        told = (self._by_commit[id_] for id_ in (change.commit, *change.origins) if id_ in self._by_commit)
        return next(told, None)


def label_reasons(config: Config, facts: Facts, changes: Sequence[Change]) -> Iterator[Reason]:
    """One reason for each label that means something, of each pull request that brought one of the (attributed) changes.

    One whose changes were all taken back brought none. [changes.labels] adds to the built-in table, and goes first.
    """
    known = {**LABELS, **{plain_label(name): bump for name, bump in config.changes.labels.items()}}
    for pull in _counted(facts, changes):
        for label in pull.labels:
            if bump := known.get(plain_label(label)):
                yield Reason(f"#{pull.number}", plain(pull.title, 200), bump, f"label {plain(label, 50)}")


def note_reasons(config: Config, facts: Facts, changes: Sequence[Change]) -> Iterator[Reason]:
    """One reason for each pull request with a release note that brought one of the (attributed) changes.

    What users are told of is at least a patch; where they have to act, it is major.
    """
    for pull in _counted(facts, changes):
        said, urgent = release_note(pull)
        if said or urgent:
            why = f"release note: {URGENT}" if urgent else "release note"
            yield Reason(f"#{pull.number}", plain(said or pull.title, 200), "major" if urgent else "patch", why)


def release_note(pull: Pull) -> tuple[str, bool]:
    """What a pull request's release-note blocks tell users, "" for nothing, and whether users have to act.

    They have to where block, its info string or a label says so; then the note says it, too. Comments are left out.
    A block is a fenced one of CommonMark (section 4.5) with the info string `release-note`.
    """
    blocks = [(info, _said(text)) for info, text in _blocks(_uncommented(pull.body.replace("\r\n", "\n")))]
    said = "\n\n".join(text for _, text in blocks if text)
    labelled = any(plain_label(label) == URGENT_LABEL for label in pull.labels)
    urgent = labelled or any(text and URGENT in _words(f"{info}\n{text}") for info, text in blocks)
    if said and urgent and URGENT not in said.lower():
        said = f"{URGENT.capitalize()}: {said}"
    return said, urgent


def plain_label(label: str) -> str:
    """A label for comparison: in lower case, with one "-" for each run of spaces, colons, slashes and the like."""
    return "-".join(_WORDS.findall(label.casefold()))


_WORDS = re.compile(r"[^\s:/_.-]+")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$")


def _counted(facts: Facts, changes: Sequence[Change]) -> Iterator[Pull]:
    """The pull requests that brought changes, in the order of the changes."""
    known = {pull.number: pull for pull in facts.pulls}
    for number in dict.fromkeys(change.pull for change in changes):
        if number in known:
            yield known[number]


def _writer(change: Change, known: Mapping[str, Commit]) -> Person:
    """Who wrote what a merge merged; merges on its branch, which bring that up to date, are passed over."""
    head = known.get(known[change.commit].parents[-1]) if _is_merge(known.get(change.commit)) else None
    while head is not None and _is_merge(head):
        head = known.get(head.parents[0])
    return head.author if head is not None else change.author


def _is_merge(commit: Commit | None) -> bool:
    return commit is not None and len(commit.parents) > 1


def _brought(commits: Sequence[Commit], by_merge: Mapping[str, Pull]) -> dict[str, int]:
    """The number of the pull request by whose merge each commit came in, 0 for none.

    Each commit is walked once: along the first parents from a head, and back from the oldest of them. What a merge
    brought is then what can be reached from its other parents and was not met before.
    """
    known = {commit.id: commit for commit in commits}
    owner: dict[str, int] = {}
    for commit in commits:
        if commit.id in owner:
            continue
        todo = [(owned, 0) for owned in _trunk(commit.id, known, owner)]
        owner.update(dict.fromkeys((one.id for one, _ in todo), 0))
        while todo:  # the oldest is at the end
            one, number = todo.pop()
            pull = by_merge.get(one.id) if len(one.parents) > 1 else None
            inner = pull.number if pull else number
            for parent in one.parents[1:]:
                side = [(owned, inner) for owned in _trunk(parent, known, owner)]
                owner.update(dict.fromkeys((owned.id for owned, _ in side), inner))
                todo.extend(side)
    return owner


def _trunk(start: str, known: Mapping[str, Commit], met: Mapping[str, int]) -> list[Commit]:
    """The commits along the first parents, as far as they are known and were not met; newest first."""
    path: list[Commit] = []
    while start in known and start not in met:
        path.append(known[start])
        start = known[start].parents[0] if known[start].parents else ""
    return path


def _titled(changes: Sequence[Change], by_number: Mapping[int, Pull]) -> Iterator[Change]:
    """The changes, with the title of a pull request for one of its own where all of them say nothing."""
    telling = {change.pull for change in changes if change.type or change.breaking}
    oldest = {change.pull: change.commit for change in changes}
    for change in changes:
        if change.pull in by_number and change.pull not in telling:
            type_, scope, breaking, text = header(by_number[change.pull].title)
            if type_ or oldest[change.pull] == change.commit:
                telling.add(change.pull)
                text = text or change.description
                change = msgspec.structs.replace(change, type=type_, scope=scope, breaking=breaking, description=text)
        yield change


def _uncommented(text: str) -> str:
    """A text without its HTML comments; one that is never closed stays."""
    kept: list[str] = []
    while True:
        before, opening, rest = text.partition("<!--")
        kept.append(before)
        _, closing, after = rest.partition("-->")
        if not closing:
            return "".join([*kept, opening, rest])
        text = after


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Info string and text of each fenced release-note block; one that is never closed runs to the end."""
    fence, info, lines = "", "", list[str]()
    for line in text.split("\n"):
        seen = _FENCE.match(line)
        if not fence:
            if seen:
                fence, info, lines = seen[1], seen[2].strip(), []
        elif seen and seen[1][0] == fence[0] and len(seen[1]) >= len(fence) and not seen[2].strip():
            yield from _noted(info, lines)
            fence = ""
        else:
            lines.append(line)
    if fence:
        yield from _noted(info, lines)


def _noted(info: str, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    if plain_label(info).startswith("release-note"):
        yield info, "\n".join(lines)


def _said(text: str) -> str:
    """A block's text, "" where it says that there is nothing to say."""
    text = text.strip()
    return "" if text.strip(" \t\n.*_`\"'()-").lower() in NOTHING else text


def _words(text: str) -> str:
    return plain_label(text).replace("-", " ")
