"""What is published beside the tag: what its proofs are called in the record, and where a package is yanked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from release.core.making import UPLOADS
from release.core.model import ArtifactWish, PackageWish, PublishWish
from release.core.record import Record


def host(index: str) -> str:
    """The host of an index's address, with its port."""
    return index.partition("://")[2].partition("/")[0]


def uploaded(wish: PackageWish, artifacts: Sequence[ArtifactWish]) -> PackageWish:
    """A package with every file by its name: where one is the name of a build, it stands for all that that makes."""
    makes = {one.name: one.makes for one in artifacts}
    files = tuple(file for name in wish.files for file in makes.get(name, (name,)))
    return msgspec.structs.replace(wish, files=files)


def package_step(wish: PackageWish) -> str:
    """The step that uploads a package, and its evidence."""
    return f"package {wish.name} on {host(wish.index)}"


def publish_step(wish: PublishWish) -> str:
    """The step that runs a publisher, and its evidence."""
    return f"publish {wish.name}"


def yanked_by_hand(record: Record | None, packages: tuple[PackageWish, ...]) -> tuple[str, ...]:
    """What a person has to do to take uploaded packages back, one sentence each.

    No index has an API for it that others than its own pages may use (PEP 592 leaves it to the index).
    """
    evidence = record.evidence if record is not None else {}
    uploaded = [wish for wish in packages if package_step(wish) in evidence]
    return tuple(
        f"{wish.name} {wish.version} stays on {host(wish.index)} until you yank it: {_pages(wish)}" for wish in uploaded
    )


def _pages(wish: PackageWish) -> str:
    if wish.index in UPLOADS:  # PyPI and its test index have the same pages
        return f"https://{host(wish.index)}/manage/project/{wish.name}/release/{wish.version}/"
    return "that index's own pages, or whoever keeps it, can do that"
