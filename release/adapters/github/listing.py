"""What GitHub lists of a repository: refs by Git's own protocol, which no limit of the API counts, releases and runs by pages.

No right to push is needed: what nobody else sees, a draft, is not told of here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import NoReturn

import msgspec

from release.adapters.git import ls_refs
from release.adapters.github.actions import SEEN, run
from release.adapters.github.door import Door, segment
from release.adapters.github.releases import RELEASES, asset
from release.adapters.github.shapes import AssetShape, RunsShape, moment
from release.adapters.github.tokens import basic
from release.adapters.http import Answer, Ask, origin
from release.core.forge import Published, Run
from release.core.model import Refs
from release.errors import Refused, ReleaseError, Unseen

PREFIXES = ("refs/heads/", "refs/tags/")
RUN_PAGES = 3  # of a hundred runs each


class ListedShape(msgspec.Struct, frozen=True):
    """A release in a list: what is said in its notes is not kept, as a fleet has tens of thousands of them."""

    id: int
    tag_name: str
    target_commitish: str
    draft: bool
    prerelease: bool
    html_url: str
    immutable: bool = False
    published_at: str | None = None
    assets: tuple[AssetShape, ...] = ()


class Listing:
    """Lists of one repository: a `Lists`."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def refs(self) -> Refs:
        """Branches and tags, by one request. Unseen where the repository has moved elsewhere."""
        places = self._door.places
        ask = Ask(
            f"list the refs of {self._door.name}",
            f"{places.server}/{self._door.name}.git/{ls_refs.PATH}",
            frozenset({origin(places.server)}),
            "POST",
            ls_refs.HEADERS,
            self._opening,
            ls_refs.question(PREFIXES),
            harmless=True,
            bare=True,
        )

        def wrong(answer: Answer) -> ReleaseError:
            return Unseen(f"cannot {ask.what}: it answered {answer.status}", "")

        try:
            seen = ls_refs.refs(self._door.http.pieces(ask, wrong))
        except Refused as refused:  # it only looks, though by POST
            unseen(refused)
        heads, tags = (
            {name.removeprefix(prefix): commit for name, commit in seen.items() if name.startswith(prefix)}
            for prefix in PREFIXES
        )
        return Refs(heads, tags, {})

    def releases(self, since: str, wanted: Collection[str]) -> Mapping[str, Published]:
        """Those that are out, by tag, page by page until a whole page is older than a day ("YYYY-MM-DD", "" for all of them).

        They come by the dates of their commits, so that a new one may come late: it goes on while a tag that is wanted was
        not met.
        """
        what, left = f"list the releases of {self._door.name}", set(wanted)
        found: dict[str, Published] = {}
        for page in self._door.pages(what, RELEASES, tuple[ListedShape, ...]):
            out = [published(one) for one in page if not one.draft]
            found |= {one.tag: one for one in out}
            left -= found.keys()
            if since and not left and all(one.at and one.at < since for one in out):
                break
        return found

    def newest(self, number: int) -> tuple[Published, ...]:
        """So many of those that are out, those of the newest commits first; one request a hundred."""
        what = f"list the releases of {self._door.name}"
        pages = self._door.pages(what, RELEASES, tuple[ListedShape, ...])
        return tuple(islice((published(one) for page in pages for one in page if not one.draft), number))

    def runs(self, workflow: str, since: str) -> tuple[tuple[Run, ...], str]:
        """The runs of a workflow's file since a day, newest first, of three pages at most; and since when they are all ("" for ever)."""
        what = f"list the runs of {workflow} of {self._door.name}"
        path = f"actions/workflows/{segment(workflow)}/runs"
        pages = self._door.pages(what, path, RunsShape, SEEN, exclude_pull_requests="true")
        found: dict[int, Run] = {}
        for number, page in enumerate(islice(pages, RUN_PAGES), 1):
            seen = [run(one) for one in page.workflow_runs]
            found |= {one.id: one for one in seen}
            oldest = min((one.created for one in seen if one.created), default="")
            if since and oldest and oldest < since:
                return tuple(found.values()), ""
            if number == RUN_PAGES and len(seen) == 100:
                return tuple(found.values()), oldest
        return tuple(found.values()), ""

    def _opening(self) -> Mapping[str, str]:
        """What opens a repository for git; it never follows to another host."""
        token = self._door.tokens.token(self._door.name)
        return {"Authorization": basic(token).partition(": ")[2]} if token else {}


def published(shape: ListedShape) -> Published:
    return Published(
        id=shape.id,
        tag=shape.tag_name,
        name="",
        body="",
        target=shape.target_commitish,
        draft=False,
        prerelease=shape.prerelease,
        immutable=shape.immutable,
        at=moment(shape.published_at),
        url=shape.html_url,
        assets=tuple(map(asset, shape.assets)),
    )


def unseen(refused: Refused) -> NoReturn:
    """What was certainly not done was not seen, where it is a look."""
    raise Unseen(refused.message, refused.remedy, after=refused.after) from None
