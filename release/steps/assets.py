"""Assets: files of the release on the forge, each compared by digest. What is published is never replaced."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from release.core.finding import Blocked, Conflict, Done, Finding, Pending, Underway
from release.core.forge import PACE, Asset, Published
from release.core.manifest import documents
from release.core.model import Release
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Forge, Ledger, Shown
from release.steps.begin import Begin
from release.steps.build import Making, noted_files
from release.steps.draft import Draft
from release.steps.image import BuildImage, image_of
from release.steps.supply import Artifact, Supply


@dataclass(frozen=True, eq=False)
class UploadArtifact(Step[Artifact]):
    """A file that was made as an asset. Its value is the file as it lies on the forge."""

    release: Release
    file: str
    draft: Draft
    build: Making
    forge: Forge
    ledger: Ledger
    supply: Supply

    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def inspect(self, known: Known) -> Finding[Artifact]:
        there = known.get(self.draft)
        wanted, name = self._wanted(known), self.file
        if there is None:
            return unmade(self.draft, name)
        found = find(self.forge, there, name)
        if wanted is None and found is not None and not there.draft:  # no record tells what it should be
            return Done(
                Artifact(name, sha256_of(self.forge, found), found.size), f"{found.size} bytes, as it was found"
            )
        if wanted is None:
            return unmade(self.draft, name)
        finding = compared(self.forge, there, found, name, wanted.sha256, self.draft.mine)
        return (
            Done(wanted, f"{wanted.size} bytes, sha256 {wanted.sha256[:12]}") if isinstance(finding, Done) else finding
        )

    def apply(self, known: Known, say: Say) -> None:
        made = next(one for one in known[self.build] if one.name == self.file)
        put(self.forge, known[self.draft], made.name, made.sha256, self.supply.path(made))

    def _wanted(self, known: Known) -> Artifact | None:
        made = known.get(self.build) or noted_files(self.ledger.latest(self.release), (self.file,)) or ()
        return next((one for one in made if one.name == self.file), None)


@dataclass(frozen=True, eq=False)
class UploadDocument(Step[str]):
    """A document about the artifacts as an asset: sums, and last of all the manifest. Its value is the SHA-256."""

    release: Release
    file: str
    begin: Begin
    draft: Draft
    artifacts: tuple[UploadArtifact, ...]
    images: tuple[BuildImage, ...]
    before: tuple[UploadDocument, ...]
    forge: Forge

    pace = PACE

    @property
    def deadline(self) -> float:
        return self.release.deadline

    def inspect(self, known: Known) -> Finding[str]:
        there, text = known.get(self.draft), self._text(known)
        if there is None:
            return unmade(self.draft, self.file)
        found = find(self.forge, there, self.file)
        if known.get(self.begin) is None and found is not None and not there.draft:
            return Done(sha256_of(self.forge, found), f"{found.size} bytes, as it was found")
        if text is None:
            return unmade(self.draft, self.file)
        return compared(self.forge, there, found, self.file, hashlib.sha256(text).hexdigest(), self.draft.mine)

    def apply(self, known: Known, say: Say) -> None:
        text = self._text(known)
        assert text is not None
        put(self.forge, known[self.draft], self.file, hashlib.sha256(text).hexdigest(), text)

    def _text(self, known: Known) -> bytes | None:
        """What the document says; None while an artifact or an image is missing."""
        made, begun = [known.get(one) for one in self.artifacts], known.get(self.begin)
        images = [image_of(step, known, begun) for step in self.images]
        if begun is None or None in made or None in images:
            return None
        facts = [(one.name, one.sha256, one.size) for one in made if one is not None]
        built = [image for image in images if image is not None]
        return documents(self.release, begun.state.commit, facts, built)[self.file].encode()


def find(forge: Forge, there: Published, name: str) -> Asset | None:
    """An asset of a release by its name."""
    return next((asset for asset in forge.assets(there.id) if asset.name == name), None)


def sha256_of(forge: Forge, asset: Asset) -> str:
    """An asset's digest as the forge says it, else as its bytes do."""
    return asset.digest or fetched(forge, asset)


def fetched(forge: Shown, asset: Asset) -> str:
    """The SHA-256 of an asset's bytes, in hex; they are never held whole."""
    digest = hashlib.sha256()
    for piece in forge.download(asset.id):
        digest.update(piece)
    return digest.hexdigest()


def unmade(draft: Draft, name: str) -> Pending | Underway:
    """What is to be said of an asset whose release or bytes are not there yet."""
    return Pending(f"upload {name}") if draft.mine else Underway(f"the run of {draft.release.tag} uploads it")


def compared(forge: Forge, there: Published, found: Asset | None, name: str, wanted: str, mine: bool) -> Finding[str]:
    """The one law for an asset: a draft's may be replaced, a published one is a fact."""
    sealed = there.immutable and not there.draft
    if found is not None and found.complete and sha256_of(forge, found) == wanted:
        return Done(wanted, f"{found.size} bytes, sha256 {wanted[:12]}")
    if found is not None and found.complete and not there.draft:
        why = f"{name} of {there.tag} was published with sha256 {sha256_of(forge, found)[:12]}, not {wanted[:12]}"
        return Blocked(Conflict("asset-differs", why, "nothing is overwritten: take the next version"))
    if sealed:
        why = f"{there.tag} is published and immutable, and lacks {name}"
        return Blocked(Conflict("asset-missing", why, "it can never be added: take the next version"))
    if not mine:
        return Underway(f"the run of {there.tag} uploads it")
    if found is None:
        return Pending(f"upload {name}")
    return Pending(f"replace {name}: {'its bytes differ' if found.complete else 'its upload broke off'}")


def put(forge: Forge, there: Published, name: str, sha256: str, source: Path | bytes) -> None:
    """Upload a file where none of that name is; what a broken or other run left in a draft is replaced."""
    try:
        forge.upload(there.id, name, source)
        return
    except Refused:
        left = find(forge, there, name)
        if left is None or (left.complete and not there.draft):
            raise
    if left.complete and sha256_of(forge, left) == sha256:  # somebody walks along, and was quicker
        return
    forge.discard(left.id)
    forge.upload(there.id, name, source)
