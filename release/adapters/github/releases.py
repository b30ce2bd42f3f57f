"""Releases and their files on GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from release.adapters.github.door import CONTENTS, Door, beforehand, segment
from release.adapters.github.shapes import AssetShape, ReleaseShape, moment
from release.adapters.github.together import Together
from release.core.forge import Asset, Entry, Published
from release.errors import Refused, Unseen

RELEASES = "releases"
SOME = "30"  # a page; a release of a large project with its files is hundreds of KB


class Releases:
    """The part of a `Forge` that publishes."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._uploads: dict[int, str] = {}
        self._listing = Together[tuple[Asset, ...]]()

    def releases(self) -> Iterator[Published]:
        """Every release, drafts included; who cannot push is shown no drafts, and must not take them for absent."""
        if lacking := self._door.lacks(CONTENTS):
            raise Unseen(f"the drafts of {self._door.name} cannot be seen", lacking)
        what = f"list the releases of {self._door.name}"
        for page in self._door.pages(what, RELEASES, tuple[ReleaseShape, ...], per_page=SOME):
            yield from map(self._known, page)

    def release(self, number: int) -> Published | None:
        """The release or draft with this id."""
        found = self._door.find(self._look(number), f"{RELEASES}/{number}", ReleaseShape, CONTENTS)
        return self._known(found) if found else None

    def published(self, tag: str) -> Published | None:
        """The release that is out for a tag; a draft is none."""
        what = f"look for release {tag} of {self._door.name}"
        found = self._door.find(what, f"{RELEASES}/tags/{segment(tag, whole=False)}", ReleaseShape)
        return self._known(found) if found and not found.draft else None

    def latest(self) -> Published | None:
        """The release that the repository shows as its latest: never a draft or a prerelease."""
        found = self._door.find(f"look for the latest release of {self._door.name}", f"{RELEASES}/latest", ReleaseShape)
        return self._known(found) if found else None

    def draft(self, entry: Entry) -> int:
        """Make a draft; its id."""
        body = {**said(entry), "draft": True, "make_latest": "false"}
        answer = self._door.write(
            f"make a draft of {entry.tag} in {self._door.name}", "POST", RELEASES, body, CONTENTS, ReleaseShape
        )
        return self._known(cast(ReleaseShape, answer.value)).id

    def revise(self, number: int, entry: Entry) -> None:
        """Say something else; what is a draft stays one, and what is the latest stays it."""
        self._change(f"revise release {entry.tag} of {self._door.name}", number, said(entry))

    def publish(self, number: int, entry: Entry) -> None:
        """Publish a draft, never as the latest."""
        body = {**said(entry), "draft": False, "make_latest": "false"}
        self._change(f"publish release {entry.tag} of {self._door.name}", number, body)

    def mark(self, number: int, *, prerelease: bool) -> None:
        """Say whether a release is a prerelease. What `make_latest` is where nothing is said of it GitHub decides anew each time."""
        what = f"mark release {number} of {self._door.name} as {'a prerelease' if prerelease else 'no prerelease'}"
        self._change(what, number, {"prerelease": prerelease, "make_latest": "false"})

    def make_latest(self, number: int) -> None:
        """Show a release as the latest; the forge refuses that for a draft and for a prerelease."""
        what = f"make release {number} of {self._door.name} the latest"
        self._change(what, number, {"make_latest": "true"})

    def create(self, entry: Entry) -> None:
        """Make a release that is out at once; the forge refuses a second one for the tag."""
        body = {**said(entry), "draft": False, "make_latest": "false"}
        self._door.write(
            f"create release {entry.tag} of {self._door.name}", "POST", RELEASES, body, CONTENTS, ReleaseShape
        )

    def drop(self, number: int) -> None:
        """Delete a draft. What is out is never deleted, though the forge would."""
        with beforehand():
            found = self.release(number)
        if found is None or not found.draft:
            raise Refused(f"release {number} of {self._door.name} is no draft, and is not deleted", "")
        self._door.write(
            f"delete draft {number} of {self._door.name}", "DELETE", f"{RELEASES}/{number}", None, CONTENTS
        )

    def assets(self, number: int) -> tuple[Asset, ...]:
        """The files of a release; threads that ask at the same time share one list."""
        return self._listing(number, partial(self._assets, number))

    def _assets(self, number: int) -> tuple[Asset, ...]:
        what = f"list the assets of release {number} of {self._door.name}"
        pages = self._door.pages(what, f"{RELEASES}/{number}/assets", tuple[AssetShape, ...])
        return tuple(asset(one) for page in pages for one in page)

    def upload(self, number: int, name: str, source: Path | bytes) -> None:
        """Add a file to a release, to the place that the forge names for it."""
        with beforehand():
            url = f"{self._place(number)}?name={quote(name, safe='')}"
        answer = self._door.upload(f"upload {name} to {self._door.name}", url, source, AssetShape)
        kept = cast(AssetShape, answer.value).name
        if kept != name:
            raise Refused(
                f"{self._door.name} keeps {name} under another name, {kept}", "name it with letters, digits and . _ - +"
            )

    def discard(self, asset: int) -> None:
        """Delete a file of a draft."""
        what = f"delete asset {asset} of {self._door.name}"
        self._door.write(what, "DELETE", f"{RELEASES}/assets/{asset}", None, CONTENTS)

    def download(self, asset: int) -> Iterator[bytes]:
        """A file's bytes, in pieces."""
        what = f"download asset {asset} of {self._door.name}"
        return self._door.pieces(what, f"{RELEASES}/assets/{asset}", "application/octet-stream")

    def _change(self, what: str, number: int, body: dict[str, Any]) -> None:
        self._door.write(what, "PATCH", f"{RELEASES}/{number}", body, CONTENTS, ReleaseShape)

    def _place(self, number: int) -> str:
        """Where a release's files go."""
        if number not in self._uploads:
            self._known(self._door.get(self._look(number), f"{RELEASES}/{number}", ReleaseShape, CONTENTS))
        return self._uploads[number]

    def _known(self, shape: ReleaseShape) -> Published:
        """A release as we see it; where its uploads go is kept on the way."""
        self._uploads[shape.id] = shape.upload_url.partition("{")[0]
        return Published(
            id=shape.id,
            tag=shape.tag_name,
            name=shape.name or "",
            body=shape.body or "",
            target=shape.target_commitish,
            draft=shape.draft,
            prerelease=shape.prerelease,
            immutable=shape.immutable,
            at="" if shape.draft else moment(shape.published_at),
            url=shape.html_url,
            assets=tuple(map(asset, shape.assets)),
        )

    def _look(self, number: int) -> str:
        return f"look at release {number} of {self._door.name}"


def said(entry: Entry) -> dict[str, Any]:
    """What an entry says, in GitHub's names. Without tag and target a draft would be unbound from its tag."""
    return {
        "tag_name": entry.tag,
        "target_commitish": entry.target,
        "name": entry.name,
        "body": entry.body,
        "prerelease": entry.prerelease,
    }


def asset(shape: AssetShape) -> Asset:
    kind, _, digest = (shape.digest or "").partition(":")
    return Asset(shape.id, shape.name, shape.size, digest if kind == "sha256" else "", shape.state == "uploaded")
