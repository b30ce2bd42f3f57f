"""What the steps act through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from release.core.model import DownstreamWish, Release
from release.core.record import Proof
from release.core.version import Scheme
from release.ports import (
    Bills,
    Delegates,
    Forge,
    Images,
    Index,
    Ledger,
    Publishers,
    Registry,
    Remote,
    Rival,
    Shelf,
    Signatures,
    Uploads,
    Workshop,
)


def closed() -> Registry:
    """Where nobody has opened one."""
    raise AssertionError("what needs a registry comes with one")


def unfurnished() -> Images:
    """Where nobody can build images."""
    raise AssertionError("what builds images comes with something that does")


def unlisted() -> Index:
    """Where nobody has opened one."""
    raise AssertionError("what needs an index comes with one")


def unsent() -> Uploads:
    """Where nobody can upload."""
    raise AssertionError("what uploads comes with something that does")


def unpublished() -> Publishers:
    """Where nobody runs commands that publish."""
    raise AssertionError("what publishes comes with something that does")


def undelegated() -> Delegates:
    """Where nobody runs components' own releases."""
    raise AssertionError("a component that releases itself comes with something that lets it")


def unwritten() -> Bills:
    """Where nobody writes bills of materials."""
    raise AssertionError("what lists a release's files comes with something that writes it down")


def unsigned() -> Signatures:
    """Where nobody signs."""
    raise AssertionError("what says how a release was made comes with something that signs")


class Alone:
    """Where there is no other side."""

    def claimed(self, release: Release, name: str) -> Proof | None:
        return None


def alone(wish: DownstreamWish) -> Rival:
    """Nobody else may set it going."""
    return Alone()


@dataclass(frozen=True)
class Doors:
    """`elsewhere` and `forge_of` open a downstream's remote and its forge, `rival` what its own schedule claims; `open_registry` and `open_images` are for a
    release that has to do with images, `open_index` and `open_uploads` for one with packages, `open_publishers` for one
    with commands that publish, `open_delegates` for one with components that release themselves, `open_bills` and `open_signatures` for one that says what it holds and how it was made.

    `ours` is false where the tag's own run builds; `forge` is None where there is none; `own_run` is the workflow run
    that this process is part of, 0 for none; `project` is the upstream's name, and `source` its address for everybody,
    "" where it has none, and `rules` how it writes its versions. `builder` and `invocation` are URIs of what runs us and of this run, "" for nobody's and none.
    """

    remote: Remote
    ledger: Ledger
    workshop: Workshop
    shelf: Shelf
    elsewhere: Callable[[DownstreamWish], Remote]
    root: Path
    ours: bool = True
    forge: Forge | None = None
    forge_of: Callable[[DownstreamWish], Forge] | None = None
    own_run: int = 0
    project: str = "the upstream"
    source: str = ""
    rules: Scheme | None = None
    builder: str = ""
    invocation: str = ""
    rival: Callable[[DownstreamWish], Rival] = alone
    open_registry: Callable[[], Registry] = closed
    open_images: Callable[[], Images] = unfurnished
    open_index: Callable[[], Index] = unlisted
    open_uploads: Callable[[], Uploads] = unsent
    open_publishers: Callable[[], Publishers] = unpublished
    open_delegates: Callable[[], Delegates] = undelegated
    open_bills: Callable[[], Bills] = unwritten
    open_signatures: Callable[[], Signatures] = unsigned

    @cached_property
    def registry(self) -> Registry:
        return self.open_registry()

    @cached_property
    def images(self) -> Images:
        return self.open_images()

    @cached_property
    def index(self) -> Index:
        return self.open_index()

    @cached_property
    def uploads(self) -> Uploads:
        return self.open_uploads()

    @cached_property
    def publishers(self) -> Publishers:
        return self.open_publishers()

    @cached_property
    def delegates(self) -> Delegates:
        return self.open_delegates()

    @cached_property
    def bills(self) -> Bills:
        return self.open_bills()

    @cached_property
    def signatures(self) -> Signatures:
        return self.open_signatures()

    def mine(self, start: str) -> bool:
        """Whether what a release makes is made by this run: where a tag starts it, the tag's own run makes it."""
        return self.ours or start == "command"
