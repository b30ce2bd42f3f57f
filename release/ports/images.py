"""Container images: what builds them, and the registries that hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from release.core.finding import Conflict
from release.core.model import (
    BuiltImage,
    ImageWish,
)
from release.core.oci import Descriptor, Document
from release.core.reference import Reference


class Images(Protocol):
    """Builds images into an OCI layout that this machine keeps, in throwaway clones of a commit."""

    @property
    def layout(self) -> Path:
        """The folder of the layout."""
        ...

    def chosen(self, wish: ImageWish, commit: str) -> tuple[str, str]:
        """The builder for an image, and why it is that one. Refused where none can build it."""
        ...

    def lacking(self, wish: ImageWish, commit: str) -> tuple[Conflict, ...]:
        """What would keep it from being built: a Dockerfile that cannot be, an engine that is not here, emulation."""
        ...

    def build(
        self,
        wish: ImageWish,
        commit: str,
        epoch: int,
        annotations: Mapping[str, str],
        inputs: Mapping[str, Path],
        say: Callable[[str], None],
    ) -> BuiltImage:
        """Build for every platform, into one index; `inputs` are files of builds, by name.

        `annotations` (`org.opencontainers.image.*`) go to index and manifests, and are labels, too; `epoch` is the time of
        everything in it. Refused where a build fails, or makes other platforms than were asked for.
        """
        ...

    def document(self, digest: str) -> Document | None:
        """A manifest or an index of the layout."""
        ...

    def whole(self, digest: str) -> bool:
        """Whether the layout has an index and everything below it."""
        ...


class Registry(Protocol):
    """What registries hold, by their distribution API. An image is named by its Reference; a `digest` is "sha256:...".

    What reads raises Unseen where it cannot be told: no answer, no right to look, something that is no registry. What
    writes raises Refused (certainly not done) or Uncertain; blobs and manifests are by digest, so that it may be done again.
    """

    def digest(self, reference: str) -> str:
        """The digest (`sha256:...`) of the image that a tag names, as in `docker.io/library/alpine:3`; "" where there is none."""
        ...

    def tags(self, place: str, name: str) -> frozenset[str]:
        """All tags of a repository `name` of the registry `place`; nothing where there is no such repository."""
        ...

    def document(self, image: Reference, digest: str = "") -> Document | None:
        """The manifest or index that a digest, else the tag of `image`, names; its bytes have that digest. None where there is none."""
        ...

    def missing(self, image: Reference, digest: str) -> tuple[str, ...]:
        """The digests that are not there of an index or manifest and everything below it; asks, and fetches no blob."""
        ...

    def blob(self, image: Reference, digest: str) -> Iterator[bytes]:
        """A blob's bytes, in pieces; not compared with the digest."""
        ...

    def lacks_push(self, image: Reference) -> str:
        """Why we may not push there, "" if nothing says so; nothing that anybody sees is written."""
        ...

    def push(self, layout: Path, digest: str, image: Reference, say: Callable[[str], None]) -> None:
        """Bring everything below a digest from an OCI layout, children first, and name it by the tag of `image`.

        What is there is not sent again; what another repository of that registry has is mounted where it allows that.
        """
        ...

    def tag(self, image: Reference, digest: str) -> None:
        """Give a manifest that is there the tag of `image`; copies nothing. Whether the tag may be moved is not asked here."""
        ...

    def attach(self, image: Reference, subject: str, kind: str, content: Path, annotations: Mapping[str, str]) -> str:
        """Say something about an image: a file of the artifact type `kind`, as a referrer of the digest `subject`; its digest.

        Where a registry has no referrers API, the index under the tag `sha256-<hex>` has it. Once is enough.
        """
        ...

    def referrers(self, image: Reference, subject: str) -> tuple[Descriptor, ...]:
        """What is said about an image, by the API or by the tag."""
        ...
