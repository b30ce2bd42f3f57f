"""Open issues of a repository on GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from release.adapters.github.door import Door
from release.adapters.github.shapes import LabelShape
from release.errors import Unseen

READ_ISSUES = "issues: read"
PAGES = 20  # of a hundred issues each; pull requests are listed among them


class IssueShape(msgspec.Struct, frozen=True):
    """An issue, or a pull request, which says so."""

    number: int
    pull_request: dict[str, object] | None = None


class Issues:
    """The part of a `Forge` that knows issues."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def issues(self, label: str, most: int) -> tuple[int, ...] | None:
        """The numbers of open issues with a label, newest first, no more than `most`; None where there is no such label."""
        if "," in label or not label.strip():
            raise Unseen(f"no list of issues can be had for the label {label!r}", "name one without a comma")
        found = tuple(islice(self._open(label), most))
        return found if found or self._labelled(label) else None

    def _open(self, label: str) -> Iterator[int]:
        what = f"list the open issues of {self._door.name}"
        pages = self._door.pages(what, "issues", tuple[IssueShape, ...], READ_ISSUES, state="open", labels=label)
        for number, page in enumerate(pages, 1):
            yield from (one.number for one in page if one.pull_request is None)
            if number == PAGES and len(page) == 100:
                raise Unseen(f"cannot {what}: there are more than {PAGES * 100}, nearly all of them pull requests", "")

    def _labelled(self, label: str) -> bool:
        """Whether there is such a label; GitHub takes no notice of case."""
        what = f"list the labels of {self._door.name}"
        pages = self._door.pages(what, "labels", tuple[LabelShape, ...], READ_ISSUES)
        return any(one.name.casefold() == label.casefold() for page in pages for one in page)
