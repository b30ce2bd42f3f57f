"""Verify what a release says of itself against what is public. These steps look, and never act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from release.core.bill import wrong_sbom
from release.core.finding import Done, Failed, Finding
from release.core.forge import Asset
from release.core.images import noted_image
from release.core.manifest import document_names
from release.core.model import BuiltImage, Release
from release.core.provenance import subjects, wrong_provenance
from release.core.record import MANIFEST, Record
from release.core.verification import images_in
from release.engine.step import Known, Say, Step
from release.errors import Refused
from release.ports import Remote, Shown, Signatures
from release.steps.verify import VerifyAsset, content_of


@dataclass(frozen=True, eq=False)
class VerifyProvenance(Step[str]):
    """Every published file and image is a subject of the provenance, as it is published; it is of the tag's commit; its
    signature holds. Its value is that commit. `files` are the release's own, with what they were found to be.
    """

    release: Release
    record: Record | None
    files: tuple[VerifyAsset, ...]
    remote: Remote
    forge: Shown
    signatures: Signatures

    def inspect(self, known: Known) -> Finding[str]:
        wish, commit = self.release.attest, self._commit()
        line = content_of(self.forge, listed(self.files).get(wish.provenance))
        if not commit or line is None:
            return Failed(
                f"missing: {self.release.tag}" if not commit else f"missing: {wish.provenance}, or it is too large"
            )
        public = self.remote.file(commit, wish.public) if wish.public else None
        said = self.signatures.verified(wish, line.strip(), public or "")
        if isinstance(said, str):
            return Failed(said)
        out = subjects(digests(known, self.release, self.files, wish.provenance).items(), dict(self._images()))
        if wrong := wrong_provenance(said, self.release, commit, out):
            return Failed(wrong)
        signed = "not signed" if wish.sign == "none" else "signed"
        return Done(commit, f"{len(out)} subjects, of {commit[:10]}, {signed}")

    def apply(self, known: Known, say: Say) -> None:
        raise Refused("a verification only looks")

    def _commit(self) -> str:
        """What the tag points at, with its object brought here; "" where there is no tag."""
        ref = f"refs/tags/{self.release.tag}"
        commit = self.remote.refs(ref).tags.get(self.release.tag, "")
        if commit:
            self.remote.bring([ref], [commit])
        return commit

    def _images(self) -> Iterator[tuple[str, BuiltImage]]:
        """The images as the record knows them, else as the manifest does; what lies in registries is compared with that elsewhere."""
        manifest = content_of(self.forge, listed(self.files).get(MANIFEST)) if self.record is None else None
        told = list(images_in(manifest) or ())
        for wish in self.release.images:
            fits = (one for one in told if one.name == wish.name and one.tag in ("", wish.tag))
            image = noted_image(self.record, wish) or next(fits, None)
            if image is not None:
                told = [one for one in told if one is not image]
                yield f"{wish.name}:{wish.tag}", image


@dataclass(frozen=True, eq=False)
class VerifySbom(Step[str]):
    """The bill of materials lists every file that was built, with its digest. Its value is its name."""

    release: Release
    files: tuple[VerifyAsset, ...]
    forge: Shown

    def inspect(self, known: Known) -> Finding[str]:
        name = self.release.attest.sbom
        content = content_of(self.forge, listed(self.files).get(name))
        if content is None:
            return Failed(f"missing: {name}, or it is too large")
        built = digests(known, self.release, self.files, name, self.release.attest.provenance)
        if wrong := wrong_sbom(content, self.release, built):
            return Failed(wrong)
        return Done(name, f"{len(built)} files")

    def apply(self, known: Known, say: Say) -> None:
        raise Refused("a verification only looks")


def listed(files: tuple[VerifyAsset, ...]) -> Mapping[str, Asset]:
    """The files that are there, by name."""
    return {one.wanted.name: one.wanted.asset for one in files if one.wanted.asset is not None}


def digests(known: Known, release: Release, files: tuple[VerifyAsset, ...], *but: str) -> dict[str, str]:
    """SHA-256 of what is published, by name; without what follows from the files (sums, manifest) and without some.

    What was found to be wrong is there with what the forge says of it: it is no subject, or another one.
    """
    left_out = {*document_names(release), *but}
    found = {
        one.wanted.name: known.get(one) or one.wanted.asset.digest for one in files if one.wanted.asset is not None
    }
    return {name: digest for name, digest in found.items() if name not in left_out}
