"""Registries, by the OCI distribution spec 1.1 (https://github.com/opencontainers/distribution-spec).

Over our own HTTP, as the clients that there are for Python (`oras`) hold a blob whole to send it, and keep sessions that
take what they find in the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from release.adapters.http import Http
from release.adapters.registry.access import Access
from release.adapters.registry.documents import named, put, read
from release.adapters.registry.door import Denied, Door
from release.adapters.registry.holdings import Holdings
from release.adapters.registry.keys import Keys
from release.adapters.registry.logins import Login, Logins
from release.adapters.registry.place import checked, place
from release.adapters.registry.push import Known, pushed
from release.adapters.registry.referrers import attached, listed
from release.adapters.registry.tags import tags
from release.adapters.registry.upload import location
from release.core.commits import plain
from release.core.oci import Descriptor, Document, is_digest
from release.core.reference import Reference, reference
from release.errors import Refused, ReleaseError, Unseen
from release.redact import Redactor

CLOSED = (401, 403, 404, 405)  # what answers a write that is not for us, or for nobody, or nowhere


class Registries:
    """Every registry that is named, each with its own login. Fit for many threads."""

    def __init__(
        self,
        http: Http,
        login: Callable[[str], Login | None],
        hide: Redactor,
        places: Mapping[str, str] | None = None,
    ) -> None:
        self._access = Access(http, Keys(http, login, hide))
        self._places = checked(places or {})
        self._holdings, self._known = Holdings(self._access), Known()
        self._attaching = Lock()  # an index under a tag is written by one at a time, at least of us

    @classmethod
    def at(
        cls, environment: Mapping[str, str], hide: Redactor, http: Http, places: Mapping[str, str] | None = None
    ) -> Registries:
        """With Docker's logins: `environment` says where they are (DOCKER_CONFIG, HOME), and PATH for its programs.

        `places` are addresses that stand in for registries, as in `{"docker.io": "http://127.0.0.1:5001"}`: there, and
        with the login that is kept for that host, is asked what would be asked of the registry. ConfigError for what is none.
        """
        return cls(http, Logins(environment, hide).of, hide, places)

    def digest(self, reference_: str) -> str:
        """The digest of what a tag names, "" where the registry says that there is nothing; Unseen where it does not say."""
        image = reference(reference_)
        if image is None:
            raise Unseen(f"{plain(reference_, 200)!r} is no image with a tag", "write HOST/owner/name:tag")
        return named(self._access, self._looking(image), image.tag)

    def tags(self, place_: str, name: str) -> frozenset[str]:
        """All tags of a repository; nothing where there is no such repository."""
        return tags(self._access, Door(place(place_, self._places), name, f"list the tags of {place_}/{name}"))

    def document(self, image: Reference, digest: str = "") -> Document | None:
        """The manifest or index that a digest, else the tag of `image`, names; its bytes have that digest. None where there is none."""
        return read(self._access, self._looking(image, digest), digest or image.tag)

    def missing(self, image: Reference, digest: str) -> tuple[str, ...]:
        """The digests that are not there of an index or manifest and everything below it; asks, and fetches no blob."""
        return self._holdings.missing(self._looking(image, digest), digest)

    def blob(self, image: Reference, digest: str) -> Iterator[bytes]:
        """A blob's bytes, in pieces; not compared with the digest."""
        return self._access.pieces(self._looking(image, digest), f"blobs/{digest}")

    def lacks_push(self, image: Reference) -> str:
        """Why we may not push there, "" if nothing says so: an upload is begun and given up, which nobody sees."""
        door = self._writing(f"push to {image}", image)
        try:
            answer = self._access.answer(door, "blobs/uploads/", "POST", body=b"", harmless=True)
        except Denied as error:
            return str(error)
        except Refused as error:  # what was not answered was not seen, even if we wanted to write
            raise Unseen(error.message, error.remedy, after=error.after) from None
        if answer.status in CLOSED:
            return str(door.no(answer))
        if answer.status != 202:
            raise Unseen(*door.no(answer).args)
        with suppress(ReleaseError):  # it ends by itself
            self._access.answer(door, location(door, answer), "DELETE")
        return ""

    def push(self, layout: Path, digest: str, image: Reference, say: Callable[[str], None]) -> None:
        """Bring everything below a digest from an OCI layout, children first, and name it by the tag of `image`.

        What is there is not sent again; what this process brought to another repository of that registry is mounted.
        """
        door = self._writing(f"push {image}", image, digest)
        with _doing():
            document = pushed(self._access, door, self._known, layout, digest, say)
            put(self._access, door, document, image.tag)

    def tag(self, image: Reference, digest: str) -> None:
        """Give a manifest that is there the tag of `image`; copies nothing. Whether the tag may be moved is not asked here."""
        door = self._writing(f"tag {image}", image, digest)
        with _doing():
            document = read(self._access, door, digest)
            if document is None:
                raise door.error(f"there is no {digest}", "push that first")
            put(self._access, door, document, image.tag)

    def attach(self, image: Reference, subject: str, kind: str, content: Path, annotations: Mapping[str, str]) -> str:
        """Say something about an image: a file of the artifact type `kind`, as a referrer of the digest `subject`; its digest.

        Where a registry has no referrers API, the index under the tag `sha256-<hex>` has it. Once is enough.
        """
        door = self._writing(f"attach {kind} to {image}", image, subject)
        with self._attaching, _doing():
            return attached(self._access, door, subject, kind, content, annotations)

    def referrers(self, image: Reference, subject: str) -> tuple[Descriptor, ...]:
        """What is said about an image, by the API or by the tag."""
        return listed(self._access, self._looking(image, subject), subject)

    def _looking(self, image: Reference, digest: str = "") -> Door:
        door = Door(place(image.registry, self._places), image.name, f"look at {image}")
        return _checked(door, digest)

    def _writing(self, doing: str, image: Reference, digest: str = "") -> Door:
        return _checked(Door(place(image.registry, self._places), image.name, doing, pushes=True), digest)


def _checked(door: Door, digest: str) -> Door:
    """A digest is a part of an address: what is none never gets there."""
    if digest and not is_digest(digest):
        raise door.error(f"{plain(digest, 200)!r} is no digest", "write sha256: and 64 digits")
    return door


@contextmanager
def _doing() -> Iterator[None]:
    """What could not be looked at on the way was certainly not done."""
    try:
        yield
    except Unseen as error:
        raise Refused(error.message, error.remedy, after=error.after) from None
