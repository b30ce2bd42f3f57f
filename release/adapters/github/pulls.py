"""Merged pull requests on GitHub."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from release.adapters.github.door import Door
from release.adapters.github.shapes import PullShape, moment
from release.core.facts import Pull
from release.errors import Unseen

Key = TypeVar("Key")
Value = TypeVar("Value")

PULLS, READ_PULLS = "pulls", "pull_requests: read"
MOST = 200
"""So many pull requests are asked for one by one, at most, by number or by commit."""
AT_ONCE = 4  # GitHub asks not to be asked by many at a time
CLOSED = {"state": "closed", "sort": "updated", "direction": "desc"}


class Pulls:
    """The part of a `Forge` that knows pull requests."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def pulls(self, since: str | None, numbers: Collection[int] = (), commits: Collection[str] = ()) -> Iterator[Pull]:
        """The merged pull requests that were changed since then, then those of the `numbers` that were not among them,
        then those that brought the `commits`, which are full ids.

        `since` is ISO 8601 UTC, "" for all, None for none. A hundred come with one request, which is the last one where
        nothing on its page was changed later; each of the numbers and of the commits takes one. Unseen where these would
        be more than `MOST`. A number may be an issue's, or nobody's, and a commit another repository's: that is passed
        over.
        """
        met: set[int] = set()
        for shape in self._changed(moment(since)) if since is not None else ():
            if shape.number not in met:
                met.add(shape.number)
                yield from _merged(shape)
        missing = sorted({number for number in numbers if number > 0} - met, reverse=True)
        asked = tuple(dict.fromkeys(commits))
        self._few(len(missing), len(asked))
        for found in _parallel(self._one, missing):
            yield from _merged(found)
        yield from _with_commits(zip(asked, _parallel(self._bringer, asked), strict=True))

    def _few(self, numbers: int, commits: int) -> None:
        """Unseen where that is too much to be asked for one by one."""
        if numbers + commits > MOST:
            named = f"name {numbers} pull requests beyond those that it lists"
            copied = f"are copied from {commits} others whose pull requests are not known"
            said = " and ".join(words for words, count in ((named, numbers), (copied, commits)) if count)
            raise Unseen(
                f"commits of {self._door.name} {said}; no more than {MOST} are looked at one by one",
                "take labels and release-note out of changes.sources, or release more often",
            )

    def _changed(self, since: str) -> Iterator[PullShape]:
        """The closed ones, page by page, the last changed first, until one was not changed since.

        What changes while we read moves to the front of the list: after more than one page the first is read again.
        """
        what = f"list the pull requests of {self._door.name}"
        count = 0
        for page in self._pages(what):
            count += 1
            yield from page
            if not page or moment(page[-1].updated_at) < since:
                break
        if count > 1:
            yield from next(self._pages(what))

    def _pages(self, what: str) -> Iterator[Sequence[PullShape]]:
        return self._door.pages(what, PULLS, tuple[PullShape, ...], READ_PULLS, **CLOSED)

    def _one(self, number: int) -> PullShape | None:
        what = f"look at pull request {number} of {self._door.name}"
        return self._door.find(what, f"{PULLS}/{number}", PullShape, READ_PULLS)

    def _bringer(self, commit: str) -> PullShape | None:
        """The pull request that brought a commit, of several the one that was merged first: others only passed it on."""
        what = f"look for the pull request of commit {commit[:12]} of {self._door.name}"
        found = self._door.find(what, f"commits/{commit}/{PULLS}", tuple[PullShape, ...], READ_PULLS, per_page="100")
        merged = [(moment(one.merged_at), one.number, one) for one in found or () if one.merged_at and self._ours(one)]
        return min(merged, key=lambda one: one[:2])[2] if merged else None

    def _ours(self, shape: PullShape) -> bool:
        """Whether it was merged into this repository: of a fork's commits GitHub tells those of what it is a fork of.

        The repository may have another name than we know it by.
        """
        if shape.base is None or shape.base.repo is None:
            return True
        name = shape.base.repo.full_name.lower()
        return name == self._door.name.lower() or name == self._door.seen().full_name.lower()


def _parallel(ask: Callable[[Key], Value], keys: Sequence[Key]) -> Iterator[Value]:
    """What is found by each of these, a few at a time, in their order."""
    if not keys:
        return
    with ThreadPoolExecutor(min(AT_ONCE, len(keys)), thread_name_prefix="sluice-pulls") as threads:
        try:
            yield from threads.map(ask, keys)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def _with_commits(found: Iterable[tuple[str, PullShape | None]]) -> Iterator[Pull]:
    """Each pull request once, with the ids of the commits that it brought."""
    shapes: dict[int, PullShape] = {}
    ids: dict[int, list[str]] = {}
    for id_, shape in found:
        if shape is not None:
            shapes[shape.number] = shape
            ids.setdefault(shape.number, []).append(id_)
    for number, shape in shapes.items():
        yield from (msgspec.structs.replace(pull, commits=tuple(ids[number])) for pull in _merged(shape))


def _merged(shape: PullShape | None) -> Iterator[Pull]:
    """The pull request, if it is merged."""
    if shape is None or not shape.merged_at:
        return
    login = shape.user.login if shape.user else ""
    labels = tuple(label.name for label in shape.labels)
    yield Pull(shape.number, shape.title, shape.body or "", labels, login, shape.merge_commit_sha or "")
