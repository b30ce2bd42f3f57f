"""Python package indexes, read only: which versions and files of a package there are, by PEP 691 (JSON) or PEP 503 (HTML)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from release.adapters.decoding import decoded
from release.adapters.http import Answer, Ask, Http, origin
from release.adapters.http.address import joined, shown
from release.core import reference
from release.core.address import without_secret
from release.core.commits import plain
from release.errors import ReleaseError, Unseen

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
LARGEST = 64 << 20  # bytes of a project's page; PyPI's largest have about 20 MiB


class _Meta(msgspec.Struct, frozen=True):
    api: str = msgspec.field(name="api-version")


class _File(msgspec.Struct, frozen=True):
    filename: str
    url: str = ""
    hashes: Mapping[str, str] = {}


class _Project(msgspec.Struct, frozen=True):
    """PEP 691; `versions` came with PEP 700."""

    meta: _Meta
    files: tuple[_File, ...]
    versions: tuple[str, ...] = ()


class _Listed(msgspec.Struct, frozen=True):
    """A file as a page links to it: `url` may be relative, `sha256` is in hex, "" where the page does not say."""

    name: str
    url: str
    sha256: str


class _Absent(ReleaseError):
    """The index answered that there is no such page."""


class Indexes:
    """Every index that is named, without a login. Fit for many threads.

    `places` says of an index's address where that index really is, for worlds that stand in for the public one.
    """

    def __init__(self, http: Http, places: Mapping[str, str] | None = None) -> None:
        self._http = http
        self._places = {reference.index(place) or place: real.rstrip("/") for place, real in (places or {}).items()}
        self._known: set[str] = set()  # indexes that showed to be some

    def versions(self, place: str, name: str) -> frozenset[str]:
        """Every version that a file is named for, in PEP 440's normal form; none where there is no such project.

        Files in forms that packaging does not read (eggs, installers) count only where the index lists versions itself.
        """
        return frozenset(map(str, self._versions(place, name)))

    def holds(self, place: str, name: str, version: str) -> bool:
        """Whether the index has a version, compared as PEP 440 has it: `1.0` is `1.0.0`. Unseen where it does not say."""
        return _wanted(version) in self._versions(place, name)

    def files(self, place: str, name: str, version: str) -> Mapping[str, str]:
        """The wheels and sdists of a version, yanked ones too: name -> SHA-256 (hex), "" where the index does not say."""
        wanted, project = _wanted(version), canonicalize_name(name)
        _, listed, _ = self._project(place, name)
        return {one.name: one.sha256 for one in listed if _named(one.name, project) == wanted}

    def fetched(self, place: str, name: str, file: str) -> Iterator[bytes]:
        """A file's bytes, in pieces; Unseen where it is not there or cannot be had. Not compared with any digest."""
        root, listed, _ = self._project(place, name)
        found = next((one for one in listed if one.name == file), None)
        what = f"fetch {plain(file, 200)} from {root}"
        if found is None:
            raise Unseen(f"cannot {what}: it is not there", "run the same command again")
        page = f"{self._real(root)}/{canonicalize_name(name)}/"
        url = joined(page, found.url)
        if not (url.startswith("https://") or (url.startswith("http://") and page.startswith("http://"))):
            raise Unseen(
                f"cannot {what}: the index sends to {shown(url)}, which is not safe", "ask who keeps that index"
            )
        with closing(self._http.pieces(_ask(url, what), _failed(what))) as pieces:  # type: ignore[type-var]  # it is a generator
            yield from pieces

    def _versions(self, place: str, name: str) -> frozenset[Version]:
        _, listed, versions = self._project(place, name)
        named = (_named(one.name, canonicalize_name(name)) for one in listed)
        return frozenset(one for one in (*named, *map(_version, versions)) if one is not None)

    def _project(self, place: str, name: str) -> tuple[str, tuple[_Listed, ...], tuple[str, ...]]:
        """The index's address as it is compared, the files on a project's page, and the versions that it lists itself."""
        root, project = reference.index(place), canonicalize_name(name)
        if root is None or not reference.is_package(name):
            said = plain(without_secret(place), 200)
            raise Unseen(f"cannot look for {plain(name, 100)!r} on {said!r}", "mend the name or the index's address")
        try:
            page = self._page(f"{self._real(root)}/{project}/", f"look for {project} on {root}")
        except _Absent:
            self._is_index(root, project)
            return root, (), ()
        return root, *_listed(page, project, root)

    def _real(self, root: str) -> str:
        return self._places.get(root, root)

    def _page(self, url: str, what: str) -> bytes:
        """A project's page, whole; _Absent where there is none."""
        failed = _failed(what)

        def wrong(answer: Answer) -> ReleaseError:
            return _Absent("") if answer.status == 404 else failed(answer)

        page = bytearray()
        with closing(self._http.pieces(_ask(url, what), wrong)) as pieces:  # type: ignore[type-var]  # it is a generator
            for piece in pieces:
                page += piece
                if len(page) > LARGEST:
                    raise Unseen(
                        f"cannot {what}: its page is longer than {LARGEST >> 20} MiB", "see what that address is"
                    )
        return bytes(page)

    def _is_index(self, root: str, project: str) -> None:
        """Unseen where "no such project" comes from a place that is no index: it has no root page (PEP 503 asks for one)."""
        if root in self._known:
            return
        what = f"look for {project} on {root}"
        answer = self._http.answer(_ask(f"{self._real(root)}/", what, "HEAD"))
        if not answer.good:
            why = f"cannot {what}: that is no index, {root}/ answered {answer.status}"
            raise Unseen(why, "mend the index's address: it is the one that pip takes, as in https://pypi.org/simple")
        self._known.add(root)


def _ask(url: str, what: str, method: str = "GET") -> Ask:
    return Ask(what, url, frozenset({origin(url)}), method, {"Accept": ACCEPT}, bare=True)


def _failed(what: str) -> Callable[[Answer], ReleaseError]:
    """What an answer that is no body means."""

    def wrong(answer: Answer) -> ReleaseError:
        words = f": {plain(answer.words, 300)}" if answer.words else ""
        return Unseen(f"cannot {what}: it answered {answer.status}{words}", "run the same command again")

    return wrong


def _wanted(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        raise Unseen(f"{plain(version, 100)!r} is no version of PEP 440", "no index could have it: mend it") from None


def _listed(page: bytes, project: str, root: str) -> tuple[tuple[_Listed, ...], tuple[str, ...]]:
    """The files on a project's page, and the versions that it lists; Unseen for a page of something else."""
    if page.lstrip()[:1] == b"{":
        try:
            told = decoded(page, _Project)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise _no_page(project, root) from None
        _readable(told.meta.api, project, root)
        files = (_Listed(one.filename, one.url, _digest(one.hashes.get("sha256", ""))) for one in told.files)
        return tuple(files), told.versions
    links = _Links()
    links.feed(page.decode("utf-8", "replace"))
    links.close()
    _readable(links.api or "1.0", project, root)
    # A page that is not said to be an index's counts only if it looks like one: any address may answer with HTML.
    if not links.api and not any(_named(one.name, project) for one in links.files):
        raise _no_page(project, root)
    return tuple(links.files), ()


def _digest(text: str) -> str:
    """A SHA-256 in hex as we compare it, "" for what is none."""
    return text.lower() if _SHA256.fullmatch(text) else ""


def _readable(api: str, project: str, root: str) -> None:
    """PEP 629: another major version means that the page cannot be understood."""
    if api.partition(".")[0] != "1":
        why = f"cannot look for {project} on {root}: it speaks version {plain(api, 20)!r} of the index API, we speak 1"
        raise Unseen(why, "look whether there is a newer release of this program")


def _no_page(project: str, root: str) -> Unseen:
    why = f"cannot look for {project} on {root}: what it answers is no page of an index"
    return Unseen(why, "mend the index's address: it is the one that pip takes, as in https://pypi.org/simple")


def _named(filename: str, project: str) -> Version | None:
    """The version in a file's name; None for a file of something else, or in another form."""
    try:
        name, version = (
            parse_wheel_filename(filename)[:2] if filename.endswith(".whl") else parse_sdist_filename(filename)
        )
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion, ValueError):
        return None
    return version if name == project else None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


class _Links(HTMLParser):
    """The files that a PEP 503 page links to, with the digests behind "#", and the version of the API that it names (PEP 629)."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[_Listed] = []
        self.api = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an anchor's address for a file, and a meta element for the version."""
        found = dict(attrs)
        if tag == "a" and (href := found.get("href")):
            try:
                parts = urlsplit(href)
            except ValueError:
                return
            told = dict(pair.partition("=")[::2] for pair in parts.fragment.split("&"))
            name = unquote(parts.path).rpartition("/")[2]
            self.files.append(_Listed(name, href.partition("#")[0], _digest(told.get("sha256", ""))))
        elif tag == "meta" and found.get("name") == "pypi:repository-version":
            self.api = found.get("content") or ""
