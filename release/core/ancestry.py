"""Who descends from whom: what is new since some commits, and which release each commit belongs to.

Both read one `git log` as it comes, keep what they still need, and ask nobody anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from release.core.model import Commit

SLOP = 64
"""How many older commits are looked at, once all that is new was read, in search of a wrong clock (git's own is 5)."""


T = TypeVar("T")


class Skewed(Exception):
    """A log showed a commit before a child of it, as logs by date do where clocks were wrong: git has to sort it."""


class Since(msgspec.Struct, frozen=True):
    """`commits` are those that no commit of `met` contains, in git's order; `met` are the marked commits that end them.

    No commit of `met` is known to be in another's history. With nothing met, `commits` are the whole history.
    """

    commits: tuple[Commit, ...]
    met: frozenset[str]


class Section(msgspec.Struct, frozen=True):
    """What belongs to a release ("" for what no release contains), children before their parents.

    `previous` are the releases right below it, in the order that they were given in. `date` is that of the release's
    commit, ISO 8601: the commit itself may belong to a lower release.
    """

    release: str
    commits: tuple[Commit, ...]
    previous: tuple[str, ...] = ()
    date: str = ""


def since(commits: Iterator[Commit], marks: Collection[str], slop: int = SLOP) -> Since:
    """What a history has that no marked commit has. `marks` are full ids; those outside of the history do not matter.

    `commits` is the whole history of one tip as plain `git log` gives it, newest first by date. No more of it is read
    than needed, and it is closed then. Where clocks were so wrong that a commit is older than its parents, git's
    log may show a commit before a marked one that contains it; so reading goes on until `slop` commits in a row were
    older than the oldest new one, as `git rev-list tip --not marks` does.
    """
    walk = _Walk(frozenset(marks))
    for commit in commits:
        walk.read(commit)
        if walk.closed and walk.sure(commit, slop):
            break
    _close(commits)
    return Since(tuple(walk.new.values()), frozenset(walk.met))


def within(commits: Collection[Commit], marks: Collection[str]) -> tuple[Commit, ...]:
    """Those of some commits that no marked commit among them contains, in their order.

    A path between two of the commits must not lead through others: what `since` gives is such a collection.
    """
    parents = {commit.id: commit.parents for commit in commits}
    behind: set[str] = set()
    waiting = [mark for mark in marks if mark in parents]
    while waiting:
        id_ = waiting.pop()
        if id_ not in behind:
            behind.add(id_)
            waiting.extend(parent for parent in parents[id_] if parent in parents)
    return tuple(commit for commit in commits if commit.id not in behind)


def contained(history: Iterable[Sequence[str]], tip: str, marks: Collection[str]) -> frozenset[str]:
    """Those of the marked commits that are in the history of the tip.

    `history` is that of the tip and of all marked commits, each commit's id before the ids of its parents, in any
    order: dates are trusted for nothing. No more of it is read than needed, and it is closed then; newest first, that
    is about as far down as to where the tip and the last of the marked commits parted.
    """
    kin = _Kin(tip, marks)
    if not kin.sure():
        for commit, *parents in history:
            kin.read(commit, parents)
            if kin.sure():
                break
    _close(history)
    return kin.contained


def trunk(commits: Iterable[Commit]) -> tuple[Commit, ...]:
    """The path of first parents from the first of some commits, as far as it is among them: what is on the branch itself.

    Of `since`, and of a section, that is what `git rev-list --first-parent` with the same exclusions gives.
    """
    known: dict[str, Commit] = {commit.id: commit for commit in commits}
    step = next(iter(known.values()), None)
    path: list[Commit] = []
    while step is not None:
        path.append(step)
        step = known.get(step.parents[0]) if step.parents else None
    return tuple(path)


def partition(commits: Iterable[Commit], releases: Mapping[str, str]) -> Iterator[Section]:
    """The changelog law over a whole history: a commit belongs to each release that contains it, unless one that is
    in that release's own history contains it too: `git rev-list T --not (the other releases reachable from T)`.

    `commits` is the history of one tip, children before parents, else Skewed; `releases` maps names to commits.
    Of several releases on one commit the first takes all; a commit of two parallel lines is in two sections. Each
    release of the history gets one section, as soon as nothing unread can belong to it; it is forgotten then.
    """
    ledger = _Ledger(releases)
    read: set[int] = set()  # by their hashes, which are small; two equal ones would only give a false alarm
    for commit in commits:
        read.add(hash(commit.id))
        if not read.isdisjoint(map(hash, commit.parents)):
            raise Skewed(commit.id)
        for name in ledger.read(commit):
            yield ledger.close(name)
    for name in tuple(ledger.taken):  # parents that the log does not have, as a shallow one
        yield ledger.close(name)


def told(
    by_date: Iterator[Commit],
    by_descent: Iterator[Commit],
    releases: Mapping[str, str],
    tell: Callable[[Section], T],
) -> dict[str, T]:
    """What `tell` makes of each section of a history, by the release's name, the section itself forgotten at once.

    `by_date` is the history as plain `git log` gives it: it begins at once, and git holds little of it. Only where
    clocks were wrong is everything told anew of `by_descent`, the same history by `git log --topo-order`, which git
    reads from end to end, and holds, before it gives the first commit.
    """
    try:
        return {section.release: tell(section) for section in partition(by_date, releases)}
    except Skewed:
        _close(by_date)
        return {section.release: tell(section) for section in partition(by_descent, releases)}


def _close(commits: Iterable[object]) -> None:
    """Nobody reads on: a log of git's ends."""
    if isinstance(commits, Generator):
        commits.close()


class _Walk:
    """A walk from a tip. What is behind a marked commit is painted, wherever it is met; `waiting` is new and unread."""

    def __init__(self, marks: frozenset[str]) -> None:
        self.marks = marks
        self.new: dict[str, Commit] = {}
        self.met: set[str] = set()
        self.painted: set[str] = set()
        self.waiting: set[str] = set()
        self.oldest: datetime | None = None
        self.quiet = 0

    @property
    def closed(self) -> bool:
        """Whether all that is unread is behind a marked commit."""
        return not self.waiting

    def read(self, commit: Commit) -> None:
        self.waiting.discard(commit.id)
        if commit.id in self.painted:
            self.paint(commit.parents)
        elif commit.id in self.marks:
            self.met.add(commit.id)
            self.painted.add(commit.id)
            self.paint(commit.parents)
        else:
            self.new[commit.id] = commit
            for parent in commit.parents:
                if parent not in self.painted and parent not in self.new:
                    self.waiting.add(parent)

    def paint(self, ids: Iterable[str]) -> None:
        """These and what is known to be behind them is nothing new, though it may have been taken for that."""
        stack = list(ids)
        while stack:
            id_ = stack.pop()
            self.met.discard(id_)
            if id_ in self.painted:
                continue
            self.painted.add(id_)
            self.waiting.discard(id_)
            if known := self.new.pop(id_, None):
                stack.extend(known.parents)

    def sure(self, last: Commit, slop: int) -> bool:
        """Whether no commit that is still unread can be above a new one, as far as clocks can be trusted."""
        if not self.new:
            return True
        if self.oldest is None:
            self.oldest = min(instant(commit) for commit in self.new.values())
        self.quiet = self.quiet + 1 if instant(last) < self.oldest else 0
        return self.quiet >= slop


class _Kin:
    """In whose history each commit is, as far as that was read: a bit for each marked commit, and the first for the tip.

    A marked commit that the tip is not known to contain can still turn up behind what is `waiting`: in the tip's
    history, and unread. What is waiting has to be in the marked commit's own history, one and all, to rule that out.
    """

    def __init__(self, tip: str, marks: Collection[str]) -> None:
        self.open = {mark: 1 << place for place, mark in enumerate(dict.fromkeys(marks), 1)}
        """The marked commits that the tip is not known to contain, each with its bit."""
        self.asked = sum(self.open.values())
        """The bits of those."""
        self.marks = frozenset(self.open)
        self.heirs: dict[str, int] = {}
        self.parents: dict[str, Sequence[str]] = {}
        self.waiting: set[str] = set()
        self.hope = tip
        """One of those waiting, which is why reading goes on; anything else, and another has to be looked for."""
        for mark, bit in self.open.copy().items():
            self._pass_on(bit, [mark])
        self._pass_on(1, [tip])

    @property
    def contained(self) -> frozenset[str]:
        """The marked commits that the tip is known to contain."""
        return self.marks - self.open.keys()

    def read(self, commit: str, parents: Sequence[str]) -> None:
        self.parents[commit] = parents
        self.waiting.discard(commit)
        self._pass_on(self.heirs.get(commit, 0), parents)

    def sure(self) -> bool:
        """Whether nothing that is unread can show that the tip contains one more of the marked commits."""
        if not self._hopeful(self.hope):
            self.hope = next(filter(self._hopeful, self.waiting), "")
        return not self.hope

    def _hopeful(self, commit: str) -> bool:
        return commit in self.waiting and bool(self.asked & ~self.heirs[commit])

    def _pass_on(self, bits: int, commits: Iterable[str]) -> None:
        """To these commits, and to what is known to be behind them: a child may be read after its parents."""
        stack = [(bits, commit) for commit in commits]
        while stack:
            bits, commit = stack.pop()
            before = self.heirs.get(commit, 0)
            if not bits & ~before:
                continue
            after = self.heirs[commit] = bits | before if before else bits
            if after & 1:
                self.asked &= ~self.open.pop(commit, 0)
            if commit in self.parents:
                stack.extend((after, parent) for parent in self.parents[commit])
            elif after & 1:
                self.waiting.add(commit)


def instant(commit: Commit) -> datetime:
    """When a commit was made. Git, too, takes a date that it cannot read for the epoch."""
    try:
        date = datetime.fromisoformat(commit.date)
    except ValueError:
        return _EPOCH
    return date if date.tzinfo else date.replace(tzinfo=UTC)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Owners = tuple[str, ...]


class _Ledger:
    """Whom the commits that are still to come belong to, as far as their children tell.

    Owners are the lowest of the releases that contain a commit, in the order given. What no release contains belongs to
    "", which stands above all of them.
    """

    def __init__(self, releases: Mapping[str, str]) -> None:
        self.named: dict[str, list[str]] = {}
        for name, commit in releases.items():
            self.named.setdefault(commit, []).append(name)
        self.rank = {name: place for place, name in enumerate(("", *releases))}
        self.above = {"": 1}
        """For each release that was met, the releases that contain it and itself: a bit for each rank."""
        self.heirs: dict[str, _Owners] = {}
        """The owners of each commit that is unread and has a child that was read."""
        self.open = Counter({"": 1})
        """How many of `heirs` name a release: at 0, no unread commit can belong to it."""
        self.taken: dict[str, list[Commit]] = {"": []}
        self.previous: dict[str, list[str]] = {"": []}
        self.dates: dict[str, str] = {"": ""}

    def read(self, commit: Commit) -> Collection[str]:
        """Give a commit to its owners, and pass them on to its parents; the releases that are complete by that."""
        heirs = self.heirs.pop(commit.id, _TIP)
        if (named := self.named.get(commit.id)) is None:
            for name in heirs:
                self.taken[name].append(commit)
            if len(commit.parents) == 1 and commit.parents[0] not in self.heirs:
                self.heirs[commit.parents[0]] = heirs  # nearly every commit: the rest comes to the same
                return ()
            return self._bequeathed(commit.parents, heirs, heirs)
        self._begin(named, heirs, commit.date)
        self.taken[named[0]].append(commit)
        return [*named[1:], *self._bequeathed(commit.parents, (named[0],), heirs)]

    def close(self, name: str) -> Section:
        """A release's section; it is forgotten."""
        previous = sorted(self.previous.pop(name), key=self.rank.__getitem__)
        return Section(name, tuple(self.taken.pop(name)), tuple(previous), self.dates.pop(name))

    def _begin(self, named: list[str], heirs: _Owners, date: str) -> None:
        """Releases on one commit: the first is the lowest, and each is right below the next, the last below the heirs."""
        known = 0
        for heir in heirs:
            known |= self.above[heir]
            self.previous[heir].append(named[-1])
        for name, lower in zip(reversed(named), [*reversed(named[:-1]), ""], strict=True):
            known |= 1 << self.rank[name]
            self.above[name] = known
            self.taken[name] = []
            self.dates[name] = date
            self.previous[name] = [lower] if lower else []

    def _bequeathed(self, parents: Iterable[str], owners: _Owners, heirs: _Owners) -> list[str]:
        """Pass owners on to the parents of a commit that was its heirs'; which releases that closes."""
        touched = dict.fromkeys((*heirs, *owners))
        for parent in parents:
            before = self.heirs.get(parent, ())
            after = self._lowest(before, owners) if before else owners
            self.heirs[parent] = after
            self.open.update(after)
            self.open.subtract(before)
            touched.update(dict.fromkeys(before))
        self.open.subtract(heirs)
        return [name for name in touched if not self.open[name]]

    def _lowest(self, some: _Owners, others: _Owners) -> _Owners:
        """Those of two groups that contain none of the others."""
        if some == others:
            return some
        names = sorted({*some, *others}, key=self.rank.__getitem__)
        above = 0
        for name in names:
            above |= self.above[name] ^ (1 << self.rank[name])
        return tuple(name for name in names if not above >> self.rank[name] & 1)


_TIP = ("",)
