"""Merged pull requests on GitHub."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from release.adapters.github.door import Door
from release.adapters.github.shapes import PullShape, moment
from release.core.facts import Pull
from release.errors import Unseen

PULLS, READ_PULLS = "pulls", "pull_requests: read"
MOST = 200
"""So many pull requests are asked for one by one, at most."""
AT_ONCE = 4  # GitHub asks not to be asked by many at a time
CLOSED = {"state": "closed", "sort": "updated", "direction": "desc"}


class Pulls:
    """The part of a `Forge` that knows pull requests."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def pulls(self, since: str, numbers: Collection[int] = ()) -> Iterator[Pull]:
        """The merged pull requests that were changed since then, then those of the `numbers` that were not among them.

        `since` is ISO 8601 UTC, "" for all. A hundred come with one request, which is the last one where nothing on its
        page was changed later; each of the numbers takes one. Unseen where these would be more than `MOST`. A number
        may be an issue's, or nobody's: that is passed over.
        """
        met: set[int] = set()
        for shape in self._changed(moment(since)):
            if shape.number not in met:
                met.add(shape.number)
                yield from _merged(shape)
        missing = sorted({number for number in numbers if number > 0} - met, reverse=True)
        if len(missing) > MOST:
            raise Unseen(
                f"commits of {self._door.name} name {len(missing)} pull requests beyond those that it lists; "
                f"no more than {MOST} are looked at one by one",
                "take labels and release-note out of changes.sources, or release more often",
            )
        yield from self._single(missing)

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

    def _single(self, numbers: Sequence[int]) -> Iterator[Pull]:
        """Each of these, a few at a time, in their order."""
        if not numbers:
            return
        with ThreadPoolExecutor(min(AT_ONCE, len(numbers)), thread_name_prefix="sluice-pulls") as threads:
            try:
                for shape in threads.map(self._one, numbers):
                    yield from _merged(shape)
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def _one(self, number: int) -> PullShape | None:
        what = f"look at pull request {number} of {self._door.name}"
        return self._door.find(what, f"{PULLS}/{number}", PullShape, READ_PULLS)


def _merged(shape: PullShape | None) -> Iterator[Pull]:
    """The pull request, if it is merged."""
    if shape is None or not shape.merged_at:
        return
    login = shape.user.login if shape.user else ""
    labels = tuple(label.name for label in shape.labels)
    yield Pull(shape.number, shape.title, shape.body or "", labels, login, shape.merge_commit_sha or "")
